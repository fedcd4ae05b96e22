/* ovirt_machines: 29 VMs as an oVirt inventory has them, and the manifests that are made of them. */
#include "source/source.h"
#include "target/virtual_machine.h"
#include <string.h>

/* With ' for ", as everything here. */
static const char workload_text[] =
    "{'id':'6156efe0-64d4-58c3-a6ef-3326719efaef','name':'web','status':'down','memory':2147483648,'"
    "cpuSockets':2,"
    "'cpuCores':2,'cpuThreads':1,'bios':'cluster_default','cluster':{'id':'c','biosType':'q35_sea_bios'},'"
    "osType':'rhel_8x64',"
    "'timezone':'Etc/"
    "GMT','serialNumber':'','customCpuModel':'','cpuPinningPolicy':'none','multiQueues':false,"
    "'diskAttachments':[{'id':'d1','interface':'virtio_scsi','bootable':true,'disk':{'id':'d1','name':'web_"
    "Disk1',"
    "'provisionedSize':10737418240,'storageDomain':'s1','storageType':'image','shared':false}}],"
    "'nics':[{'id':'n1','interface':'virtio','mac':'56:6F:1A:16:01:51','plugged':true,'profile':{'id':'p1','"
    "network':'net1',"
    "'passThrough':false}}]}";

#define DOMAIN  "spec.template.spec.domain."
#define DEVICES DOMAIN "devices."
#define DISK2                                                                                                \
    "{'id':'d2','interface':'virtio','bootable':false,'disk':{'id':'d2','provisionedSize':1073741824,"       \
    "'storageDomain':'s1','storageType':'image','shared':"
#define ONE_DISK(interface)                                                                                  \
    "{'diskAttachments':[{'id':'d1','interface':'" interface "','bootable':true,'disk':{'id':'d1',"          \
    "'provisionedSize':1073741824,'storageDomain':'s1','storageType':'image','shared':false}}]}"
#define ONE_NIC(interface, plugged, pass_through)                                                            \
    "{'nics':[{'id':'n1','interface':'" interface "','mac':'56:6F:1A:16:01:51','plugged':" plugged           \
    ",'profile':{'id':'p1','network':'net1','passThrough':" pass_through "}}]}"

typedef struct {
    const char *name, *changes;
    const char *expected[4][2]; /* path, value: both texts; "absent" when there is none */
} Row;

static const Row rows[] = {
    {"as it is",
     "{}",
     {{"metadata.name", "'web'"},
      {DOMAIN "cpu", "{'cores':2,'sockets':2,'threads':1}"},
      {DOMAIN "memory", "{'guest':'2048Mi'}"},
      {DEVICES "interfaces",
       "[{'macAddress':'56:6f:1a:16:01:51','masquerade':{},'model':'virtio','name':'net-0'}]"}}},
    {"its cluster's BIOS", "{}", {{DOMAIN "firmware.bootloader", "{'bios':{}}"}}},
    {"i440fx", "{'bios':'i440fx_sea_bios'}", {{DOMAIN "firmware.bootloader", "{'bios':{}}"}}},
    {"q35 with BIOS", "{'bios':'q35_sea_bios'}", {{DOMAIN "firmware.bootloader", "{'bios':{}}"}}},
    {"q35 with EFI", "{'bios':'q35_ovmf'}", {{DOMAIN "firmware.bootloader", "{'efi':{'secureBoot':false}}"}}},
    {"secure boot",
     "{'bios':'q35_secure_boot'}",
     {{DOMAIN "firmware.bootloader", "{'efi':{'secureBoot':false}}"}, {DOMAIN "features.smm", "absent"}}},
    {"its cluster's EFI",
     "{'cluster':{'biosType':'q35_ovmf'}}",
     {{DOMAIN "firmware.bootloader", "{'efi':{'secureBoot':false}}"}}},
    {"the serial of its id",
     "{}",
     {{DOMAIN "firmware.serial", "'6156efe0-64d4-58c3-a6ef-3326719efaef'"},
      {DOMAIN "firmware.uuid", "'6156efe0-64d4-58c3-a6ef-3326719efaef'"}}},
    {"a serial of its own",
     "{'serialNumber':'RACK-7'}",
     {{DOMAIN "firmware.serial", "'RACK-7'"},
      {DOMAIN "firmware.uuid", "'6156efe0-64d4-58c3-a6ef-3326719efaef'"}}},
    {"a virtio disk",
     ONE_DISK("virtio"),
     {{DEVICES "disks", "[{'bootOrder':1,'disk':{'bus':'virtio'},'name':'vol-0','serial':'d1'}]"}}},
    {"a virtio-scsi disk",
     ONE_DISK("virtio_scsi"),
     {{DEVICES "disks", "[{'bootOrder':1,'disk':{'bus':'scsi'},'name':'vol-0','serial':'d1'}]"}}},
    {"a SATA disk",
     ONE_DISK("sata"),
     {{DEVICES "disks", "[{'bootOrder':1,'disk':{'bus':'sata'},'name':'vol-0','serial':'d1'}]"}}},
    {"an IDE disk",
     ONE_DISK("ide"),
     {{DEVICES "disks", "[{'bootOrder':1,'disk':{'bus':'sata'},'name':'vol-0','serial':'d1'}]"}}},
    {"the second disk boots",
     "{'diskAttachments':[" DISK2 "false}},{'id':'d1','interface':'virtio','bootable':true,'disk':{'id':'d1',"
     "'provisionedSize':1073741824,'storageDomain':'s1','storageType':'image','shared':false}}]}",
     {{DEVICES "disks", "[{'disk':{'bus':'virtio'},'name':'vol-0','serial':'d2'},{'bootOrder':1,'disk':{'bus'"
                        ":'virtio'},'name':'vol-1','serial':'d1'}]"}}},
    {"a shared disk",
     "{'diskAttachments':[" DISK2 "true}}]}",
     {{DEVICES "disks", "[{'bootOrder':1,'cache':'none','disk':{'bus':'virtio'},'name':'vol-0','serial':'d2',"
                        "'shareable':true}]"}}},
    {"e1000",
     ONE_NIC("e1000", "true", "false"),
     {{DEVICES "interfaces",
       "[{'macAddress':'56:6f:1a:16:01:51','masquerade':{},'model':'e1000','name':'net-0'}]"}}},
    {"rtl8139",
     ONE_NIC("rtl8139", "true", "false"),
     {{DEVICES "interfaces",
       "[{'macAddress':'56:6f:1a:16:01:51','masquerade':{},'model':'rtl8139','name':'net-0'}]"}}},
    {"an unplugged card",
     ONE_NIC("virtio", "false", "false"),
     {{DEVICES "interfaces", "[{'macAddress':'56:6f:1a:16:01:51','masquerade':{},'model':'virtio','name':'"
                             "net-0','state':'down'}]"}}},
    {"a card without a profile",
     "{'nics':[{'id':'n1','interface':'virtio','mac':'56:6F:1A:16:01:51','plugged':true,'profile':''}]}",
     {{DEVICES "interfaces", "[]"}}},
    {"a custom processor",
     "{'customCpuModel':'Cascadelake-Server,+vmx,-hle'}",
     {{DOMAIN "cpu.model", "'Cascadelake-Server'"},
      {DOMAIN "cpu.features", "[{'name':'vmx','policy':'require'},{'name':'hle','policy':'disable'}]"}}},
    {"dedicated processors",
     "{'cpuPinningPolicy':'dedicated'}",
     {{DOMAIN "cpu.dedicatedCpuPlacement", "true"}}},
    {"multi-queue", "{'multiQueues':true}", {{DEVICES "networkInterfaceMultiqueue", "true"}}},
    {"a VM that is moved by itself",
     "{'placementPolicyAffinity':'migratable','display':'spice'}",
     {{"spec.template.spec.evictionStrategy", "absent"}, {DEVICES "autoattachGraphicsDevice", "absent"}}},
    {"a pinned VM",
     "{'placementPolicyAffinity':'pinned'}",
     {{"spec.template.spec.evictionStrategy", "'None'"}}},
    {"a VM that only its administrator moves",
     "{'placementPolicyAffinity':'user_migratable'}",
     {{"spec.template.spec.evictionStrategy", "'None'"}}},
    {"a VM without a display", "{'display':''}", {{DEVICES "autoattachGraphicsDevice", "false"}}},
    {"Windows 11 has a TPM", "{'osType':'windows_11'}", {{DEVICES "tpm", "{'persistent':true}"}}},
    {"a Windows time zone",
     "{'timezone':'W. Europe Standard Time'}",
     {{DOMAIN "clock.timezone", "'Europe/Berlin'"}}},
    {"a time zone that nobody knows",
     "{'timezone':'Mars Standard Time'}",
     {{DOMAIN "clock.timezone", "absent"}, {DOMAIN "clock.utc", "{}"}}},
};

static json_t *parse(const char *text)
{
    g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
    g_autoptr(GError) error = NULL;
    json_t *json = json_parse(quoted, strlen(quoted), 1 << 20, "test", &error);

    g_assert_no_error(error);
    return json;
}

static json_t *machine_of(const json_t *workload)
{
    static const TargetOwner owner = {.plan_uid = "plan",
                                      .plan_name = "p",
                                      .plan_namespace = "mtv",
                                      .migration_uid = "m",
                                      .vm_id = "6156efe0-64d4-58c3-a6ef-3326719efaef",
                                      .ns = "target",
                                      .image = "gantry"};
    static const char *const claims[] = {"claim-0", "claim-1"};
    static const TargetNic nics[] = {{.kind = NIC_POD}, {.kind = NIC_POD}};
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) vm = source_describe("ovirt", workload, &error);
    TargetMachine machine = {.vm = vm, .name = "web", .claims = claims, .nics = nics, .converted = TRUE};

    g_assert_no_error(error);
    g_assert_false(vm->needs_conversion);
    return target_virtual_machine(&owner, &machine);
}

static void a_machine_keeps_what_the_vm_was(gconstpointer data)
{
    const Row *row = data;
    g_autoptr(json_t) workload = parse(workload_text), changes = parse(row->changes);
    g_autoptr(json_t) machine = NULL;

    json_object_update_recursive(workload, changes);
    machine = machine_of(workload);
    for (guint i = 0; i < G_N_ELEMENTS(row->expected) && row->expected[i][0]; i++) {
        const json_t *value = json_at(machine, row->expected[i][0]);
        g_autofree char *text = value ? json_text(value) : g_strdup("absent");
        g_autofree char *expected = g_strdelimit(g_strdup(row->expected[i][1]), "'", '"');
        g_assert_cmpstr(text, ==, expected);
    }
}

static void what_cannot_be_read_is_refused(void)
{
    static const struct {
        const char *changes, *word;
    } refusals[] = {
        {"{'diskAttachments':[{'id':'d1','disk':{'id':'d1','name':'raw','provisionedSize':1,'storageType':'"
         "lun'}}]}",
         "direct LUN"},
        {"{'diskAttachments':[{'id':'d1','disk':{'id':'d1','name':'x','provisionedSize':1,'storageType':'"
         "cinder'}}]}",
         "cinder"},
        {"{'diskAttachments':[{'id':'d1','disk':{'id':'d1','name':'x','provisionedSize':1,'storageType':'"
         "image','status':'illegal'}}]}",
         "illegal"},
        {"{'diskAttachments':[]}", "no disk d1"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autoptr(json_t) workload = parse(workload_text), changes = parse(refusals[i].changes);
        g_autoptr(GError) error = NULL;
        g_autofree char *reader = NULL;

        json_object_update_recursive(workload, changes);
        reader = source_reader("ovirt", workload, "d1", &error);
        g_assert_null(reader);
        g_assert_nonnull(strstr(error->message, refusals[i].word));
    }
}

static void a_disk_without_a_size_is_refused(void)
{
    g_autoptr(json_t) workload = parse(workload_text);
    g_autoptr(json_t) changes = parse(
        "{'diskAttachments':[{'id':'d1','disk':{'id':'d1','provisionedSize':0,'storageType':'image'}}]}");
    g_autoptr(GError) error = NULL;

    json_object_update_recursive(workload, changes);
    g_assert_null(source_describe("ovirt", workload, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SOURCE_VM);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strconcat("/target/ovirt/", rows[i].name, NULL);
        g_test_add_data_func(name, &rows[i], a_machine_keeps_what_the_vm_was);
    }
    g_test_add_func("/target/ovirt/what cannot be read is refused", what_cannot_be_read_is_refused);
    g_test_add_func("/target/ovirt/a disk without a size is refused", a_disk_without_a_size_is_refused);
    return g_test_run();
}
