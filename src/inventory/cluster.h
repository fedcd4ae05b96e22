/* cluster: a KubeVirt cluster's inventory: asked for at each request, because the cluster's own API is the inventory.
 *
 * Threads: any. Errors: those of kube/client.h.
 */
#pragma once
#include "inventory/stock.h"

/* Whether everything that the inventory shows can be read: one of each. */
gboolean cluster_check(KubeClient *cluster, GCancellable *cancel, GError **error);

/* "namespaces", "storageclasses", "networkattachmentdefinitions", "vms"; NULL for others. */
const char *const *cluster_collections(void); /* ends with NULL */
const KubeResource *cluster_resource(const char *collection);
/* {"vmCount","networkCount","storageClassCount"}, as far as they can be read. */
json_t *cluster_counts(KubeClient *cluster, GCancellable *cancel);
/* detail 0: base members; more: "object" too. */
json_t *cluster_document(Stock *stock, const char *collection, const Object *object, guint detail);
