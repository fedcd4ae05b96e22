/* vm_progress: moves one VM by one step of its itinerary, or out of it.
 *
 * Threads: as VmRun.
 */
#pragma once
#include "plan/step.h"

/* TRUE when something changed that another look should follow at once. The VM has started, is queued no more.
 */
gboolean vm_progress(VmRun *vm, GCancellable *cancel);

/* The user's wish: the VM is marked Canceled; later calls of vm_progress() back out. */
void vm_progress_cancel(VmRun *vm, const char *reason);
