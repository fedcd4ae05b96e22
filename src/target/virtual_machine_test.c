/* virtual_machine: the manifest, field by field, for machines that differ in one thing each. */
#include "target/data_volume.h"
#include "target/virtual_machine.h"
#include <string.h>

static const TargetOwner owner = {.plan_uid = "p-uid",
                                  .plan_name = "plan1",
                                  .plan_namespace = "openshift-mtv",
                                  .migration_uid = "m-uid",
                                  .vm_id = "vm-12",
                                  .ns = "target",
                                  .image = "gantry"};
static const char *const claims[] = {"plan1-vm-12-aaaaa", "plan1-vm-12-bbbbb", "plan1-vm-12-ccccc"};

static Vm *sample(void)
{
    Vm *vm = vm_new();

    vm->id = g_strdup("vm-12");
    vm->name = g_strdup("web");
    vm->uuid = g_strdup("4203a5b6-0000-1111-2222-333344445555");
    vm->sockets = 2;
    vm->cores = 4;
    vm->threads = 1;
    vm->memory = 3ULL << 30;
    vm->needs_conversion = TRUE;
    for (int i = 0; i < 2; i++) {
        VmDisk *disk = vm_add_disk(vm);
        disk->id = g_strdup_printf("%d", 2000 + i);
        disk->name = g_strdup_printf("[ds] web/web_%d.vmdk", i);
        disk->size = (10 << 20) + 512 * i;
    }
    for (int i = 0; i < 2; i++) {
        VmNic *nic = vm_add_nic(vm);
        nic->network_id = g_strdup_printf("network-%d", i);
        nic->mac = g_strdup_printf("00:50:56:00:00:0%d", i);
        nic->model = g_strdup("virtio");
    }
    return vm;
}

static const TargetNic pod_and_bridge[] = {{.kind = NIC_POD},
                                           {.kind = NIC_MULTUS, .network = "target/vlan5"}};

static json_t *manifest(const Vm *vm, const TargetNic *nics)
{
    TargetMachine machine = {
        .vm = vm, .name = "web", .claims = claims, .nics = nics, .run = TRUE, .converted = TRUE};
    return target_virtual_machine(&owner, &machine);
}

static const json_t *domain(const json_t *manifest)
{
    return json_at(manifest, "spec.template.spec.domain");
}

static void cpu_memory_and_identity_are_kept(void)
{
    g_autoptr(Vm) vm = sample();
    g_autoptr(json_t) m = manifest(vm, pod_and_bridge);

    g_assert_nonnull(m);
    g_assert_cmpint(json_int_at(domain(m), "cpu.sockets", 0), ==, 2);
    g_assert_cmpint(json_int_at(domain(m), "cpu.cores", 0), ==, 4);
    g_assert_cmpstr(json_string_at(domain(m), "memory.guest", ""), ==, "3072Mi");
    g_assert_cmpstr(json_string_at(domain(m), "firmware.serial", ""), ==, vm->uuid);
    g_assert_cmpstr(json_string_at(m, "spec.runStrategy", ""), ==, "Always");
    g_assert_cmpstr(json_string_at(m, "metadata.labels.vmID", ""), ==, "vm-12");
    g_assert_null(json_at(m, "metadata.annotations.original-name"));
}

static void disks_keep_their_order_and_the_first_boots(void)
{
    g_autoptr(Vm) vm = sample();
    g_autoptr(json_t) m = manifest(vm, pod_and_bridge);
    const json_t *disks = json_at(domain(m), "devices.disks"),
                 *volumes = json_at(m, "spec.template.spec.volumes");

    g_assert_cmpuint(json_array_size(disks), ==, 2);
    g_assert_cmpstr(json_string_at(json_array_get(disks, 1), "name", ""), ==, "vol-1");
    g_assert_cmpint(json_int_at(json_array_get(disks, 0), "bootOrder", 0), ==, 1);
    g_assert_null(json_at(json_array_get(disks, 1), "bootOrder"));
    g_assert_cmpstr(json_string_at(json_array_get(volumes, 1), "dataVolume.name", ""), ==, claims[1]);
}

static void a_marked_disk_boots_instead_of_the_first(void)
{
    g_autoptr(Vm) vm = sample();
    ((VmDisk *)vm->disks->pdata[1])->boot = TRUE;
    g_autoptr(json_t) m = manifest(vm, pod_and_bridge);
    const json_t *disks = json_at(domain(m), "devices.disks");

    g_assert_null(json_at(json_array_get(disks, 0), "bootOrder"));
    g_assert_cmpint(json_int_at(json_array_get(disks, 1), "bootOrder", 0), ==, 1);
}

static void nics_keep_their_macs_on_pod_and_bridge(void)
{
    g_autoptr(Vm) vm = sample();
    g_autoptr(json_t) m = manifest(vm, pod_and_bridge);
    const json_t *interfaces = json_at(domain(m), "devices.interfaces"),
                 *networks = json_at(m, "spec.template.spec.networks");

    g_assert_nonnull(json_at(json_array_get(interfaces, 0), "masquerade"));
    g_assert_nonnull(json_at(json_array_get(interfaces, 1), "bridge"));
    g_assert_cmpstr(json_string_at(json_array_get(interfaces, 1), "macAddress", ""), ==, "00:50:56:00:00:01");
    g_assert_nonnull(json_at(json_array_get(networks, 0), "pod"));
    g_assert_cmpstr(json_string_at(json_array_get(networks, 1), "multus.networkName", ""), ==,
                    "target/vlan5");
}

static void an_ignored_nic_leaves_no_gap(void)
{
    static const TargetNic nics[] = {{.kind = NIC_IGNORED}, {.kind = NIC_POD}},
                           none[] = {{NIC_IGNORED}, {NIC_IGNORED}};
    g_autoptr(Vm) vm = sample();
    g_autoptr(json_t) m = manifest(vm, nics), bare = manifest(vm, none);
    const json_t *interfaces = json_at(domain(m), "devices.interfaces");

    g_assert_cmpuint(json_array_size(interfaces), ==, 1);
    g_assert_cmpstr(json_string_at(json_array_get(interfaces, 0), "name", ""), ==, "net-0");
    g_assert_false(json_bool_at(domain(bare), "devices.autoattachPodInterface", TRUE));
}

static void secure_boot_needs_smm_and_plain_efi_says_so(void)
{
    g_autoptr(Vm) vm = sample();
    vm->firmware = FIRMWARE_EFI;
    g_autoptr(json_t) plain = manifest(vm, pod_and_bridge);
    vm->secure_boot = TRUE;
    g_autoptr(json_t) secure = manifest(vm, pod_and_bridge);

    g_assert_false(json_bool_at(domain(plain), "firmware.bootloader.efi.secureBoot", TRUE));
    g_assert_null(json_at(domain(plain), "features.smm"));
    g_assert_true(json_bool_at(domain(secure), "firmware.bootloader.efi.secureBoot", FALSE));
    g_assert_true(json_bool_at(domain(secure), "features.smm.enabled", FALSE));
}

static void an_unconverted_guest_gets_devices_it_has_drivers_for(void)
{
    g_autoptr(Vm) vm = sample();
    TargetMachine machine = {.vm = vm, .name = "web-1", .claims = claims, .nics = pod_and_bridge};
    g_autoptr(json_t) m = target_virtual_machine(&owner, &machine);

    g_assert_cmpstr(json_string_at(json_array_get(json_at(domain(m), "devices.disks"), 0), "disk.bus", ""),
                    ==, "sata");
    g_assert_cmpstr(json_string_at(json_array_get(json_at(domain(m), "devices.interfaces"), 0), "model", ""),
                    ==, "e1000e");
    g_assert_cmpstr(json_string_at(m, "spec.runStrategy", ""), ==, "Halted");
    g_assert_cmpstr(json_string_at(m, "metadata.annotations.original-name", ""), ==, "web");
}

static void an_unknown_os_leaves_no_label_for_it(void)
{
    g_autoptr(Vm) vm = sample();
    vm->os_label = g_strdup("unknown");
    g_autoptr(json_t) m = manifest(vm, pod_and_bridge);
    const char *key;
    json_t *value;

    json_object_foreach (json_at(m, "metadata.labels"), key, value)
        g_assert_null(strstr(key, "os.template"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/target/virtual_machine/" text, function)
    CASE("cpu, memory and identity are kept", cpu_memory_and_identity_are_kept);
    CASE("disks keep their order and the first boots", disks_keep_their_order_and_the_first_boots);
    CASE("a marked disk boots instead of the first", a_marked_disk_boots_instead_of_the_first);
    CASE("NICs keep their MACs on pod and bridge", nics_keep_their_macs_on_pod_and_bridge);
    CASE("an ignored NIC leaves no gap", an_ignored_nic_leaves_no_gap);
    CASE("secure boot needs SMM and plain EFI says so", secure_boot_needs_smm_and_plain_efi_says_so);
    CASE("an unconverted guest gets devices it has drivers for",
         an_unconverted_guest_gets_devices_it_has_drivers_for);
    CASE("an unknown OS leaves no label for it", an_unknown_os_leaves_no_label_for_it);
    return g_test_run();
}
