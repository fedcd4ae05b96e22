/* step: one phase of a VM's migration.
 *
 * run() looks at the world first, acts at most once, and says whether to go on or to wait. It may be called
 * again after any crash, at any point of its own work. Called by one worker at a time per VM.
 */
#pragma once
#include "plan/vm_run.h"

/* AGAIN: what was noted in the status has to be written before the step goes on. FAILED: error is set. */
typedef enum { STEP_DONE, STEP_WAIT, STEP_AGAIN, STEP_FAILED } StepResult;

/* Marks of the power steps that back_out() has to know: the guest goes off some time after it was asked. */
#define SHUTDOWN_ASKING "shutdown-asking" /* written before it is asked, by */
#define SHUTDOWN_ASKER  "shutdown-asker"  /* this session */
#define SHUTDOWN_ASKED  "shutdown-asked"
#define SHUTDOWN_SEEN   "seen-off" /* it is over: if the VM runs again, somebody has started it */

typedef struct Step {
    const char *phase;    /* as clients see it in status.phase */
    const char *pipeline; /* the pipeline step that it belongs to */
    StepResult (*run)(VmRun *vm, GCancellable *cancel, GError **error);
    gboolean (*applies)(VmRun *vm); /* NULL: always */
    /* Where it goes on when it is done; NULL, or giving NULL: at the next step of the itinerary. */
    const struct Step *(*then)(VmRun *vm);
} Step;

extern const Step step_started, step_pre_hook, step_store_power_state, step_power_off_source,
    step_wait_for_power_off, step_inspect_guest, step_create_data_volumes, step_copy_disks,
    step_create_guest_conversion_pod, step_convert_guest, step_create_vm, step_post_hook, step_completed;

/* Of a warm migration. The power steps are the same but for the pipeline step that they belong to. */
extern const Step step_create_initial_snapshot, step_store_initial_snapshot_deltas, step_precopy_disks,
    step_copying_paused, step_remove_previous_snapshot, step_create_snapshot, step_store_snapshot_deltas,
    step_add_checkpoint, step_cutover_store_power_state, step_cutover_power_off_source,
    step_cutover_wait_for_power_off, step_remove_penultimate_snapshot, step_create_final_snapshot,
    step_add_final_checkpoint, step_finalize, step_remove_final_snapshot;

/* When a step of the cutover has failed: a snapshot that somebody has removed is made anew, a few times; then
 * STEP_DONE, and warm_after_final() is where it goes on. Takes *problem. */
StepResult warm_take_again(VmRun *vm, GError **problem, GError **error);
const Step *warm_after_final(VmRun *vm);
