/* itinerary: the cold and the warm migration, and what each part of them is called. */
#include "plan/itinerary.h"
#include <string.h>

static const Step *const cold[] = {
    &step_started,
    &step_pre_hook,
    &step_store_power_state,
    &step_power_off_source,
    &step_wait_for_power_off,
    &step_inspect_guest,
    &step_create_data_volumes,
    &step_copy_disks,
    &step_create_guest_conversion_pod,
    &step_convert_guest,
    &step_create_vm,
    &step_post_hook,
    &step_completed,
    NULL,
};

/* The order of snapshots is source/warm.h's. From a checkpoint on it goes round until the cutover. */
static const Step *const warm[] = {
    &step_started,
    &step_pre_hook,
    &step_create_initial_snapshot,
    &step_store_initial_snapshot_deltas,
    &step_inspect_guest,
    &step_create_data_volumes,
    &step_precopy_disks,
    &step_copying_paused,
    &step_remove_previous_snapshot,
    &step_create_snapshot,
    &step_store_snapshot_deltas,
    &step_add_checkpoint,
    &step_cutover_store_power_state,
    &step_cutover_power_off_source,
    &step_cutover_wait_for_power_off,
    &step_remove_penultimate_snapshot,
    &step_create_final_snapshot,
    &step_add_final_checkpoint,
    &step_finalize,
    &step_create_guest_conversion_pod,
    &step_convert_guest,
    &step_create_vm,
    &step_post_hook,
    &step_remove_final_snapshot,
    &step_completed,
    NULL,
};

static const struct {
    const char *name, *description;
} descriptions[] = {
    {"Initialize", "Initialize migration."},
    {"PreHook", "Run pre-migration hook."},
    {"PreflightInspection", "Inspect VM before migration."},
    {"DiskTransfer", "Transfer disks."},
    {"Cutover", "Finalize disk transfer."},
    {"ImageConversion", "Convert image to kubevirt."},
    {"VirtualMachineCreation", "Create VM."},
    {"PostHook", "Run post-migration hook."},
};

static gboolean applies(VmRun *vm, const Step *step)
{
    return !step->applies || step->applies(vm);
}

static const Step *const *itinerary_of(VmRun *vm)
{
    return vm_run_is_warm(vm) ? warm : cold;
}

const Step *itinerary_find(VmRun *vm, const char *phase)
{
    for (const Step *const *step = itinerary_of(vm); *step; step++)
        if (!g_strcmp0((*step)->phase, phase))
            return *step;
    return NULL;
}

/* In the table's order. */
static const Step *after(VmRun *vm, const Step *step)
{
    const Step *const *at = itinerary_of(vm);

    while (*at && *at != step)
        at++;
    while (*at && *++at)
        if (applies(vm, *at))
            return *at;
    return NULL;
}

const Step *itinerary_next(VmRun *vm, const Step *step)
{
    const Step *elsewhere = step->then ? step->then(vm) : NULL;
    return elsewhere ? elsewhere : after(vm, step);
}

gboolean itinerary_has(VmRun *vm, const Step *from, const char *pipeline)
{
    for (const Step *step = from; step; step = after(vm, step))
        if (!g_strcmp0(step->pipeline, pipeline))
            return TRUE;
    return FALSE;
}

static const char *describe(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(descriptions); i++)
        if (!strcmp(descriptions[i].name, name))
            return descriptions[i].description;
    return name;
}

static gint64 mebibytes(guint64 bytes)
{
    return bytes / (1 << 20) + (bytes % (1 << 20) ? 1 : 0);
}

static void add_disk_tasks(json_t *step, const Vm *machine)
{
    for (guint i = 0; i < machine->disks->len; i++) {
        const VmDisk *disk = machine->disks->pdata[i];
        item_add_task(step, disk->name, mebibytes(disk->size), "MB");
    }
    item_sum_tasks(step);
}

gboolean itinerary_lacks_tasks(const json_t *status)
{
    const json_t *step = vm_status_step(status, "DiskTransfer");
    return step && json_int_at(step, "progress.total", 0) > 0 && !json_object_get(step, "tasks");
}

void itinerary_add_pipeline(VmRun *vm, const Vm *machine)
{
    json_t *status = vm_run_status(vm);

    for (const Step *step = itinerary_of(vm)[0]; step; step = after(vm, step)) {
        gboolean disks = !g_strcmp0(step->pipeline, "DiskTransfer") || !g_strcmp0(step->pipeline, "Cutover");
        json_t *item = step->pipeline ? vm_status_step(status, step->pipeline) : NULL;
        if (step->pipeline && !item)
            item = vm_status_add_step(status, step->pipeline, describe(step->pipeline), disks ? 0 : 1,
                                      disks ? "MB" : NULL);
        if (disks && !json_object_get(item, "tasks"))
            add_disk_tasks(item, machine);
    }
}

void itinerary_add_conversion(VmRun *vm)
{
    json_t *status = vm_run_status(vm), *pipeline = json_object_get(status, "pipeline"), *step;
    json_t *added =
        json_incref(vm_status_add_step(status, "ImageConversion", describe("ImageConversion"), 1, NULL));
    size_t i;

    json_array_remove(pipeline, json_array_size(pipeline) - 1);
    json_array_foreach (pipeline, i, step)
        if (!strcmp(json_string_at(step, "name", ""), "VirtualMachineCreation"))
            break;
    json_array_insert_new(pipeline, i, added);
}
