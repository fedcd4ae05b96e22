/* leave: Gantry is removed while plans run: its namespace is being deleted, which nothing holds up.
 *
 * What runs is ended then as if each plan had been deleted (plan/orphan.h): nothing copies any more, no
 * snapshot, lease or transfer of ours stays open at a source, sources that were running run again, and
 * targets that have taken over stay. That needs the plans' records, Providers and Secrets. A namespace loses
 * its Pods before them since Kubernetes 1.33, and here; so it is done while the controller's own Pod ends,
 * for as long as its terminationGracePeriodSeconds allow. An older cluster deletes everything at once, but
 * not in the first five seconds. What is left in the target's cluster belongs to the namespace
 * (plan_run_owners()) and goes with it. Threads: any.
 */
#pragma once
#include "kube/client.h"

typedef struct Leave Leave;

/* Watches the namespace. */
Leave *leave_watch(KubeClient *kube, const char *ns);
void leave_free(Leave *leave);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Leave, leave_free)

/* Cancelled as soon as the namespace is seen to be deleted; borrowed. */
GCancellable *leave_begun(Leave *leave);

/* Asks the API whether it is: for who was told to stop and does not know yet why. */
gboolean leave_is_wanted(Leave *leave);

/* Ends it all; returns when nothing is left. No Controllers may run. */
void leave_finish(Leave *leave);
