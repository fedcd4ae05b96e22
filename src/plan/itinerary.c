/* itinerary: the cold migration, and what each part of it is called. */
#include "plan/itinerary.h"
#include <string.h>

static const Step *const cold[] = {
    &step_started,
    &step_pre_hook,
    &step_store_power_state,
    &step_power_off_source,
    &step_wait_for_power_off,
    &step_create_data_volumes,
    &step_copy_disks,
    &step_create_guest_conversion_pod,
    &step_convert_guest,
    &step_create_vm,
    &step_post_hook,
    &step_completed,
};

static const struct {
    const char *name, *description;
} descriptions[] = {
    {"Initialize", "Initialize migration."},  {"PreHook", "Run pre-migration hook."},
    {"DiskTransfer", "Transfer disks."},      {"ImageConversion", "Convert image to kubevirt."},
    {"VirtualMachineCreation", "Create VM."}, {"PostHook", "Run post-migration hook."},
};

static gboolean applies(VmRun *vm, const Step *step)
{
    return !step->applies || step->applies(vm);
}

static guint position(const Step *step)
{
    guint i = 0;
    while (i < G_N_ELEMENTS(cold) && cold[i] != step)
        i++;
    return i;
}

const Step *itinerary_find(const char *phase)
{
    for (guint i = 0; i < G_N_ELEMENTS(cold); i++)
        if (!g_strcmp0(cold[i]->phase, phase))
            return cold[i];
    return NULL;
}

const Step *itinerary_next(VmRun *vm, const Step *step)
{
    for (guint i = position(step) + 1; i < G_N_ELEMENTS(cold); i++)
        if (applies(vm, cold[i]))
            return cold[i];
    return NULL;
}

gboolean itinerary_returns(VmRun *vm, const Step *step)
{
    for (const Step *later = itinerary_next(vm, step); later; later = itinerary_next(vm, later))
        if (!g_strcmp0(later->pipeline, step->pipeline))
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

void itinerary_add_pipeline(VmRun *vm, const Vm *machine)
{
    json_t *status = vm_run_status(vm);

    for (const Step *step = cold[0]; step; step = itinerary_next(vm, step)) {
        gboolean disks = !g_strcmp0(step->pipeline, "DiskTransfer");
        json_t *added;
        if (!step->pipeline || vm_status_step(status, step->pipeline))
            continue;
        added = vm_status_add_step(status, step->pipeline, describe(step->pipeline), disks ? 0 : 1,
                                   disks ? "MB" : NULL);
        if (disks)
            add_disk_tasks(added, machine);
    }
}
