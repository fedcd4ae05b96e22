/* CreateDataVolumes: a blank disk per source disk, and the claim that holds the copy's state. */
#include "plan/mapping.h"
#include "plan/step.h"
#include <string.h>

/* Journals and manifests; a conversion also writes its changes there first. */
enum { STATE_MIB = 128, OVERLAY_MIB = 2048 };

/* Where the map says nothing of the modes, the storage class's provisioner does. */
static gboolean storage_of(VmRun *vm, const VmDisk *disk, TargetStorage *storage, GCancellable *cancel,
                           GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    g_autoptr(Object) class = NULL;

    if (!mapping_storage(object_json(plan->storage_map), disk, storage, error))
        return FALSE;
    if (storage->access_mode && storage->volume_mode)
        return TRUE;
    class = kube_get(plan->target, &KUBE_STORAGE_CLASS, NULL, storage->storage_class, cancel, error);
    if (class)
        mapping_default_modes(json_string_at(object_json(class), "provisioner", NULL), storage);
    return class != NULL;
}

/* A volume that an earlier run made for what was then another size or class cannot be used. */
static gboolean fits(const Object *volume, const VmDisk *disk, const TargetStorage *storage)
{
    g_autofree char *size = target_quantity(target_disk_size(disk->size));
    g_autofree char *exact = g_strdup_printf("%" G_GUINT64_FORMAT, disk->size);
    const json_t *spec = json_at(object_json(volume), "spec.storage");

    return !strcmp(json_string_at(spec, "resources.requests.storage", ""), size) &&
           !strcmp(object_annotation(volume, TARGET_DISK_SIZE, ""), exact) &&
           !g_strcmp0(json_string_at(spec, "storageClassName", NULL), storage->storage_class);
}

static gboolean ensure_volume(VmRun *vm, GPtrArray *volumes, const VmDisk *disk, guint index,
                              GCancellable *cancel, GError **error)
{
    const Object *volume = vm_run_disk_volume(volumes, disk);
    g_autoptr(Object) created = NULL;
    TargetStorage storage;

    if (!storage_of(vm, disk, &storage, cancel, error))
        return FALSE;
    if (volume && fits(volume, disk, &storage))
        return TRUE;
    if (volume && !vm_run_delete(vm, &KUBE_DATA_VOLUME, volume, cancel, error))
        return FALSE;
    created = vm_run_create(vm, &KUBE_DATA_VOLUME,
                            target_data_volume(vm_run_owner(vm), disk, index, &storage), cancel, error);
    return created != NULL;
}

static gboolean ensure_state(VmRun *vm, const Vm *machine, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) claims =
        vm_run_list(vm, &KUBE_PERSISTENT_VOLUME_CLAIM, TRUE, "resource=state", cancel, error);
    g_autoptr(Object) created = NULL;
    TargetStorage storage;
    guint64 mib = STATE_MIB + (vm_run_converts(vm) ? OVERLAY_MIB : 0);

    if (!claims)
        return FALSE;
    if (claims->len || machine->disks->len == 0)
        return TRUE;
    if (!storage_of(vm, machine->disks->pdata[0], &storage, cancel, error))
        return FALSE;
    created = vm_run_create(vm, &KUBE_PERSISTENT_VOLUME_CLAIM,
                            target_state_claim(vm_run_owner(vm), &storage, mib << 20), cancel, error);
    return created != NULL;
}

/* The pipeline was made when the migration began; the VM may have got or lost a disk since. */
static gboolean check_disks(VmRun *vm, const Vm *machine, GError **error)
{
    const json_t *step = vm_run_step(vm, "DiskTransfer");
    gboolean same = json_array_size(json_object_get(step, "tasks")) == machine->disks->len;

    for (guint i = 0; same && i < machine->disks->len; i++)
        same = item_task(step, ((const VmDisk *)machine->disks->pdata[i])->name) != NULL;
    if (!same)
        g_set_error(
            error, GANTRY_ERROR, ERROR_COPY_FAILED,
            "the VM's disks are not those that it had when the migration began; start a new Migration");
    return same;
}

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    const Vm *machine = vm_run_describe(vm, cancel, error);
    g_autoptr(GPtrArray) volumes =
        machine ? vm_run_list(vm, &KUBE_DATA_VOLUME, TRUE, NULL, cancel, error) : NULL;

    if (!volumes || !check_disks(vm, machine, error))
        return STEP_FAILED;
    for (guint i = 0; i < machine->disks->len; i++)
        if (!ensure_volume(vm, volumes, machine->disks->pdata[i], i, cancel, error))
            return STEP_FAILED;
    return ensure_state(vm, machine, cancel, error) ? STEP_DONE : STEP_FAILED;
}

const Step step_create_data_volumes = {.phase = "CreateDataVolumes", .pipeline = "Initialize", .run = run};
