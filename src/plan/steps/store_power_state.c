/* StorePowerState: what the source's power state is now is what it gets back, and what the target is given.
 * What an earlier run could not put back counts as it was. The last moment to learn what only a running guest
 * tells.
 */
#include "plan/guest_network.h"
#include "plan/source_record.h"
#include "plan/step.h"

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    json_t *status = vm_run_status(vm);
    PowerState power;
    gboolean was_running;

    if (json_object_get(status, "restorePowerState"))
        return STEP_DONE;
    if (!vm_run_source_power(vm, &power, cancel, error))
        return STEP_FAILED;
    if (power == POWER_SUSPENDED) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_SUSPENDED,
                    "VM %s is suspended: its disks lack what is still in memory", vm_status_name(status));
        return STEP_FAILED;
    }
    if (!guest_network_note(vm, cancel, error) || !source_record_read(vm, &was_running, cancel, error))
        return STEP_FAILED;
    was_running = was_running || power == POWER_ON;
    if (was_running && !source_record_note(vm, SOURCE_RAN, cancel, error))
        return STEP_FAILED;
    json_object_set_new(status, "restorePowerState", json_string(was_running ? "On" : "Off"));
    return STEP_DONE;
}

const Step step_store_power_state = {.phase = "StorePowerState", .pipeline = "Initialize", .run = run};
const Step step_cutover_store_power_state = {.phase = "StorePowerState", .pipeline = "Cutover", .run = run};
