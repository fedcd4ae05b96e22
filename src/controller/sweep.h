/* sweep: takes away what plans that are gone have left, and puts back the sources of those that were running.
 *
 * What is done to each is plan/orphan.h's; here is found which they are: plans that a record or a child names
 * and that do not exist. Threads: one at a time.
 */
#pragma once
#include "controller/controllers.h"

/* A WorkQueueRun; user_data is the Controllers. It comes again until nothing is left. */
guint sweep_run(const char *key, gpointer controllers, GCancellable *cancel, GError **error);

/* One pass as if every plan had been deleted, of those that have left a record. TRUE: nothing is left. Not
 * beside Controllers. */
gboolean sweep_as_if_no_plan(KubeClient *kube, GCancellable *cancel);
