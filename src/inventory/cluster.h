/* cluster: a KubeVirt cluster's inventory: asked for at each request, because the cluster's own API is the inventory.
 *
 * Threads: any. Errors: those of kube/client.h; CLUSTER_VERSION names the version that was found and the one that is needed.
 */
#pragma once
#include "inventory/stock.h"

/* Whether the cluster is recent enough, and everything that the inventory needs can be read: one of each. */
gboolean cluster_check(KubeClient *cluster, GCancellable *cancel, GError **error);

/* "namespaces", "storageclasses", "networkattachmentdefinitions", "vms" …; NULL for others. */
const KubeResource *cluster_resource(const char *collection);
const char *const *cluster_collections(void); /* ends with NULL */
/* Objects of a collection; one that not every cluster has (instance types) is empty where it is unknown. */
GPtrArray *cluster_list(KubeClient *cluster, const char *collection, const char *ns, GCancellable *cancel, GError **error);
/* {"vmCount","networkCount","storageClassCount"}, as far as they can be read. */
json_t *cluster_counts(KubeClient *cluster, GCancellable *cancel);
/* detail 0: base members; more: "object" too. */
json_t *cluster_document(Stock *stock, const char *collection, const Object *object, guint detail);
