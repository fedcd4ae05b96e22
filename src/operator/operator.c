/* operator: what wakes a pass, and what its end looks like in the ForkliftController's status. */
#include "operator/operator.h"
#include "base/clock.h"
#include "base/log.h"
#include "kube/events.h"
#include "kube/informer.h"
#include "kube/work_queue.h"
#include <string.h>

#define KEY       "installation"
#define COMPONENT "operator"

/* Certificates and what is not watched are looked at so often; what has to start or go first, more often. */
enum { RESYNC_MS = 10 * 60 * 1000, WAIT_MS = 2000, TRIES = 5 };

static const KubeResource *const watched[] = {&KUBE_FORKLIFT_CONTROLLER, &KUBE_DEPLOYMENT, &KUBE_SERVICE,
                                              &KUBE_CONFIG_MAP};

struct Operator {
    const Installation *installation;
    WorkQueue *queue;
    Informer *informers[G_N_ELEMENTS(watched)];
    gint ready; /* atomic */
};

/* ---- what wakes it ---- */

/* What somebody may have changed; not what controllers write all the time. */
static json_t *substance(const Object *object)
{
    json_t *copy = json_copy((json_t *)object_json(object)), *metadata;

    metadata = json_copy(json_object_get(copy, "metadata"));
    json_object_del(copy, "status");
    json_object_del(metadata, "resourceVersion");
    json_object_del(metadata, "managedFields");
    json_object_del(metadata, "generation");
    json_object_set_new(copy, "metadata", metadata);
    return copy;
}

static void on_change(Object *before, Object *after, gpointer queue)
{
    g_autoptr(json_t) old = before ? substance(before) : NULL;
    g_autoptr(json_t) new = after ? substance(after) : NULL;

    if (!old || !new || !json_equal(old, new))
        work_queue_add(queue, KEY);
}

/* ---- what it says ---- */

static gboolean is_own(const json_t *condition)
{
    static const char *const own[] = {"Running", "Successful", "Failure", "InstallationSettingNotValid"};

    for (guint i = 0; i < G_N_ELEMENTS(own); i++)
        if (!strcmp(json_string_at(condition, "type", ""), own[i]))
            return TRUE;
    return FALSE;
}

/* Durable: the controllers, who write conditions of their own, leave it alone. */
static void add_condition(json_t *conditions, const json_t *before, const char *type, const char *reason,
                          const char *message, const GPtrArray *items)
{
    g_autofree char *now = clock_now();
    json_t *condition = json_pack("{s:s,s:s,s:s,s:s,s:b}", "type", type, "status", "True", "reason", reason,
                                  "message", message, "durable", 1);
    const json_t *old;
    size_t i;

    if (items) {
        json_t *list = json_array();
        for (guint j = 0; j < items->len; j++)
            json_array_append_new(list, json_string(items->pdata[j]));
        json_object_set_new(condition, "items", list);
    }
    json_object_set_new(condition, "lastTransitionTime", json_string(now));
    json_array_foreach (before, i, old)
        if (!strcmp(json_string_at(old, "type", ""), type) &&
            !strcmp(json_string_at(old, "message", ""), message))
            json_object_set(condition, "lastTransitionTime", json_object_get(old, "lastTransitionTime"));
    json_array_append_new(conditions, condition);
}

/* Nothing is wrong; something has to start or go first. */
static gboolean is_wait(const GError *problem)
{
    return g_error_matches(problem, GANTRY_ERROR, ERROR_NOT_READY) ||
           g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE);
}

static json_t *new_conditions(const json_t *before, const GPtrArray *wrong, const GError *problem)
{
    json_t *conditions = json_array(), *old;
    size_t i;

    json_array_foreach (before, i, old)
        if (!is_own(old))
            json_array_append(conditions, old);
    add_condition(conditions, before, "Running", problem ? "Running" : "Successful",
                  !problem           ? "Awaiting next reconciliation"
                  : is_wait(problem) ? problem->message
                                     : "The reconciliation is tried again",
                  NULL);
    if (problem && !is_wait(problem))
        add_condition(conditions, before, "Failure", error_reason(problem), problem->message, NULL);
    if (!problem)
        add_condition(conditions, before, "Successful", "Successful", "Last reconciliation succeeded", NULL);
    if (wrong->len)
        add_condition(conditions, before, "InstallationSettingNotValid", "NotValid",
                      "Settings of the installation that cannot be used; their defaults are in force.",
                      wrong);
    return conditions;
}

/* Others write the same status: read again, and only our own part replaced. */
static gboolean report(KubeClient *kube, const Object *settings, const GPtrArray *wrong,
                       const GError *problem, GCancellable *cancel, GError **error)
{
    for (guint i = 0;; i++) {
        g_autoptr(GError) failed = NULL;
        g_autoptr(Object) now = kube_get(kube, &KUBE_FORKLIFT_CONTROLLER, object_namespace(settings),
                                         object_name(settings), cancel, &failed);
        g_autoptr(json_t) body = NULL;
        json_t *conditions;
        gboolean written;

        if (!now) {
            if (!g_error_matches(failed, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
                g_propagate_error(error, g_steal_pointer(&failed));
            return FALSE;
        }
        body = json_deep_copy(object_json(now));
        conditions = new_conditions(json_at(body, "status.conditions"), wrong, problem);
        if (json_equal(conditions, json_at(body, "status.conditions"))) {
            json_decref(conditions);
            return TRUE;
        }
        json_set_at_new(body, "status.conditions", conditions);
        written = kube_update_status(kube, &KUBE_FORKLIFT_CONTROLLER, body, cancel, &failed);
        if (written && problem && !is_wait(problem))
            event_record(kube, settings, TRUE, "Failure", problem->message, COMPONENT);
        if (written)
            return TRUE;
        if (i == TRIES || !g_error_matches(failed, GANTRY_ERROR, ERROR_KUBE_CONFLICT)) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return FALSE;
        }
    }
}

/* ---- a pass ---- */

static gboolean find_settings(const Installation *installation, Object **settings, GCancellable *cancel,
                              GError **error)
{
    g_autoptr(GPtrArray) all = kube_list(installation->kube, &KUBE_FORKLIFT_CONTROLLER, installation->ns,
                                         NULL, NULL, NULL, cancel, error);

    *settings = NULL;
    for (guint i = 0; all && !*settings && i < all->len; i++)
        if (!object_deleting(all->pdata[i]))
            *settings = object_ref(all->pdata[i]);
    return all != NULL;
}

static guint reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    Operator *self = data;
    g_autoptr(Object) settings = NULL;
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) problem = NULL;
    gboolean leaving = FALSE;

    if (!find_settings(self->installation, &settings, cancel, error))
        return 0;
    if (!settings) {
        g_atomic_int_set(&self->ready, uninstall(self->installation, cancel, error));
        return RESYNC_MS;
    }
    if (!install(self->installation, settings, wrong, &leaving, cancel, &problem) &&
        g_error_matches(problem, GANTRY_ERROR, ERROR_CANCELED))
        return 0;
    if (!leaving)
        report(self->installation->kube, settings, wrong, problem, cancel, problem ? NULL : error);
    if (problem && is_wait(problem)) {
        log_info("the installation waits", "reason", problem->message, NULL);
        return WAIT_MS;
    }
    if (problem)
        g_propagate_error(error, g_steal_pointer(&problem));
    else
        g_atomic_int_set(&self->ready, TRUE);
    return RESYNC_MS;
}

Operator *operator_start(const Installation *installation)
{
    Operator *self = g_new0(Operator, 1);

    self->installation = installation;
    self->queue = work_queue_new("operator", 1, reconcile, self);
    for (guint i = 0; i < G_N_ELEMENTS(watched); i++)
        self->informers[i] = informer_new(installation->kube, watched[i], installation->ns,
                                          watched[i] == &KUBE_FORKLIFT_CONTROLLER ? NULL : "app=forklift",
                                          on_change, self->queue);
    work_queue_add(self->queue, KEY);
    return self;
}

void operator_stop(Operator *self)
{
    if (!self)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(watched); i++)
        g_clear_pointer(&self->informers[i], informer_free);
    g_clear_pointer(&self->queue, work_queue_free);
    g_free(self);
}

gboolean operator_ready(Operator *self)
{
    return g_atomic_int_get(&self->ready);
}
