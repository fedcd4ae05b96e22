/* status: read, compare, write, tell. */
#include "controller/status.h"
#include "kube/events.h"
#include <string.h>

enum { TRIES = 3 };

Object *status_get(KubeClient *kube, const KubeResource *resource, const char *key, GCancellable *cancel,
                   GError **error)
{
    g_auto(GStrv) parts = g_strsplit(key, "/", 2);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) object = kube_get(kube, resource, parts[0], parts[1], cancel, &problem);

    if (object && !object_deleting(object))
        return g_steal_pointer(&object);
    if (problem && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

json_t *status_copy(const Object *object)
{
    const json_t *status = json_object_get(object_json(object), "status");
    return json_is_object(status) ? json_deep_copy(status) : json_object();
}

Conditions *status_conditions(const Object *object)
{
    return conditions_begin(json_at(object_json(object), "status.conditions"));
}

const char *reference_namespace(const json_t *reference, const Object *object)
{
    const char *ns = json_string_at(reference, "namespace", "");
    return *ns ? ns : object_namespace(object);
}

static gboolean is_warning(const json_t *condition)
{
    const char *category = json_string_at(condition, "category", "");
    return !strcmp(category, CONDITION_CRITICAL) || !strcmp(category, CONDITION_ERROR) ||
           !strcmp(category, CONDITION_WARN);
}

/* An Event says the items too, as many as fit. */
static void tell(KubeClient *kube, const Object *object, const json_t *condition, const char *component,
                 gboolean gone)
{
    g_autoptr(GString) text = g_string_new(gone ? "No longer: " : "");
    size_t i;
    json_t *item;

    g_string_append(text, json_string_at(condition, "message", ""));
    json_array_foreach (json_object_get(condition, "items"), i, item)
        if (text->len < 800)
            g_string_append_printf(text, "%s %s", i ? ";" : "", json_string_value(item));
    event_record(kube, object, !gone && is_warning(condition), json_string_at(condition, "type", ""),
                 text->str, component);
}

static void tell_changes(KubeClient *kube, const Object *object, const json_t *before, const json_t *after,
                         const char *component)
{
    size_t i;
    json_t *condition;

    json_array_foreach (after, i, condition) {
        const json_t *old = conditions_find(before, json_string_at(condition, "type", ""));
        if (!old || !json_equal(old, condition))
            tell(kube, object, condition, component, FALSE);
    }
    json_array_foreach (before, i, condition)
        if (!conditions_find(after, json_string_at(condition, "type", "")))
            tell(kube, object, condition, component, TRUE);
}

/* The newer object when nobody but us has written its status since, else NULL and the conflict. */
static Object *newer(KubeClient *kube, const KubeResource *resource, const Object *object, GError *conflict,
                     GCancellable *cancel, GError **error)
{
    g_autoptr(Object) now =
        kube_get(kube, resource, object_namespace(object), object_name(object), cancel, error);
    const json_t *before = json_object_get(object_json(object), "status");

    if (!now) {
        g_error_free(conflict);
        return NULL;
    }
    if (!strcmp(object_uid(now), object_uid(object)) &&
        (before == json_object_get(object_json(now), "status") ||
         (before && json_equal(before, json_object_get(object_json(now), "status"))))) {
        g_error_free(conflict);
        return g_steal_pointer(&now);
    }
    g_propagate_error(error, conflict);
    return NULL;
}

static gboolean put(KubeClient *kube, const KubeResource *resource, const Object *object, json_t *status,
                    GCancellable *cancel, GError **error)
{
    g_autoptr(Object) base = object_ref((Object *)object);

    for (guint i = 0;; i++) {
        g_autoptr(json_t) body = json_copy((json_t *)object_json(base));
        GError *problem = NULL;
        Object *next;
        json_object_set(body, "status", status);
        if (kube_update_status(kube, resource, body, cancel, &problem))
            return TRUE;
        if (i == TRIES || !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_CONFLICT)) {
            g_propagate_error(error, problem);
            return FALSE;
        }
        next = newer(kube, resource, object, problem, cancel, error);
        if (!next)
            return FALSE;
        object_unref(base);
        base = next;
    }
}

gboolean status_write(KubeClient *kube, const KubeResource *resource, const Object *object,
                      json_t *take_status, const Conditions *conditions, const char *component,
                      GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) status = take_status;
    const json_t *before = json_object_get(object_json(object), "status");
    g_autoptr(GError) problem = NULL;

    json_object_set_new(status, "conditions", conditions_end(conditions));
    json_object_set_new(status, "observedGeneration", json_integer(object_generation(object)));
    if (before && json_equal(before, status))
        return TRUE;
    if (!put(kube, resource, object, status, cancel, &problem)) {
        if (g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    tell_changes(kube, object, json_object_get(before, "conditions"), json_object_get(status, "conditions"),
                 component);
    return TRUE;
}
