/* source_record: one key per VM, and the plan. */
#include "plan/source_record.h"
#include "base/clock.h"
#include <string.h>

#define PLAN   "plan.json"
#define ON     "On"
#define FROZEN "Frozen"
#define ASKED  "Asked " /* and since when */

static char *selector_of(const PlanRun *run)
{
    return g_strdup_printf("plan=%s," SOURCE_RECORD_LABEL, object_uid(run->plan));
}

static Object *find(const PlanRun *run, GCancellable *cancel, GError **error)
{
    g_autofree char *selector = selector_of(run);
    g_autoptr(GPtrArray) all = kube_list(run->kube, &KUBE_CONFIG_MAP, object_namespace(run->plan), selector,
                                         NULL, NULL, cancel, error);
    return all && all->len ? object_ref(all->pdata[0]) : NULL;
}

static json_t *record_new(const PlanRun *run)
{
    const Object *plan = run->plan;
    const json_t *spec = json_object_get(object_json(plan), "spec");
    g_autoptr(json_t) kept =
        json_pack("{s:{s:s, s:s, s:s}, s:{s:O?, s:O?, s:O?}}", "metadata", "name", object_name(plan),
                  "namespace", object_namespace(plan), "uid", object_uid(plan), "spec", "targetNamespace",
                  json_object_get(spec, "targetNamespace"), "provider", json_object_get(spec, "provider"),
                  "warm", json_object_get(spec, "warm"));
    g_autofree char *text = json_text(kept);
    g_autofree char *name = g_strdup_printf("%.50s-sources-", object_name(plan));

    return json_pack("{s:{s:s, s:{s:s, s:s, s:s, s:s}}, s:{s:s}}", "metadata", "generateName", name, "labels",
                     "plan", object_uid(plan), "plan-name", object_name(plan), "plan-namespace",
                     object_namespace(plan), "resource", "sources", "data", PLAN, text);
}

gboolean source_record_begin(const PlanRun *run, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) record = find(run, cancel, &problem);
    g_autoptr(json_t) body = NULL;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!record) {
        body = record_new(run);
        record = kube_create(run->kube, &KUBE_CONFIG_MAP, object_namespace(run->plan), body, cancel, error);
    }
    return record != NULL;
}

static const char *value_of(const Object *record, const char *id)
{
    return json_string_value(json_object_get(json_object_get(object_json(record), "data"), id));
}

static json_t *value_new(SourceState state)
{
    g_autofree char *now = clock_now();

    switch (state) {
    case SOURCE_FROZEN:
        return json_string(FROZEN);
    case SOURCE_RAN:
        return json_string(ON);
    case SOURCE_ASKED:
        return json_sprintf(ASKED "%s", now);
    default:
        return json_null();
    }
}

/* The record, made when somebody has deleted it and there is something to note; NULL without an error: there
 * is not. */
static Object *record_for(const PlanRun *run, SourceState state, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) record = find(run, cancel, &problem);

    if (!record && !problem && state != SOURCE_SETTLED && source_record_begin(run, cancel, &problem))
        record = find(run, cancel, &problem);
    if (problem)
        g_propagate_error(error, g_steal_pointer(&problem));
    return g_steal_pointer(&record);
}

gboolean source_record_note(VmRun *vm, SourceState state, GCancellable *cancel, GError **error)
{
    const PlanRun *run = vm_run_plan(vm);
    g_autofree char *id = target_label_value(vm_run_owner(vm)->vm_id);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) record = record_for(run, state, cancel, &problem), done = NULL;
    g_autoptr(json_t) patch = NULL;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!record || (state == SOURCE_SETTLED && !value_of(record, id)) ||
        (state == SOURCE_FROZEN && value_of(record, id))) /* more than that may be known */
        return TRUE;
    patch = json_pack("{s:{s:o}}", "data", id, value_new(state));
    done = kube_patch(run->kube, &KUBE_CONFIG_MAP, object_namespace(record), object_name(record),
                      KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    return done != NULL;
}

gboolean source_record_read(VmRun *vm, gboolean *running, GCancellable *cancel, GError **error)
{
    g_autofree char *id = target_label_value(vm_run_owner(vm)->vm_id);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) record = find(vm_run_plan(vm), cancel, &problem);

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    *running = record && source_record_ran(record, id);
    return TRUE;
}

gboolean source_record_drop(const PlanRun *run, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) record = find(run, cancel, &problem);

    if (record &&
        !kube_delete(run->kube, &KUBE_CONFIG_MAP, object_namespace(record), object_name(record), NULL, cancel,
                     &problem) &&
        g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        g_clear_error(&problem);
    if (!problem)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

Object *source_record_plan(const Object *record)
{
    const char *text = value_of(record, PLAN);
    json_t *plan =
        text ? json_parse(text, strlen(text), 1 << 16, "the record of a deleted plan", NULL) : NULL;

    if (plan && !strcmp(json_string_at(plan, "metadata.uid", ""), object_label(record, "plan", "")))
        return object_new_take(plan);
    json_decref(plan);
    return NULL;
}

const char **source_record_vms(const Object *record)
{
    json_t *data = json_object_get(object_json(record), "data"), *value;
    const char **ids = g_new0(const char *, json_object_size(data) + 1);
    guint len = 0;
    const char *key;

    json_object_foreach (data, key, value)
        if (strcmp(key, PLAN))
            ids[len++] = key;
    return ids;
}

gboolean source_record_ran(const Object *record, const char *id)
{
    const char *value = value_of(record, id);
    return value && strcmp(value, FROZEN);
}

const char *source_record_asked(const Object *record, const char *id)
{
    const char *value = value_of(record, id);
    return value && g_str_has_prefix(value, ASKED) ? value + strlen(ASKED) : NULL;
}
