/* back_out: copiers, target, source. */
#include "plan/back_out.h"
#include "plan/clean_up.h"
#include "plan/target_machine.h"
#include <string.h>

static StepResult restore_power(VmRun *vm, GCancellable *cancel, GError **error)
{
    PowerState power;

    if (strcmp(json_string_at(vm_run_status(vm), "restorePowerState", ""), "On"))
        return STEP_DONE;
    if (!vm_run_source_power(vm, &power, cancel, error))
        return STEP_FAILED;
    if (power == POWER_ON)
        return STEP_DONE;
    return vm_run_power_on_source(vm, cancel, error) ? STEP_WAIT : STEP_FAILED;
}

/* The target itself says so, even when a killed controller could not note it in the status. */
static StepResult has_taken_over(VmRun *vm, gboolean *out, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) machines = NULL;

    *out = vm_status_mark(vm_run_status(vm), "taken-over") != NULL;
    if (*out)
        return STEP_DONE;
    machines = vm_run_list(vm, &KUBE_VIRTUAL_MACHINE, TRUE, NULL, cancel, error);
    for (guint i = 0; machines && i < machines->len; i++)
        *out = *out || target_machine_taken_over(machines->pdata[i]);
    if (*out)
        vm_run_once(vm, "taken-over");
    return machines ? STEP_DONE : STEP_FAILED;
}

StepResult back_out(VmRun *vm, GCancellable *cancel, GError **error)
{
    gboolean taken_over;
    StepResult result = has_taken_over(vm, &taken_over, cancel, error);

    if (result != STEP_DONE || taken_over)
        return result;
    result = clean_up_running(vm, cancel, error);
    if (result == STEP_DONE)
        result = target_machine_stop(vm, cancel, error);
    if (result == STEP_DONE)
        result = restore_power(vm, cancel, error);
    return result;
}
