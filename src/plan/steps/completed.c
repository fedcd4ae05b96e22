/* Completed: the copiers' credentials are not needed any more, and there is nothing to put back. */
#include "plan/clean_up.h"
#include "plan/source_record.h"

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    return clean_up_secrets(vm, TRUE, cancel, error) && source_record_note(vm, SOURCE_SETTLED, cancel, error)
               ? STEP_DONE
               : STEP_FAILED;
}

const Step step_completed = {.phase = PHASE_COMPLETED, .run = run};
