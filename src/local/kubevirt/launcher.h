/* launcher: the virt-launcher Pod of an instance: what users look for when they want to see that, and how, a machine runs.
 *
 * No process belongs to it: its log is the file that the guest's serial console is written to. Threads: any.
 */
#pragma once
#include "local/view.h"

/* The instance's launcher Pod; made when there is none. A reference to drop. */
Object *launcher_get(LocalView *view, const Object *instance, const char *node, GCancellable *cancel, GError **error);

/* The instance's launcher Pod when it has one, or NULL. */
Object *launcher_find(LocalView *view, const Object *instance);

/* Shows the phase: "Running", "Succeeded" or "Failed". */
gboolean launcher_say(LocalView *view, const Object *pod, const char *phase, GCancellable *cancel, GError **error);
