/* mapping: what a plan's NetworkMap and StorageMap make of a source network or datastore.
 *
 * Arguments are whole NetworkMap and StorageMap documents. A pair is found by its source.id; one that names
 * its source by name or path by status.references, which the map's reconciler fills in the order of spec.map.
 * Threads: pure functions; strings are borrowed from the documents unless said.
 */
#pragma once
#include "target/data_volume.h"
#include "target/virtual_machine.h"

typedef struct {
    TargetNic *nics;  /* one per vm->nics */
    GPtrArray *texts; /* owns the "namespace/name" in them */
} NicMapping;
void nic_mapping_clear(NicMapping *mapping);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NicMapping, nic_mapping_clear)

/* NOT_MAPPED names the NIC and the network. Several multus pairs for one network are a pool: the n-th NIC on
 * it gets the n-th attachment. */
gboolean mapping_nics(const json_t *network_map, const Vm *vm, NicMapping *out, GError **error);

/* The destination of a datastore; modes NULL where the map says nothing. NOT_MAPPED names the disk and the
 * datastore. */
gboolean mapping_storage(const json_t *storage_map, const VmDisk *disk, TargetStorage *out, GError **error);

/* Modes for a storage class whose StorageMap entry says none: the guide's table 2.1 by provisioner, else
 * Filesystem and ReadWriteOnce. provisioner may be NULL. */
void mapping_default_modes(const char *provisioner, TargetStorage *storage);
