/* storage: StorageMap, StorageProfile, table; and the room that a file system takes. */
#include "plan/storage.h"
#include <math.h>
#include <string.h>

#define STATIC_PROVISIONER "kubernetes.io/no-provisioner"

/* ---- modes ---- */

static const char *known_mode(const char *text)
{
    static const char *const modes[] = {"Filesystem", "Block", "ReadWriteOnce", "ReadWriteMany",
                                        "ReadOnlyMany"};

    for (guint i = 0; text && i < G_N_ELEMENTS(modes); i++)
        if (!strcmp(text, modes[i]))
            return modes[i];
    return NULL;
}

static gboolean allows(const json_t *set, const char *access_mode)
{
    size_t i;
    json_t *mode;

    json_array_foreach (json_object_get(set, "accessModes"), i, mode)
        if (!g_strcmp0(json_string_value(mode), access_mode))
            return TRUE;
    return FALSE;
}

/* Of the profile's sets, best first, the first that agrees with what is said already. */
static const json_t *property_set(const json_t *profile, const TargetStorage *storage)
{
    size_t i;
    json_t *set;

    json_array_foreach (json_at(profile, "status.claimPropertySets"), i, set) {
        const char *volume = json_string_at(set, "volumeMode", "Filesystem");
        if ((!storage->access_mode || allows(set, storage->access_mode)) &&
            (!storage->volume_mode || !strcmp(storage->volume_mode, volume)))
            return set;
    }
    return NULL;
}

void storage_modes(const json_t *class, const json_t *profile, TargetStorage *storage)
{
    const json_t *set = property_set(profile, storage);
    const char *provisioner = json_string_at(class, "provisioner", NULL);

    if (set && !storage->access_mode)
        storage->access_mode =
            known_mode(json_string_value(json_array_get(json_object_get(set, "accessModes"), 0)));
    if (set && !storage->volume_mode)
        storage->volume_mode = known_mode(json_string_at(set, "volumeMode", "Filesystem"));
    if (!g_strcmp0(provisioner, STATIC_PROVISIONER))
        provisioner = NULL;
    mapping_default_modes(provisioner, storage);
}

/* ---- size ---- */

/* A share below 1 as CDI writes it: "0.06". What is none counts as 0. */
static double share(const char *text)
{
    char *end = NULL;
    double value = text ? g_ascii_strtod(text, &end) : 0;

    return end && *end == '\0' && value > 0 && value < 1 ? value : 0;
}

static double cdi_share(const json_t *config, const char *class)
{
    const json_t *overhead = json_at(config, "status.filesystemOverhead");
    const json_t *own = class ? json_object_get(json_object_get(overhead, "storageClass"), class) : NULL;

    return share(own ? json_string_value(own) : json_string_at(overhead, "global", NULL));
}

static double own_share(const json_t *class, const StorageOverhead *own)
{
    const char *text =
        json_string_value(json_object_get(json_at(class, "metadata.annotations"), STORAGE_OVERHEAD));
    char *end = NULL;
    gint64 percent = text ? g_ascii_strtoll(text, &end, 10) : -1;

    if (!end || end == text || *end || percent < 0 || percent > 99)
        percent = own->filesystem_percent;
    return percent / 100.0;
}

guint64 storage_request(const json_t *class, const json_t *config, const StorageOverhead *own,
                        const TargetStorage *storage, guint64 disk_size)
{
    double cdi = cdi_share(config, storage->storage_class), wanted = MAX(cdi, own_share(class, own));
    guint64 size = target_disk_size(disk_size);
    double grown = (double)size * ((1 - cdi) / (1 - wanted));

    if (!g_strcmp0(storage->volume_mode, "Block"))
        return size > G_MAXUINT64 - own->block_bytes ? 0 : target_disk_size(size + own->block_bytes);
    if (wanted <= cdi)
        return size;
    return grown < (double)G_MAXINT64 ? target_disk_size((guint64)ceil(grown)) : 0;
}

/* ---- asking ---- */

static const json_t *document(const Object *object)
{
    return object ? object_json(object) : NULL;
}

gboolean storage_of_disk(VmRun *vm, const VmDisk *disk, TargetStorage *out, GCancellable *cancel,
                         GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    StorageOverhead own = {.filesystem_percent = plan->settings->filesystem_overhead_percent,
                           .block_bytes = plan->settings->block_overhead_bytes};
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) class = NULL, profile = NULL, config = NULL;

    if (!mapping_storage(object_json(plan->storage_map), disk, out, error))
        return FALSE;
    class = kube_get(plan->target, &KUBE_STORAGE_CLASS, NULL, out->storage_class, cancel, error);
    if (!class)
        return FALSE;
    profile = vm_run_find_useful(vm, &KUBE_STORAGE_PROFILE, out->storage_class, cancel, &problem);
    config = problem ? NULL : vm_run_find_useful(vm, &KUBE_CDI_CONFIG, "config", cancel, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    storage_modes(document(class), document(profile), out);
    out->request = storage_request(document(class), document(config), &own, out, disk->size);
    if (out->request)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "disk %s is larger than a claim can be", disk->name);
    return FALSE;
}
