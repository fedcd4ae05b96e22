/* Completed: the copiers' credentials are not needed any more. */
#include "plan/clean_up.h"

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    return clean_up_secrets(vm, TRUE, cancel, error) ? STEP_DONE : STEP_FAILED;
}

const Step step_completed = {.phase = PHASE_COMPLETED, .run = run};
