/* importer_pod: manifests of one disk's copy. */
#include "target/importer_pod.h"
#include "target/data_volume.h"
#include "target/pod.h"

#define CONFIG_PATH TARGET_COPY_CONFIG
#define BLOCK_PATH  "/dev/block0"

/* The copier's memory and its parallel reads; larger figures gained nothing in bench/copy. */
enum { COPY_MEMORY = 64 << 20, COPY_CONNECTIONS = 8 };

static json_t *metadata_of(const TargetOwner *owner, const VmDisk *disk, const char *prefix)
{
    json_t *metadata = target_metadata(owner, prefix);
    g_autofree char *id = target_label_value(disk->id);

    json_object_set_new(json_object_get(metadata, "labels"), TARGET_DISK_LABEL, json_string(id));
    json_object_set_new(json_object_get(metadata, "labels"), "forklift.app",
                        json_string(TARGET_IMPORTER_APP));
    return metadata;
}

json_t *target_copy_spec(const TargetOwner *owner, const Importer *importer)
{
    const VmDisk *disk = importer->disk;
    json_t *spec =
        json_pack("{s:i, s:{s:s, s:s, s:s, s:s, s:I}, s:O, s:s, s:{s:s}, s:s, s:{s:s, s:I}, s:{s:i, s:i}}",
                  "version", 1, "disk", "plan", owner->plan_uid, "vm", owner->vm_id, "id", disk->id, "name",
                  disk->name, "size", (json_int_t)disk->size, "source", importer->source, "credentials",
                  CONFIG_PATH, "target", "path", importer->block ? BLOCK_PATH : "/data/disk.img", "state",
                  "/state", "fence", "uid", importer->fence, "generation", (json_int_t)importer->generation,
                  "limits", "memory", COPY_MEMORY, "connections", COPY_CONNECTIONS);
    if (importer->rate)
        json_set_at_new(spec, "limits.bytesPerSecond", json_integer(importer->rate));
    if (importer->changes)
        json_object_set(spec, "changes", (json_t *)importer->changes);
    if (importer->trust)
        json_object_set(spec, "trust", (json_t *)importer->trust);
    return spec;
}

json_t *target_importer_secret(const TargetOwner *owner, const Importer *importer)
{
    g_autoptr(json_t) spec = target_copy_spec(owner, importer);
    g_autofree char *text = json_text(spec);

    return json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:s, s:s}}", "apiVersion", "v1", "kind", "Secret", "type",
                     "Opaque", "metadata", metadata_of(owner, importer->disk, ""), "stringData", "spec.json",
                     text, "user", importer->user ? importer->user : "", "password",
                     importer->password ? importer->password : "");
}

json_t *target_importer_pod(const TargetOwner *owner, const Importer *importer, const char *secret)
{
    json_t *command = json_pack("[s, s, s, s, s, s]", "gantry", "copy", "--spec", CONFIG_PATH "/spec.json",
                                "--listen", "$(POD_IP):8080");
    json_t *spec = pod_spec(TARGET_IMPORTER_APP, owner->image, command, "OnFailure");
    json_t *metadata = metadata_of(owner, importer->disk, "importer-");

    pod_log_about(spec, owner);
    pod_request(spec, "100m", "128Mi");
    if (importer->block)
        pod_attach_claim(spec, "data", importer->claim, BLOCK_PATH);
    else
        pod_mount_claim(spec, "data", importer->claim, "/data");
    pod_mount_claim(spec, "state", importer->state_claim, "/state");
    pod_mount_secret(spec, "copy", secret, CONFIG_PATH);
    if (importer->vddk)
        pod_mount_vddk(spec, importer->vddk);
    pod_keep_together(spec, owner);
    pod_transfer_network(metadata, importer->transfer_network);
    if (importer->service_account)
        json_object_set_new(spec, "serviceAccountName", json_string(importer->service_account));
    return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "v1", "kind", "Pod", "metadata", metadata, "spec",
                     spec);
}

const char *target_importer_secret_name(const json_t *pod)
{
    size_t i;
    json_t *volume;

    json_array_foreach (json_at(pod, "spec.volumes"), i, volume)
        if (json_object_get(volume, "secret"))
            return json_string_at(volume, "secret.secretName", "");
    return "";
}
