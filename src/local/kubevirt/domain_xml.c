/* domain_xml: writes the domain's parts one after the other. */
#include "local/kubevirt/domain_xml.h"
#include "base/json.h"
#include "kube/quantity.h"
#include <stdarg.h>
#include <string.h>

typedef struct {
    GString *xml;
    const json_t *spec;
    const DomainPlace *place;
    guint virtio_disks, other_disks;
    gboolean has_scsi;
} Writer;

/* Appends with markup escaped in each argument. */
static void put(Writer *writer, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void put(Writer *writer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_markup_vprintf_escaped(format, arguments);
    va_end(arguments);
    g_string_append(writer->xml, text);
}

static gboolean bad(GError **error, const char *field, const char *value, const char *right)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s \"%s\": %s", field, value, right);
    return FALSE;
}

static gboolean put_memory(Writer *writer, GError **error)
{
    const char *memory = json_string_at(writer->spec, "domain.memory.guest", NULL);
    guint64 bytes;

    if (!memory)
        memory = json_string_at(writer->spec, "domain.resources.requests.memory", NULL);
    if (!memory)
        return bad(error, "spec.domain.memory.guest", "",
                   "must say how much memory the machine has, such as 2Gi");
    if (!quantity_parse(memory, &bytes, error)) {
        g_prefix_error(error, "spec.domain.memory.guest: ");
        return FALSE;
    }
    put(writer, "<memory unit='b'>%" G_GUINT64_FORMAT "</memory>\n", bytes);
    return TRUE;
}

static void put_processors(Writer *writer)
{
    gint64 sockets = json_int_at(writer->spec, "domain.cpu.sockets", 1);
    gint64 cores = json_int_at(writer->spec, "domain.cpu.cores", 1);
    gint64 threads = json_int_at(writer->spec, "domain.cpu.threads", 1);

    put(writer, "<vcpu>%" G_GINT64_FORMAT "</vcpu>\n", sockets * cores * threads);
    put(writer,
        "<cpu mode='%s'><topology sockets='%" G_GINT64_FORMAT "' cores='%" G_GINT64_FORMAT
        "' threads='%" G_GINT64_FORMAT "'/></cpu>\n",
        writer->place->acceleration == ACCELERATION_KVM ? "host-passthrough" : "maximum", sockets, cores,
        threads);
}

static void put_firmware(Writer *writer)
{
    const json_t *efi = json_at(writer->spec, "domain.firmware.bootloader.efi");
    gboolean secure = json_bool_at(efi, "secureBoot", TRUE);

    if (!efi) {
        put(writer, "<os><type arch='x86_64' machine='q35'>hvm</type></os>\n");
        return;
    }
    put(writer,
        "<os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type><firmware>"
        "<feature enabled='%s' name='secure-boot'/><feature enabled='%s' name='enrolled-keys'/></firmware>"
        "<loader secure='%s'/></os>\n",
        secure ? "yes" : "no", secure ? "yes" : "no", secure ? "yes" : "no");
}

static void put_clock(Writer *writer)
{
    const char *zone = json_string_at(writer->spec, "domain.clock.timezone", NULL);

    if (zone)
        put(writer, "<clock offset='timezone' timezone='%s'/>\n", zone);
    else
        put(writer, "<clock offset='utc'/>\n");
}

/* "vda" … "vdz", "vdaa" … */
static char *device_name(const char *prefix, guint number)
{
    if (number < 26)
        return g_strdup_printf("%s%c", prefix, 'a' + number);
    return g_strdup_printf("%s%c%c", prefix, 'a' + number / 26 - 1, 'a' + number % 26);
}

static gboolean put_disk(Writer *writer, const json_t *disk, GError **error)
{
    const char *name = json_string_at(disk, "name", ""), *bus = json_string_at(disk, "disk.bus", "virtio");
    const char *path = writer->place->disk(name, writer->place->user_data);
    const char *serial = json_string_at(disk, "serial", NULL);
    gint64 order = json_int_at(disk, "bootOrder", 0);
    gboolean virtio = !strcmp(bus, "virtio");

    if (!json_at(disk, "disk"))
        return bad(error, "spec.domain.devices.disks", name,
                   "must be a disk; lun and cdrom are not offered on one machine");
    if (!path)
        return bad(error, "spec.domain.devices.disks", name, "must be the name of a volume on a bound claim");
    if (!virtio && strcmp(bus, "sata") && strcmp(bus, "scsi"))
        return bad(error, "spec.domain.devices.disks[].disk.bus", bus, "must be virtio, sata or scsi");
    g_autofree char *device =
        virtio ? device_name("vd", writer->virtio_disks++) : device_name("sd", writer->other_disks++);
    writer->has_scsi |= !strcmp(bus, "scsi");
    put(writer,
        "<disk type='file' device='disk'><driver name='qemu' type='raw' discard='unmap'/><source file='%s'/>"
        "<target dev='%s' bus='%s'/>",
        path, device, bus);
    if (serial)
        put(writer, "<serial>%s</serial>", serial);
    if (order > 0)
        put(writer, "<boot order='%" G_GINT64_FORMAT "'/>", order);
    if (json_bool_at(disk, "shareable", FALSE))
        put(writer, "<shareable/>");
    put(writer, "</disk>\n");
    return TRUE;
}

static const json_t *network_of(const Writer *writer, const char *name)
{
    const json_t *network;
    size_t i;

    json_array_foreach(json_at(writer->spec, "networks"), i,
                       network) if (!strcmp(json_string_at(network, "name", ""), name)) return network;
    return NULL;
}

static gboolean put_interface(Writer *writer, const json_t *interface, GError **error)
{
    const char *name = json_string_at(interface, "name", ""),
               *mac = json_string_at(interface, "macAddress", NULL);
    const json_t *network = network_of(writer, name);
    const char *definition = json_string_at(network, "multus.networkName", NULL);
    const char *bridge = definition ? writer->place->bridge(definition, writer->place->user_data) : NULL;

    if (!network || (!definition && !json_at(network, "pod")))
        return bad(error, "spec.domain.devices.interfaces", name,
                   "must be the name of a pod or multus network in spec.networks");
    if (definition && !bridge)
        return bad(error, "spec.networks[].multus.networkName", definition,
                   "must be a NetworkAttachmentDefinition of type bridge");
    if (bridge)
        put(writer, "<interface type='bridge'><source bridge='%s'/>", bridge);
    else
        put(writer, "<interface type='user'>");
    if (mac)
        put(writer, "<mac address='%s'/>", mac);
    put(writer, "<model type='%s'/></interface>\n", json_string_at(interface, "model", "virtio"));
    return TRUE;
}

static gboolean put_devices(Writer *writer, GError **error)
{
    const json_t *device;
    size_t i;

    put(writer, "<devices>\n");
    json_array_foreach(json_at(writer->spec, "domain.devices.disks"), i,
                       device) if (!put_disk(writer, device, error)) return FALSE;
    if (writer->has_scsi)
        put(writer, "<controller type='scsi' model='virtio-scsi'/>\n");
    json_array_foreach(json_at(writer->spec, "domain.devices.interfaces"), i,
                       device) if (!put_interface(writer, device, error)) return FALSE;
    json_array_foreach(json_at(writer->spec, "domain.devices.inputs"), i, device)
        put(writer, "<input type='%s' bus='%s'/>\n", json_string_at(device, "type", "tablet"),
            json_string_at(device, "bus", "usb"));
    put(writer, "<serial type='file'><source path='%s' append='on'/></serial>\n", writer->place->console);
    put(writer, "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>\n"
                "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\n"
                "<video><model type='vga'/></video>\n</devices>\n");
    return TRUE;
}

/* SMBIOS is said to QEMU directly: libvirt would want the guest's uuid to be the domain's own, and two VMs of
 * a source may have the same. A comma ends an option of QEMU's, so it is doubled. */
static void put_smbios(Writer *writer)
{
    const char *uuid = json_string_at(writer->spec, "domain.firmware.uuid", NULL);
    const char *serial = json_string_at(writer->spec, "domain.firmware.serial", NULL);
    g_autoptr(GString) option = g_string_new("type=1");

    if (!uuid && !serial)
        return;
    if (uuid)
        g_string_append_printf(option, ",uuid=%s", uuid);
    if (serial) {
        g_auto(GStrv) parts = g_strsplit(serial, ",", -1);
        g_autofree char *escaped = g_strjoinv(",,", parts);
        g_string_append_printf(option, ",serial=%s", escaped);
    }
    put(writer, "<qemu:commandline><qemu:arg value='-smbios'/><qemu:arg value='%s'/></qemu:commandline>\n",
        option->str);
}

char *domain_xml(const json_t *spec, const DomainPlace *place, GError **error)
{
    g_autoptr(GString) xml = g_string_new(NULL);
    Writer writer = {.xml = xml, .spec = spec, .place = place};
    const char *uuid = json_string_at(spec, "domain.firmware.uuid", NULL);

    if (uuid && !g_uuid_string_is_valid(uuid)) {
        bad(error, "spec.domain.firmware.uuid", uuid, "must be a UUID");
        return NULL;
    }
    put(&writer,
        "<domain type='%s' "
        "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n<name>%s</name>\n<uuid>%s</uuid>\n",
        place->acceleration == ACCELERATION_KVM ? "kvm" : "qemu", place->name, place->uuid);
    if (!put_memory(&writer, error))
        return NULL;
    put_processors(&writer);
    put_firmware(&writer);
    put(&writer, "<features><acpi/><apic/>");
    if (json_bool_at(spec, "domain.features.smm.enabled", FALSE))
        put(&writer, "<smm state='on'/>");
    put(&writer, "</features>\n");
    put_clock(&writer);
    put(&writer,
        "<on_poweroff>destroy</on_poweroff>\n<on_reboot>restart</on_reboot>\n<on_crash>destroy</on_crash>\n");
    if (!put_devices(&writer, error))
        return NULL;
    put_smbios(&writer);
    put(&writer, "</domain>\n");
    return g_string_free(g_steal_pointer(&xml), FALSE);
}
