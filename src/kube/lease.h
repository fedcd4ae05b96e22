/* lease: of several processes that could do the same work, one does: the holder of a coordination.k8s.io/v1
 * Lease.
 *
 * Guarantee: two processes never hold a Lease at once, as long as their clocks run at the same speed: who holds it
 * says so again every sixth of its duration, and gives up (lost) after three quarters without an answer; others
 * take it when they have seen no renewal for the whole duration, by their own clock. In a Pod the holder is named by
 * its Pod ($POD_NAME), so that a restarted container goes on at once, and a Pod that is gone or has ended needs no
 * waiting for: Kubernetes says that only when its processes have ended. Nor does an ended process of this machine.
 * Threads: one of its own renews; lost is called on it, once. Errors: CANCELED; KUBE_FORBIDDEN and others that waiting
 * does not mend.
 */
#pragma once
#include "kube/client.h"

typedef struct Lease Lease;

typedef struct {
    const char *ns, *name;
    guint seconds;                    /* its duration; 0: 60 */
    void (*lost)(gpointer user_data); /* must end the work at once, best by ending the process */
    gpointer user_data;
} LeaseOptions;

/* Waits until the Lease is ours. */
Lease *lease_take(KubeClient *client, const LeaseOptions *options, GCancellable *cancel, GError **error);

/* Gives it up, so that the next one need not wait. Only after the work has ended. */
void lease_release(Lease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lease, lease_release)
