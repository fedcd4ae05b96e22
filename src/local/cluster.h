/* cluster: the whole local cluster in one process: API server, controllers, kubelet, disks and virtual
 * machines, and what it needs to be one: the custom kinds, Namespace openshift-mtv, a default StorageClass,
 * Provider host, Gantry's own services.
 *
 * Guarantee: what lives on from a process that was killed is adopted, or ended, before anything new is
 * started. Threads: one thread starts, waits and stops.
 */
#pragma once
#include "local/apiserver/apiserver.h"

typedef struct LocalCluster LocalCluster;

typedef struct {
    const char *data, *listen; /* directory; "127.0.0.1:6443" */
    gboolean bare;             /* without Gantry's own services */
} LocalClusterOptions;

/* Errors: those of apiserver_start(), and whatever keeps a part from starting. */
LocalCluster *local_cluster_start(const LocalClusterOptions *options, GCancellable *cancel, GError **error);

/* Waits until Gantry's services are available. FALSE: CANCELED, or NOT_READY after most_seconds, which says
 * which is not and why. */
gboolean local_cluster_wait(LocalCluster *cluster, guint most_seconds, GCancellable *cancel, GError **error);

/* Stops everything but the virtual machines. */
void local_cluster_stop(LocalCluster *cluster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LocalCluster, local_cluster_stop)

const ApiServer *local_cluster_api(const LocalCluster *cluster);
const char *local_cluster_host(const LocalCluster *cluster); /* "127.0.0.1" */
