/* namespace: gives each Namespace its default ServiceAccount, and empties those that are deleted. */
#include "local/controllers/parts.h"
#include "local/controllers/template.h"
#include <string.h>

enum { LOOK_AGAIN_MS = 200 };

/* What makes other things goes before them, so that nothing is made anew while its Namespace is emptied. What
 * is in no tier goes last. */
enum { TIERS = 4 };
static const KubeResource *const tiers[TIERS - 1][8] = {
    {&KUBE_MIGRATION, &KUBE_PLAN, &KUBE_VIRTUAL_MACHINE, &KUBE_DEPLOYMENT, &KUBE_JOB, &KUBE_ROUTE,
     &KUBE_SERVICE},
    {&KUBE_REPLICA_SET, &KUBE_VIRTUAL_MACHINE_INSTANCE, &KUBE_DATA_VOLUME},
    {&KUBE_POD},
};

/* What nothing depends on, and so nobody watches. */
static const KubeResource *const unwatched[] = {&KUBE_EVENT,        &KUBE_LEASE,          &KUBE_ROLE,
                                                &KUBE_ROLE_BINDING, &KUBE_OPERATOR_GROUP, &KUBE_SUBSCRIPTION};

static guint tier_of(const KubeResource *resource)
{
    for (guint i = 0; i < TIERS - 1; i++)
        for (guint j = 0; j < G_N_ELEMENTS(tiers[i]) && tiers[i][j]; j++)
            if (tiers[i][j] == resource)
                return i;
    return TIERS - 1;
}

static gboolean make_account(LocalView *view, const char *ns, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) account = json_pack("{s:{s:s}}", "metadata", "name", "default");
    gboolean created;
    g_autoptr(Object) made = kube_create_or_get(local_view_client(view), &KUBE_SERVICE_ACCOUNT, ns, account,
                                                &created, cancel, error);
    return made != NULL;
}

/* Deletes what the Namespace still has of a kind; *left counts what is there, also what is being deleted. */
static gboolean empty_kind(LocalView *view, const KubeResource *resource, const char *ns, guint *left,
                           GCancellable *cancel, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GPtrArray) objects =
        kube_list(local_view_client(view), resource, ns, NULL, NULL, NULL, cancel, &local);

    if (!objects) {
        if (g_error_matches(local, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
            return TRUE; /* the kind is not defined */
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    for (guint i = 0; i < objects->len; i++) {
        const Object *object = objects->pdata[i];
        (*left)++;
        if (object_deleting(object))
            continue;
        if (!kube_delete(local_view_client(view), resource, ns, object_name(object), "Background", cancel,
                         &local) &&
            !g_error_matches(local, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        g_clear_error(&local);
    }
    return TRUE;
}

static guint empty(LocalView *view, Object *object, GCancellable *cancel, GError **error)
{
    const char *ns = object_name(object);
    guint left = 0;

    for (guint tier = 0; tier < TIERS; tier++) {
        for (guint i = 0; collected_kinds[i]; i++)
            if (collected_kinds[i]->namespaced && tier_of(collected_kinds[i]) == tier &&
                !empty_kind(view, collected_kinds[i], ns, &left, cancel, error))
                return 0;
        if (left)
            return LOOK_AGAIN_MS;
    }
    for (guint i = 0; i < G_N_ELEMENTS(unwatched); i++)
        if (!empty_kind(view, unwatched[i], ns, &left, cancel, error))
            return 0;
    g_autoptr(json_t) done = json_deep_copy(object_json(object));
    json_set_at_new(done, "spec.finalizers", json_array());
    json_set_at_new(done, "metadata.resourceVersion", NULL); /* whatever it is by now */
    kube_finalize_namespace(local_view_client(view), done, cancel, error);
    return 0;
}

static guint sync_namespace(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    LocalView *view = user_data;
    g_autofree char *none = NULL, *name = NULL;
    g_autoptr(Object) object = NULL;
    g_autoptr(GError) problem = NULL;
    guint again;

    local_key_split(key, &none, &name);
    object = local_view_get(view, &KUBE_NAMESPACE, "", name);
    if (!object)
        return 0;
    if (!object_deleting(object)) {
        make_account(view, name, cancel, error);
        return local_end_of_work(view, key, 0, error);
    }
    again = empty(view, object, cancel, &problem);
    if (g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) /* it has gone meanwhile */
        return LOOK_AGAIN_MS;
    if (problem)
        g_propagate_error(error, g_steal_pointer(&problem));
    return again;
}

WorkQueue *namespaces_new(LocalView *view)
{
    WorkQueue *queue = work_queue_new("namespaces", 1, sync_namespace, view);
    local_view_subscribe(view, &KUBE_NAMESPACE, queue_object, queue);
    return queue;
}
