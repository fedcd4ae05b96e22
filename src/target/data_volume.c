/* data_volume: manifests of DataVolumes and of the state claim. */
#include "target/data_volume.h"
#include <string.h>

guint64 target_disk_size(guint64 source_size)
{
    const guint64 mib = 1 << 20;
    guint64 rest = source_size % mib;

    if (source_size > G_MAXUINT64 - mib)
        return 0;
    return rest ? source_size - rest + mib : source_size;
}

/* The part of a claim's spec that a DataVolume's storage section shares. */
static json_t *claim(const TargetStorage *storage, guint64 size)
{
    g_autofree char *quantity = target_quantity(size);
    json_t *spec = json_pack("{s:{s:{s:s}}}", "resources", "requests", "storage", quantity);

    if (storage->storage_class)
        json_object_set_new(spec, "storageClassName", json_string(storage->storage_class));
    if (storage->access_mode)
        json_object_set_new(spec, "accessModes", json_pack("[s]", storage->access_mode));
    if (storage->volume_mode)
        json_object_set_new(spec, "volumeMode", json_string(storage->volume_mode));
    return spec;
}

static void rename_to(json_t *metadata, const TargetName *name)
{
    json_object_del(metadata, "generateName");
    json_object_set_new(metadata, name->generate ? "generateName" : "name", json_string(name->text));
}

json_t *target_data_volume(const TargetOwner *owner, const VmDisk *disk, guint index,
                           const TargetStorage *storage, const TargetName *name)
{
    guint64 request = storage->request ? storage->request : target_disk_size(disk->size);
    g_autofree char *number = g_strdup_printf("%u", index), *id = target_label_value(disk->id);
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, disk->size);
    json_t *metadata = target_metadata(owner, "");

    if (name)
        rename_to(metadata, name);
    json_object_set_new(json_object_get(metadata, "labels"), TARGET_DISK_LABEL, json_string(id));
    json_object_set_new(metadata, "annotations",
                        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", TARGET_DISK_SOURCE, disk->name,
                                  TARGET_DISK_INDEX, number, TARGET_DISK_ID, disk->id, TARGET_DISK_SIZE, size,
                                  "cdi.kubevirt.io/storage.bind.immediate.requested", "true",
                                  "cdi.kubevirt.io/storage.deleteAfterCompletion", "false"));
    return json_pack("{s:s, s:s, s:o, s:{s:{s:{}}, s:o}}", "apiVersion", "cdi.kubevirt.io/v1beta1", "kind",
                     "DataVolume", "metadata", metadata, "spec", "source", "blank", "storage",
                     claim(storage, request));
}

json_t *target_state_claim(const TargetOwner *owner, const TargetStorage *storage, guint64 size)
{
    TargetStorage state = {
        .storage_class = storage->storage_class, .access_mode = "ReadWriteOnce", .volume_mode = "Filesystem"};
    json_t *metadata = target_metadata(owner, "");
    g_autofree char *name = g_strdup_printf("%sstate", json_string_at(metadata, "generateName", ""));

    if (strlen(name) < TARGET_NAME_BASE) {
        json_object_del(metadata, "generateName");
        json_object_set_new(metadata, "name", json_string(name));
    }
    json_object_set_new(json_object_get(metadata, "labels"), "resource", json_string("state"));
    return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "v1", "kind", "PersistentVolumeClaim", "metadata",
                     metadata, "spec", claim(&state, size));
}
