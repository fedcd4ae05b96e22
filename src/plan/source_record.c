/* source_record: one key per VM, and the plan. */
#include "plan/source_record.h"
#include "base/clock.h"
#include <string.h>

#define PLAN   "plan.json"
#define ON     "On"
#define FROZEN "Frozen"
#define ASKED  "Asked "  /* and since when */
#define GRANTS "grants." /* VM "." disk: {"vm", "disk", "grant"} */

enum { MOST_GRANT = 1 << 12 };

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

static json_t *grant_new(const char *vm, const char *disk_id, const char *grant)
{
    g_autoptr(json_t) value =
        grant ? json_pack("{s:s, s:s, s:s}", "vm", vm, "disk", disk_id, "grant", grant) : NULL;
    g_autofree char *text = value ? json_text(value) : NULL;

    return text ? json_string(text) : json_null();
}

gboolean source_record_note_grant(VmRun *vm, const char *disk_id, const char *grant, GCancellable *cancel,
                                  GError **error)
{
    const PlanRun *run = vm_run_plan(vm);
    g_autofree char *id = target_label_value(vm_run_owner(vm)->vm_id), *disk = target_label_value(disk_id);
    g_autofree char *key = g_strdup_printf(GRANTS "%s.%s", id, disk);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) record = record_for(run, grant ? SOURCE_RAN : SOURCE_SETTLED, cancel, &problem),
                      done = NULL;
    g_autoptr(json_t) patch = NULL;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!record || (!grant && !value_of(record, key)))
        return TRUE;
    patch = json_pack("{s:{s:o}}", "data", key, grant_new(id, disk_id, grant));
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

/* NULL: the value is none of ours. */
static json_t *grant_of(const char *text)
{
    return text ? json_parse(text, strlen(text), MOST_GRANT, "the record of a disk that is open", NULL)
                : NULL;
}

char **source_record_vms(const Object *record)
{
    json_t *data = json_object_get(object_json(record), "data"), *value;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GPtrArray *ids = g_ptr_array_new();
    const char *key;

    json_object_foreach (data, key, value) {
        gboolean of_disk = g_str_has_prefix(key, GRANTS);
        g_autoptr(json_t) grant = of_disk ? grant_of(json_string_value(value)) : NULL;
        const char *id = of_disk ? json_string_at(grant, "vm", "") : key;
        if (*id && strcmp(id, PLAN) && g_hash_table_add(seen, g_strdup(id)))
            g_ptr_array_add(ids, g_strdup(id));
    }
    g_ptr_array_add(ids, NULL);
    return (char **)g_ptr_array_free(ids, FALSE);
}

json_t *source_record_grants(const Object *record, const char *id)
{
    json_t *data = json_object_get(object_json(record), "data"), *value, *grants = json_object();
    g_autofree char *prefix = g_strdup_printf(GRANTS "%s.", id);
    const char *key;

    json_object_foreach (data, key, value) {
        g_autoptr(json_t) grant = g_str_has_prefix(key, prefix) ? grant_of(json_string_value(value)) : NULL;
        if (grant)
            json_object_set(grants, json_string_at(grant, "disk", ""), json_object_get(grant, "grant"));
    }
    return grants;
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
