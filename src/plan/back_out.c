/* back_out: copiers, target, the source's power, its snapshots. */
#include "plan/back_out.h"
#include "plan/clean_up.h"
#include "plan/source_audit.h"
#include "plan/source_record.h"
#include "plan/target_machine.h"
#include "plan/warm.h"
#include "source/warm.h"
#include <string.h>

/* A guest that was asked to shut down still runs: it goes off some time, and would stay off. */
static gboolean is_going_off(VmRun *vm)
{
    gint limit = vm_run_plan(vm)->settings->power_off_timeout_s;
    const char *mark = vm_status_mark(vm_run_status(vm), SHUTDOWN_ASKED) ? SHUTDOWN_ASKED : SHUTDOWN_ASKING;

    return !vm_status_mark(vm_run_status(vm), SHUTDOWN_SEEN) && vm_status_mark(vm_run_status(vm), mark) &&
           !vm_run_past(vm, mark, limit);
}

static void forget_shutdown(VmRun *vm)
{
    vm_run_forget(vm, SHUTDOWN_ASKING);
    vm_run_forget(vm, SHUTDOWN_ASKER);
    vm_run_forget(vm, SHUTDOWN_ASKED);
}

static StepResult restore_power(VmRun *vm, GCancellable *cancel, GError **error)
{
    PowerState power;

    if (strcmp(json_string_at(vm_run_status(vm), "restorePowerState", ""), "On"))
        return STEP_DONE;
    if (!vm_run_source_power(vm, &power, cancel, error))
        return STEP_FAILED;
    if (power == POWER_ON && is_going_off(vm)) {
        item_set_reason(vm_run_step(vm, "Initialize"),
                        "Waiting for the guest's shutdown, to power it on again");
        return STEP_WAIT;
    }
    if (power == POWER_ON)
        return STEP_DONE;
    if (!vm_run_power_on_source(vm, cancel, error) || !source_record_note(vm, SOURCE_RAN, cancel, error))
        return STEP_FAILED;
    forget_shutdown(vm);
    return STEP_AGAIN;
}

/* Ours alone; the copied disks stay for the next try. */
static StepResult remove_snapshots(VmRun *vm, GCancellable *cancel, GError **error)
{
    const TargetOwner *owner = vm_run_owner(vm);
    Source *source;

    if (!warm_last(vm_run_status(vm)))
        return STEP_DONE;
    source = vm_run_source(vm, error);
    return source && source_snapshot_sweep(source, owner->vm_id, owner->plan_uid, NULL, cancel, error) &&
                   source_audit(vm, AUDIT_SNAPSHOTS_REMOVED, NULL, cancel, error)
               ? STEP_DONE
               : STEP_FAILED;
}

/* The target itself says so, even when a killed controller could not note it in the status. One that is not
 * ours to stop may run: the source stays as it is beside it. */
static StepResult has_taken_over(VmRun *vm, gboolean *out, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) machines = NULL;

    *out = vm_status_mark(vm_run_status(vm), "taken-over") != NULL;
    if (*out)
        return STEP_DONE;
    machines = vm_run_list(vm, &KUBE_VIRTUAL_MACHINE, TRUE, NULL, cancel, error);
    for (guint i = 0; machines && i < machines->len; i++)
        *out = *out || !target_machine_unfinished(machines->pdata[i]);
    if (*out)
        vm_run_once(vm, "taken-over");
    return machines ? STEP_DONE : STEP_FAILED;
}

StepResult back_out(VmRun *vm, GCancellable *cancel, GError **error)
{
    gboolean taken_over;
    StepResult result = has_taken_over(vm, &taken_over, cancel, error);

    if (result != STEP_DONE)
        return result;
    if (taken_over)
        return remove_snapshots(vm, cancel, error);
    result = clean_up_running(vm, cancel, error);
    if (result == STEP_DONE)
        result = target_machine_stop(vm, cancel, error);
    if (result == STEP_DONE)
        result = restore_power(vm, cancel, error);
    if (result == STEP_DONE)
        result = remove_snapshots(vm, cancel, error);
    return result;
}
