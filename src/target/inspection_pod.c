/* inspection_pod: manifests of one guest's inspection. */
#include "target/inspection_pod.h"
#include "target/conversion_pod.h"
#include "target/pod.h"

#define STATE_PATH "/state"

/* A guest that cannot be looked at in that time is looked at by its conversion. */
enum { DEADLINE_S = 30 * 60 };

static json_t *metadata_of(const TargetOwner *owner, const Inspection *inspection, const char *prefix)
{
    json_t *metadata = target_metadata(owner, prefix), *labels = json_object_get(metadata, "labels");

    json_object_set_new(labels, "forklift.app", json_string(TARGET_INSPECTION_APP));
    json_object_set_new(labels, TARGET_INSPECTION_MARK, json_string(inspection->mark));
    return metadata;
}

static json_t *inspection_spec(const Inspection *inspection)
{
    const Vm *vm = inspection->vm;
    json_t *disks = json_array();
    json_t *spec = json_pack("{s:i, s:{s:s, s:s}, s:s, s:o}", "version", 1, "vm", "id", vm->id, "name",
                             vm->name, "state", STATE_PATH, "disks", disks);

    for (guint i = 0; i < vm->disks->len; i++) {
        g_autofree char *path = g_strdup_printf(TARGET_COPY_CONFIG "/disk%u.json", i);
        json_array_append_new(disks,
                              json_pack("{s:s, s:s}", "id", inspection->disks[i].disk->id, "copy", path));
    }
    if (inspection->root)
        json_object_set_new(spec, "root", json_string(inspection->root));
    if (inspection->keys_secret)
        json_object_set_new(spec, "keys", json_string(TARGET_KEYS_PATH));
    if (inspection->clevis)
        json_object_set_new(spec, "clevis", json_true());
    return spec;
}

json_t *target_inspection_secret(const TargetOwner *owner, const Inspection *inspection)
{
    const Importer *first = &inspection->disks[0];
    g_autoptr(json_t) spec = inspection_spec(inspection);
    g_autofree char *text = json_text(spec);
    json_t *data = json_pack("{s:s, s:s, s:s}", "inspect.json", text, "user", first->user ? first->user : "",
                             "password", first->password ? first->password : "");

    for (guint i = 0; i < inspection->vm->disks->len; i++) {
        g_autofree char *key = g_strdup_printf("disk%u.json", i), *copy_text = NULL;
        g_autoptr(json_t) copy = target_copy_spec(owner, &inspection->disks[i]);
        copy_text = json_text(copy);
        json_object_set_new(data, key, json_string(copy_text));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "apiVersion", "v1", "kind", "Secret", "type", "Opaque",
                     "metadata", metadata_of(owner, inspection, ""), "stringData", data);
}

json_t *target_inspection_pod(const TargetOwner *owner, const Inspection *inspection, const char *secret)
{
    json_t *command = json_pack("[s, s, s, s, s, s]", "gantry", "inspect", "--spec",
                                TARGET_COPY_CONFIG "/inspect.json", "--listen", "$(POD_IP):8080");
    json_t *spec = pod_spec(TARGET_INSPECTION_APP, owner->image, command, "Never");
    json_t *metadata = metadata_of(owner, inspection, "inspect-");

    json_object_set_new(spec, "activeDeadlineSeconds", json_integer(DEADLINE_S));
    pod_log_about(spec, owner);
    pod_request(spec, TARGET_APPLIANCE_CPU, TARGET_APPLIANCE_MEMORY);
    pod_mount_secret(spec, "copy", secret, TARGET_COPY_CONFIG);
    pod_mount_scratch(spec, "state", STATE_PATH);
    if (inspection->keys_secret)
        pod_mount_secret(spec, "keys", inspection->keys_secret, TARGET_KEYS_PATH);
    pod_transfer_network(metadata, inspection->transfer_network);
    if (inspection->request_kvm)
        pod_request_kvm(spec);
    if (inspection->service_account)
        json_object_set_new(spec, "serviceAccountName", json_string(inspection->service_account));
    return json_pack("{s:s, s:s, s:o, s:o}", "apiVersion", "v1", "kind", "Pod", "metadata", metadata, "spec",
                     spec);
}
