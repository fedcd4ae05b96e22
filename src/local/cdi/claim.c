/* claim: binds claims to directories, and takes the directories away again. */
#include "local/cdi/claim.h"
#include "kube/events.h"
#include "kube/quantity.h"
#include "local/cdi/cdi.h"
#include "local/cdi/folder.h"
#include <string.h>

#define DEFAULT_CLASS "storageclass.kubernetes.io/is-default-class"
enum { AGAIN_MS = 10000 };
static const guint64 capacity_grain = 64 << 20; /* smaller changes of a class's room are not worth a write */

/* The class that a claim names, or the default one; NULL when there is none. */
static Object *class_of(LocalView *view, const json_t *claim)
{
    const char *name = json_string_at(claim, "spec.storageClassName", NULL);

    if (name)
        return *name ? local_view_get(view, &KUBE_STORAGE_CLASS, "", name) : NULL;
    g_autoptr(GPtrArray) classes = local_view_list(view, &KUBE_STORAGE_CLASS, NULL, NULL);
    for (guint i = 0; i < classes->len; i++)
        if (!strcmp(object_annotation(classes->pdata[i], DEFAULT_CLASS, ""), "true"))
            return object_ref(classes->pdata[i]);
    return NULL;
}

static guint wait_with_event(LocalView *view, const Object *claim, const char *message)
{
    event_record(local_view_client(view), claim, TRUE, "ProvisioningFailed", message, "cdi");
    return AGAIN_MS;
}

static json_t *volume_manifest(const Object *claim, const Object *class, const char *name, const char *path)
{
    const json_t *spec = json_object_get(object_json(claim), "spec");
    json_t *modes = json_object_get(spec, "accessModes");

    return json_pack(
        "{s:{s:s, s:{s:s}}, s:{s:{s:s}, s:o, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:{s:s, s:s}}}",
        "metadata", "name", name, "annotations", "pv.kubernetes.io/provisioned-by", CDI_PROVISIONER, "spec",
        "capacity", "storage", json_string_at(spec, "resources.requests.storage", "0"), "accessModes",
        modes ? json_deep_copy(modes) : json_pack("[s]", "ReadWriteOnce"), "persistentVolumeReclaimPolicy",
        "Delete", "storageClassName", object_name(class), "volumeMode", "Filesystem", "claimRef",
        "apiVersion", "v1", "kind", "PersistentVolumeClaim", "namespace", object_namespace(claim), "name",
        object_name(claim), "uid", object_uid(claim), "hostPath", "path", path, "type", "Directory");
}

static gboolean patch(LocalView *view, const KubeResource *resource, const Object *object,
                      const char *subresource, json_t *change_take, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) change = change_take;
    const char *ns = resource->namespaced ? object_namespace(object) : NULL;
    g_autoptr(Object) changed = kube_patch(local_view_client(view), resource, ns, object_name(object),
                                           KUBE_PATCH_MERGE, change, subresource, cancel, error);
    return changed != NULL;
}

static gboolean bind(LocalView *view, const Object *claim, const Object *volume, GCancellable *cancel,
                     GError **error)
{
    const json_t *spec = json_object_get(object_json(volume), "spec");

    if (!patch(view, &KUBE_PERSISTENT_VOLUME_CLAIM, claim, NULL,
               json_pack("{s:{s:s, s:s, s:s}}", "spec", "volumeName", object_name(volume), "storageClassName",
                         json_string_at(spec, "storageClassName", ""), "volumeMode", "Filesystem"),
               cancel, error))
        return FALSE;
    return patch(view, &KUBE_PERSISTENT_VOLUME, volume, "status",
                 json_pack("{s:{s:s}}", "status", "phase", "Bound"), cancel, error) &&
           patch(view, &KUBE_PERSISTENT_VOLUME_CLAIM, claim, "status",
                 json_pack("{s:{s:s, s:O, s:O}}", "status", "phase", "Bound", "accessModes",
                           json_object_get(spec, "accessModes"), "capacity",
                           json_object_get(spec, "capacity")),
                 cancel, error);
}

/* FALSE without error: there is no room; the claim waits. The volumes are read from the server, as one that
 * was made a moment ago counts too. */
static gboolean has_room(LocalView *view, const Object *claim, const Object *class, guint64 size,
                         GCancellable *cancel, GError **error)
{
    guint64 room;
    g_autoptr(GPtrArray) volumes =
        kube_list(local_view_client(view), &KUBE_PERSISTENT_VOLUME, NULL, NULL, NULL, NULL, cancel, error);

    if (!volumes || !folder_room(class, volumes, &room, error))
        return FALSE;
    if (size <= room)
        return TRUE;
    g_autofree char *message = g_strdup_printf("StorageClass %s has room for %" G_GUINT64_FORMAT
                                               " bytes in %s; the claim needs %" G_GUINT64_FORMAT,
                                               object_name(class), room, folder_of(class), size);
    wait_with_event(view, claim, message);
    return FALSE;
}

static guint provision(LocalView *view, const Object *claim, const Object *class, GCancellable *cancel,
                       GError **error)
{
    g_autofree char *name = g_strdup_printf("pvc-%s", object_uid(claim)), *path = NULL;
    g_autoptr(Object) volume = local_view_get(view, &KUBE_PERSISTENT_VOLUME, "", name);
    guint64 size;

    if (!volume) {
        GError *why = NULL;
        if (!quantity_parse(json_string_at(object_json(claim), "spec.resources.requests.storage", ""), &size,
                            &why)) {
            guint again = wait_with_event(view, claim, why->message);
            g_clear_error(&why);
            return again;
        }
        if (!has_room(view, claim, class, size, cancel, &why)) {
            if (why)
                g_propagate_error(error, why);
            return AGAIN_MS;
        }
        if (!folder_make(class, name, &path, error))
            return 0;
        g_autoptr(json_t) manifest = volume_manifest(claim, class, name, path);
        volume = kube_create_or_get(local_view_client(view), &KUBE_PERSISTENT_VOLUME, NULL, manifest, NULL,
                                    cancel, error);
    }
    if (volume)
        bind(view, claim, volume, cancel, error);
    return 0;
}

/* Volumes that were made for a claim that is no more, or has been made anew. */
static gboolean release(LocalView *view, const char *ns, const char *name, const char *uid,
                        GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) volumes = local_view_list(view, &KUBE_PERSISTENT_VOLUME, NULL, NULL);

    for (guint i = 0; i < volumes->len; i++) {
        const Object *volume = volumes->pdata[i];
        const json_t *json = object_json(volume);
        GError *why = NULL;

        if (strcmp(object_annotation(volume, "pv.kubernetes.io/provisioned-by", ""), CDI_PROVISIONER) ||
            strcmp(json_string_at(json, "spec.claimRef.namespace", ""), ns) ||
            strcmp(json_string_at(json, "spec.claimRef.name", ""), name) ||
            !strcmp(json_string_at(json, "spec.claimRef.uid", ""), uid))
            continue;
        if (!folder_delete(json_string_at(json, "spec.hostPath.path", ""), error))
            return FALSE;
        /* A bound volume is protected from deletion where there is kube-controller-manager. */
        if (!strcmp(json_string_at(json, "status.phase", ""), "Bound") &&
            !patch(view, &KUBE_PERSISTENT_VOLUME, volume, "status",
                   json_pack("{s:{s:s}}", "status", "phase", "Released"), cancel, &why) &&
            !g_error_matches(why, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_propagate_error(error, why);
            return FALSE;
        }
        g_clear_error(&why);
        if (!kube_delete(local_view_client(view), &KUBE_PERSISTENT_VOLUME, NULL, object_name(volume), NULL,
                         cancel, &why)) {
            if (!g_error_matches(why, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
                g_propagate_error(error, why);
                return FALSE;
            }
            g_error_free(why);
        }
    }
    return TRUE;
}

guint claim_reconcile(LocalView *view, const char *key, GCancellable *cancel, GError **error)
{
    g_autofree char *ns = NULL, *name = NULL;

    local_key_split(key, &ns, &name);
    g_autoptr(Object) claim = local_view_get(view, &KUBE_PERSISTENT_VOLUME_CLAIM, ns, name);
    if (!release(view, ns, name, claim ? object_uid(claim) : "", cancel, error) || !claim ||
        object_deleting(claim))
        return 0;
    if (!strcmp(json_string_at(object_json(claim), "status.phase", ""), "Bound"))
        return 0;

    g_autoptr(Object) class = class_of(view, object_json(claim));
    const char *wanted = json_string_at(object_json(claim), "spec.storageClassName", NULL);
    if (!class) {
        if (wanted && !*wanted)
            return 0; /* is bound by hand */
        g_autofree char *message = wanted ? g_strdup_printf("StorageClass \"%s\" does not exist", wanted)
                                          : g_strdup("no StorageClass is named, and none is the default one");
        return wait_with_event(view, claim, message);
    }
    if (!folder_of(class))
        return 0;
    if (!strcmp(json_string_at(object_json(claim), "spec.volumeMode", "Filesystem"), "Block"))
        return wait_with_event(view, claim,
                               "volumeMode Block: a folder has no block devices; use Filesystem");
    return provision(view, claim, class, cancel, error);
}

/* What an administrator says of it counts. */
static json_t *largest_file(const Object *class, GError **error)
{
    const char *said = object_annotation(class, CDI_LARGEST_FILE, "");
    guint64 bytes;

    if (*said)
        return json_string(said);
    return folder_largest_file(class, &bytes, error) ? json_sprintf("%" G_GUINT64_FORMAT, bytes) : NULL;
}

static gboolean is_said(const Object *class, guint64 room)
{
    const char *old = object_annotation(class, CDI_CAPACITY, "");
    guint64 said;

    return *object_annotation(class, CDI_OVERHEAD, "") && *object_annotation(class, CDI_LARGEST_FILE, "") &&
           *old && g_ascii_string_to_unsigned(old, 10, 0, G_MAXUINT64, &said, NULL) &&
           (room > said ? room - said : said - room) < capacity_grain;
}

gboolean storage_class_reconcile(LocalView *view, const char *key, GCancellable *cancel, GError **error)
{
    guint64 room;

    g_autoptr(Object) class = local_view_get(view, &KUBE_STORAGE_CLASS, "", key + 1);
    if (!class || !folder_of(class))
        return FALSE;
    g_autoptr(GPtrArray) volumes = local_view_list(view, &KUBE_PERSISTENT_VOLUME, NULL, NULL);
    if (!folder_room(class, volumes, &room, error))
        return FALSE;
    if (is_said(class, room))
        return TRUE;
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, room);
    json_t *largest = largest_file(class, error);
    return largest && patch(view, &KUBE_STORAGE_CLASS, class, NULL,
                            json_pack("{s:{s:{s:s, s:o, s:s}}}", "metadata", "annotations", CDI_CAPACITY,
                                      text, CDI_LARGEST_FILE, largest, CDI_OVERHEAD,
                                      object_annotation(class, CDI_OVERHEAD, "0")),
                            cancel, error);
}

char *claim_directory(LocalView *view, const char *ns, const char *name)
{
    g_autoptr(Object) claim = local_view_get(view, &KUBE_PERSISTENT_VOLUME_CLAIM, ns, name);
    const char *volume_name = claim ? json_string_at(object_json(claim), "spec.volumeName", NULL) : NULL;

    if (!volume_name || strcmp(json_string_at(object_json(claim), "status.phase", ""), "Bound"))
        return NULL;
    g_autoptr(Object) volume = local_view_get(view, &KUBE_PERSISTENT_VOLUME, "", volume_name);
    return volume ? g_strdup(json_string_at(object_json(volume), "spec.hostPath.path", NULL)) : NULL;
}
