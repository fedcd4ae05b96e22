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

StepResult back_out(VmRun *vm, GCancellable *cancel, GError **error)
{
    StepResult result;

    if (vm_status_mark(vm_run_status(vm), "taken-over"))
        return STEP_DONE;
    result = clean_up_running(vm, cancel, error);
    if (result == STEP_DONE)
        result = target_machine_stop(vm, cancel, error);
    if (result == STEP_DONE)
        result = restore_power(vm, cancel, error);
    return result;
}
