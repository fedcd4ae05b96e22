/* CreateDataVolumes: a blank disk per source disk, and the claim that holds the copy's state. */
#include "kube/quantity.h"
#include "plan/device_names.h"
#include "plan/step.h"
#include "plan/storage.h"
#include <string.h>

/* Journals and manifests; a conversion also writes its changes there first. */
enum { STATE_MIB = 128, OVERLAY_MIB = 2048 };

/* A volume that an earlier run made for what was then a larger size or another class cannot be used. */
static gboolean fits(const Object *volume, const VmDisk *disk, const TargetStorage *storage)
{
    g_autofree char *exact = g_strdup_printf("%" G_GUINT64_FORMAT, disk->size);
    const json_t *spec = json_at(object_json(volume), "spec.storage");
    guint64 has = 0;

    return quantity_parse(json_string_at(spec, "resources.requests.storage", ""), &has, NULL) &&
           has >= storage->request && !strcmp(object_annotation(volume, TARGET_DISK_SIZE, ""), exact) &&
           !g_strcmp0(json_string_at(spec, "storageClassName", NULL), storage->storage_class);
}

static gboolean create_volume(VmRun *vm, const Vm *machine, guint index, const TargetStorage *storage,
                              GCancellable *cancel, GError **error)
{
    TargetName name;
    g_autoptr(Object) created = NULL;

    if (!device_names_claim(vm, machine, index, &name, error))
        return FALSE;
    created = vm_run_create(vm, &KUBE_DATA_VOLUME,
                            target_data_volume(vm_run_owner(vm), machine->disks->pdata[index], index, storage,
                                               name.text ? &name : NULL),
                            cancel, error);
    g_free((char *)name.text);
    return created != NULL;
}

static gboolean ensure_volume(VmRun *vm, GPtrArray *volumes, const Vm *machine, guint index,
                              GCancellable *cancel, GError **error)
{
    const VmDisk *disk = machine->disks->pdata[index];
    const Object *volume = vm_run_disk_volume(volumes, disk);
    TargetStorage storage;

    if (!storage_of_disk(vm, disk, &storage, cancel, error))
        return FALSE;
    if (volume && fits(volume, disk, &storage))
        return TRUE;
    if (volume && !vm_run_delete(vm, &KUBE_DATA_VOLUME, volume, cancel, error))
        return FALSE;
    return create_volume(vm, machine, index, &storage, cancel, error);
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
    if (!storage_of_disk(vm, machine->disks->pdata[0], &storage, cancel, error))
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
    g_autoptr(GPtrArray) volumes = machine ? vm_run_volumes(vm, cancel, error) : NULL;

    if (!volumes || !check_disks(vm, machine, error))
        return STEP_FAILED;
    for (guint i = 0; i < machine->disks->len; i++)
        if (!ensure_volume(vm, volumes, machine, i, cancel, error))
            return STEP_FAILED;
    return ensure_state(vm, machine, cancel, error) ? STEP_DONE : STEP_FAILED;
}

const Step step_create_data_volumes = {.phase = "CreateDataVolumes", .pipeline = "Initialize", .run = run};
