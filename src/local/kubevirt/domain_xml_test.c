/* domain_xml: what a VirtualMachine says of its machine is what libvirt is told. */
#include "base/json.h"
#include "local/kubevirt/domain_xml.h"
#include <string.h>

static const char *disk_of(const char *volume, gpointer unused)
{
    return !strcmp(volume, "lost")    ? NULL
           : !strcmp(volume, "vol-0") ? "/disks/a & b/disk.img"
                                      : "/disks/c/disk.img";
}

static const char *bridge_of(const char *network, gpointer unused)
{
    return !strcmp(network, "default/br") ? "br7" : NULL;
}

static const DomainPlace place = {.name = "default_db",
                                  .uuid = "11111111-2222-3333-4444-555555555555",
                                  .acceleration = ACCELERATION_TCG,
                                  .console = "/pods/u/compute/0.log",
                                  .disk = disk_of,
                                  .bridge = bridge_of};

static const char spec_text[] =
    "{'domain':{'cpu':{'sockets':2,'cores':3,'threads':1},'memory':{'guest':'512Mi'},"
    "'clock':{'timezone':'Europe/Berlin','timer':{}},"
    "'firmware':{'uuid':'42256329-8c3a-2a82-54fd-01d845a8bf49','serial':'a,b','bootloader':{'bios':{}}},"
    "'devices':{'disks':[{'name':'vol-0','disk':{'bus':'virtio'},'bootOrder':1,'serial':'S1'},"
    "{'name':'vol-1','disk':{'bus':'scsi'}},{'name':'vol-2','disk':{'bus':'sata'}}],"
    "'interfaces':[{'name':'net-0','masquerade':{},'model':'virtio','macAddress':'00:50:56:0a:00:01'},"
    "{'name':'net-1','bridge':{},'model':'e1000e','macAddress':'00:50:56:0a:00:02'}],"
    "'inputs':[{'name':'tablet','type':'tablet','bus':'virtio'}]}},"
    "'networks':[{'name':'net-0','pod':{}},{'name':'net-1','multus':{'networkName':'default/br'}}]}";

static json_t *read_spec(void)
{
    g_autofree char *text = g_strdelimit(g_strdup(spec_text), "'", '"');
    json_t *spec = json_loads(text, 0, NULL);
    g_assert_nonnull(spec);
    return spec;
}

static char *write_xml(const json_t *spec)
{
    g_autoptr(GError) error = NULL;
    char *xml = domain_xml(spec, &place, &error);
    g_assert_no_error(error);
    return xml;
}

static void everything_that_makes_the_machine_is_kept(void)
{
    static const char *const parts[] = {
        "<domain type='qemu'",
        "<uuid>11111111-2222-3333-4444-555555555555</uuid>",
        "<memory unit='b'>536870912</memory>",
        "<vcpu>6</vcpu>",
        "<topology sockets='2' cores='3' threads='1'/>",
        "<clock offset='timezone' timezone='Europe/Berlin'/>",
        "<source file='/disks/a &amp; b/disk.img'/><target dev='vda' bus='virtio'/><serial>S1</serial><boot "
        "order='1'/>",
        "<target dev='sda' bus='scsi'/>",
        "<target dev='sdb' bus='sata'/>",
        "<controller type='scsi' model='virtio-scsi'/>",
        "<interface type='user'><mac address='00:50:56:0a:00:01'/><model type='virtio'/>",
        "<interface type='bridge'><source bridge='br7'/><mac address='00:50:56:0a:00:02'/><model "
        "type='e1000e'/>",
        "<input type='tablet' bus='virtio'/>",
        "<serial type='file'><source path='/pods/u/compute/0.log' append='on'/></serial>",
        "type=1,uuid=42256329-8c3a-2a82-54fd-01d845a8bf49,serial=a,,b",
    };
    g_autoptr(json_t) spec = read_spec();
    g_autofree char *xml = write_xml(spec);

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!strstr(xml, parts[i]))
            g_test_message("%s is not in %s", parts[i], xml);
        g_assert_nonnull(strstr(xml, parts[i]));
    }
    g_assert_null(strstr(xml, "firmware='efi'"));
}

static void uefi_keeps_secure_boot_as_it_was(void)
{
    g_autoptr(json_t) spec = read_spec();

    json_set_at_new(spec, "domain.firmware.bootloader", json_pack("{s:{s:b}}", "efi", "secureBoot", 0));
    g_autofree char *plain = write_xml(spec);
    g_assert_nonnull(strstr(plain, "<os firmware='efi'>"));
    g_assert_nonnull(strstr(plain, "<feature enabled='no' name='secure-boot'/>"));

    json_set_at_new(spec, "domain.firmware.bootloader.efi.secureBoot", json_true());
    json_set_at_new(spec, "domain.features.smm.enabled", json_true());
    g_autofree char *secure = write_xml(spec);
    g_assert_nonnull(strstr(secure, "<feature enabled='yes' name='secure-boot'/>"));
    g_assert_nonnull(strstr(secure, "<smm state='on'/>"));
}

static void what_cannot_be_run_is_named(void)
{
    static const struct {
        const char *path, *value, *message;
    } cases[] = {
        {"domain.memory", "{}", "spec.domain.memory.guest \"\": must say how much memory"},
        {"domain.memory", "{\"guest\":\"lots\"}", "spec.domain.memory.guest: quantity \"lots\""},
        {"domain.firmware.uuid", "\"42\"", "spec.domain.firmware.uuid \"42\": must be a UUID"},
        {"domain.devices.disks", "[{\"name\":\"lost\",\"disk\":{}}]",
         "\"lost\": must be the name of a volume"},
        {"domain.devices.disks", "[{\"name\":\"vol-0\",\"lun\":{}}]", "must be a disk"},
        {"domain.devices.disks", "[{\"name\":\"vol-0\",\"disk\":{\"bus\":\"ide\"}}]",
         "\"ide\": must be virtio, sata or scsi"},
        {"networks", "[]", "\"net-0\": must be the name of a pod or multus network"},
        {"networks", "[{\"name\":\"net-0\",\"multus\":{\"networkName\":\"x\"}}]",
         "\"x\": must be a NetworkAttachmentDefinition"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) spec = read_spec();
        g_autoptr(GError) error = NULL;

        json_set_at_new(spec, cases[i].path, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        g_assert_null(domain_xml(spec, &place, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/local/kubevirt/domain/everything that makes the machine is kept",
                    everything_that_makes_the_machine_is_kept);
    g_test_add_func("/local/kubevirt/domain/UEFI keeps secure boot as it was",
                    uefi_keeps_secure_boot_as_it_was);
    g_test_add_func("/local/kubevirt/domain/what cannot be run is named", what_cannot_be_run_is_named);
    return g_test_run();
}
