/* plan_words: reads status.migration of a Plan. */
#include "cmd/plan_words.h"
#include "base/clock.h"
#include "crd/conditions.h"
#include "plan/warm.h"
#include <string.h>

const char *plan_state(const json_t *plan)
{
    static const char *const states[] = {"Archived", "Failed", "Canceled", "Succeeded", "Executing", "Ready"};

    for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
        if (conditions_find(json_at(plan, "status.conditions"), states[i]))
            return states[i];
    return "Not ready";
}

gboolean plan_ended(const json_t *plan)
{
    const json_t *conditions = json_at(plan, "status.conditions");

    return !conditions_find(conditions, "Executing") && json_at(plan, "status.migration.completed") &&
           (conditions_find(conditions, "Succeeded") || conditions_find(conditions, "Failed") ||
            conditions_find(conditions, "Canceled"));
}

const json_t *plan_vms(const json_t *plan)
{
    return json_at(plan, "status.migration.vms");
}

const char *vm_result(const json_t *vm)
{
    static const char *const results[] = {"Succeeded", "Failed", "Canceled"};

    for (gsize i = 0; i < G_N_ELEMENTS(results); i++)
        if (conditions_find(json_at(vm, "conditions"), results[i]))
            return results[i];
    return "Running";
}

const char *vm_pending(const json_t *vm)
{
    const json_t *found = conditions_find(json_at(vm, "conditions"), "Pending");
    return found ? json_string_at(found, "message", "") : NULL;
}

const json_t *vm_step(const json_t *vm, const char *name)
{
    const json_t *step;
    size_t i;

    json_array_foreach (json_at(vm, "pipeline"), i, step)
        if (!strcmp(json_string_at(step, "name", ""), name))
            return step;
    return NULL;
}

const json_t *vm_current_step(const json_t *vm)
{
    const json_t *step, *found = NULL;
    size_t i;

    json_array_foreach (json_at(vm, "pipeline"), i, step)
        if (json_at(step, "error") || json_at(step, "started"))
            found = step;
    return found;
}

const json_t *vm_disk_tasks(const json_t *vm)
{
    const json_t *cutover = vm_step(vm, "Cutover");
    return json_at(json_at(cutover, "started") ? cutover : vm_step(vm, "DiskTransfer"), "tasks");
}

void plan_transferred(const json_t *plan, gint64 *done, gint64 *total)
{
    const json_t *vm, *task;
    size_t i, k;

    *done = *total = 0;
    json_array_foreach (plan_vms(plan), i, vm)
        json_array_foreach (json_at(vm_step(vm, "DiskTransfer"), "tasks"), k, task) {
            *done += json_int_at(task, "progress.completed", 0);
            *total += json_int_at(task, "progress.total", 0);
        }
}

GPtrArray *vm_failed_precopies(const json_t *vm)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    const json_t *list = json_at(vm, "warm.precopies");
    size_t failed = json_int_at(vm, "warm.consecutiveFailures", 0), count = json_array_size(list),
           left_out = json_int_at(vm, "warm.leftOut", 0);

    for (size_t i = count > failed ? count - failed : 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        size_t number = i + 1 + (i < WARM_FIRST ? 0 : left_out);
        if (json_at(one, "error"))
            g_ptr_array_add(lines, g_strdup_printf("Precopy %zu was given up at %s: %s", number,
                                                   json_string_at(one, "end", "?"),
                                                   json_string_at(one, "error", "")));
    }
    return lines;
}

gint64 seconds_of(const json_t *item)
{
    gint64 from = clock_parse(json_string_at(item, "started", NULL));
    gint64 to = clock_parse(json_string_at(item, "completed", NULL));
    return from >= 0 && to >= from ? (to - from) / G_USEC_PER_SEC : 0;
}
