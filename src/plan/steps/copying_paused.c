/* CopyingPaused: between two precopies, and until the cutover is due. */
#include "plan/step.h"
#include "plan/warm.h"
#include "source/warm.h"

static WarmNext next(VmRun *vm)
{
    const PlanRun *plan = vm_run_plan(vm);
    const Settings *settings = plan->settings;
    const json_t *spec = plan->migration ? json_object_get(object_json(plan->migration), "spec") : NULL;

    gint interval_s =
        settings->precopy_interval_s ? settings->precopy_interval_s : settings->precopy_interval_min * 60;

    return warm_next(vm_run_status(vm), spec, interval_s, g_get_real_time());
}

static void show(VmRun *vm, json_t *step)
{
    json_t *status = vm_run_status(vm);
    gint64 forecast = warm_forecast_s(status, step, g_get_real_time());
    g_autofree char *seconds = forecast < 0 ? NULL : g_strdup_printf("%" G_GINT64_FORMAT, forecast);
    const char *failure = warm_failure(status);
    g_autofree char *cutover =
        seconds ? g_strdup_printf("; a cutover now would copy for about %s s", seconds) : NULL;
    g_autofree char *reason =
        g_strdup_printf("Precopies so far: %u; the next one is due at %s%s%s%s", warm_count(status),
                        json_string_at(status, "warm.nextPrecopyAt", "once"), cutover ? cutover : "",
                        failure ? "; the last one failed: " : "", failure ? failure : "");

    item_annotate(step, "expectedCopySeconds", seconds);
    item_set_reason(step, reason);
}

/* The last precopy's disks are all copied when this is reached. */
static gboolean end_precopy(VmRun *vm, json_t *step, GCancellable *cancel, GError **error)
{
    json_t *status = vm_run_status(vm), *last = warm_last(status);
    Source *source;

    if (!warm_is_open(last))
        return TRUE;
    source = vm_run_source(vm, error);
    if (!source ||
        !source_snapshot_release(source, vm_run_owner(vm)->vm_id, warm_snapshot(last), cancel, error))
        return FALSE;
    warm_succeed(status, step);
    return TRUE;
}

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    json_t *step = vm_run_step(vm, "DiskTransfer");

    if (!end_precopy(vm, step, cancel, error))
        return STEP_FAILED;
    if (next(vm) == WARM_WAIT) {
        show(vm, step);
        return STEP_WAIT;
    }
    item_set_reason(step, NULL);
    return STEP_DONE;
}

static const Step *then(VmRun *vm)
{
    return next(vm) == WARM_CUTOVER ? &step_cutover_store_power_state : NULL;
}

const Step step_copying_paused = {
    .phase = "CopyingPaused", .pipeline = "DiskTransfer", .run = run, .then = then};
