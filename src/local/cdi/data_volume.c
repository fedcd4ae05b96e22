/* data_volume: claim, blank disk, status. */
#include "local/cdi/data_volume.h"
#include "base/clock.h"
#include "kube/events.h"
#include "kube/quantity.h"
#include "local/cdi/claim.h"
#include "local/cdi/folder.h"
#include <string.h>

enum { REFUSED_MS = 2000 };

static json_t *claim_spec(const json_t *data_volume)
{
    json_t *wanted = json_at(data_volume, "spec.storage") ? json_at(data_volume, "spec.storage")
                                                          : json_at(data_volume, "spec.pvc");
    json_t *spec = wanted ? json_deep_copy(wanted) : json_object();

    if (!json_object_get(spec, "accessModes"))
        json_object_set_new(spec, "accessModes", json_pack("[s]", "ReadWriteOnce"));
    if (!json_object_get(spec, "volumeMode"))
        json_object_set_new(spec, "volumeMode", json_string("Filesystem"));
    return spec;
}

/* A claim of the DataVolume's name and labels, owned by it. */
static Object *make_claim(LocalView *view, const Object *data_volume, GCancellable *cancel, GError **error)
{
    const json_t *labels = json_at(object_json(data_volume), "metadata.labels");
    g_autoptr(json_t) claim = json_pack(
        "{s:{s:s, s:o, s:{s:s}, s:[o]}, s:o}", "metadata", "name", object_name(data_volume), "labels",
        labels ? json_deep_copy(labels) : json_object(), "annotations", "cdi.kubevirt.io/storage.contentType",
        "kubevirt", "ownerReferences", local_owner_reference(data_volume, &KUBE_DATA_VOLUME, TRUE), "spec",
        claim_spec(object_json(data_volume)));

    return kube_create_or_get(local_view_client(view), &KUBE_PERSISTENT_VOLUME_CLAIM,
                              object_namespace(data_volume), claim, NULL, cancel, error);
}

static json_t *condition(const Object *data_volume, const char *type, gboolean holds, const char *reason,
                         const char *message)
{
    g_autofree char *now = clock_now();
    const json_t *old, *conditions = json_at(object_json(data_volume), "status.conditions");
    const char *status = holds ? "True" : "False", *since = now;
    size_t i;

    json_array_foreach(conditions, i, old) if (!strcmp(json_string_at(old, "type", ""), type) &&
                                               !strcmp(json_string_at(old, "status", ""), status)) since =
        json_string_at(old, "lastTransitionTime", now);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", type, "status", status, "reason", reason,
                     "message", message, "lastTransitionTime", since, "lastHeartbeatTime", since);
}

/* Writes the status when it is another one. done: the disk is there. */
static guint say(LocalView *view, const Object *data_volume, const char *phase, const char *reason,
                 const char *message, GCancellable *cancel, GError **error)
{
    gboolean done = !strcmp(phase, "Succeeded"), bound = done || !strcmp(phase, "PVCBound");
    g_autoptr(json_t) status =
        json_pack("{s:s, s:s, s:s, s:[o, o, o]}", "phase", phase, "progress", done ? "100.0%" : "N/A",
                  "claimName", object_name(data_volume), "conditions",
                  condition(data_volume, "Bound", bound, bound ? "Bound" : reason, bound ? "" : message),
                  condition(data_volume, "Running", FALSE, done ? "Completed" : reason, done ? "" : message),
                  condition(data_volume, "Ready", done, done ? "Completed" : reason, done ? "" : message));

    if (json_equal(status, json_object_get(object_json(data_volume), "status")))
        return 0;
    g_autoptr(json_t) change = json_pack("{s:O}", "status", status);
    g_autoptr(Object) changed =
        kube_patch(local_view_client(view), &KUBE_DATA_VOLUME, object_namespace(data_volume),
                   object_name(data_volume), KUBE_PATCH_MERGE, change, "status", cancel, error);
    if (changed && done)
        event_record(local_view_client(view), data_volume, FALSE, "ImportSucceeded",
                     "the blank disk is there", "cdi");
    return 0;
}

static gboolean is_owned(const Object *claim, const Object *data_volume)
{
    const json_t *owner = local_controller_of(claim);
    return owner && !strcmp(json_string_at(owner, "uid", ""), object_uid(data_volume));
}

/* Room in a quota comes by itself at times, and nobody tells of it. */
static guint say_refused(LocalView *view, const Object *data_volume, GError *take_why, GCancellable *cancel,
                         GError **error)
{
    g_autoptr(GError) why = take_why;

    if (!g_error_matches(why, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN)) {
        g_propagate_error(error, g_steal_pointer(&why));
        return 0;
    }
    say(view, data_volume, "Pending", "ErrExceededQuota", why->message, cancel, error);
    return REFUSED_MS;
}

guint data_volume_reconcile(LocalView *view, const char *key, GCancellable *cancel, GError **error)
{
    g_autofree char *ns = NULL, *name = NULL, *dir = NULL;
    g_autoptr(GError) refused = NULL;
    guint64 size;

    local_key_split(key, &ns, &name);
    g_autoptr(Object) data_volume = local_view_get(view, &KUBE_DATA_VOLUME, ns, name);
    if (!data_volume || object_deleting(data_volume))
        return 0;
    if (!json_is_object(json_at(object_json(data_volume), "spec.source.blank")))
        return say(
            view, data_volume, "Failed", "SourceNotSupported",
            "spec.source: on one machine only blank is supported; a migration's importer fills the disk",
            cancel, error);

    g_autoptr(Object) claim = local_view_get(view, &KUBE_PERSISTENT_VOLUME_CLAIM, ns, name);
    if (!claim && !(claim = make_claim(view, data_volume, cancel, &refused)))
        return say_refused(view, data_volume, g_steal_pointer(&refused), cancel, error);
    if (!is_owned(claim, data_volume))
        return say(view, data_volume, "Pending", "ClaimTaken",
                   "a PersistentVolumeClaim of this name exists and is not the DataVolume's", cancel, error);
    if (!(dir = claim_directory(view, ns, name)))
        return say(view, data_volume, "Pending", "Pending", "the claim is not bound; its events say why",
                   cancel, error);
    if (!quantity_parse(json_string_at(object_json(claim), "spec.resources.requests.storage", ""), &size,
                        error) ||
        !folder_make_disk(dir, size, error))
        return 0;
    return say(view, data_volume, "Succeeded", NULL, NULL, cancel, error);
}
