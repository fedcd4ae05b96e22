/* replica_set: keeps as many Pods of a ReplicaSet as it asks for. */
#include "local/controllers/parts.h"
#include "local/controllers/template.h"
#include <string.h>

/* Those that go first when there are too many: not assigned, not ready, youngest. */
static gint least_wanted(gconstpointer a, gconstpointer b)
{
    const Object *left = *(Object *const *)a, *right = *(Object *const *)b;
    gboolean ready[2] = {object_condition(left, "Ready") != NULL, object_condition(right, "Ready") != NULL};

    if (ready[0] != ready[1])
        return ready[0] ? 1 : -1;
    return strcmp(json_string_at(object_json(right), "metadata.creationTimestamp", ""),
                  json_string_at(object_json(left), "metadata.creationTimestamp", ""));
}

static gboolean scale(LocalView *view, Object *set, GPtrArray *pods, gint64 wanted, GCancellable *cancel,
                      GError **error)
{
    const json_t *pod_template = json_at(object_json(set), "spec.template");

    for (gint64 have = pods->len; have < wanted; have++)
        if (!template_make_pod(view, pod_template, set, &KUBE_REPLICA_SET, cancel, error))
            return FALSE;
    g_ptr_array_sort(pods, least_wanted);
    for (guint i = 0; (gint64)i < (gint64)pods->len - wanted; i++)
        if (!delete_child(view, &KUBE_POD, pods->pdata[i], cancel, error))
            return FALSE;
    return TRUE;
}

static gboolean report(LocalView *view, Object *set, GPtrArray *pods, guint *next, GCancellable *cancel,
                       GError **error)
{
    gint64 min_ready = json_int_at(object_json(set), "spec.minReadySeconds", 0);
    guint ready = 0, available = 0;

    for (guint i = 0; i < pods->len; i++) {
        ready += object_condition(pods->pdata[i], "Ready") != NULL;
        available += pod_is_available(pods->pdata[i], min_ready, next);
    }
    g_autoptr(json_t) status = json_pack(
        "{s:i,s:i,s:i,s:i,s:I}", "replicas", pods->len, "fullyLabeledReplicas", pods->len, "readyReplicas",
        ready, "availableReplicas", available, "observedGeneration", (json_int_t)object_generation(set));
    return write_status(view, &KUBE_REPLICA_SET, set, status, cancel, error);
}

static GPtrArray *live_pods(LocalView *view, const Object *set, GCancellable *cancel, GError **error)
{
    GPtrArray *pods = controlled_now(view, &KUBE_POD, set, cancel, error);

    for (guint i = pods ? pods->len : 0; i > 0; i--)
        if (object_deleting(pods->pdata[i - 1]) || pod_is_over(pods->pdata[i - 1]))
            g_ptr_array_remove_index(pods, i - 1);
    return pods;
}

static guint look_at_set(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    LocalView *view = user_data;
    g_autofree char *ns = NULL, *name = NULL;
    guint next = 0;

    local_key_split(key, &ns, &name);
    g_autoptr(Object) set = local_view_get(view, &KUBE_REPLICA_SET, ns, name);
    if (!set || object_deleting(set))
        return 0;
    g_autoptr(GPtrArray) pods = live_pods(view, set, cancel, error);
    if (!pods)
        return 0;
    gint64 wanted = json_int_at(object_json(set), "spec.replicas", 1);
    if ((gint64)pods->len != wanted && !scale(view, set, pods, wanted, cancel, error))
        return 0;
    return report(view, set, pods, &next, cancel, error) ? next : 0;
}

static guint sync_set(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    return local_end_of_work(user_data, key, look_at_set(key, user_data, cancel, error), error);
}

static void on_pod(Object *before, Object *after, gpointer queue)
{
    add_controller_key(queue, after ? after : before, "ReplicaSet");
}

WorkQueue *replica_sets_new(LocalView *view)
{
    WorkQueue *queue = work_queue_new("replicasets", 1, sync_set, view);
    local_view_subscribe(view, &KUBE_REPLICA_SET, queue_object, queue);
    local_view_subscribe(view, &KUBE_POD, on_pod, queue);
    return queue;
}
