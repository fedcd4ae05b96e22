/* view: informers that several listeners share. */
#include "local/view.h"
#include <string.h>

enum { LOOK_AGAIN_MS = 500 };

typedef struct {
    InformerChange changed;
    gpointer user_data;
} Listener;

typedef struct {
    LocalView *view; /* not owned */
    const KubeResource *resource;
    Informer *informer;
    GArray *listeners; /* of Listener */
} Kind;

struct LocalView {
    KubeClient *client;
    GPtrArray *kinds; /* of Kind; fixed once started */
    GRecMutex lock;   /* held while listeners are called, so that the replay comes first; recursive, as
                         listeners read */
    gboolean telling; /* under lock */
    gint listed;      /* atomic */
};

static void kind_free(gpointer data)
{
    Kind *kind = data;
    g_clear_pointer(&kind->informer, informer_free);
    g_array_unref(kind->listeners);
    g_free(kind);
}

LocalView *local_view_new(KubeClient *client)
{
    LocalView *view = g_new0(LocalView, 1);
    view->client = kube_client_ref(client);
    view->kinds = g_ptr_array_new_with_free_func(kind_free);
    g_rec_mutex_init(&view->lock);
    return view;
}

void local_view_mute(LocalView *view)
{
    g_rec_mutex_lock(&view->lock);
    view->telling = FALSE;
    g_rec_mutex_unlock(&view->lock);
}

void local_view_end(LocalView *view)
{
    local_view_mute(view);
    for (guint i = 0; i < view->kinds->len; i++) {
        Kind *kind = view->kinds->pdata[i];
        if (kind->informer)
            informer_end(kind->informer);
    }
}

void local_view_free(LocalView *view)
{
    local_view_end(view);
    g_ptr_array_unref(view->kinds);
    kube_client_unref(view->client);
    g_rec_mutex_clear(&view->lock);
    g_free(view);
}

KubeClient *local_view_client(LocalView *view)
{
    return view->client;
}

static Kind *find(LocalView *view, const KubeResource *resource)
{
    for (guint i = 0; i < view->kinds->len; i++) {
        Kind *kind = view->kinds->pdata[i];
        if (kind->resource == resource)
            return kind;
    }
    return NULL;
}

void local_view_subscribe(LocalView *view, const KubeResource *resource, InformerChange changed,
                          gpointer user_data)
{
    Kind *kind = find(view, resource);
    Listener listener = {changed, user_data};

    if (!kind) {
        kind = g_new0(Kind, 1);
        kind->view = view;
        kind->resource = resource;
        kind->listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
        g_ptr_array_add(view->kinds, kind);
    }
    if (changed)
        g_array_append_val(kind->listeners, listener);
}

static void tell(Kind *kind, Object *before, Object *after)
{
    for (guint i = 0; i < kind->listeners->len; i++) {
        Listener *listener = &g_array_index(kind->listeners, Listener, i);
        listener->changed(before, after, listener->user_data);
    }
}

static void on_change(Object *before, Object *after, gpointer user_data)
{
    Kind *kind = user_data;

    g_rec_mutex_lock(&kind->view->lock);
    if (kind->view->telling) /* what comes before is told by the replay */
        tell(kind, before, after);
    g_rec_mutex_unlock(&kind->view->lock);
}

gboolean local_view_start(LocalView *view, GCancellable *cancel)
{
    for (guint i = 0; i < view->kinds->len; i++) {
        Kind *kind = view->kinds->pdata[i];
        kind->informer = informer_new(view->client, kind->resource, NULL, NULL, on_change, kind);
    }
    for (guint i = 0; i < view->kinds->len; i++) {
        Kind *kind = view->kinds->pdata[i];
        if (!informer_wait_synced(kind->informer, cancel))
            return FALSE;
    }
    g_atomic_int_set(&view->listed, TRUE);
    g_rec_mutex_lock(&view->lock);
    view->telling = TRUE;
    for (guint i = 0; i < view->kinds->len; i++) {
        Kind *kind = view->kinds->pdata[i];
        g_autoptr(GPtrArray) objects = informer_list(kind->informer, NULL);
        for (guint j = 0; j < objects->len; j++)
            tell(kind, NULL, objects->pdata[j]);
    }
    g_rec_mutex_unlock(&view->lock);
    return TRUE;
}

gboolean local_view_has_listed(LocalView *view)
{
    return g_atomic_int_get(&view->listed);
}

Object *local_view_get(LocalView *view, const KubeResource *resource, const char *ns, const char *name)
{
    Kind *kind = find(view, resource);
    g_assert(kind && kind->informer);
    return informer_get(kind->informer, ns, name);
}

GPtrArray *local_view_list(LocalView *view, const KubeResource *resource, const char *ns,
                           const char *label_selector)
{
    Kind *kind = find(view, resource);
    g_assert(kind && kind->informer);
    GPtrArray *objects = informer_list(kind->informer, label_selector);
    for (guint i = objects->len; ns && i > 0; i--)
        if (strcmp(object_namespace(objects->pdata[i - 1]), ns))
            g_ptr_array_remove_index(objects, i - 1);
    return objects;
}

char *local_key(const Object *object)
{
    return g_strconcat(object_namespace(object), "/", object_name(object), NULL);
}

void local_key_split(const char *key, char **ns, char **name)
{
    const char *slash = strchr(key, '/');
    g_assert(slash);
    *ns = g_strndup(key, slash - key);
    *name = g_strdup(slash + 1);
}

guint local_end_of_work(LocalView *view, const char *key, guint next, GError **error)
{
    g_autofree char *ns = NULL, *name = NULL;

    if (g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_clear_error(error);
        return next ? next : LOOK_AGAIN_MS;
    }
    if (!g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN))
        return next;
    local_key_split(key, &ns, &name);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) namespace =
        kube_get(view->client, &KUBE_NAMESPACE, NULL, *ns ? ns : name, NULL, &problem);
    if (namespace ? object_deleting(namespace) : g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        g_clear_error(error);
    return next;
}

const json_t *local_controller_of(const Object *object)
{
    const json_t *owners = json_at(object_json(object), "metadata.ownerReferences");
    const json_t *owner;
    gsize i;

    json_array_foreach (owners, i, owner)
        if (json_bool_at(owner, "controller", FALSE))
            return owner;
    return NULL;
}

json_t *local_owner_reference(const Object *owner, const KubeResource *resource, gboolean block_deletion)
{
    g_autofree char *api = *resource->group ? g_strconcat(resource->group, "/", resource->version, NULL)
                                            : g_strdup(resource->version);
    return json_pack("{s:s,s:s,s:s,s:s,s:b,s:b}", "apiVersion", api, "kind", resource->kind, "name",
                     object_name(owner), "uid", object_uid(owner), "controller", 1, "blockOwnerDeletion",
                     block_deletion);
}
