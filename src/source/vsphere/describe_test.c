/* describe: workload documents to neutral VMs and copy sources; what cannot be migrated is refused in clear
 * words. */
#include "source/vsphere/vsphere.h"
#include <string.h>

/* A VM as the inventory has it, with ' for "; changes are merged into it. */
static const char vm_text[] =
    "{'id':'vm-12','name':'Web_01','uuid':'42256329-8c3a-2a82-54fd-01d845a8bf49','isTemplate':false,"
    "'connectionState':'connected','powerState':'poweredOff','firmware':'bios','cpuCount':4,'coresPerSocket':"
    "2,"
    "'memoryMB':2048,'guestId':'rhel8_64Guest','changeVersion':'2026-11-23T01:02:03.456Z','bootTime':'',"
    "'nics':[{'network':{'kind':'Network','id':'network-7'},'mac':'00:50:56:AA:BB:CC'},"
    "{'network':{'kind':'Network','id':'dvportgroup-12'},'mac':'00:50:56:aa:bb:cd'}],"
    "'disks':["
    "{'key':2001,'file':'[ds1] "
    "web/web_1.vmdk','datastore':{'kind':'Datastore','id':'datastore-1'},'capacity':1048577,"
    "'bus':'scsi','controllerKey':1000,'unitNumber':1,'serial':'','shared':false,'rdm':false,'parent':''},"
    "{'key':2000,'file':'[ds1] web/web-000002.vmdk','datastore':{'kind':'Datastore','id':'datastore-1'},"
    "'capacity':17179869184,'bus':'scsi','controllerKey':1000,'unitNumber':0,"
    "'serial':'6000C29d-f1f2-aaaa-bbbb-0123456789ab','shared':false,'rdm':false,'parent':''},"
    "{'key':16000,'file':'[ds 2] "
    "web/data.vmdk','datastore':{'kind':'Datastore','id':'datastore-2'},'capacity':4096,"
    "'bus':'sata','controllerKey':15000,'unitNumber':0,'serial':'','shared':true,'rdm':false,'parent':''}],"
    "'host':{'id':'host-9','timezone':'Europe/Berlin','cluster':{'id':'domain-c8','datacenter':"
    "{'id':'datacenter-2','name':'DC0','path':'/folder/DC0'}}}}";

static json_t *parse(const char *text)
{
    g_autofree char *json = g_strdup(text);
    json_error_t at;
    json_t *parsed;

    g_strdelimit(json, "'", '"');
    parsed = json_loads(json, JSON_DECODE_ANY, &at);
    if (!parsed)
        g_error("line %d: %s", at.line, at.text);
    return parsed;
}

static json_t *workload_with(const char *changes)
{
    json_t *workload = parse(vm_text);
    g_autoptr(json_t) changed = parse(changes);

    json_object_update(workload, changed);
    return workload;
}

static void everything_is_carried_over(void)
{
    g_autoptr(json_t) workload = workload_with("{}");
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) vm = source_describe("vsphere", workload, &error);
    const VmNic *nic;

    g_assert_no_error(error);
    g_assert_cmpstr(vm->id, ==, "vm-12");
    g_assert_cmpstr(vm->name, ==, "Web_01");
    g_assert_cmpstr(vm->uuid, ==, "42256329-8c3a-2a82-54fd-01d845a8bf49");
    g_assert_cmpint(vm->firmware, ==, FIRMWARE_BIOS);
    g_assert_cmpuint(vm->sockets, ==, 2);
    g_assert_cmpuint(vm->cores, ==, 2);
    g_assert_cmpuint(vm->threads, ==, 1);
    g_assert_cmpuint(vm->memory, ==, G_GUINT64_CONSTANT(2147483648));
    g_assert_cmpstr(vm->timezone, ==, "Europe/Berlin");
    g_assert_cmpstr(vm->os_label, ==, "rhel8.1");
    g_assert_false(vm->powered_on);
    g_assert_true(vm->needs_conversion);
    g_assert_cmpuint(vm->nics->len, ==, 2);
    nic = vm->nics->pdata[0];
    g_assert_cmpstr(nic->mac, ==, "00:50:56:aa:bb:cc");
    g_assert_cmpstr(nic->network_id, ==, "network-7");
    g_assert_cmpstr(nic->model, ==, "virtio");
}

#define GUEST                                                                                                \
    "'guestNetworks':[{'device':'0','mac':'00:50:56:AA:BB:CC','ip':'192.0.2.10','prefix':24,'origin':'%s',"  \
    "'dns':['192.0.2.53','192.0.2.53','x']},"                                                                \
    "{'device':'0','mac':'00:50:56:aa:bb:cc','ip':'fe80::1','prefix':64,'origin':'linklayer','dns':[]},"     \
    "{'device':'1','mac':'00:50:56:aa:bb:cd','ip':'198.51.100.7','prefix':24,'origin':'dhcp','dns':[]}],"    \
    "'guestIpStacks':[{'device':'0','gateway':'192.0.2.254','network':'10.0.0.0','prefix':8,'dns':[]},"      \
    "{'device':'0','gateway':'192.0.2.1','network':'0.0.0.0','prefix':0,'dns':[]}]"

static void addresses_that_were_set_by_hand_are_known(void)
{
    static const struct {
        const char *guest, *origin;
        guint addresses;
    } rows[] = {{"rhel8_64Guest", "manual", 1},
                {"rhel8_64Guest", "", 1},
                {"rhel8_64Guest", "dhcp", 0},
                {"windows2019srv_64Guest", "manual", 1},
                {"windows2019srv_64Guest", "", 0}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *changes =
            g_strdup_printf("{'guestId':'%s'," GUEST "}", rows[i].guest, rows[i].origin);
        g_autoptr(json_t) workload = workload_with(changes);
        g_autoptr(Vm) vm = source_describe("vsphere", workload, NULL);
        const VmNic *first = vm->nics->pdata[0], *second = vm->nics->pdata[1];

        g_assert_cmpuint(first->addresses->len, ==, rows[i].addresses);
        g_assert_cmpuint(second->addresses->len, ==, 0);
        if (!rows[i].addresses)
            continue;
        g_assert_cmpstr(first->addresses->pdata[0], ==, "192.0.2.10/24");
        g_assert_cmpstr(first->gateway, ==, "192.0.2.1");
        g_assert_cmpuint(first->dns->len, ==, 1);
        g_assert_cmpstr(first->dns->pdata[0], ==, "192.0.2.53");
    }
}

static void disks_are_in_the_order_of_the_target(void)
{
    static const struct {
        const char *id, *name, *storage, *serial;
        guint64 size;
        gboolean boot, shared;
    } rows[] = {
        {"16000", "[ds 2] web/data.vmdk", "datastore-2", NULL, 4096, TRUE, TRUE},
        {"2000", "[ds1] web/web.vmdk", "datastore-1", "6000C29df1f2aaaabbbb", G_GUINT64_CONSTANT(17179869184),
         FALSE, FALSE},
        {"2001", "[ds1] web/web_1.vmdk", "datastore-1", NULL, 1048577, FALSE, FALSE},
    };
    g_autoptr(json_t) workload = workload_with("{}");
    g_autoptr(Vm) vm = source_describe("vsphere", workload, NULL);

    g_assert_cmpuint(vm->disks->len, ==, G_N_ELEMENTS(rows));
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const VmDisk *disk = vm->disks->pdata[i];
        g_assert_cmpstr(disk->id, ==, rows[i].id);
        g_assert_cmpstr(disk->name, ==, rows[i].name);
        g_assert_cmpstr(disk->storage_id, ==, rows[i].storage);
        g_assert_cmpuint(disk->size, ==, rows[i].size);
        g_assert_cmpint(disk->bus, ==, VM_BUS_VIRTIO);
        g_assert_cmpint(disk->boot, ==, rows[i].boot);
        g_assert_cmpint(disk->shared, ==, rows[i].shared);
        g_assert_cmpuint(strlen(disk->serial), ==, 20);
        if (rows[i].serial)
            g_assert_cmpstr(disk->serial, ==, rows[i].serial);
    }
}

static void firmware_and_topology_follow_the_source(void)
{
    static const struct {
        const char *changes;
        VmFirmware firmware;
        gboolean secure_boot, tpm;
        guint sockets, cores;
    } rows[] = {
        {"{'firmware':'efi','secureBoot':true,'tpmEnabled':true}", FIRMWARE_EFI, TRUE, TRUE, 2, 2},
        {"{'firmware':'bios','secureBoot':true}", FIRMWARE_BIOS, FALSE, FALSE, 2, 2},
        {"{'firmware':''}", FIRMWARE_BIOS, FALSE, FALSE, 2, 2},
        {"{'cpuCount':6,'coresPerSocket':4}", FIRMWARE_BIOS, FALSE, FALSE, 6, 1},
        {"{'cpuCount':1,'coresPerSocket':0}", FIRMWARE_BIOS, FALSE, FALSE, 1, 1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) workload = workload_with(rows[i].changes);
        g_autoptr(Vm) vm = source_describe("vsphere", workload, NULL);
        g_assert_cmpint(vm->firmware, ==, rows[i].firmware);
        g_assert_cmpint(vm->secure_boot, ==, rows[i].secure_boot);
        g_assert_cmpint(vm->tpm, ==, rows[i].tpm);
        g_assert_cmpuint(vm->sockets, ==, rows[i].sockets);
        g_assert_cmpuint(vm->cores, ==, rows[i].cores);
    }
}

static void the_operating_system_has_a_label(void)
{
    static const struct {
        const char *changes, *label;
    } rows[] = {
        {"{'guestId':'debian11_64Guest'}", "debian11"},
        {"{'guestId':'windows9Server64Guest'}", "win2k19"},
        {"{'guestId':'','guestName':'Microsoft Windows 10'}", "win10"},
        {"{'guestId':'otherGuest','guestName':'Other','guestNameFromVmwareTools':'Alpine Linux'}", "rhel8.1"},
        {"{'guestId':'otherGuest','guestName':'Other'}", "unknown"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) workload = workload_with(rows[i].changes);
        g_autoptr(Vm) vm = source_describe("vsphere", workload, NULL);
        g_assert_cmpstr(vm->os_label, ==, rows[i].label);
    }
}

static void what_cannot_be_migrated_is_refused(void)
{
    static const struct {
        const char *changes;
        ErrorCode code;
        const char *says;
    } rows[] = {
        {"{'isTemplate':true}", ERROR_SOURCE_VM, "is a template"},
        {"{'connectionState':'disconnected'}", ERROR_SOURCE_VM, "is disconnected"},
        {"{'connectionState':'orphaned'}", ERROR_SOURCE_VM, "is orphaned"},
        {"{'cpuCount':0}", ERROR_SOURCE_VM, "no configuration"},
        {"{'disks':[{'key':2000,'file':'[a] b.vmdk','capacity':0}]}", ERROR_SOURCE_VM, "capacity of 0"},
        {"{'id':''}", ERROR_BAD_INPUT, "'id' is missing"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) workload = workload_with(rows[i].changes);
        g_autoptr(GError) error = NULL;
        g_autoptr(Vm) vm = source_describe("vsphere", workload, &error);
        g_assert_null(vm);
        g_assert_error(error, GANTRY_ERROR, (int)rows[i].code);
        g_assert_nonnull(strstr(error->message, rows[i].says));
    }
}

static void a_disk_says_where_it_is_read(void)
{
    static const struct {
        const char *id, *host;
        const char *url, *datacenter, *datastore, *path;
    } rows[] = {
        {"2001", NULL, "https://vc/sdk", "folder/DC0", "ds1", "web/web_1.vmdk"},
        {"16000", "192.0.2.7", "https://192.0.2.7/sdk", "ha-datacenter", "ds 2", "web/data.vmdk"},
        {"16000", "2001:db8::7", "https://[2001:db8::7]/sdk", "ha-datacenter", "ds 2", "web/data.vmdk"},
    };
    g_autoptr(json_t) workload = workload_with("{}");

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) disk =
            vsphere_disk("https://vc/sdk", workload, rows[i].id, rows[i].host, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(json_string_at(disk, "type", NULL), ==, "https");
        g_assert_cmpstr(json_string_at(disk, "url", NULL), ==, rows[i].url);
        g_assert_cmpstr(json_string_at(disk, "datacenter", NULL), ==, rows[i].datacenter);
        g_assert_cmpstr(json_string_at(disk, "datastore", NULL), ==, rows[i].datastore);
        g_assert_cmpstr(json_string_at(disk, "path", NULL), ==, rows[i].path);
    }
}

static void a_disk_that_cannot_be_read_is_refused(void)
{
    static const struct {
        const char *changes;
        ErrorCode code;
        const char *says;
    } rows[] = {
        {"{}", ERROR_SOURCE_NOT_FOUND, "device key 1"},
        {"{'disks':[{'key':1,'file':'[a] b.vmdk','rdm':true}]}", ERROR_SOURCE_VM, "raw device mapping"},
        {"{'disks':[{'key':1,'file':'b.vmdk'}]}", ERROR_SOURCE_VM, "[datastore] path"},
        {"{'disks':[{'key':1,'file':'[a] b.vmdk'}],'host':{}}", ERROR_SOURCE_VM, "datacenter"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) workload = workload_with(rows[i].changes);
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) disk = vsphere_disk("https://vc/sdk", workload, "1", NULL, &error);
        g_assert_null(disk);
        g_assert_error(error, GANTRY_ERROR, (int)rows[i].code);
        g_assert_nonnull(strstr(error->message, rows[i].says));
    }
}

static char *generation_with(const char *changes)
{
    g_autoptr(json_t) workload = workload_with(changes);
    g_autoptr(json_t) disk = vsphere_disk("https://vc/sdk", workload, "2001", NULL, NULL);
    return g_strdup(json_string_at(disk, "generation", ""));
}

static void the_generation_moves_when_the_source_may_have_written(void)
{
    g_autofree char *off = generation_with("{}"),
                    *off_again = generation_with("{'revision':77,'name':'other'}");
    g_autofree char *later = generation_with("{'changeVersion':'2026-11-23T05:00:00Z'}");
    g_autofree char *on = generation_with("{'powerState':'poweredOn','bootTime':'2026-11-23T05:00:00Z'}");
    g_usleep(2);
    g_autofree char *on_again =
        generation_with("{'powerState':'poweredOn','bootTime':'2026-11-23T05:00:00Z'}");

    g_assert_cmpstr(off, ==, off_again);
    g_assert_cmpstr(off, !=, later);
    g_assert_cmpstr(off, !=, on);
    g_assert_cmpstr(on, !=, on_again);
}

static void an_unknown_kind_of_source_is_refused(void)
{
    SourceAccess access = {.type = "proxmox", .url = "https://x/", .user = "u", .password = "p"};
    g_autoptr(GError) error = NULL;

    g_assert_null(source_open(&access, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, "proxmox"));
}

static void access_is_checked_before_anything_is_sent(void)
{
    static const struct {
        SourceAccess access;
        const char *says;
    } rows[] = {
        {{.type = "vsphere", .url = "http://vc/sdk", .user = "u", .password = "p"}, "https://HOST/sdk"},
        {{.type = "vsphere", .url = "", .user = "u", .password = "p"}, "https://HOST/sdk"},
        {{.type = "vsphere", .url = "https://vc/sdk", .user = "", .password = "p"}, "user and password"},
        {{.type = "vsphere",
          .url = "https://vc/sdk",
          .user = "u",
          .password = "p",
          .trust = {.fingerprint = "zz"}},
         ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(source_open(&rows[i].access, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_assert_nonnull(strstr(error->message, rows[i].says));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/source/vsphere/describe/" name, function)
    TEST("everything is carried over", everything_is_carried_over);
    TEST("addresses that were set by hand are known", addresses_that_were_set_by_hand_are_known);
    TEST("disks are in the order of the target", disks_are_in_the_order_of_the_target);
    TEST("firmware and topology follow the source", firmware_and_topology_follow_the_source);
    TEST("the operating system has a label", the_operating_system_has_a_label);
    TEST("what cannot be migrated is refused", what_cannot_be_migrated_is_refused);
    TEST("a disk says where it is read", a_disk_says_where_it_is_read);
    TEST("a disk that cannot be read is refused", a_disk_that_cannot_be_read_is_refused);
    TEST("the generation moves when the source may have written",
         the_generation_moves_when_the_source_may_have_written);
    TEST("an unknown kind of source is refused", an_unknown_kind_of_source_is_refused);
    TEST("access is checked before anything is sent", access_is_checked_before_anything_is_sent);
    return g_test_run();
}
