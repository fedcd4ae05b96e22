/* orphan: what a plan that has been deleted had under way is ended, and its sources are put back.
 *
 * All that is known of such a plan is its source_record and its children's labels. In this order: nothing
 * copies or converts any more, targets that have not taken over are stopped, sources that were running run
 * again; then goes what an archive would take: Pods, Jobs, Secrets, ConfigMaps, state claims, targets that
 * have not taken over and their disks. Nothing without the plan's labels is touched, no VirtualMachine that
 * has taken over, none of its disks, and never a source VM. Threads: any.
 */
#pragma once
#include "plan/step.h"

/* record: as source_record.h makes it. DONE: nothing is left, not even the record. */
StepResult orphan_settle(KubeClient *kube, const Settings *settings, const Object *record,
                         GCancellable *cancel, GError **error);

/* The same for children in one cluster whose plan has left no record; *left: some are going but not gone. */
gboolean orphan_delete_children(KubeClient *target, const char *plan_uid, gboolean *left,
                                GCancellable *cancel, GError **error);
