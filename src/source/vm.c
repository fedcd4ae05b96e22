/* vm: memory of the neutral description. */
#include "source/vm.h"

static void disk_free(gpointer data)
{
    VmDisk *disk = data;
    g_free(disk->id);
    g_free(disk->name);
    g_free(disk->storage_id);
    g_free(disk->serial);
    g_free(disk);
}

static void nic_free(gpointer data)
{
    VmNic *nic = data;
    g_free(nic->network_id);
    g_free(nic->mac);
    g_free(nic->model);
    g_free(nic->old_model);
    g_ptr_array_unref(nic->addresses);
    g_ptr_array_unref(nic->dns);
    g_free(nic->gateway);
    g_free(nic);
}

Vm *vm_new(void)
{
    Vm *vm = g_new0(Vm, 1);
    vm->disks = g_ptr_array_new_with_free_func(disk_free);
    vm->nics = g_ptr_array_new_with_free_func(nic_free);
    vm->cpu_features = g_ptr_array_new_with_free_func(g_free);
    vm->cpu_features_off = g_ptr_array_new_with_free_func(g_free);
    return vm;
}

void vm_free(Vm *vm)
{
    if (!vm)
        return;
    g_free(vm->id);
    g_free(vm->name);
    g_free(vm->uuid);
    g_free(vm->serial);
    g_free(vm->timezone);
    g_free(vm->os_label);
    g_ptr_array_unref(vm->disks);
    g_ptr_array_unref(vm->nics);
    g_ptr_array_unref(vm->cpu_features);
    g_ptr_array_unref(vm->cpu_features_off);
    g_free(vm->cpu_model);
    g_free(vm);
}

VmDisk *vm_add_disk(Vm *vm)
{
    VmDisk *disk = g_new0(VmDisk, 1);
    g_ptr_array_add(vm->disks, disk);
    return disk;
}

VmNic *vm_add_nic(Vm *vm)
{
    VmNic *nic = g_new0(VmNic, 1);
    nic->addresses = g_ptr_array_new_with_free_func(g_free);
    nic->dns = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(vm->nics, nic);
    return nic;
}
