/* vm_progress: run a step, or settle a VM that failed or was cancelled. */
#include "plan/vm_progress.h"
#include "base/clock.h"
#include "base/log.h"
#include "crd/conditions.h"
#include "crd/plan_key.h"
#include "plan/back_out.h"
#include "plan/clean_up.h"
#include "plan/itinerary.h"
#include "plan/source_record.h"
#include <string.h>

#define RETRYING "retrying-since"
#define SETTLING "settling-since"

static void set_now(json_t *status, const char *key)
{
    g_autofree char *now = clock_now();
    json_object_set_new(status, key, json_string(now));
}

/* ---- the end ---- */

static void complete(VmRun *vm)
{
    json_t *status = vm_run_status(vm);
    gboolean canceled = vm_status_has(status, "Canceled"), failed = vm_status_bubble_errors(status);
    const PlanRun *run = vm_run_plan(vm);
    g_autofree char *key = plan_key(run->plan);

    json_object_set_new(status, "phase", json_string(PHASE_COMPLETED));
    set_now(status, "completed");
    vm_run_forget(vm, RETRYING);
    vm_run_forget(vm, SETTLING);
    if (!canceled && failed)
        vm_status_set_condition(status, "Failed", CONDITION_ADVISORY, NULL, "The VM migration has FAILED.",
                                TRUE);
    else if (!canceled)
        vm_status_set_condition(status, "Succeeded", CONDITION_ADVISORY, NULL,
                                "The VM migration has SUCCEEDED.", TRUE);
    log_info("VM migration ended", "plan", key, "migration",
             run->migration ? object_name(run->migration) : NULL, "vm", vm_status_id(status), "result",
             canceled ? "canceled"
             : failed ? "failed"
                      : "succeeded",
             NULL);
}

/* Steps under way get an end, but no progress that they did not make. */
static void end_open_steps(json_t *status)
{
    size_t i, j;
    json_t *step, *task;

    json_array_foreach (json_object_get(status, "pipeline"), i, step) {
        json_array_foreach (json_object_get(step, "tasks"), j, task)
            if (item_started(task) && !item_ended(task))
                set_now(task, "completed");
        if (item_started(step) && !item_ended(step))
            set_now(step, "completed");
    }
}

static gboolean deletes_on_failure(VmRun *vm)
{
    return json_bool_at(vm_run_status(vm), "deleteVmOnFailMigration",
                        json_bool_at(vm_run_plan_spec(vm), "deleteVmOnFailMigration", FALSE));
}

static StepResult clean(VmRun *vm, GCancellable *cancel, GError **error)
{
    if (vm_status_has(vm_run_status(vm), "Canceled") && !clean_up_temporary(vm, NULL, cancel, error))
        return STEP_FAILED;
    if (!clean_up_secrets(vm, TRUE, cancel, error) || !source_record_note(vm, SOURCE_SETTLED, cancel, error))
        return STEP_FAILED;
    if (deletes_on_failure(vm) && !vm_status_mark(vm_run_status(vm), "taken-over") &&
        (!clean_up_target(vm, cancel, error) || !clean_up_state(vm, cancel, error)))
        return STEP_FAILED;
    return STEP_DONE;
}

/* The VM failed or was cancelled: back out, clean up, complete. What cannot be undone in time is said. */
static gboolean settle(VmRun *vm, GCancellable *cancel)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *reason = NULL, *key = plan_key(vm_run_plan(vm)->plan);
    StepResult result;

    vm_run_once(vm, SETTLING);
    result = back_out(vm, cancel, &problem);
    if (result == STEP_DONE)
        result = clean(vm, cancel, &problem);
    if (result == STEP_WAIT || result == STEP_AGAIN)
        return result == STEP_AGAIN;
    if (result == STEP_FAILED) {
        if (g_cancellable_is_cancelled(cancel))
            return FALSE;
        log_warn("backing out", "plan", key, "vm", vm_status_id(vm_run_status(vm)), "error", problem->message,
                 NULL);
        if (!vm_run_past(vm, SETTLING, vm_run_plan(vm)->settings->retry_timeout_s))
            return FALSE;
        reason = g_strdup_printf("The source could not be put back as it was: %s. %s", problem->message,
                                 error_remedy(problem));
        status_add_error(vm_run_status(vm), vm_status_phase(vm_run_status(vm)), reason);
    }
    end_open_steps(vm_run_status(vm));
    complete(vm);
    return TRUE;
}

void vm_progress_cancel(VmRun *vm, const char *reason)
{
    json_t *status = vm_run_status(vm);

    if (vm_status_completed(status) || vm_status_has(status, "Canceled"))
        return;
    vm_status_remove_condition(status, "Pending");
    vm_status_set_condition(status, "Canceled", CONDITION_ADVISORY, reason,
                            "The migration has been canceled.", TRUE);
}

/* ---- a step ---- */

static void fail(VmRun *vm, const Step *step, const GError *problem)
{
    json_t *status = vm_run_status(vm),
           *pipeline = vm_run_step(vm, step->pipeline ? step->pipeline : "Initialize");
    g_autofree char *reason = g_strdup_printf("%s. %s", problem->message, error_remedy(problem));
    g_autofree char *key = plan_key(vm_run_plan(vm)->plan);

    log_error("step failed", "plan", key, "vm", vm_status_id(status), "phase", step->phase, "error",
              problem->message, NULL);
    status_add_error(pipeline ? pipeline : status, step->phase, reason);
    vm_status_bubble_errors(status);
}

/* An error that may pass is shown and borne for a while. TRUE: the VM has failed. */
static gboolean bear(VmRun *vm, const Step *step, const GError *problem)
{
    gint limit = vm_run_plan(vm)->settings->retry_timeout_s;
    g_autofree char *reason = g_strdup_printf("Retrying: %s", problem->message);
    g_autofree char *key = plan_key(vm_run_plan(vm)->plan);

    vm_run_once(vm, RETRYING);
    if (error_class(problem) == FATAL || vm_run_past(vm, RETRYING, limit)) {
        fail(vm, step, problem);
        return TRUE;
    }
    log_warn("step is retried", "plan", key, "vm", vm_status_id(vm_run_status(vm)), "phase", step->phase,
             "error", problem->message, NULL);
    item_set_reason(vm_run_step(vm, step->pipeline ? step->pipeline : "Initialize"), reason);
    return FALSE;
}

static void clear_retry(VmRun *vm, const Step *step)
{
    if (!vm_status_mark(vm_run_status(vm), RETRYING))
        return;
    vm_run_forget(vm, RETRYING);
    item_set_reason(vm_run_step(vm, step->pipeline ? step->pipeline : "Initialize"), NULL);
}

static void go_to(VmRun *vm, const Step *from, const Step *to)
{
    json_t *status = vm_run_status(vm);
    g_autofree char *key = plan_key(vm_run_plan(vm)->plan);

    if (from->pipeline && !itinerary_has(vm, to, from->pipeline))
        item_end(vm_run_step(vm, from->pipeline));
    if (!to) {
        complete(vm);
        return;
    }
    json_object_set_new(status, "phase", json_string(to->phase));
    if (to->pipeline)
        item_begin(vm_run_step(vm, to->pipeline));
    log_info("phase", "plan", key, "vm", vm_status_id(status), "phase", to->phase, NULL);
}

static gboolean run_step(VmRun *vm, const Step *step, GCancellable *cancel)
{
    g_autoptr(GError) problem = NULL;
    StepResult result;

    if (step->pipeline)
        item_begin(vm_run_step(vm, step->pipeline));
    result = step->run(vm, cancel, &problem);
    if (g_cancellable_is_cancelled(cancel))
        return FALSE;
    if (result == STEP_FAILED)
        return bear(vm, step, problem);
    clear_retry(vm, step);
    if (result == STEP_DONE)
        go_to(vm, step, itinerary_next(vm, step));
    return result != STEP_WAIT;
}

gboolean vm_progress(VmRun *vm, GCancellable *cancel)
{
    json_t *status = vm_run_status(vm);
    const Step *step;

    if (vm_status_completed(status))
        return FALSE;
    if (vm_status_has(status, "Canceled") || json_object_get(status, "error"))
        return settle(vm, cancel);
    step = itinerary_find(vm, vm_status_phase(status));
    if (step)
        return run_step(vm, step, cancel);
    status_add_error(status, vm_status_phase(status),
                     "The status names a phase that this version does not know. Start a new Migration.");
    return TRUE;
}
