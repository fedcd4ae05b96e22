/* plan_words: reads status.migration of a Plan. */
#include "cmd/plan_words.h"
#include "base/clock.h"
#include "crd/conditions.h"
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

gint64 seconds_of(const json_t *item)
{
    gint64 from = clock_parse(json_string_at(item, "started", NULL));
    gint64 to = clock_parse(json_string_at(item, "completed", NULL));
    return from >= 0 && to >= from ? (to - from) / G_USEC_PER_SEC : 0;
}
