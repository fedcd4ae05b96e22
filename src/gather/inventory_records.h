/* inventory_records: VMs of one provider as the inventory service has them, for an archive.
 *
 * The service is found by its Route where there is one (from outside a cluster too), else by its Service; its
 * certificate is checked against ConfigMap gantry-ca, which `gantry up` and the operator keep, else the
 * system's trust. Threads: one at a time. Errors: those of inventory/client.h.
 */
#pragma once
#include "kube/client.h"

typedef struct InventoryRecords InventoryRecords;
InventoryRecords *inventory_records_open(KubeClient *client, const Object *provider, GCancellable *cancel,
                                         GError **error);
void inventory_records_free(InventoryRecords *records);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InventoryRecords, inventory_records_free)

json_t *inventory_records_vm(InventoryRecords *records, const char *id, GCancellable *cancel, GError **error);
