/* node: this machine as the only node of a cluster whose Kubernetes API is another program: a real
 * kube-apiserver with kube-controller-manager. Gantry's own services are installed there as on any cluster
 * (deploy/kubernetes.yaml).
 *
 * Everything is as in local/machine.h. The data directory belongs to one cluster. Threads: one thread starts
 * and stops.
 */
#pragma once
#include "base/errors.h"

typedef struct LocalNode LocalNode;

typedef struct {
    const char *data;       /* directory */
    const char *kubeconfig; /* of an administrator of the cluster */
    const char
        *pods; /* addresses of Pods, which are this machine's own and no loopback ones: "10.97.0.0/16" */
} LocalNodeOptions;

/* Errors: those of kube_client_new_kubeconfig() and machine_new(), and whatever keeps a part from starting.
 */
LocalNode *local_node_start(const LocalNodeOptions *options, GCancellable *cancel, GError **error);
const char *local_node_server(LocalNode *node); /* the API's URL */

/* Stops everything but the virtual machines. */
void local_node_stop(LocalNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LocalNode, local_node_stop)
