/* vm_status: building and reading a VM's pipeline. */
#include "plan/vm_status.h"
#include "base/clock.h"
#include "crd/conditions.h"
#include <string.h>

static json_t *list_in(json_t *owner, const char *key)
{
    json_t *list = json_object_get(owner, key);

    if (!list) {
        list = json_array();
        json_object_set_new(owner, key, list);
    }
    return list;
}

json_t *vm_status_new(const json_t *spec_vm, const char *id, const char *name)
{
    json_t *vm = json_is_object(spec_vm) ? json_deep_copy(spec_vm) : json_object();

    json_object_set_new(vm, "id", json_string(id));
    json_object_set_new(vm, "name", json_string(name));
    json_object_set_new(vm, "phase", json_string(PHASE_STARTED));
    json_object_set_new(vm, "pipeline", json_array());
    return vm;
}

const char *vm_status_id(const json_t *vm)
{
    return json_string_at(vm, "id", "");
}
const char *vm_status_name(const json_t *vm)
{
    return json_string_at(vm, "name", "");
}
const char *vm_status_phase(const json_t *vm)
{
    return json_string_at(vm, "phase", "");
}
gboolean vm_status_started(const json_t *vm)
{
    return json_is_string(json_object_get(vm, "started"));
}
gboolean vm_status_completed(const json_t *vm)
{
    return json_is_string(json_object_get(vm, "completed"));
}

gboolean vm_status_has(const json_t *vm, const char *condition)
{
    return conditions_find(json_object_get(vm, "conditions"), condition) != NULL;
}

/* A VM's conditions are not staged: what is there stays until it is removed. */
void vm_status_set_condition(json_t *vm, const char *type, const char *category, const char *reason,
                             const char *message, gboolean durable)
{
    g_autoptr(Conditions) one = conditions_begin(json_object_get(vm, "conditions"));
    g_autoptr(json_t) said = NULL;
    json_t *item;

    if (durable)
        conditions_set_durable(one, type, category, reason, "%s", message);
    else
        conditions_set(one, type, category, reason, "%s", message);
    said = conditions_end(one);
    item = json_incref((json_t *)conditions_find(said, type));
    vm_status_remove_condition(vm, type);
    json_array_append_new(list_in(vm, "conditions"), item);
}

void vm_status_remove_condition(json_t *vm, const char *type)
{
    json_t *found = json_object_get(vm, "conditions");

    for (size_t i = json_array_size(found); i-- > 0;)
        if (!strcmp(json_string_at(json_array_get(found, i), "type", ""), type))
            json_array_remove(found, i);
}

/* ---- the pipeline ---- */

static json_t *named(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach (list, i, item)
        if (!strcmp(json_string_at(item, "name", ""), name))
            return item;
    return NULL;
}

static json_t *step_new(const char *name, gint64 total, const char *unit)
{
    json_t *step = json_pack("{s:s, s:s, s:{s:i, s:I}}", "name", name, "phase", STEP_PENDING, "progress",
                             "completed", 0, "total", (json_int_t)total);
    if (unit)
        item_annotate(step, "unit", unit);
    return step;
}

json_t *vm_status_add_step(json_t *vm, const char *name, const char *description, gint64 total,
                           const char *unit)
{
    json_t *step = step_new(name, total, unit);

    json_object_set_new(step, "description", json_string(description));
    json_array_append_new(list_in(vm, "pipeline"), step);
    return step;
}

json_t *vm_status_step(const json_t *vm, const char *name)
{
    return named(json_object_get(vm, "pipeline"), name);
}

json_t *item_add_task(json_t *step, const char *name, gint64 total, const char *unit)
{
    json_t *task = step_new(name, total, unit);

    json_array_append_new(list_in(step, "tasks"), task);
    return task;
}

json_t *item_task(const json_t *step, const char *name)
{
    return named(json_object_get(step, "tasks"), name);
}
gboolean item_started(const json_t *step)
{
    return json_is_string(json_object_get(step, "started"));
}
gboolean item_ended(const json_t *step)
{
    return json_is_string(json_object_get(step, "completed"));
}

static void set_now(json_t *step, const char *key)
{
    g_autofree char *now = clock_now();
    json_object_set_new(step, key, json_string(now));
}

void item_begin(json_t *step)
{
    if (!step || item_started(step))
        return;
    set_now(step, "started");
    json_object_set_new(step, "phase", json_string(STEP_RUNNING));
}

void item_end(json_t *step)
{
    if (!step || item_ended(step))
        return;
    item_begin(step);
    set_now(step, "completed");
    json_object_set_new(step, "phase", json_string(STEP_COMPLETED));
    json_object_del(step, "reason");
    item_set_progress(step, json_int_at(step, "progress.total", 0));
}

void item_set_reason(json_t *step, const char *reason)
{
    if (!step)
        return;
    if (reason)
        json_object_set_new(step, "reason", json_string(reason));
    else
        json_object_del(step, "reason");
}

void item_set_pending(json_t *step, const char *reason)
{
    json_object_set_new(step, "phase", json_string(STEP_PENDING));
    item_set_reason(step, reason);
}

void item_set_progress(json_t *step, gint64 completed)
{
    gint64 total = json_int_at(step, "progress.total", 0);
    gint64 most = item_ended(step) ? total : MAX(total - 1, 0); /* all is done when it is proved, not before */

    json_set_at_new(step, "progress.completed", json_integer(CLAMP(completed, 0, most)));
}

void item_annotate(json_t *step, const char *key, const char *value)
{
    json_t *annotations = json_object_get(step, "annotations");

    if (!annotations && value) {
        annotations = json_object();
        json_object_set_new(step, "annotations", annotations);
    }
    if (value)
        json_object_set_new(annotations, key, json_string(value));
    else
        json_object_del(annotations, key);
}

const char *item_annotation(const json_t *step, const char *key)
{
    return json_string_value(json_object_get(json_object_get(step, "annotations"), key));
}

void item_sum_tasks(json_t *step)
{
    gint64 completed = 0, total = 0;
    size_t i;
    json_t *task;

    json_array_foreach (json_object_get(step, "tasks"), i, task) {
        completed += json_int_at(task, "progress.completed", 0);
        total += json_int_at(task, "progress.total", 0);
    }
    json_set_at_new(step, "progress.total", json_integer(total));
    item_set_progress(step, completed);
}

/* ---- errors ---- */

void status_add_error(json_t *step, const char *phase, const char *reason)
{
    json_t *error = json_object_get(step, "error"), *reasons;
    size_t i;
    json_t *known;

    if (!error) {
        error = json_pack("{s:s, s:[]}", "phase", phase, "reasons");
        json_object_set_new(step, "error", error);
    }
    reasons = json_object_get(error, "reasons");
    json_array_foreach (reasons, i, known)
        if (!g_strcmp0(json_string_value(known), reason))
            return;
    json_array_append_new(reasons, json_string(reason));
}

static void copy_errors(const json_t *from, json_t *to)
{
    const json_t *error = json_object_get(from, "error");
    size_t i;
    json_t *reason;

    json_array_foreach (json_object_get(error, "reasons"), i, reason)
        status_add_error(to, json_string_at(error, "phase", ""), json_string_value(reason));
}

gboolean vm_status_bubble_errors(json_t *vm)
{
    size_t i, j;
    json_t *step, *task;

    json_array_foreach (json_object_get(vm, "pipeline"), i, step) {
        json_array_foreach (json_object_get(step, "tasks"), j, task)
            copy_errors(task, step);
        copy_errors(step, vm);
    }
    return json_object_get(vm, "error") != NULL;
}

/* ---- marks ---- */

const char *vm_status_mark(const json_t *vm, const char *key)
{
    return item_annotation(vm_status_step(vm, "Initialize"), key);
}

void vm_status_set_mark(json_t *vm, const char *key, const char *value)
{
    json_t *step = vm_status_step(vm, "Initialize");

    if (step)
        item_annotate(step, key, value);
}
