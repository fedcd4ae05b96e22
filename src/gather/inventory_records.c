/* inventory_records: finds the inventory service, then asks it. */
#include "gather/inventory_records.h"
#include "inventory/client.h"

#define NAMESPACE "openshift-mtv"
#define SERVICE   "forklift-inventory"

struct InventoryRecords {
    InventoryClient *inventory;
    Object *provider;
};

static char *service_root(KubeClient *client, GCancellable *cancel)
{
    g_autoptr(Object) route = kube_get(client, &KUBE_ROUTE, NAMESPACE, SERVICE, cancel, NULL);
    const char *host = route ? json_string_at(object_json(route), "spec.host", "") : "";

    return *host ? g_strconcat("https://", host, NULL)
                 : g_strdup("https://" SERVICE "." NAMESPACE ".svc:8443");
}

InventoryRecords *inventory_records_open(KubeClient *client, const Object *provider, GCancellable *cancel,
                                         GError **error)
{
    g_autofree char *root = service_root(client, cancel), *token = kube_client_token(client);
    g_autoptr(Object) ca = kube_get(client, &KUBE_CONFIG_MAP, NAMESPACE, "gantry-ca", cancel, NULL);
    const char *pem =
        ca ? json_string_value(json_object_get(json_object_get(object_json(ca), "data"), "ca.crt")) : NULL;
    InventoryClient *inventory = inventory_client_new_at(root, pem, token, error);
    InventoryRecords *records;

    if (token)
        explicit_bzero(token, strlen(token));
    if (!inventory)
        return NULL;
    records = g_new0(InventoryRecords, 1);
    records->inventory = inventory;
    records->provider = object_ref((Object *)provider);
    return records;
}

void inventory_records_free(InventoryRecords *records)
{
    inventory_client_free(records->inventory);
    object_unref(records->provider);
    g_free(records);
}

json_t *inventory_records_vm(InventoryRecords *records, const char *id, GCancellable *cancel, GError **error)
{
    return inventory_get(records->inventory, records->provider, "workloads", id, cancel, error);
}
