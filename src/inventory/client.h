/* client: the inventory service as every other process sees it: over HTTPS, on one machine too.
 *
 * $API_HOST, $API_PORT, $API_TLS_CA and $INVENTORY_SERVICE_SCHEME (as Forklift's Deployments set them) say where it is; the
 * service account's token goes with each request.
 * Threads: any. Errors: INVENTORY_NOT_READY (206, or the provider is not known yet: try later), INVENTORY_NOT_FOUND,
 * INVENTORY_AMBIGUOUS (a name matches several), INVENTORY_UNAVAILABLE.
 */
#pragma once
#include "kube/client.h"

typedef struct InventoryClient InventoryClient;
InventoryClient *inventory_client_new(GError **error);
/* One at a known place ("https://HOST:PORT"), with a caller's token. ca_pem NULL: system trust. */
InventoryClient *inventory_client_new_at(const char *root, const char *ca_pem, const char *token, GError **error);
/* The one that belongs to a cluster, with kube's own token. Found by its Route where there is one (from outside the cluster too),
 * else by its Service; its certificate is checked against ConfigMap gantry-ca, which `gantry up` and the operator keep, else the
 * system's trust. */
InventoryClient *inventory_client_new_of(KubeClient *kube, GCancellable *cancel, GError **error);
void             inventory_client_free(InventoryClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InventoryClient, inventory_client_free)

/* provider: the Provider object (its type and uid make the path). collection: "vms", "networks", "datastores", "workloads" … */
json_t *inventory_get(InventoryClient *client, const Object *provider, const char *collection, const char *id,
                      GCancellable *cancel, GError **error);

/* Resolves a Ref {id} or {name} of a custom resource to the full document: by id first, else by name or path. */
json_t *inventory_find(InventoryClient *client, const Object *provider, const char *collection, const json_t *ref,
                       GCancellable *cancel, GError **error);

json_t *inventory_list(InventoryClient *client, const Object *provider, const char *collection, guint detail,
                       GCancellable *cancel, GError **error);
/* A list with a query of its own ("detail=4&limit=50&q=…", percent-encoded); its errors also BAD_INPUT, for a wrong filter. */
json_t *inventory_query(InventoryClient *client, const Object *provider, const char *collection, const char *query,
                        GCancellable *cancel, GError **error);
