/* PowerOffSource, WaitForPowerOff: the guest is asked to shut down; its power is cut only when the settings
 * allow it. */
#include "plan/source_record.h"
#include "plan/step.h"

#define CUT "power-cut"

/* The inventory follows the source by a moment; what is copied is described by it. */
enum { INVENTORY_LAG_S = 60 };

/* After this the guest of which a killed controller did not say whether it was asked has not been. */
enum { UNSURE_S = 30 };

/* The guest cannot be asked, or did not do it: cut or give up. Takes why. */
static StepResult insist(VmRun *vm, GError *why, GCancellable *cancel, GError **error)
{
    if (vm_run_plan(vm)->settings->power_off_force) {
        g_error_free(why);
        if (!vm_run_once(vm, CUT))
            return STEP_WAIT;
        return vm_run_cut_power(vm, cancel, error) ? STEP_WAIT : STEP_FAILED;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_POWER_OFF_FAILED, "VM %s keeps running: %s",
                vm_status_name(vm_run_status(vm)), why->message);
    g_error_free(why);
    return STEP_FAILED;
}

/* A guest is asked once, also when the controller is killed in between: that it will be is written first, and another controller that finds it
 * written waits whether the guest goes before it asks. */
static StepResult prepare(VmRun *vm, GCancellable *cancel, GError **error)
{
    json_t *status = vm_run_status(vm);
    const char *session = vm_run_plan(vm)->session, *asker = vm_status_mark(status, SHUTDOWN_ASKER);

    if (!g_strcmp0(asker, session))
        return STEP_DONE;
    if (asker)
        return vm_run_past(vm, SHUTDOWN_ASKING, UNSURE_S) ? STEP_DONE : STEP_WAIT;
    if (!source_record_note(vm, SOURCE_ASKED, cancel, error))
        return STEP_FAILED;
    vm_run_once(vm, SHUTDOWN_ASKING);
    vm_status_set_mark(status, SHUTDOWN_ASKER, session);
    return STEP_AGAIN;
}

static StepResult ask(VmRun *vm, GCancellable *cancel, GError **error)
{
    GError *problem = NULL;
    PowerState power;
    StepResult prepared;

    if (!vm_run_source_power(vm, &power, cancel, error))
        return STEP_FAILED;
    if (power == POWER_OFF || vm_status_mark(vm_run_status(vm), SHUTDOWN_ASKED))
        return STEP_DONE;
    prepared = prepare(vm, cancel, error);
    if (prepared != STEP_DONE)
        return prepared;
    if (vm_run_ask_shutdown(vm, cancel, &problem)) {
        vm_run_once(vm, SHUTDOWN_ASKED);
        return STEP_DONE;
    }
    if (error_class(problem) != FATAL && !g_error_matches(problem, GANTRY_ERROR, ERROR_SOURCE_FAULT)) {
        g_propagate_error(error, problem);
        return STEP_FAILED;
    }
    vm_run_forget(vm, SHUTDOWN_ASKING); /* it was refused: nothing will go off by itself */
    vm_run_forget(vm, SHUTDOWN_ASKER);
    if (vm_run_plan(vm)->settings->power_off_force)
        vm_run_once(vm, SHUTDOWN_ASKED);
    return insist(vm, problem, cancel, error) == STEP_FAILED ? STEP_FAILED : STEP_DONE;
}

static StepResult wait_for_inventory(VmRun *vm, GCancellable *cancel, GError **error)
{
    const Vm *machine = vm_run_describe(vm, cancel, error);

    vm_run_once(vm, SHUTDOWN_SEEN);
    if (!machine)
        return STEP_FAILED;
    return machine->powered_on && !vm_run_past(vm, SHUTDOWN_SEEN, INVENTORY_LAG_S) ? STEP_WAIT : STEP_DONE;
}

static StepResult wait(VmRun *vm, GCancellable *cancel, GError **error)
{
    gint limit = vm_run_plan(vm)->settings->power_off_timeout_s;
    PowerState power;

    if (!vm_run_source_power(vm, &power, cancel, error))
        return STEP_FAILED;
    if (power == POWER_OFF)
        return wait_for_inventory(vm, cancel, error);
    if (vm_run_past(vm, SHUTDOWN_ASKED, limit))
        return insist(vm,
                      g_error_new(GANTRY_ERROR, ERROR_POWER_OFF_FAILED,
                                  "its guest did not shut down within %d seconds of being asked", limit),
                      cancel, error);
    return STEP_WAIT;
}

const Step step_power_off_source = {.phase = "PowerOffSource", .pipeline = "Initialize", .run = ask};
const Step step_wait_for_power_off = {.phase = "WaitForPowerOff", .pipeline = "Initialize", .run = wait};
const Step step_cutover_power_off_source = {.phase = "PowerOffSource", .pipeline = "Cutover", .run = ask};
const Step step_cutover_wait_for_power_off = {.phase = "WaitForPowerOff", .pipeline = "Cutover", .run = wait};
