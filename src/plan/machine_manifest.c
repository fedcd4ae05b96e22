/* machine_manifest: plan, maps, status → TargetMachine. */
#include "plan/machine_manifest.h"
#include "plan/device_names.h"
#include "target/virtual_machine.h"
#include <string.h>

const char *machine_os(VmRun *vm, const Vm *machine)
{
    const char *found = json_string_at(vm_run_status(vm), "operatingSystem", "");
    const char *os = *found && strcmp(found, "unknown") ? found : machine->os_label;

    return os && *os && strcmp(os, "unknown") ? os : NULL;
}

gboolean machine_has_drivers(VmRun *vm, const Vm *machine)
{
    return vm_run_converts(vm) || !machine->needs_conversion ||
           !json_bool_at(vm_run_plan_spec(vm), "useCompatibilityMode", TRUE);
}

/* A word of the VM, else of the plan. */
static const json_t *setting(VmRun *vm, const char *key)
{
    const json_t *own = json_object_get(vm_run_status(vm), key);
    return own ? own : json_object_get(vm_run_plan_spec(vm), key);
}

static TargetNested nested_of(VmRun *vm)
{
    const json_t *wanted = setting(vm, "enableNestedVirtualization");

    if (!json_is_boolean(wanted))
        return NESTED_AS_SOURCE;
    return json_is_true(wanted) ? NESTED_ON : NESTED_OFF;
}

static gboolean disk_bus(VmRun *vm, const char **out, GError **error)
{
    const char *bus = json_string_at(vm_run_plan_spec(vm), "diskBus", "");

    *out = *bus ? bus : NULL;
    if (!*bus || !strcmp(bus, "virtio") || !strcmp(bus, "sata") || !strcmp(bus, "scsi"))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "spec.diskBus: '%s' must be virtio, sata or scsi", bus);
    return FALSE;
}

json_t *machine_manifest(VmRun *vm, const Vm *machine, const MachineParts *parts, GError **error)
{
    const json_t *spec = vm_run_plan_spec(vm);
    g_auto(NicMapping) nics = {0};
    g_auto(GStrv) disk_names = NULL, nic_names = NULL;
    TargetMachine target = {.vm = machine,
                            .name = vm_run_target_name(vm),
                            .claims = parts->claims,
                            .run = vm_run_target_runs(vm),
                            .converted = machine_has_drivers(vm, machine),
                            .os = machine_os(vm, machine),
                            .nested = nested_of(vm),
                            .keep_serial = vm_run_plan(vm)->settings->keep_serial,
                            .labels = json_object_get(spec, "targetLabels"),
                            .node_selector = json_object_get(spec, "targetNodeSelector"),
                            .affinity = json_object_get(spec, "targetAffinity"),
                            .instance_type = json_string_at(vm_run_status(vm), "instanceType", NULL),
                            .preference = parts->preference};

    if (!mapping_nics(object_json(vm_run_plan(vm)->network_map), machine, &nics, error) ||
        !disk_bus(vm, &target.disk_bus, error) ||
        !device_names_root_disk(vm, machine, &target.boot_disk, error) ||
        !device_names_volumes(vm, machine, parts->claims, &disk_names, error) ||
        !device_names_networks(vm, machine, nics.nics, &nic_names, error))
        return NULL;
    target.nics = nics.nics;
    target.disk_names = (const char *const *)disk_names;
    target.nic_names = (const char *const *)nic_names;
    return target_virtual_machine(vm_run_owner(vm), &target);
}
