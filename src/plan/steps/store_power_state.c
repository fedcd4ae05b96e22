/* StorePowerState: what the source's power state is now is what it gets back, and what the target is given.
 */
#include "plan/step.h"

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    json_t *status = vm_run_status(vm);
    PowerState power;

    if (json_object_get(status, "restorePowerState"))
        return STEP_DONE;
    if (!vm_run_source_power(vm, &power, cancel, error))
        return STEP_FAILED;
    if (power == POWER_SUSPENDED) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_SUSPENDED,
                    "VM %s is suspended: its disks lack what is still in memory", vm_status_name(status));
        return STEP_FAILED;
    }
    json_object_set_new(status, "restorePowerState", json_string(power == POWER_ON ? "On" : "Off"));
    return STEP_DONE;
}

const Step step_store_power_state = {.phase = "StorePowerState", .pipeline = "Initialize", .run = run};
