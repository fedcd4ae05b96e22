/* step: one phase of a VM's migration.
 *
 * run() looks at the world first, acts at most once, and says whether to go on or to wait. It may be called
 * again after any crash, at any point of its own work. Called by one worker at a time per VM.
 */
#pragma once
#include "plan/vm_run.h"

/* AGAIN: what was noted in the status has to be written before the step goes on. FAILED: error is set. */
typedef enum { STEP_DONE, STEP_WAIT, STEP_AGAIN, STEP_FAILED } StepResult;

typedef struct {
    const char *phase;    /* as clients see it in status.phase */
    const char *pipeline; /* the pipeline step that it belongs to */
    StepResult (*run)(VmRun *vm, GCancellable *cancel, GError **error);
    gboolean (*applies)(VmRun *vm); /* NULL: always */
} Step;

extern const Step step_started, step_pre_hook, step_store_power_state, step_power_off_source,
    step_wait_for_power_off, step_create_data_volumes, step_copy_disks, step_create_guest_conversion_pod,
    step_convert_guest, step_create_vm, step_post_hook, step_completed;
