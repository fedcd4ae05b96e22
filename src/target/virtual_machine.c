/* virtual_machine: firmware, CPU, memory, disks and NICs of a source VM as a KubeVirt template. */
#include "target/virtual_machine.h"
#include <string.h>

static json_t *firmware(const Vm *vm)
{
    json_t *json = json_object();

    if (vm->uuid) {
        json_object_set_new(json, "serial", json_string(vm->uuid));
        json_object_set_new(json, "uuid", json_string(vm->uuid));
    }
    if (vm->firmware == FIRMWARE_EFI)
        json_set_at_new(json, "bootloader.efi", json_pack("{s:b}", "secureBoot", vm->secure_boot));
    else
        json_set_at_new(json, "bootloader.bios", json_object());
    return json;
}

static json_t *clock_of(const Vm *vm)
{
    if (vm->timezone)
        return json_pack("{s:{}, s:s}", "timer", "timezone", vm->timezone);
    return json_pack("{s:{}, s:{}}", "timer", "utc");
}

static const char *bus_name(VmBus bus, gboolean converted)
{
    if (!converted)
        return "sata";
    return bus == VM_BUS_SCSI ? "scsi" : bus == VM_BUS_SATA ? "sata" : "virtio";
}

static gboolean has_boot_disk(const Vm *vm)
{
    for (guint i = 0; i < vm->disks->len; i++)
        if (((const VmDisk *)vm->disks->pdata[i])->boot)
            return TRUE;
    return FALSE;
}

static void add_disk(json_t *devices, json_t *volumes, const TargetMachine *machine, guint i)
{
    const VmDisk *disk = machine->vm->disks->pdata[i];
    g_autofree char *name = g_strdup_printf("vol-%u", i);
    json_t *json =
        json_pack("{s:s, s:{s:s}}", "name", name, "disk", "bus", bus_name(disk->bus, machine->converted));

    if (disk->boot || (i == 0 && !has_boot_disk(machine->vm)))
        json_object_set_new(json, "bootOrder", json_integer(1));
    if (disk->serial)
        json_object_set_new(json, "serial", json_string(disk->serial));
    if (disk->shared) {
        json_object_set_new(json, "shareable", json_true());
        json_object_set_new(json, "cache", json_string("none"));
    }
    json_array_append_new(json_object_get(devices, "disks"), json);
    json_array_append_new(
        volumes, json_pack("{s:s, s:{s:s}}", "name", name, "dataVolume", "name", machine->claims[i]));
}

/* number counts the NICs that are kept, so that names have no gap. */
static void add_nic(json_t *devices, json_t *networks, const TargetMachine *machine, guint i, guint number)
{
    const VmNic *nic = machine->vm->nics->pdata[i];
    const TargetNic *target = &machine->nics[i];
    g_autofree char *name = g_strdup_printf("net-%u", number);
    const char *model = !machine->converted ? "e1000e" : nic->model ? nic->model : "virtio";
    gboolean pod = target->kind == NIC_POD;
    json_t *interface =
        json_pack("{s:s, s:s, s:{}}", "name", name, "model", model, pod ? "masquerade" : "bridge");

    if (nic->mac)
        json_object_set_new(interface, "macAddress", json_string(nic->mac));
    json_array_append_new(json_object_get(devices, "interfaces"), interface);
    json_array_append_new(
        networks, pod ? json_pack("{s:s, s:{}}", "name", name, "pod")
                      : json_pack("{s:s, s:{s:s}}", "name", name, "multus", "networkName", target->network));
}

static json_t *domain(const TargetMachine *machine, json_t *volumes, json_t *networks)
{
    const Vm *vm = machine->vm;
    json_t *devices = json_pack("{s:[], s:[], s:[{s:s, s:s, s:s}]}", "disks", "interfaces", "inputs", "name",
                                "tablet", "type", "tablet", "bus", machine->converted ? "virtio" : "usb");
    json_t *json =
        json_pack("{s:o, s:o, s:o}", "firmware", firmware(vm), "clock", clock_of(vm), "devices", devices);
    g_autofree char *memory = target_quantity(vm->memory);
    guint nics = 0;

    for (guint i = 0; i < vm->disks->len; i++)
        add_disk(devices, volumes, machine, i);
    for (guint i = 0; i < vm->nics->len; i++)
        if (machine->nics[i].kind != NIC_IGNORED)
            add_nic(devices, networks, machine, i, nics++);
    if (nics == 0)
        json_object_set_new(devices, "autoattachPodInterface", json_false());
    if (vm->tpm)
        json_object_set_new(devices, "tpm", json_pack("{s:b}", "persistent", 1));
    if (vm->secure_boot)
        json_set_at_new(json, "features.smm.enabled", json_true());
    if (!machine->instance_type) {
        json_object_set_new(json, "cpu",
                            json_pack("{s:i, s:i, s:i}", "sockets", (int)MAX(1, vm->sockets), "cores",
                                      (int)MAX(1, vm->cores), "threads", (int)MAX(1, vm->threads)));
        json_object_set_new(json, "memory", json_pack("{s:s}", "guest", memory));
    }
    return json;
}

static json_t *metadata_of(const TargetOwner *owner, const TargetMachine *machine)
{
    const Vm *vm = machine->vm;
    json_t *labels = target_labels(owner), *annotations = json_pack("{s:s}", "original-ID", vm->id);

    json_object_set_new(labels, "app", json_string(machine->name));
    if (machine->converted)
        json_object_set_new(labels, "guestConverted", json_string(vm->needs_conversion ? "true" : "false"));
    if (vm->os_label && *vm->os_label && strcmp(vm->os_label, "unknown")) {
        g_autofree char *os = g_strdup_printf("os.template.kubevirt.io/%s", vm->os_label);
        json_object_set_new(labels, os, json_string("true"));
    }
    json_object_set_new(annotations, "openshift.io/display-name", json_string(vm->name));
    if (strcmp(vm->name, machine->name))
        json_object_set_new(annotations, "original-name", json_string(vm->name));
    return json_pack("{s:s, s:s, s:o, s:o}", "name", machine->name, "namespace", owner->ns, "labels", labels,
                     "annotations", annotations);
}

json_t *target_virtual_machine(const TargetOwner *owner, const TargetMachine *machine)
{
    json_t *volumes = json_array(), *networks = json_array();
    json_t *labels = machine->labels ? json_deep_copy(machine->labels) : json_object();
    json_t *spec = json_pack("{s:o, s:o, s:o}", "domain", domain(machine, volumes, networks), "volumes",
                             volumes, "networks", networks);
    json_t *vm =
        json_pack("{s:s, s:s, s:o, s:{s:s, s:{s:{s:o}, s:o}}}", "apiVersion", "kubevirt.io/v1", "kind",
                  "VirtualMachine", "metadata", metadata_of(owner, machine), "spec", "runStrategy",
                  machine->run ? "Always" : "Halted", "template", "metadata", "labels", labels, "spec", spec);

    json_object_set_new(labels, "app", json_string(machine->name));
    if (machine->node_selector)
        json_object_set_new(spec, "nodeSelector", json_deep_copy(machine->node_selector));
    if (machine->affinity)
        json_object_set_new(spec, "affinity", json_deep_copy(machine->affinity));
    if (machine->instance_type)
        json_set_at_new(vm, "spec.instancetype", json_pack("{s:s}", "name", machine->instance_type));
    return vm;
}

json_t *target_owner_reference(const char *vm_name, const char *vm_uid)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "apiVersion", "kubevirt.io/v1", "kind",
                     "VirtualMachine", "name", vm_name, "uid", vm_uid, "controller", 0, "blockOwnerDeletion",
                     1);
}
