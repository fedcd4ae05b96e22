/* garbage: deletes what belongs to objects that are gone, as ownerReferences say.
 *
 * An owner that is being deleted in the foreground (finalizer foregroundDeletion) waits for its dependents
 * with blockOwnerDeletion; one that orphans (finalizer orphan) first has its name taken out of theirs.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
#include "local/controllers/parts.h"
#include <stdio.h>
#include <string.h>

#define FOREGROUND "foregroundDeletion"
#define ORPHAN     "orphan"

static const KubeResource *const kinds[] = {
#define RESOURCE(NAME, group, version, kind, plural, namespaced) &KUBE_##NAME,
#include "kube/resources.def"
#undef RESOURCE
};

enum { KINDS = G_N_ELEMENTS(kinds) };

const KubeResource *const collected_kinds[] = {&KUBE_NAMESPACE,
                                               &KUBE_SECRET,
                                               &KUBE_CONFIG_MAP,
                                               &KUBE_POD,
                                               &KUBE_SERVICE,
                                               &KUBE_SERVICE_ACCOUNT,
                                               &KUBE_PERSISTENT_VOLUME_CLAIM,
                                               &KUBE_PERSISTENT_VOLUME,
                                               &KUBE_JOB,
                                               &KUBE_REPLICA_SET,
                                               &KUBE_DEPLOYMENT,
                                               &KUBE_DATA_VOLUME,
                                               &KUBE_VIRTUAL_MACHINE,
                                               &KUBE_VIRTUAL_MACHINE_INSTANCE,
                                               &KUBE_NETWORK_ATTACHMENT_DEFINITION,
                                               &KUBE_ROUTE,
                                               &KUBE_PROVIDER,
                                               &KUBE_HOST,
                                               &KUBE_NETWORK_MAP,
                                               &KUBE_STORAGE_MAP,
                                               &KUBE_HOOK,
                                               &KUBE_PLAN,
                                               &KUBE_MIGRATION,
                                               &KUBE_PROVISIONER,
                                               &KUBE_FORKLIFT_CONTROLLER,
                                               &KUBE_CLUSTER_ROLE,
                                               &KUBE_CLUSTER_ROLE_BINDING,
                                               NULL};

/* A listener's data: which kind its informer watches. */
typedef struct {
    Garbage *garbage;
    guint kind; /* index of kinds */
} Listener;

struct Garbage {
    LocalView *view;
    WorkQueue *queue;
    GMutex lock;
    GHashTable *dependents; /* under lock: owner's uid → set of keys "KIND/namespace/name" */
    Listener listeners[KINDS];
};

static char *key_of(guint kind, const Object *object)
{
    return g_strdup_printf("%u/%s/%s", kind, object_namespace(object), object_name(object));
}

static void key_split(const char *key, guint *kind, char **ns, char **name)
{
    const char *rest = strchr(key, '/') + 1;
    *kind = g_ascii_strtoull(key, NULL, 10);
    local_key_split(rest, ns, name);
}

static guint kind_of_owner(const json_t *owner)
{
    const char *api = json_string_at(owner, "apiVersion", ""), *kind = json_string_at(owner, "kind", "");
    const char *slash = strchr(api, '/');
    gsize group_len = slash ? (gsize)(slash - api) : 0;

    for (guint i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i]->kind, kind) && strlen(kinds[i]->group) == group_len &&
            !strncmp(kinds[i]->group, api, group_len))
            return i;
    return KINDS;
}

/* --- who depends on whom --- */

static const json_t *owners_of(const Object *object)
{
    return object ? json_at(object_json(object), "metadata.ownerReferences") : NULL;
}

static void index_change(Garbage *garbage, const char *key, const Object *before, const Object *after)
{
    const json_t *owner;
    gsize i;

    g_mutex_lock(&garbage->lock);
    json_array_foreach(owners_of(before), i, owner)
    {
        const char *uid = json_string_at(owner, "uid", "");
        GHashTable *set = g_hash_table_lookup(garbage->dependents, uid);
        if (set && g_hash_table_remove(set, key) && !g_hash_table_size(set))
            g_hash_table_remove(garbage->dependents, uid);
    }
    json_array_foreach(owners_of(after), i, owner)
    {
        const char *uid = json_string_at(owner, "uid", "");
        GHashTable *set = g_hash_table_lookup(garbage->dependents, uid);
        if (!set) {
            set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
            g_hash_table_insert(garbage->dependents, g_strdup(uid), set);
        }
        g_hash_table_add(set, g_strdup(key));
    }
    g_mutex_unlock(&garbage->lock);
}

/* The keys of those that depend on the object with this uid. */
static GPtrArray *dependents_of(Garbage *garbage, const char *uid)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer key;

    g_mutex_lock(&garbage->lock);
    GHashTable *set = g_hash_table_lookup(garbage->dependents, uid);
    if (set) {
        g_hash_table_iter_init(&iter, set);
        while (g_hash_table_iter_next(&iter, &key, NULL))
            g_ptr_array_add(keys, g_strdup(key));
    }
    g_mutex_unlock(&garbage->lock);
    return keys;
}

static gboolean has_finalizer(const Object *object, const char *name)
{
    const json_t *item;
    gsize i;

    json_array_foreach(json_at(object_json(object), "metadata.finalizers"), i,
                       item) if (!g_strcmp0(json_string_value(item), name)) return TRUE;
    return FALSE;
}

static void on_change(Object *before, Object *after, gpointer user_data)
{
    Listener *listener = user_data;
    Garbage *garbage = listener->garbage;
    Object *object = after ? after : before;
    g_autofree char *key = key_of(listener->kind, object);

    index_change(garbage, key, before, after);
    if (!after || (before && strcmp(object_uid(before), object_uid(after)))) {
        g_autoptr(GPtrArray) dependents = dependents_of(garbage, object_uid(before));
        for (guint i = 0; i < dependents->len; i++)
            work_queue_add(garbage->queue, dependents->pdata[i]);
    }
    if (after && (json_array_size(owners_of(after)) || object_deleting(after)))
        work_queue_add(garbage->queue, key);
    /* Owners that wait in the foreground look again when a dependent changes. */
    const json_t *owner;
    gsize i;
    json_array_foreach(owners_of(object), i, owner)
    {
        guint kind = kind_of_owner(owner);
        if (kind == KINDS || after)
            continue;
        g_autofree char *waiting =
            g_strdup_printf("%u/%s/%s", kind, kinds[kind]->namespaced ? object_namespace(object) : "",
                            json_string_at(owner, "name", ""));
        work_queue_add(garbage->queue, waiting);
    }
}

/* --- one object --- */

typedef enum { OWNER_THERE, OWNER_WAITS, OWNER_GONE, OWNER_UNKNOWN } OwnerState;

/* WAITS: it is being deleted in the foreground. Gone only when the API itself says so. */
static gboolean owner_state(Garbage *garbage, const char *ns, const json_t *owner, OwnerState *state,
                            GCancellable *cancel, GError **error)
{
    guint kind = kind_of_owner(owner);
    g_autoptr(GError) local = NULL;

    *state = OWNER_UNKNOWN;
    if (kind == KINDS)
        return TRUE;
    const char *owner_ns = kinds[kind]->namespaced ? ns : "";
    g_autoptr(Object) known =
        kinds[kind] == &KUBE_NODE || kinds[kind] == &KUBE_LEASE || kinds[kind] == &KUBE_EVENT ||
                kinds[kind] == &KUBE_STORAGE_CLASS || kinds[kind] == &KUBE_CUSTOM_RESOURCE_DEFINITION
            ? NULL
            : local_view_get(garbage->view, kinds[kind], owner_ns, json_string_at(owner, "name", ""));
    g_autoptr(Object) object =
        known && !strcmp(object_uid(known), json_string_at(owner, "uid", ""))
            ? g_steal_pointer(&known)
            : kube_get(local_view_client(garbage->view), kinds[kind], *owner_ns ? owner_ns : NULL,
                       json_string_at(owner, "name", ""), cancel, &local);
    if (!object && !g_error_matches(local, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!object || strcmp(object_uid(object), json_string_at(owner, "uid", "")))
        *state = OWNER_GONE;
    else
        *state = object_deleting(object) && has_finalizer(object, FOREGROUND) ? OWNER_WAITS : OWNER_THERE;
    return TRUE;
}

static gboolean forgive_missing(gboolean done, GError **error)
{
    if (!done && error && g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_clear_error(error);
        return TRUE;
    }
    return done;
}

static gboolean patch_metadata(Garbage *garbage, guint kind, const Object *object, const char *member,
                               json_t *value, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) patch = json_pack("{s:{s:s,s:s,s:o}}", "metadata", "uid", object_uid(object),
                                        "resourceVersion", object_resource_version(object), member, value);
    g_autoptr(Object) patched = kube_patch(local_view_client(garbage->view), kinds[kind],
                                           *object_namespace(object) ? object_namespace(object) : NULL,
                                           object_name(object), KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    return forgive_missing(patched != NULL, error);
}

static gboolean remove_finalizer(Garbage *garbage, guint kind, const Object *object, const char *name,
                                 GCancellable *cancel, GError **error)
{
    json_t *left = json_array(), *item;
    gsize i;

    json_array_foreach(json_at(object_json(object), "metadata.finalizers"), i,
                       item) if (g_strcmp0(json_string_value(item), name)) json_array_append(left, item);
    return patch_metadata(garbage, kind, object, "finalizers", left, cancel, error);
}

static gboolean remove_owners(Garbage *garbage, guint kind, const Object *object, const char *uid,
                              GCancellable *cancel, GError **error)
{
    json_t *left = json_array(), *owner;
    gsize i;

    json_array_foreach(owners_of(object), i, owner) if (strcmp(json_string_at(owner, "uid", ""), uid))
        json_array_append(left, owner);
    return patch_metadata(garbage, kind, object, "ownerReferences", left, cancel, error);
}

/* The object as an owner that is to go. */
static gboolean finish_owner(Garbage *garbage, guint kind, const Object *object, GCancellable *cancel,
                             GError **error)
{
    gboolean orphan = has_finalizer(object, ORPHAN), foreground = has_finalizer(object, FOREGROUND);
    g_autoptr(GPtrArray) keys = dependents_of(garbage, object_uid(object));
    guint blocking = 0;

    if (!orphan && !foreground)
        return TRUE;
    for (guint i = 0; i < keys->len; i++) {
        g_autofree char *ns = NULL, *name = NULL;
        guint dependent_kind;
        key_split(keys->pdata[i], &dependent_kind, &ns, &name);
        g_autoptr(Object) dependent = local_view_get(garbage->view, kinds[dependent_kind], ns, name);
        if (!dependent)
            continue;
        if (orphan) {
            if (!remove_owners(garbage, dependent_kind, dependent, object_uid(object), cancel, error))
                return FALSE;
            continue;
        }
        const json_t *owner;
        gsize j;
        json_array_foreach(owners_of(dependent), j,
                           owner) if (!strcmp(json_string_at(owner, "uid", ""), object_uid(object)))
            blocking += json_bool_at(owner, "blockOwnerDeletion", FALSE);
        work_queue_add(garbage->queue, keys->pdata[i]);
    }
    return blocking || remove_finalizer(garbage, kind, object, orphan ? ORPHAN : FOREGROUND, cancel, error);
}

/* The object as a dependent: it goes when all its owners are gone, or wait for it to go. */
static gboolean collect(Garbage *garbage, guint kind, const Object *object, GCancellable *cancel,
                        GError **error)
{
    guint there = 0, waiting = 0, gone = 0;
    const json_t *owner;
    g_autofree char *gone_uid = NULL;
    gsize i;

    json_array_foreach(owners_of(object), i, owner)
    {
        OwnerState state;
        if (!owner_state(garbage, object_namespace(object), owner, &state, cancel, error))
            return FALSE;
        there += state == OWNER_THERE || state == OWNER_UNKNOWN;
        waiting += state == OWNER_WAITS;
        gone += state == OWNER_GONE;
        if (state == OWNER_GONE) {
            g_free(gone_uid);
            gone_uid = g_strdup(json_string_at(owner, "uid", ""));
        }
    }
    if (there)
        return !gone || remove_owners(garbage, kind, object, gone_uid, cancel, error);
    if ((!waiting && !gone) || object_deleting(object))
        return TRUE;
    /* What the view holds may be older than the owners that the object was just given: it goes as it was read,
     * or else its change brings it here again. */
    gboolean deleted =
        kube_delete_as_read(local_view_client(garbage->view), kinds[kind], object,
                            waiting ? "Foreground" : "Background", cancel, error);
    if (!deleted && error && g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_CONFLICT)) {
        g_clear_error(error);
        return TRUE;
    }
    return forgive_missing(deleted, error);
}

static guint sync_object(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    Garbage *garbage = user_data;
    g_autofree char *ns = NULL, *name = NULL;
    guint kind;

    key_split(key, &kind, &ns, &name);
    g_autoptr(Object) object = local_view_get(garbage->view, kinds[kind], ns, name);
    if (!object)
        return 0;
    if (object_deleting(object) && !finish_owner(garbage, kind, object, cancel, error))
        return 0;
    if (json_array_size(owners_of(object)))
        collect(garbage, kind, object, cancel, error);
    return 0;
}

Garbage *garbage_new(LocalView *view)
{
    Garbage *garbage = g_new0(Garbage, 1);

    garbage->view = view;
    g_mutex_init(&garbage->lock);
    garbage->dependents =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
    garbage->queue = work_queue_new("garbage", 1, sync_object, garbage);
    for (guint i = 0; i < KINDS; i++) {
        garbage->listeners[i] = (Listener){garbage, i};
        for (guint j = 0; collected_kinds[j]; j++)
            if (collected_kinds[j] == kinds[i])
                local_view_subscribe(view, kinds[i], on_change, &garbage->listeners[i]);
    }
    return garbage;
}

void garbage_free(Garbage *garbage)
{
    work_queue_free(garbage->queue);
    g_hash_table_unref(garbage->dependents);
    g_mutex_clear(&garbage->lock);
    g_free(garbage);
}
