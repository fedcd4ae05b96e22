/* digest: a plan's VMs counted, and objects without what only machines read. */
#include "console/digest.h"
#include <string.h>

enum { MOST_ITEMS = 20, MOST_FAILURES = 50 };

#define MEBIBYTE (1024 * 1024)

gboolean digest_vm_has(const json_t *vm, const char *type)
{
    const json_t *condition;
    size_t i;

    json_array_foreach (json_object_get(vm, "conditions"), i, condition)
        if (!g_strcmp0(json_string_at(condition, "type", NULL), type) &&
            !g_strcmp0(json_string_at(condition, "status", NULL), "True"))
            return TRUE;
    return FALSE;
}

static gboolean step_begun(const json_t *step)
{
    return json_object_get(step, "started") || json_object_get(step, "error");
}

gboolean digest_step_moves_disks(const json_t *step)
{
    static const char *const names[] = {"DiskTransfer", "DiskTransferV2v", "DiskAllocation", "Cutover", NULL};
    return g_strv_contains(names, json_string_at(step, "name", ""));
}

typedef struct {
    json_int_t total, reported, succeeded, failed, canceled, running, queued, precopying, cutover_started;
    json_int_t done_bytes, total_bytes;
    json_int_t forecast_s, forecast_vms; /* of cutovers that are to come */
} Counts;

static void count_steps(const json_t *vm, Counts *counts)
{
    gboolean copying = FALSE, later = FALSE;
    const json_t *step;
    size_t i;

    json_array_foreach (json_object_get(vm, "pipeline"), i, step) {
        const char *name = json_string_at(step, "name", "");

        if (digest_step_moves_disks(step)) {
            counts->done_bytes += json_int_at(step, "progress.completed", 0) * MEBIBYTE;
            counts->total_bytes += json_int_at(step, "progress.total", 0) * MEBIBYTE;
        }
        if (!step_begun(step))
            continue;
        copying = copying || !strcmp(name, "DiskTransfer");
        later =
            later || (strcmp(name, "Initialize") && strcmp(name, "PreHook") && strcmp(name, "DiskTransfer"));
    }
    counts->cutover_started += later;
    counts->precopying += copying && !later;
}

/* How long the last copy of a VM that waits for its cutover will take. */
static void count_forecast(const json_t *vm, Counts *counts)
{
    const json_t *step;
    size_t i;

    json_array_foreach (json_object_get(vm, "pipeline"), i, step) {
        const char *seconds = json_string_at(step, "annotations.expectedCopySeconds", NULL);

        if (!seconds)
            continue;
        counts->forecast_s = MAX(counts->forecast_s, g_ascii_strtoll(seconds, NULL, 10));
        counts->forecast_vms++;
    }
}

static void count_vm(const json_t *vm, Counts *counts)
{
    counts->reported++;
    if (digest_vm_has(vm, "Canceled"))
        counts->canceled++;
    else if (digest_vm_has(vm, "Failed") || json_is_object(json_object_get(vm, "error")))
        counts->failed++;
    else if (digest_vm_has(vm, "Succeeded"))
        counts->succeeded++;
    else if (json_object_get(vm, "started"))
        counts->running++;
    else
        counts->queued++;
    if (!json_object_get(vm, "completed"))
        count_forecast(vm, counts);
    count_steps(vm, counts);
}

/* A reason is "what happened. what to do", the second from errors.def: told apart, so that failures with the
 * same remedy stand together. */
static void set_reason(json_t *failure, const char *text)
{
    static const char *const remedies[] = {
#define ERROR(code, class, reason, remedy) remedy,
#include "base/errors.def"
#undef ERROR
    };
    const char *at = NULL;
    gsize length;

    for (gsize i = 0; text && !at && i < G_N_ELEMENTS(remedies); i++) {
        at = *remedies[i] ? strstr(text, remedies[i]) : NULL;
        if (at)
            json_object_set_new(failure, "remedy", json_string(remedies[i]));
    }
    length = at ? (gsize)(at - text) : text ? strlen(text) : 0;
    while (at && length && (text[length - 1] == ' ' || text[length - 1] == '.'))
        length--;
    json_object_set_new(failure, "reason", json_stringn(text ? text : "", length));
}

/* Why the VM failed, for the overview of failures; NULL when it did not. */
static json_t *failure_of(const json_t *vm)
{
    json_t *out;

    if (!json_is_object(json_object_get(vm, "error")))
        return NULL;
    out = json_object();
    json_object_set(out, "id", json_object_get(vm, "id"));
    json_object_set(out, "name", json_object_get(vm, "name"));
    set_reason(out, json_string_value(json_array_get(json_at(vm, "error.reasons"), 0)));
    return out;
}

static const char *const plan_spec_members[] = {"description", "provider", "map",      "targetNamespace",
                                                "warm",        "type",     "archived", "transferNetwork"};

static json_t *plan_spec(const json_t *plan)
{
    const json_t *spec = json_object_get(plan, "spec");
    json_t *out = json_object();

    for (gsize i = 0; i < G_N_ELEMENTS(plan_spec_members); i++) {
        json_t *member = json_object_get(spec, plan_spec_members[i]);
        if (member)
            json_object_set(out, plan_spec_members[i], member);
    }
    return out;
}

static json_t *conditions_digest(const json_t *conditions)
{
    json_t *out = json_array();
    json_t *condition;
    size_t i;

    json_array_foreach (conditions, i, condition) {
        const json_t *items = json_object_get(condition, "items");
        json_t *copy = json_copy(condition);

        if (json_array_size(items) > MOST_ITEMS) {
            json_t *first = json_array();
            for (size_t n = 0; n < MOST_ITEMS; n++)
                json_array_append(first, json_array_get(items, n));
            json_object_set_new(copy, "items", first);
            json_object_set_new(copy, "itemCount", json_integer((json_int_t)json_array_size(items)));
        }
        json_array_append_new(out, copy);
    }
    return out;
}

static json_t *plan_status(const json_t *plan)
{
    const json_t *status = json_object_get(plan, "status");
    const json_t *history = json_at(status, "migration.history");
    json_t *last = json_at(json_array_get(history, json_array_size(history) - 1), "migration");
    json_t *out = json_object(), *failures = json_array();
    Counts n = {.total = (json_int_t)json_array_size(json_at(plan, "spec.vms"))};
    const json_t *vm;
    size_t i;

    json_array_foreach (json_at(status, "migration.vms"), i, vm) {
        json_t *failure = json_array_size(failures) < MOST_FAILURES ? failure_of(vm) : NULL;

        count_vm(vm, &n);
        if (failure)
            json_array_append_new(failures, failure);
    }

    json_object_set_new(out, "conditions", conditions_digest(json_object_get(status, "conditions")));
    json_object_set(out, "started", json_at(status, "migration.started"));
    json_object_set(out, "completed", json_at(status, "migration.completed"));
    json_object_set(out, "migration", last);
    json_object_set_new(out, "vms",
                        json_pack("{sI sI sI sI sI sI sI sI sI}", "total", n.total, "reported", n.reported,
                                  "succeeded", n.succeeded, "failed", n.failed, "canceled", n.canceled,
                                  "running", n.running, "queued", n.queued, "precopying", n.precopying,
                                  "cutoverStarted", n.cutover_started));
    json_object_set_new(out, "failures", failures);
    if (n.forecast_vms)
        json_object_set_new(out, "cutover",
                            json_pack("{sI sI}", "seconds", n.forecast_s, "vms", n.forecast_vms));
    json_object_set_new(out, "bytes", json_pack("{sI sI}", "done", n.done_bytes, "total", n.total_bytes));
    return out;
}

static json_t *metadata_digest(const json_t *metadata)
{
    json_t *out = json_copy((json_t *)metadata);
    json_t *annotations = json_object_get(out, "annotations");

    json_object_del(out, "managedFields");
    if (annotations) {
        annotations = json_copy(annotations);
        json_object_del(annotations, "kubectl.kubernetes.io/last-applied-configuration");
        json_object_set_new(out, "annotations", annotations);
    }
    return out;
}

json_t *digest(const Object *object)
{
    const json_t *json = object_json(object);
    json_t *out = json_copy((json_t *)json);
    json_t *status = json_object_get(json, "status");

    json_object_set_new(out, "metadata", metadata_digest(json_object_get(json, "metadata")));
    if (!strcmp(object_kind(object), "Plan")) {
        json_object_set_new(out, "spec", plan_spec(json));
        if (status)
            json_object_set_new(out, "status", plan_status(json));
    } else if (status) {
        status = json_copy(status);
        json_object_del(status, "vms"); /* a Migration's: the same as its plan's */
        json_object_set_new(out, "status", status);
    }
    return out;
}

/* ---- rows ---- */

/* What identifies a VM of a plan: its id, else its name. */
static const char *vm_key(const json_t *vm)
{
    const char *id = json_string_at(vm, "id", "");
    return *id ? id : json_string_at(vm, "name", "");
}

json_t *digest_plan_rows(const Object *plan)
{
    g_autoptr(GHashTable) by_id = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    json_t *rows = json_array();
    json_t *vm;
    size_t i;

    json_array_foreach (json_at(object_json(plan), "status.migration.vms"), i, vm) {
        g_hash_table_insert(by_id, (gpointer)vm_key(vm), vm);
        g_hash_table_insert(by_name, (gpointer)json_string_at(vm, "name", ""), vm);
    }
    json_array_foreach (json_at(object_json(plan), "spec.vms"), i, vm) {
        json_t *status = g_hash_table_lookup(by_id, vm_key(vm));

        if (!status && !*json_string_at(vm, "id", ""))
            status = g_hash_table_lookup(by_name, json_string_at(vm, "name", ""));
        json_array_append(rows, status ? status : vm);
    }
    return rows;
}
