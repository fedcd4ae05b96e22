/* virtual_machine: a VirtualMachine has an instance while it is to run.
 *
 * Threads: one at a time per key; it looks first and may be called again after a crash at any point.
 */
#pragma once
#include "local/view.h"

/* As WorkQueueRun. */
guint virtual_machine_reconcile(LocalView *view, const char *key, GCancellable *cancel, GError **error);
