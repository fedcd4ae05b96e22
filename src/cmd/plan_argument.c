/* plan_argument: finds what verbs name. */
#include "cmd/plan_argument.h"
#include "base/clock.h"
#include "crd/conditions.h"
#include <string.h>

enum { LOOK_MS = 500, SETTLE_US = 10 * G_USEC_PER_SEC };

static gboolean is_vm(const json_t *vm, const char *text)
{
    return !strcmp(json_string_at(vm, "id", ""), text) || !strcmp(json_string_at(vm, "name", ""), text);
}

const json_t *plan_vm(const Object *plan, const char *id_or_name, GError **error)
{
    static const char *const places[] = {"status.migration.vms", "spec.vms"};
    const json_t *vm;
    size_t i;

    for (guint k = 0; k < G_N_ELEMENTS(places); k++)
        json_array_foreach (json_at(object_json(plan), places[k]), i, vm)
            if (is_vm(vm, id_or_name))
                return vm;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "plan %s has no VM '%s'", object_name(plan),
                id_or_name);
    return NULL;
}

json_t *plan_vm_refs(const Object *plan, const GPtrArray *vms, GError **error)
{
    g_autoptr(json_t) refs = json_array();

    for (guint i = 0; i < vms->len; i++) {
        const json_t *vm = plan_vm(plan, vms->pdata[i], error);
        json_t *ref;
        if (!vm)
            return NULL;
        ref = json_object();
        if (*json_string_at(vm, "id", ""))
            json_object_set_new(ref, "id", json_string(json_string_at(vm, "id", "")));
        if (*json_string_at(vm, "name", ""))
            json_object_set_new(ref, "name", json_string(json_string_at(vm, "name", "")));
        json_array_append_new(refs, ref);
    }
    return g_steal_pointer(&refs);
}

static gboolean of_plan(const Object *migration, const Object *plan)
{
    const json_t *json = object_json(migration);

    return !strcmp(json_string_at(json, "spec.plan.name", ""), object_name(plan)) &&
           !strcmp(json_string_at(json, "spec.plan.namespace", object_namespace(migration)),
                   object_namespace(plan)) &&
           !json_at(json, "status.completed") && !object_condition(migration, "Succeeded") &&
           !object_condition(migration, "Failed") && !object_condition(migration, "Canceled");
}

Object *plan_running_migration(KubeClient *kube, const Object *plan, GError **error)
{
    g_autoptr(GPtrArray) all =
        kube_list(kube, &KUBE_MIGRATION, object_namespace(plan), NULL, NULL, NULL, NULL, error);
    Object *found = NULL;

    if (!all)
        return NULL;
    for (guint i = 0; i < all->len; i++) {
        Object *one = all->pdata[i];
        if (of_plan(one, plan) &&
            (!found || strcmp(json_string_at(object_json(one), "metadata.creationTimestamp", ""),
                              json_string_at(object_json(found), "metadata.creationTimestamp", "")) >= 0))
            found = one;
    }
    if (!found)
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "plan %s is not being migrated",
                    object_name(plan));
    return found ? object_ref(found) : NULL;
}

Object *plan_start(KubeClient *kube, const Object *plan, const char *cutover, GError **error)
{
    g_autofree char *prefix = g_strndup(object_name(plan), 50);
    g_autofree char *generate = g_strconcat(prefix, "-", NULL);
    g_autoptr(json_t) body =
        json_pack("{s:{s:s}, s:{s:{s:s, s:s}}}", "metadata", "generateName", generate, "spec", "plan", "name",
                  object_name(plan), "namespace", object_namespace(plan));

    if (cutover)
        json_set_at_new(body, "spec.cutover", json_string(cutover));
    return kube_create(kube, &KUBE_MIGRATION, object_namespace(plan), body, NULL, error);
}

gboolean condition_settled(const json_t *condition)
{
    gint64 since = clock_parse(json_string_at(condition, "lastTransitionTime", NULL));
    return since < 0 || g_get_real_time() - since > SETTLE_US;
}

gboolean blocked_for_good(const Object *object, GError **error)
{
    const json_t *one;
    size_t i;

    json_array_foreach (json_at(object_json(object), "status.conditions"), i, one) {
        const json_t *items = json_object_get(one, "items");
        if (strcmp(json_string_at(one, "category", ""), CONDITION_CRITICAL) ||
            strcmp(json_string_at(one, "status", ""), "True") || !condition_settled(one))
            continue;
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_INVALID, "%s is not ready, %s: %s%s%s",
                    object_name(object), json_string_at(one, "type", ""), json_string_at(one, "message", ""),
                    json_array_size(items) ? " — " : "",
                    json_array_size(items) ? json_string_value(json_array_get(items, 0)) : "");
        return TRUE;
    }
    return FALSE;
}

gboolean wait_for_condition(KubeClient *kube, const KubeResource *resource, const char *ns, const char *name,
                            const char *condition, guint seconds, WaitHopeless hopeless, Object **last,
                            GError **error)
{
    gint64 until = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;

    for (;;) {
        g_autoptr(Object) object = kube_get(kube, resource, ns, name, NULL, error);
        /* what stands there may be about what the object was before its last change */
        gboolean current = object && json_int_at(object_json(object), "status.observedGeneration", 0) >=
                                         object_generation(object);
        if (!object)
            return FALSE;
        g_clear_pointer(last, object_unref);
        *last = object_ref(object);
        if (object_condition(object, condition))
            return TRUE;
        if ((current && hopeless && hopeless(object, error)) || g_get_monotonic_time() >= until)
            return FALSE;
        g_usleep(LOOK_MS * 1000);
    }
}

gboolean cutover_time(const char *text, char **time, GError **error)
{
    char *end;
    guint64 number;

    *time = NULL;
    if (!strcmp(text, "none"))
        return TRUE;
    if (!strcmp(text, "now")) {
        *time = clock_now();
        return TRUE;
    }
    number = *text == '+' ? g_ascii_strtoull(text + 1, &end, 10) : 0;
    if (*text == '+' && number <= 525600 && end > text + 1 && *end && strchr("smh", *end) && !end[1]) {
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        g_autoptr(GDateTime) then = g_date_time_add_seconds(now, (double)number * (*end == 'h'   ? 3600
                                                                                   : *end == 'm' ? 60
                                                                                                 : 1));
        *time = g_date_time_format(then, "%Y-%m-%dT%H:%M:%SZ");
        return TRUE;
    }
    if (clock_parse(text) >= 0) {
        *time = g_strdup(text);
        return TRUE;
    }
    g_set_error(
        error, GANTRY_ERROR, ERROR_BAD_INPUT,
        "cutover '%s': it must be now, none, +90m, or a time with its offset (2026-12-01T22:00:00+01:00)",
        text);
    return FALSE;
}
