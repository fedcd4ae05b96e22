/* report: a walk through status.migration.vms. */
#include "gather/report.h"
#include <string.h>

static const char *outcome(const json_t *vm)
{
    static const char *const types[] = {"Succeeded", "Failed", "Canceled"};
    json_t *condition;
    size_t i;

    json_array_foreach (json_object_get(vm, "conditions"), i, condition)
        for (guint n = 0; n < G_N_ELEMENTS(types); n++)
            if (!strcmp(json_string_at(condition, "type", ""), types[n]) &&
                !strcmp(json_string_at(condition, "status", ""), "True"))
                return types[n];
    return json_string_at(vm, "started", NULL) ? "Running" : "Waiting";
}

static void append_error(GString *text, const char *indent, const json_t *item)
{
    json_t *reason;
    size_t i;

    json_array_foreach (json_at(item, "error.reasons"), i, reason)
        g_string_append_printf(text, "%serror: %s\n", indent, json_string_value(reason));
}

static void append_task(GString *text, const json_t *task)
{
    const json_t *annotations = json_object_get(task, "annotations");
    const char *hash = json_string_at(annotations, "hash", NULL);

    g_string_append_printf(text, "      %s: %s, %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " %s",
                           json_string_at(task, "name", ""), json_string_at(task, "phase", "Pending"),
                           json_int_at(task, "progress.completed", 0), json_int_at(task, "progress.total", 0),
                           json_string_at(annotations, "unit", ""));
    if (hash)
        g_string_append_printf(text, ", %s, read back: %s", hash,
                               json_string_at(annotations, "readBack", "not yet"));
    g_string_append_c(text, '\n');
    append_error(text, "        ", task);
}

static void append_step(GString *text, const json_t *step)
{
    json_t *task;
    size_t i;

    g_string_append_printf(text, "    %-20s %-10s %s - %s\n", json_string_at(step, "name", ""),
                           json_string_at(step, "phase", "Pending"), json_string_at(step, "started", ""),
                           json_string_at(step, "completed", ""));
    append_error(text, "      ", step);
    json_array_foreach (json_object_get(step, "tasks"), i, task)
        append_task(text, task);
}

char *plan_report_text(const Object *plan, GHashTable *vms)
{
    g_autoptr(GString) text = g_string_new(NULL);
    json_t *vm, *step;
    size_t i, n;

    g_string_append_printf(text, "Plan %s/%s (%s)\n", object_namespace(plan), object_name(plan),
                           object_uid(plan));
    json_array_foreach (json_at(object_json(plan), "status.migration.vms"), i, vm) {
        if (vms && !g_hash_table_contains(vms, json_string_at(vm, "id", "")))
            continue;
        g_string_append_printf(text, "\n  VM %s (%s): %s, phase %s, %s - %s\n",
                               json_string_at(vm, "name", ""), json_string_at(vm, "id", ""), outcome(vm),
                               json_string_at(vm, "phase", ""), json_string_at(vm, "started", ""),
                               json_string_at(vm, "completed", ""));
        append_error(text, "    ", vm);
        json_array_foreach (json_object_get(vm, "pipeline"), n, step)
            append_step(text, step);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
