/* deployment: rolls a Deployment's template out over ReplicaSets, one per version of the template. */
#include "local/controllers/parts.h"
#include "local/controllers/template.h"
#include <string.h>

#define HASH_LABEL "pod-template-hash"
#define REVISION   "deployment.kubernetes.io/revision"

typedef struct {
    LocalView *view;
    Object *deployment;
    GPtrArray *sets; /* of Object; all of this Deployment */
    Object *newest;  /* borrowed of sets; the one with the Deployment's template, or NULL */
    gint64 wanted;
    GCancellable *cancel;
} Rollout;

static gint64 replicas(const Object *set)
{
    return json_int_at(object_json(set), "spec.replicas", 0);
}
static gint64 available(const Object *set)
{
    return json_int_at(object_json(set), "status.availableReplicas", 0);
}
static gint64 made(const Object *set)
{
    return json_int_at(object_json(set), "status.replicas", 0);
}
static gint64 revision(const Object *object)
{
    return g_ascii_strtoll(object_annotation(object, REVISION, "0"), NULL, 10);
}

/* The template without the label that the controller adds. */
static gboolean same_template(const Object *set, const json_t *wanted)
{
    g_autoptr(json_t) pod_template = json_deep_copy(json_at(object_json(set), "spec.template"));
    json_object_del(json_at(pod_template, "metadata.labels"), HASH_LABEL);
    return json_equal(pod_template, wanted);
}

static Object *make_set(Rollout *rollout, gint64 number, GError **error)
{
    const json_t *spec = json_object_get(object_json(rollout->deployment), "spec");
    g_autoptr(json_t) pod_template = json_deep_copy(json_object_get(spec, "template"));
    g_autoptr(json_t) selector = json_deep_copy(json_object_get(spec, "selector"));
    g_autofree char *hash = template_hash(
        pod_template, json_int_at(object_json(rollout->deployment), "status.collisionCount", 0));
    g_autofree char *name = g_strconcat(object_name(rollout->deployment), "-", hash, NULL);
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    gboolean created;

    json_set_at_new(pod_template, "metadata.labels." HASH_LABEL, json_string(hash));
    json_set_at_new(selector, "matchLabels." HASH_LABEL, json_string(hash));
    g_autoptr(json_t) set =
        json_pack("{s:{s:s,s:s,s:O,s:{s:s},s:[o]},s:{s:i,s:O,s:O}}", "metadata", "name", name, "namespace",
                  object_namespace(rollout->deployment), "labels", json_at(pod_template, "metadata.labels"),
                  "annotations", REVISION, text, "ownerReferences",
                  local_owner_reference(rollout->deployment, &KUBE_DEPLOYMENT, TRUE), "spec", "replicas", 0,
                  "selector", selector, "template", pod_template);
    return kube_create_or_get(local_view_client(rollout->view), &KUBE_REPLICA_SET,
                              object_namespace(rollout->deployment), set, &created, rollout->cancel, error);
}

static gboolean annotate_revision(Rollout *rollout, const KubeResource *resource, Object *object,
                                  gint64 number, GError **error)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    g_autoptr(json_t) patch = json_pack("{s:{s:{s:s}}}", "metadata", "annotations", REVISION, text);

    if (revision(object) == number)
        return TRUE;
    g_autoptr(Object) patched =
        kube_patch(local_view_client(rollout->view), resource, object_namespace(object), object_name(object),
                   KUBE_PATCH_MERGE, patch, NULL, rollout->cancel, error);
    return patched != NULL;
}

/* Finds or makes the ReplicaSet of the present template; a template that comes back gets the next revision.
 */
static gboolean find_newest(Rollout *rollout, GError **error)
{
    const json_t *wanted = json_at(object_json(rollout->deployment), "spec.template");
    gint64 most = 0;

    for (guint i = 0; i < rollout->sets->len; i++) {
        Object *set = rollout->sets->pdata[i];
        if (same_template(set, wanted) && !object_deleting(set))
            rollout->newest = set;
    }
    for (guint i = 0; i < rollout->sets->len; i++)
        if (rollout->sets->pdata[i] != rollout->newest)
            most = MAX(most, revision(rollout->sets->pdata[i]));
    if (!rollout->newest) {
        rollout->newest = make_set(rollout, most + 1, error);
        if (!rollout->newest)
            return FALSE;
        g_ptr_array_add(rollout->sets, rollout->newest);
    }
    gint64 number = MAX(revision(rollout->newest), most + 1);
    return annotate_revision(rollout, &KUBE_REPLICA_SET, rollout->newest, number, error) &&
           annotate_revision(rollout, &KUBE_DEPLOYMENT, rollout->deployment, number, error);
}

static gboolean resize(Rollout *rollout, Object *set, gint64 count, GError **error)
{
    g_autoptr(json_t) patch = json_pack("{s:{s:I}}", "spec", "replicas", (json_int_t)count);

    if (replicas(set) == count)
        return TRUE;
    g_autoptr(Object) patched =
        kube_patch(local_view_client(rollout->view), &KUBE_REPLICA_SET, object_namespace(set),
                   object_name(set), KUBE_PATCH_MERGE, patch, NULL, rollout->cancel, error);
    return patched != NULL;
}

static gboolean resize_old(Rollout *rollout, gint64 most_fewer, GError **error)
{
    for (guint i = 0; i < rollout->sets->len; i++) {
        Object *set = rollout->sets->pdata[i];
        if (set == rollout->newest || !replicas(set))
            continue;
        gint64 fewer = MIN(most_fewer, replicas(set));
        if (fewer > 0 && !resize(rollout, set, replicas(set) - fewer, error))
            return FALSE;
        most_fewer -= fewer;
    }
    return TRUE;
}

static gint64 sum(Rollout *rollout, gint64 (*count)(const Object *set))
{
    gint64 total = 0;
    for (guint i = 0; i < rollout->sets->len; i++)
        total += count(rollout->sets->pdata[i]);
    return total;
}

/* All old Pods go, then the new ones come. */
static gboolean recreate(Rollout *rollout, GError **error)
{
    gint64 old = 0;

    if (!resize_old(rollout, G_MAXINT64, error))
        return FALSE;
    for (guint i = 0; i < rollout->sets->len; i++) {
        Object *set = rollout->sets->pdata[i];
        g_autoptr(GPtrArray) pods =
            set == rollout->newest ? NULL : controlled_by(rollout->view, &KUBE_POD, set);
        old += pods ? MAX((gint64)pods->len, made(set)) : 0;
    }
    return old ? TRUE : resize(rollout, rollout->newest, rollout->wanted, error);
}

/* New Pods come as far as maxSurge allows, old ones go as far as maxUnavailable allows. */
static gboolean roll(Rollout *rollout, GError **error)
{
    const json_t *limits = json_at(object_json(rollout->deployment), "spec.strategy.rollingUpdate");
    gint64 surge = int_or_percent(json_object_get(limits, "maxSurge"), "25%", rollout->wanted, TRUE);
    gint64 missing = int_or_percent(json_object_get(limits, "maxUnavailable"), "25%", rollout->wanted, FALSE);

    if (!surge && !missing)
        missing = 1;
    gint64 room = rollout->wanted + surge - sum(rollout, replicas);
    gint64 newest = replicas(rollout->newest);
    gint64 next = newest > rollout->wanted ? rollout->wanted : MIN(rollout->wanted, newest + MAX(room, 0));
    if (!resize(rollout, rollout->newest, next, error))
        return FALSE;
    gint64 spare = sum(rollout, available) - (rollout->wanted - missing), broken = 0;
    for (guint i = 0; i < rollout->sets->len; i++) { /* old Pods that are of no use anyway */
        Object *set = rollout->sets->pdata[i];
        if (set != rollout->newest)
            broken += MAX(replicas(set) - available(set), 0);
    }
    return resize_old(rollout, MAX(spare, 0) + broken, error);
}

/* Old ReplicaSets are kept for undoing, up to the limit. */
static gboolean prune(Rollout *rollout, GError **error)
{
    gint64 limit = json_int_at(object_json(rollout->deployment), "spec.revisionHistoryLimit", 10), old = 0;
    Object *oldest = NULL;

    for (guint i = 0; i < rollout->sets->len; i++) {
        Object *set = rollout->sets->pdata[i];
        if (set == rollout->newest || replicas(set) || made(set) || object_deleting(set))
            continue;
        old++;
        if (!oldest || revision(set) < revision(oldest))
            oldest = set;
    }
    return old <= limit ||
           kube_delete(local_view_client(rollout->view), &KUBE_REPLICA_SET, object_namespace(oldest),
                       object_name(oldest), NULL, rollout->cancel, error);
}

static gboolean report(Rollout *rollout, GError **error)
{
    const json_t *json = object_json(rollout->deployment);
    gint64 all = sum(rollout, made), ready = 0, up = sum(rollout, available), updated = made(rollout->newest);
    json_t *before = json_at(json, "status.conditions");
    json_t *conditions = before ? json_deep_copy(before) : json_array();
    gint64 missing = int_or_percent(json_at(json, "spec.strategy.rollingUpdate.maxUnavailable"), "25%",
                                    rollout->wanted, FALSE);
    gboolean complete = updated == rollout->wanted && all == rollout->wanted && up == rollout->wanted;
    g_autofree char *done = g_strdup_printf("ReplicaSet \"%s\" %s.", object_name(rollout->newest),
                                            complete ? "has successfully progressed" : "is progressing");

    for (guint i = 0; i < rollout->sets->len; i++)
        ready += json_int_at(object_json(rollout->sets->pdata[i]), "status.readyReplicas", 0);
    gboolean enough = up >= rollout->wanted - missing;
    set_condition(
        conditions, "Available", enough, enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
        enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.");
    set_condition(conditions, "Progressing", TRUE, complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
                  done);
    g_autoptr(json_t) status = json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "observedGeneration",
        (json_int_t)object_generation(rollout->deployment), "replicas", (json_int_t)all, "updatedReplicas",
        (json_int_t)updated, "readyReplicas", (json_int_t)ready, "availableReplicas", (json_int_t)up,
        "unavailableReplicas", (json_int_t)MAX(rollout->wanted - up, 0), "conditions", conditions);
    return write_status(rollout->view, &KUBE_DEPLOYMENT, rollout->deployment, status, rollout->cancel, error);
}

static guint look_at_deployment(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    LocalView *view = user_data;
    g_autofree char *ns = NULL, *name = NULL;

    local_key_split(key, &ns, &name);
    g_autoptr(Object) deployment = local_view_get(view, &KUBE_DEPLOYMENT, ns, name);
    if (!deployment || object_deleting(deployment))
        return 0;
    g_autoptr(GPtrArray) sets = controlled_now(view, &KUBE_REPLICA_SET, deployment, cancel, error);
    if (!sets)
        return 0;
    Rollout rollout = {
        view, deployment, sets, NULL, json_int_at(object_json(deployment), "spec.replicas", 1), cancel};
    if (!find_newest(&rollout, error))
        return 0;
    gboolean paused = json_bool_at(object_json(deployment), "spec.paused", FALSE);
    gboolean at_once = !strcmp(json_string_at(object_json(deployment), "spec.strategy.type", ""), "Recreate");
    if ((paused || (at_once ? recreate(&rollout, error) : roll(&rollout, error))) && report(&rollout, error))
        prune(&rollout, error);
    return 0;
}

static guint sync_deployment(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    return local_end_of_work(user_data, key, look_at_deployment(key, user_data, cancel, error), error);
}

static void on_set(Object *before, Object *after, gpointer queue)
{
    add_controller_key(queue, after ? after : before, "Deployment");
}

/* With Recreate the new Pods wait for the last old one to be gone. A ReplicaSet's name is its Deployment's
 * and a hash. */
static void on_pod(Object *before, Object *after, gpointer queue)
{
    const json_t *controller = after ? NULL : local_controller_of(before);

    if (!controller || strcmp(json_string_at(controller, "kind", ""), "ReplicaSet"))
        return;
    g_autofree char *key =
        g_strconcat(object_namespace(before), "/", json_string_at(controller, "name", ""), NULL);
    char *hash = strrchr(key, '-');
    if (hash) {
        *hash = '\0';
        work_queue_add(queue, key);
    }
}

WorkQueue *deployments_new(LocalView *view)
{
    WorkQueue *queue = work_queue_new("deployments", 1, sync_deployment, view);
    local_view_subscribe(view, &KUBE_DEPLOYMENT, queue_object, queue);
    local_view_subscribe(view, &KUBE_REPLICA_SET, on_set, queue);
    local_view_subscribe(view, &KUBE_POD, on_pod, queue);
    return queue;
}
