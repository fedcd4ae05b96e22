/* back_out: puts the source back as it was, when a VM's migration ends before its target has taken over.
 *
 * In this order, each confirmed before the next: nothing copies or converts any more; the target is stopped;
 * the source gets its power state back. So two live copies never exist. May be called again at any point.
 * Threads: as VmRun.
 */
#pragma once
#include "plan/step.h"

StepResult back_out(VmRun *vm, GCancellable *cancel, GError **error);
