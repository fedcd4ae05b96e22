/* conversion_pod: manifests of one guest's conversion. */
#include "target/conversion_pod.h"
#include "target/pod.h"

#define CONFIG_PATH "/etc/gantry/convert"

static json_t *metadata_of(const TargetOwner *owner)
{
    json_t *metadata = target_metadata(owner, "");
    json_object_set_new(json_object_get(metadata, "labels"), "forklift.app",
                        json_string(TARGET_CONVERSION_APP));
    return metadata;
}

static json_t *disk_spec(const ConversionDisk *disk, guint index)
{
    g_autofree char *id = target_label_value(disk->disk->id);
    g_autofree char *path = disk->block ? g_strdup_printf("/dev/block%u", index)
                                        : g_strdup_printf("/mnt/disks/disk%u/disk.img", index);
    g_autofree char *overlay = g_strdup_printf("/state/%s.qcow2", id),
                    *manifest = g_strdup_printf("/state/%s.manifest", id);

    return json_pack("{s:s, s:s, s:s, s:s}", "id", disk->disk->id, "path", path, "overlay", overlay,
                     "manifest", manifest);
}

json_t *target_keys_secret(const TargetOwner *owner, const char *app, const json_t *data)
{
    json_t *metadata = target_metadata(owner, ""), *labels = json_object_get(metadata, "labels");

    json_object_set_new(labels, "forklift.app", json_string(app));
    json_object_set_new(labels, "isLUKS", json_string("true"));
    return json_pack("{s:s, s:s, s:s, s:o, s:O}", "apiVersion", "v1", "kind", "Secret", "type", "Opaque",
                     "metadata", metadata, "data", data);
}

json_t *target_conversion_config(const TargetOwner *owner, const Conversion *conversion)
{
    const Vm *vm = conversion->vm;
    g_autoptr(json_t) spec = json_pack(
        "{s:i, s:{s:s, s:s}, s:s, s:I, s:i, s:[]}", "version", 1, "vm", "id", vm->id, "name", vm->name,
        "firmware", vm->firmware == FIRMWARE_EFI ? "efi" : "bios", "memory", (json_int_t)vm->memory, "cpus",
        (int)MAX(1, vm->sockets * vm->cores * vm->threads), "disks");
    g_autofree char *text = NULL;

    for (guint i = 0; i < conversion->disk_count; i++)
        json_array_append_new(json_object_get(spec, "disks"), disk_spec(&conversion->disks[i], i));
    if (conversion->root)
        json_object_set_new(spec, "root", json_string(conversion->root));
    if (conversion->nics)
        json_object_set(spec, "nics", (json_t *)conversion->nics);
    if (conversion->keys_secret)
        json_object_set_new(spec, "keys", json_string(TARGET_KEYS_PATH));
    if (conversion->clevis)
        json_object_set_new(spec, "clevis", json_true());
    text = json_text(spec);
    return json_pack("{s:s, s:s, s:o, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
                     metadata_of(owner), "data", "spec.json", text);
}

static void add_disk(json_t *spec, const ConversionDisk *disk, guint index)
{
    g_autofree char *volume = g_strdup_printf("disk%u", index);
    g_autofree char *device = g_strdup_printf("/dev/block%u", index),
                    *path = g_strdup_printf("/mnt/disks/disk%u", index);

    if (disk->block)
        pod_attach_claim(spec, volume, disk->claim, device);
    else
        pod_mount_claim(spec, volume, disk->claim, path);
}

/* The user's labels never replace those that the Pod is found by; the VM's Pods stay on one node all the
 * same. */
static void place(json_t *metadata, json_t *spec, const Conversion *conversion)
{
    json_t *labels = json_object_get(metadata, "labels"), *selector = json_object_get(spec, "nodeSelector");

    if (conversion->labels)
        json_object_update_missing(labels, (json_t *)conversion->labels);
    if (conversion->node_selector && selector)
        json_object_update_missing(selector, (json_t *)conversion->node_selector);
    else if (conversion->node_selector)
        json_object_set_new(spec, "nodeSelector", json_deep_copy(conversion->node_selector));
    if (conversion->affinity)
        json_object_update_missing(json_object_get(spec, "affinity"), (json_t *)conversion->affinity);
}

json_t *target_conversion_pod(const TargetOwner *owner, const Conversion *conversion, const char *config_map)
{
    json_t *command = json_pack("[s, s, s, s, s, s]", "gantry", "convert", "--spec", CONFIG_PATH "/spec.json",
                                "--listen", "$(POD_IP):8080");
    json_t *spec = pod_spec(TARGET_CONVERSION_APP, owner->image, command, "Never");
    json_t *metadata = metadata_of(owner);

    pod_log_about(spec, owner);
    pod_request(spec, TARGET_APPLIANCE_CPU, TARGET_APPLIANCE_MEMORY);
    for (guint i = 0; i < conversion->disk_count; i++)
        add_disk(spec, &conversion->disks[i], i);
    pod_mount_claim(spec, "state", conversion->state_claim, "/state");
    pod_mount_config_map(spec, "convert", config_map, CONFIG_PATH);
    if (conversion->keys_secret)
        pod_mount_secret(spec, "keys", conversion->keys_secret, TARGET_KEYS_PATH);
    pod_keep_together(spec, owner);
    pod_transfer_network(metadata, conversion->transfer_network);
    if (conversion->request_kvm)
        pod_request_kvm(spec);
    if (conversion->service_account)
        json_object_set_new(spec, "serviceAccountName", json_string(conversion->service_account));
    place(metadata, spec, conversion);
    return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "v1", "kind", "Pod", "metadata", metadata, "spec",
                     spec);
}
