/* mapping: pairs of a map, and the default modes of provisioners. */
#include "plan/mapping.h"
#include <string.h>

void nic_mapping_clear(NicMapping *mapping)
{
    g_clear_pointer(&mapping->nics, g_free);
    g_clear_pointer(&mapping->texts, g_ptr_array_unref);
}

static gboolean source_is(const json_t *map, size_t index, const char *id)
{
    const json_t *pair = json_array_get(json_at(map, "spec.map"), index);
    const char *own = json_string_at(pair, "source.id", "");
    const json_t *reference = json_array_get(json_at(map, "status.references"), index);

    if (*own)
        return !strcmp(own, id);
    return reference && !strcmp(json_string_at(reference, "id", ""), id);
}

/* The destination for the nth (from 0) use of a network by one VM. */
static const json_t *network_destination(const json_t *map, const char *id, guint nth)
{
    const json_t *chosen = NULL;
    const json_t *pairs = json_at(map, "spec.map");
    guint seen = 0, total = 0;

    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *destination = json_at(json_array_get(pairs, i), "destination");
        if (!id || !source_is(map, i, id))
            continue;
        if (strcmp(json_string_at(destination, "type", "pod"), "multus"))
            return destination;
        total++;
        if (seen++ == nth)
            chosen = destination;
    }
    if (!chosen && total == 1)
        for (size_t i = 0; i < json_array_size(pairs); i++)
            if (source_is(map, i, id))
                return json_at(json_array_get(pairs, i), "destination");
    return chosen;
}

static guint uses_before(const Vm *vm, guint index)
{
    const VmNic *nic = vm->nics->pdata[index];
    guint count = 0;

    for (guint i = 0; i < index; i++)
        if (!g_strcmp0(((const VmNic *)vm->nics->pdata[i])->network_id, nic->network_id))
            count++;
    return count;
}

static TargetNic nic_of(const json_t *destination, GPtrArray *texts)
{
    const char *type = json_string_at(destination, "type", "pod");
    char *text;

    if (!strcmp(type, "ignored"))
        return (TargetNic){.kind = NIC_IGNORED};
    if (strcmp(type, "multus"))
        return (TargetNic){.kind = NIC_POD};
    text = g_strdup_printf("%s/%s", json_string_at(destination, "namespace", "default"),
                           json_string_at(destination, "name", ""));
    g_ptr_array_add(texts, text);
    return (TargetNic){.kind = NIC_MULTUS, .network = text};
}

gboolean mapping_nics(const json_t *network_map, const Vm *vm, NicMapping *out, GError **error)
{
    g_auto(NicMapping) mapping = {.nics = g_new0(TargetNic, vm->nics->len + 1),
                                  .texts = g_ptr_array_new_with_free_func(g_free)};

    for (guint i = 0; i < vm->nics->len; i++) {
        const VmNic *nic = vm->nics->pdata[i];
        const json_t *destination = network_destination(network_map, nic->network_id, uses_before(vm, i));
        if (!destination) {
            g_set_error(error, GANTRY_ERROR, ERROR_NOT_MAPPED,
                        "network %s of NIC %u (%s) is not in NetworkMap %s",
                        nic->network_id ? nic->network_id : "(none)", i + 1, nic->mac ? nic->mac : "no MAC",
                        json_string_at(network_map, "metadata.name", ""));
            return FALSE;
        }
        mapping.nics[i] = nic_of(destination, mapping.texts);
        /* KubeVirt has no link that is down on a card of the host, and refuses the VM. */
        if (mapping.nics[i].kind == NIC_MULTUS && nic->passed_through && nic->disconnected)
            mapping.nics[i].kind = NIC_IGNORED;
    }
    *out = mapping;
    mapping = (NicMapping){0};
    return TRUE;
}

gboolean mapping_storage(const json_t *storage_map, const VmDisk *disk, TargetStorage *out, GError **error)
{
    const json_t *pairs = json_at(storage_map, "spec.map");

    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *destination = json_at(json_array_get(pairs, i), "destination");
        if (!disk->storage_id || !source_is(storage_map, i, disk->storage_id))
            continue;
        *out = (TargetStorage){.storage_class = json_string_at(destination, "storageClass", NULL),
                               .access_mode = json_string_at(destination, "accessMode", NULL),
                               .volume_mode = json_string_at(destination, "volumeMode", NULL)};
        return TRUE;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_NOT_MAPPED, "datastore %s of disk %s is not in StorageMap %s",
                disk->storage_id ? disk->storage_id : "(none)", disk->name,
                json_string_at(storage_map, "metadata.name", ""));
    return FALSE;
}

/* The guide's table 2.1. */
static const struct {
    const char *provisioner, *volume_mode, *access_mode;
} modes[] = {
    {"kubernetes.io/aws-ebs", "Block", "ReadWriteOnce"},
    {"kubernetes.io/azure-disk", "Block", "ReadWriteOnce"},
    {"kubernetes.io/azure-file", "Filesystem", "ReadWriteMany"},
    {"kubernetes.io/cinder", "Block", "ReadWriteOnce"},
    {"kubernetes.io/gce-pd", "Block", "ReadWriteOnce"},
    {"kubernetes.io/hostpath-provisioner", "Filesystem", "ReadWriteOnce"},
    {"manila.csi.openstack.org", "Filesystem", "ReadWriteMany"},
    {"openshift-storage.cephfs.csi.ceph.com", "Filesystem", "ReadWriteMany"},
    {"openshift-storage.rbd.csi.ceph.com", "Block", "ReadWriteOnce"},
    {"kubernetes.io/rbd", "Block", "ReadWriteOnce"},
    {"kubernetes.io/vsphere-volume", "Block", "ReadWriteOnce"},
};

void mapping_default_modes(const char *provisioner, TargetStorage *storage)
{
    const char *volume = "Filesystem", *access = "ReadWriteOnce";

    for (guint i = 0; i < G_N_ELEMENTS(modes); i++)
        if (!g_strcmp0(provisioner, modes[i].provisioner)) {
            volume = modes[i].volume_mode;
            access = modes[i].access_mode;
        }
    if (!storage->volume_mode)
        storage->volume_mode = volume;
    if (!storage->access_mode)
        storage->access_mode = access;
}
