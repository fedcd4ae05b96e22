/* fit: what is left out, in which order. */
#include "plan/fit.h"
#include "plan/vm_status.h"
#include <string.h>

/* What a shortest entry has beside the VM's own names and its disks, and for each disk beside its name. */
enum { LEAST_VM = 780, LEAST_DISK = 220 };

static gsize size_of(const json_t *json)
{
    return json ? json_dumpb(json, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) : 0;
}

gsize fit_room(const Object *plan)
{
    const json_t *json = object_json(plan);
    gsize taken = size_of(json_object_get(json, "metadata")) + size_of(json_object_get(json, "spec"));

    return taken < FIT_OBJECT_BYTES ? FIT_OBJECT_BYTES - taken : 0;
}

/* ---- what can be missed of one VM ---- */

static gboolean has_ended(const json_t *vm)
{
    return vm_status_completed(vm);
}

static gboolean has_not_begun(const json_t *vm)
{
    return !vm_status_completed(vm) && !vm_status_started(vm);
}

static gboolean is_any(const json_t *vm)
{
    return TRUE;
}

/* These give the bytes that are no longer in the text, or one less for each member: a comma may go with it.
 */

static gsize forget(json_t *item, const char *member)
{
    const json_t *value = json_object_get(item, member);
    gsize bytes = value ? size_of(value) + strlen(member) + strlen("\"\":") : 0;

    json_object_del(item, member);
    return bytes;
}

static gsize forget_all(json_t *item, const char *const *members)
{
    gsize bytes = 0;

    for (; *members; members++)
        bytes += forget(item, *members);
    return bytes;
}

static gsize forget_descriptions(json_t *vm)
{
    gsize bytes = 0;
    size_t i;
    json_t *step;

    json_array_foreach (json_object_get(vm, "pipeline"), i, step)
        bytes += forget(step, "description");
    return bytes;
}

static gsize forget_tasks(json_t *vm)
{
    gsize bytes = forget_descriptions(vm);
    size_t i;
    json_t *step;

    json_array_foreach (json_object_get(vm, "pipeline"), i, step)
        bytes += forget(step, "tasks");
    return bytes;
}

/* How the copy went and what was asked when; not what was proved. */
static gsize forget_course(json_t *vm)
{
    static const char *const of_step[] = {"shutdown-asking", "shutdown-asker", "shutdown-asked",
                                          "seen-off",        "target-created", "restarts",
                                          "restartAt",       "restartEnd",     NULL};
    static const char *const of_task[] = {"reader",         "bytesTotal",  "bytesRead",
                                          "bytesReadTwice", "resumedFrom", "restarts",
                                          "restartAt",      "restartEnd",  NULL};
    gsize bytes = forget_descriptions(vm);
    size_t i, j;
    json_t *step, *task;

    json_array_foreach (json_object_get(vm, "pipeline"), i, step) {
        bytes += forget_all(json_object_get(step, "annotations"), of_step);
        json_array_foreach (json_object_get(step, "tasks"), j, task)
            bytes += forget_all(json_object_get(task, "annotations"), of_task);
    }
    return bytes;
}

static gsize forget_times(json_t *vm)
{
    static const char *const times[] = {"started", "completed", NULL};
    gsize bytes = 0;
    size_t i, j;
    json_t *step, *task;

    json_array_foreach (json_object_get(vm, "pipeline"), i, step) {
        bytes += forget_all(step, times);
        json_array_foreach (json_object_get(step, "tasks"), j, task)
            bytes += forget_all(task, times);
    }
    return bytes;
}

/* ---- all ---- */

static const struct {
    gboolean (*concerns)(const json_t *vm);
    gsize (*shorten)(json_t *vm);
} ways[] = {
    {has_ended, forget_course},
    {has_not_begun, forget_tasks},
    {is_any, forget_descriptions},
    {has_ended, forget_times},
};

void fit_status(json_t *status, gsize room)
{
    json_t *vms = json_object_get(json_object_get(status, "migration"), "vms"), *vm;
    gsize bytes = size_of(status); /* printed once: it is long, and this is done in each pass */
    size_t i;

    for (guint n = 0; n < G_N_ELEMENTS(ways) && bytes > room; n++)
        json_array_foreach (vms, i, vm)
            if (ways[n].concerns(vm))
                bytes -= ways[n].shorten(vm);
}

gsize fit_least(const json_t *spec, const Vm *vm)
{
    gsize bytes = LEAST_VM + size_of(spec) + strlen(vm->id) + 2 * strlen(vm->name);

    for (guint i = 0; i < vm->disks->len; i++)
        bytes += LEAST_DISK + strlen(((const VmDisk *)vm->disks->pdata[i])->name);
    return bytes;
}
