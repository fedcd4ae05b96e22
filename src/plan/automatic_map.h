/* automatic_map: the pairs of a NetworkMap and a StorageMap for VMs whose owner did not say where they lead.
 *
 * Networks: one whose name is that of a NetworkAttachmentDefinition goes there; of the rest the one that most NICs are on goes to
 * the pod network, every other is ignored (its NICs are left out), since a VM can be on the pod network once. Storage: all
 * to one class. The result is a proposal: it is shown before it is applied.
 * Threads: pure functions.
 */
#pragma once
#include "source/vm.h"

/* vms: of Vm. names: id of a network (or storage) → its name, may lack some. attachments: array of NetworkAttachmentDefinition
 * documents, may be NULL. The array is spec.map; a new reference. */
json_t *automatic_network_pairs(const GPtrArray *vms, GHashTable *names, const json_t *attachments);
json_t *automatic_storage_pairs(const GPtrArray *vms, GHashTable *names, const char *storage_class);
