/* virtual_machine: firmware, CPU, memory, disks and NICs of a source VM as a KubeVirt template. */
#include "target/virtual_machine.h"
#include <string.h>

static const char *os_of(const TargetMachine *machine)
{
    const char *os = machine->os ? machine->os : machine->vm->os_label;
    return os && *os && strcmp(os, "unknown") ? os : NULL;
}

static gboolean is_windows(const TargetMachine *machine)
{
    const char *os = os_of(machine);
    return os && g_str_has_prefix(os, "win");
}

static json_t *firmware(const TargetMachine *machine)
{
    const Vm *vm = machine->vm;
    gboolean keeps_serial = vm->serial && (machine->keep_serial || !strchr(vm->serial, ' '));
    const char *serial = keeps_serial ? vm->serial : vm->uuid;
    json_t *json = json_object();

    if (serial)
        json_object_set_new(json, "serial", json_string(serial));
    if (vm->uuid)
        json_object_set_new(json, "uuid", json_string(vm->uuid));
    if (vm->firmware == FIRMWARE_EFI)
        json_set_at_new(json, "bootloader.efi", json_pack("{s:b}", "secureBoot", vm->secure_boot));
    else
        json_set_at_new(json, "bootloader.bios", json_object());
    return json;
}

/* Windows counts lost ticks and knows Hyper-V's clock; hpet makes it slow. */
static json_t *clock_of(const TargetMachine *machine)
{
    json_t *timer = is_windows(machine)
                        ? json_pack("{s:{s:b}, s:{}, s:{s:s}, s:{s:s}}", "hpet", "present", 0, "hyperv",
                                    "pit", "tickPolicy", "delay", "rtc", "tickPolicy", "catchup")
                        : json_object();

    if (machine->vm->timezone)
        return json_pack("{s:o, s:s}", "timer", timer, "timezone", machine->vm->timezone);
    return json_pack("{s:o, s:{}}", "timer", timer, "utc");
}

/* Of Hyper-V's enlightenments those that every host offers. */
static json_t *features(const TargetMachine *machine)
{
    json_t *json = json_pack("{s:{s:b}}", "acpi", "enabled", 1);

    if (is_windows(machine))
        json_object_set_new(
            json, "hyperv",
            json_pack("{s:{}, s:{s:i}, s:{}}", "relaxed", "spinlocks", "spinlocks", 8191, "vapic"));
    if (machine->vm->secure_boot)
        json_set_at_new(json, "smm.enabled", json_true());
    return json;
}

static void add_cpu_feature(json_t *list, const char *name, const char *policy)
{
    json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "policy", policy));
}

static void add_cpu_features(json_t *list, const GPtrArray *names, const char *policy)
{
    for (guint i = 0; i < names->len; i++)
        add_cpu_feature(list, names->pdata[i], policy);
}

static json_t *cpu(const TargetMachine *machine)
{
    const Vm *vm = machine->vm;
    json_t *json = json_object();
    g_autoptr(json_t) list = json_array();

    if (!machine->instance_type)
        json_object_update_new(json,
                               json_pack("{s:i, s:i, s:i}", "sockets", (int)MAX(1, vm->sockets), "cores",
                                         (int)MAX(1, vm->cores), "threads", (int)MAX(1, vm->threads)));
    if (vm->dedicated_cpus)
        json_object_set_new(json, "dedicatedCpuPlacement", json_true());
    if (vm->cpu_model)
        json_object_set_new(json, "model", json_string(vm->cpu_model));
    add_cpu_features(list, vm->cpu_features, "require");
    add_cpu_features(list, vm->cpu_features_off, "disable");
    if (machine->nested != NESTED_AS_SOURCE || vm->nested)
        for (const char *const *name = (const char *const[]){"vmx", "svm", NULL}; *name; name++)
            add_cpu_feature(list, *name, machine->nested == NESTED_OFF ? "disable" : "optional");
    if (json_array_size(list))
        json_object_set(json, "features", list);
    return json;
}

static const char *bus_name(const TargetMachine *machine, VmBus bus)
{
    if (!machine->converted)
        return "sata";
    if (machine->disk_bus)
        return machine->disk_bus;
    return bus == VM_BUS_SCSI ? "scsi" : bus == VM_BUS_SATA ? "sata" : "virtio";
}

/* The index of the disk that is booted from. */
static guint boot_disk(const TargetMachine *machine)
{
    const Vm *vm = machine->vm;

    if (machine->boot_disk)
        return machine->boot_disk - 1;
    for (guint i = 0; i < vm->disks->len; i++)
        if (((const VmDisk *)vm->disks->pdata[i])->boot)
            return i;
    return 0;
}

static char *device_name(const char *const *names, const char *prefix, guint i)
{
    return names ? g_strdup(names[i]) : g_strdup_printf("%s-%u", prefix, i);
}

static void add_disk(json_t *devices, json_t *volumes, const TargetMachine *machine, guint i)
{
    const VmDisk *disk = machine->vm->disks->pdata[i];
    g_autofree char *name = device_name(machine->disk_names, "vol", i);
    json_t *json = json_pack("{s:s, s:{s:s}}", "name", name, "disk", "bus", bus_name(machine, disk->bus));

    if (i == boot_disk(machine))
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

static json_t *interface_of(const TargetMachine *machine, const VmNic *nic, const char *binding,
                            const char *name)
{
    const char *old_model = nic->old_model ? nic->old_model : "e1000e";
    const char *model = !machine->converted ? old_model : nic->model ? nic->model : "virtio";
    json_t *interface = json_pack("{s:s, s:{}}", "name", name, binding);

    if (strcmp(binding, "sriov"))
        json_object_set_new(interface, "model", json_string(model));
    if (nic->mac && *nic->mac)
        json_object_set_new(interface, "macAddress", json_string(nic->mac));
    if (nic->disconnected)
        json_object_set_new(interface, "state", json_string("down"));
    return interface;
}

/* number counts the NICs that are kept, so that names have no gap. */
static void add_nic(json_t *devices, json_t *networks, const TargetMachine *machine, guint i, guint number)
{
    const VmNic *nic = machine->vm->nics->pdata[i];
    const TargetNic *target = &machine->nics[i];
    gboolean pod = target->kind == NIC_POD;
    const char *binding = pod ? "masquerade" : nic->passed_through ? "sriov" : "bridge";
    g_autofree char *name = device_name(machine->nic_names, "net", number);

    json_array_append_new(json_object_get(devices, "interfaces"), interface_of(machine, nic, binding, name));
    json_array_append_new(
        networks, pod ? json_pack("{s:s, s:{}}", "name", name, "pod")
                      : json_pack("{s:s, s:{s:s}}", "name", name, "multus", "networkName", target->network));
}

static json_t *domain(const TargetMachine *machine, json_t *volumes, json_t *networks)
{
    const Vm *vm = machine->vm;
    json_t *devices = json_pack("{s:[], s:[], s:[{s:s, s:s, s:s}]}", "disks", "interfaces", "inputs", "name",
                                "tablet", "type", "tablet", "bus", machine->converted ? "virtio" : "usb");
    json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:{s:s}}", "firmware", firmware(machine), "clock",
                             clock_of(machine), "features", features(machine), "devices", devices, "cpu",
                             cpu(machine), "machine", "type", "q35");
    g_autofree char *memory = target_quantity(vm->memory);
    guint nics = 0;

    for (guint i = 0; i < vm->disks->len; i++)
        add_disk(devices, volumes, machine, i);
    for (guint i = 0; i < vm->nics->len; i++)
        if (machine->nics[i].kind != NIC_IGNORED)
            add_nic(devices, networks, machine, i, nics++);
    if (nics == 0)
        json_object_set_new(devices, "autoattachPodInterface", json_false());
    if (vm->multi_queue)
        json_object_set_new(devices, "networkInterfaceMultiqueue", json_true());
    if (vm->headless)
        json_object_set_new(devices, "autoattachGraphicsDevice", json_false());
    if (vm->tpm)
        json_object_set_new(devices, "tpm", json_pack("{s:b}", "persistent", 1));
    if (!json_object_size(json_object_get(json, "cpu")))
        json_object_del(json, "cpu");
    if (!machine->instance_type)
        json_object_set_new(json, "memory", json_pack("{s:s}", "guest", memory));
    return json;
}

static json_t *metadata_of(const TargetOwner *owner, const TargetMachine *machine)
{
    const Vm *vm = machine->vm;
    json_t *labels = target_labels(owner), *annotations = json_pack("{s:s}", "original-ID", vm->id);

    json_object_set_new(labels, "app", json_string(machine->name));
    if (machine->converted)
        json_object_set_new(labels, "guestConverted", json_string(vm->needs_conversion ? "true" : "false"));
    if (os_of(machine)) {
        g_autofree char *os = g_strdup_printf("os.template.kubevirt.io/%s", os_of(machine));
        json_object_set_new(labels, os, json_string("true"));
        json_object_set_new(labels, "workload.template.kubevirt.io/server", json_string("true"));
    }
    json_object_set_new(annotations, "openshift.io/display-name", json_string(vm->name));
    if (strcmp(vm->name, machine->name))
        json_object_set_new(annotations, "original-name", json_string(vm->name));
    return json_pack("{s:s, s:s, s:o, s:o}", "name", machine->name, "namespace", owner->ns, "labels", labels,
                     "annotations", annotations);
}

/* What the guest's Pod carries: the console reads the OS there. */
static json_t *template_metadata(const TargetMachine *machine)
{
    json_t *labels = machine->labels ? json_deep_copy(machine->labels) : json_object();
    json_t *metadata = json_pack("{s:o}", "labels", labels);

    json_object_set_new(labels, "app", json_string(machine->name));
    if (os_of(machine))
        json_object_set_new(metadata, "annotations", json_pack("{s:s}", "vm.kubevirt.io/os", os_of(machine)));
    return metadata;
}

json_t *target_virtual_machine(const TargetOwner *owner, const TargetMachine *machine)
{
    json_t *volumes = json_array(), *networks = json_array();
    json_t *spec = json_pack("{s:o, s:o, s:o}", "domain", domain(machine, volumes, networks), "volumes",
                             volumes, "networks", networks);
    json_t *vm = json_pack("{s:s, s:s, s:o, s:{s:s, s:{s:o, s:o}}}", "apiVersion", "kubevirt.io/v1", "kind",
                           "VirtualMachine", "metadata", metadata_of(owner, machine), "spec", "runStrategy",
                           machine->run ? "Always" : "Halted", "template", "metadata",
                           template_metadata(machine), "spec", spec);

    if (machine->vm->stays_put)
        json_object_set_new(spec, "evictionStrategy", json_string("None"));
    if (machine->node_selector)
        json_object_set_new(spec, "nodeSelector", json_deep_copy(machine->node_selector));
    if (machine->affinity)
        json_object_set_new(spec, "affinity", json_deep_copy(machine->affinity));
    if (machine->instance_type)
        json_set_at_new(vm, "spec.instancetype", json_pack("{s:s}", "name", machine->instance_type));
    if (machine->preference)
        json_set_at_new(vm, "spec.preference", json_pack("{s:s}", "name", machine->preference));
    return vm;
}

json_t *target_owner_reference(const char *vm_name, const char *vm_uid)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "apiVersion", "kubevirt.io/v1", "kind",
                     "VirtualMachine", "name", vm_name, "uid", vm_uid, "controller", 0, "blockOwnerDeletion",
                     1);
}
