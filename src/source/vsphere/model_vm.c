/* model_vm: the inventory's document of a virtual machine. Every key is present with its type's zero value
 * where vSphere says nothing, because validation rules tell "false" from "absent". */
#include "source/vsphere/vsphere.h"
#include <string.h>

#define MOST_APPS_SIZE (256 * 1024)

static void set_text(json_t *item, const char *key, const xmlNode *element)
{
    json_object_set_new(item, key, vsphere_text_json(soap_peek(element)));
}

/* ---- extra configuration ------------------------------------------------------------------------------- */

/* Value of an option in config.extraConfig; keys are compared without case. Borrowed, or NULL. */
static const char *extra(const Properties *properties, const char *key)
{
    const xmlNode *options = properties_node(properties, "config.extraConfig");

    for (xmlNode *option = soap_first(options); option; option = soap_next(option)) {
        const char *name = soap_peek(soap_child(option, "key"));
        if (name && !g_ascii_strcasecmp(name, key))
            return soap_peek(soap_child(option, "value"));
    }
    return NULL;
}

static gboolean is_true(const char *text)
{
    return text && (!g_ascii_strcasecmp(text, "true") || !strcmp(text, "1"));
}

static json_t *numa_affinity(const Properties *properties)
{
    const char *text = extra(properties, "numa.nodeAffinity");
    g_auto(GStrv) nodes = g_strsplit(text ? text : "", ",", -1);
    json_t *list = json_array();

    for (guint i = 0; nodes[i]; i++)
        if (*g_strstrip(nodes[i]))
            json_array_append_new(list, json_string(nodes[i]));
    return list;
}

static json_t *cpu_affinity(const Properties *properties)
{
    const xmlNode *affinity = properties_node(properties, "config.cpuAffinity");
    json_t *list = json_array();

    for (xmlNode *cpu = soap_first(affinity); cpu; cpu = soap_next(cpu))
        if (soap_is(cpu, "affinitySet"))
            json_array_append_new(list, json_integer(vsphere_int(cpu)));
    return list;
}

/* ---- devices ------------------------------------------------------------------------------------------- */

static const char *bus_of_controller(const char *type)
{
    static const struct {
        const char *type, *bus;
    } rows[] = {
        {"VirtualIDEController", "ide"},       {"VirtualBusLogicController", "scsi"},
        {"VirtualLsiLogicController", "scsi"}, {"VirtualLsiLogicSASController", "scsi"},
        {"ParaVirtualSCSIController", "scsi"}, {"VirtualSCSIController", "scsi"},
        {"VirtualAHCIController", "sata"},     {"VirtualSATAController", "sata"},
        {"VirtualUSBController", "usb"},       {"VirtualUSBXHCIController", "usb"},
        {"VirtualNVMEController", "nvme"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(type, rows[i].type))
            return rows[i].bus;
    return NULL;
}

static const char *bus_of_disk(const xmlNode *devices, gint64 controller_key)
{
    for (xmlNode *device = soap_first(devices); device; device = soap_next(device)) {
        if (vsphere_int(soap_child(device, "key")) != controller_key)
            continue;
        g_autofree char *type = soap_type(device);
        const char *bus = type ? bus_of_controller(type) : NULL;
        return bus ? bus : "";
    }
    return "";
}

/* Whether changed blocks are tracked is an option by the disk's place: "scsi0:1.ctkEnabled". */
static gboolean tracks_changes(const Properties *properties, const char *bus, gint64 controller, gint64 unit)
{
    g_autofree char *key = g_strdup_printf("%s%d:%d.ctkEnabled", bus, (int)(controller % 100), (int)unit);
    return is_true(extra(properties, key));
}

static void raw_device_backing(json_t *disk, const xmlNode *backing, const char *type)
{
    gboolean version_2 = g_str_has_suffix(type, "Ver2BackingInfo");
    const char *mode = soap_peek(soap_child(backing, "compatibilityMode"));

    json_object_set_new(disk, "rdm", json_true());
    json_object_set_new(disk, "physicalMode", json_boolean(version_2 || !g_strcmp0(mode, "physicalMode")));
    set_text(disk, "deviceName", soap_child(backing, "deviceName"));
    set_text(disk, "lunUuid", soap_child(backing, "lunUuid"));
    if (version_2)
        set_text(disk, "file", soap_child(backing, "descriptorFileName"));
}

/* Reads what every kind of backing may hold; one that holds no file (a remote device) makes no disk. */
static gboolean disk_backing(json_t *disk, const xmlNode *backing)
{
    g_autofree char *type = soap_type(backing);
    const char *sharing = soap_peek(soap_child(backing, "sharing"));
    const char *vvol = soap_peek(soap_child(backing, "backingObjectId"));

    set_text(disk, "file", soap_child(backing, "fileName"));
    json_object_set_new(disk, "datastore", vsphere_ref(soap_child(backing, "datastore")));
    json_object_set_new(disk, "shared", json_boolean(sharing && *sharing && strcmp(sharing, "sharingNone")));
    json_object_set_new(disk, "rdm", json_false());
    set_text(disk, "mode", soap_child(backing, "diskMode"));
    set_text(disk, "serial", soap_child(backing, "uuid"));
    set_text(disk, "parent", soap_child(soap_child(backing, "parent"), "fileName"));
    if (vvol && *vvol)
        json_object_set_new(disk, "vvolId", json_string(vvol));
    if (type && strstr(type, "RawDisk"))
        raw_device_backing(disk, backing, type);
    return *json_string_at(disk, "file", "") != 0;
}

static json_t *new_disk(const Properties *properties, const xmlNode *devices, const xmlNode *device)
{
    g_autoptr(json_t) disk = json_object();
    gint64 controller = vsphere_int(soap_child(device, "controllerKey"));
    gint64 unit = vsphere_int(soap_child(device, "unitNumber"));
    gint64 capacity = vsphere_int(soap_child(device, "capacityInBytes"));
    const char *bus = bus_of_disk(devices, controller);

    if (!capacity)
        capacity = CLAMP(vsphere_int(soap_child(device, "capacityInKB")), 0, G_MAXINT64 / 1024) * 1024;
    json_object_set_new(disk, "key", json_integer(vsphere_int(soap_child(device, "key"))));
    json_object_set_new(disk, "unitNumber", json_integer(unit));
    json_object_set_new(disk, "controllerKey", json_integer(controller));
    json_object_set_new(disk, "capacity", json_integer(capacity));
    json_object_set_new(disk, "bus", json_string(bus));
    json_object_set_new(disk, "winDriveLetter", json_string(""));
    json_object_set_new(disk, "changeTrackingEnabled",
                        json_boolean(tracks_changes(properties, bus, controller, unit)));
    return disk_backing(disk, soap_child(device, "backing")) ? g_steal_pointer(&disk) : NULL;
}

static gboolean is_listed_device(const char *type, const xmlNode *device)
{
    static const char *const listed[] = {"VirtualSriovEthernetCard", "VirtualPCIPassthrough",
                                         "VirtualSCSIPassthrough", "VirtualUSBController", NULL};
    return g_strv_contains(listed, type) || (vsphere_is_card(device) && soap_child(device, "backing"));
}

static json_t *new_drive(const xmlNode *device)
{
    const xmlNode *connectable = soap_child(device, "connectable");
    json_t *drive = json_object();

    set_text(drive, "label", soap_child(soap_child(device, "deviceInfo"), "label"));
    set_text(drive, "file", soap_child(soap_child(device, "backing"), "fileName"));
    json_object_set_new(drive, "connected", json_boolean(vsphere_bool(soap_child(connectable, "connected"))));
    json_object_set_new(drive, "startConnected",
                        json_boolean(vsphere_bool(soap_child(connectable, "startConnected"))));
    return drive;
}

static void set_devices(json_t *model, const Properties *properties)
{
    const xmlNode *devices = properties_node(properties, "config.hardware.device");
    json_t *disks = json_array(), *others = json_array(), *drives = json_array();

    for (xmlNode *device = soap_first(devices); device; device = soap_next(device)) {
        g_autofree char *type = soap_type(device);
        json_t *disk = NULL;

        if (!type)
            continue;
        if (!strcmp(type, "VirtualDisk") && (disk = new_disk(properties, devices, device)))
            json_array_append_new(disks, disk);
        if (!strcmp(type, "VirtualCdrom"))
            json_array_append_new(drives, new_drive(device));
        if (is_listed_device(type, device))
            json_array_append_new(others, json_pack("{s:s, s:I, s:I}", "kind", type, "key",
                                                    (json_int_t)vsphere_int(soap_child(device, "key")),
                                                    "pciSlotNumber", (json_int_t)vsphere_pci_slot(device)));
    }
    json_object_set_new(model, "disks", disks);
    json_object_set_new(model, "devices", others);
    json_object_set_new(model, "cdroms", drives); /* ours: Forklift's inventory does not have them */
}

/* ---- the guest's own view ------------------------------------------------------------------------------ */

static json_t *addresses_of(const xmlNode *dns)
{
    json_t *addresses = json_array();
    for (xmlNode *address = soap_first(dns); address; address = soap_next(address))
        if (soap_is(address, "ipAddress"))
            json_array_append_new(addresses, vsphere_text_json(soap_peek(address)));
    return addresses;
}

static json_t *new_guest_network(const xmlNode *nic, const xmlNode *address, guint index)
{
    g_autofree char *device = g_strdup_printf("%u", index);
    json_t *item = json_object();

    json_object_set_new(item, "device", json_string(device));
    json_object_set_new(item, "deviceConfigId", json_integer(vsphere_int(soap_child(nic, "deviceConfigId"))));
    set_text(item, "mac", soap_child(nic, "macAddress"));
    set_text(item, "ip", soap_child(address, "ipAddress"));
    set_text(item, "origin", soap_child(address, "origin"));
    json_object_set_new(item, "prefix", json_integer(vsphere_int(soap_child(address, "prefixLength"))));
    json_object_set_new(item, "dns", addresses_of(soap_child(nic, "dnsConfig")));
    set_text(item, "network", soap_child(nic, "network"));
    return item;
}

static json_t *guest_networks(const xmlNode *nics)
{
    json_t *networks = json_array();
    guint index = 0;

    for (xmlNode *nic = soap_first(nics); nic; nic = soap_next(nic), index++) {
        const xmlNode *config = soap_child(nic, "ipConfig");
        for (xmlNode *address = soap_first(config); address; address = soap_next(address))
            if (soap_is(address, "ipAddress"))
                json_array_append_new(networks, new_guest_network(nic, address, index));
    }
    return networks;
}

static json_t *guest_disks(const xmlNode *disks)
{
    json_t *list = json_array();

    for (xmlNode *disk = soap_first(disks); disk; disk = soap_next(disk)) {
        json_t *item = json_object();
        json_object_set_new(item, "key",
                            json_integer(vsphere_int(soap_child(soap_child(disk, "mappings"), "key"))));
        set_text(item, "diskPath", soap_child(disk, "diskPath"));
        json_object_set_new(item, "capacity", json_integer(vsphere_int(soap_child(disk, "capacity"))));
        json_object_set_new(item, "freeSpace", json_integer(vsphere_int(soap_child(disk, "freeSpace"))));
        set_text(item, "filesystemType", soap_child(disk, "filesystemType"));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *guest_ip_stacks(const xmlNode *stacks)
{
    json_t *list = json_array();

    for (xmlNode *stack = soap_first(stacks); stack; stack = soap_next(stack)) {
        const xmlNode *routes = soap_child(stack, "ipRouteConfig");
        for (xmlNode *route = soap_first(routes); route; route = soap_next(route)) {
            const xmlNode *gateway = soap_child(route, "gateway");
            const char *address = soap_peek(soap_child(gateway, "ipAddress"));
            json_t *item;
            if (!soap_is(route, "ipRoute") || !address || !*address)
                continue;
            item = json_object();
            set_text(item, "device", soap_child(gateway, "device"));
            json_object_set_new(item, "gateway", json_string(address));
            set_text(item, "network", soap_child(route, "network"));
            json_object_set_new(item, "prefix", json_integer(vsphere_int(soap_child(route, "prefixLength"))));
            json_object_set_new(item, "dns", addresses_of(soap_child(stack, "dnsConfig")));
            json_array_append_new(list, item);
        }
    }
    return list;
}

/* What the guest's tools found to run in it, as {"applications":[{"a":NAME,"v":VERSION}]}. */
static json_t *guest_apps(const char *text)
{
    g_autoptr(json_t) said = text ? json_parse(text, strlen(text), MOST_APPS_SIZE, "guestinfo.appInfo", NULL) : NULL;
    json_t *apps = json_array(), *app;
    size_t at;

    json_array_foreach (json_object_get(said, "applications"), at, app) {
        const char *name = json_string_at(app, "a", "");
        if (*name)
            json_array_append_new(
                apps, json_pack("{s:s, s:s}", "name", name, "version", json_string_at(app, "v", "")));
    }
    return apps;
}

/* ---- custom attributes --------------------------------------------------------------------------------- */

static json_t *custom_definitions(const xmlNode *fields)
{
    json_t *list = json_array();

    for (xmlNode *field = soap_first(fields); field; field = soap_next(field)) {
        const char *type = soap_peek(soap_child(field, "managedObjectType"));
        json_t *item = json_object();
        set_text(item, "name", soap_child(field, "name"));
        json_object_set_new(item, "key", json_integer(vsphere_int(soap_child(field, "key"))));
        if (type && *type)
            json_object_set_new(item, "managedObjectType", json_string(type));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *custom_values(const xmlNode *values)
{
    json_t *list = json_array();

    for (xmlNode *value = soap_first(values); value; value = soap_next(value)) {
        json_t *item = json_object();
        json_object_set_new(item, "key", json_integer(vsphere_int(soap_child(value, "key"))));
        set_text(item, "value", soap_child(value, "value"));
        json_array_append_new(list, item);
    }
    return list;
}

/* ---- the document -------------------------------------------------------------------------------------- */

static void set_plain_fields(json_t *model, const Properties *properties)
{
    static const struct {
        const char *key, *path;
    } texts[] =
        {
            {"powerState", "runtime.powerState"},
            {"uuid", "config.uuid"},
            {"instanceUuid", "config.instanceUuid"},
            {"changeVersion", "config.changeVersion"},
            {"firmware", "config.firmware"},
            {"connectionState", "runtime.connectionState"},
            {"guestName", "summary.config.guestFullName"},
            {"guestNameFromVmwareTools", "guest.guestFullName"},
            {"hostName", "guest.hostName"},
            {"ipAddress", "summary.guest.ipAddress"},
            {"toolsStatus", "guest.toolsStatus"},
            {"toolsRunningStatus", "guest.toolsRunningStatus"},
            {"toolsVersionStatus2", "guest.toolsVersionStatus2"},
        },
      integers[] =
          {
              {"cpuCount", "config.hardware.numCPU"},
              {"coresPerSocket", "config.hardware.numCoresPerSocket"},
              {"memoryMB", "config.hardware.memoryMB"},
              {"balloonedMemory", "summary.quickStats.balloonedMemory"},
              {"storageUsed", "summary.storage.committed"},
          },
      booleans[] = {
          {"isTemplate", "config.template"},
          {"changeTrackingEnabled", "config.changeTrackingEnabled"},
          {"cpuHotAddEnabled", "config.cpuHotAddEnabled"},
          {"cpuHotRemoveEnabled", "config.cpuHotRemoveEnabled"},
          {"memoryHotAddEnabled", "config.memoryHotAddEnabled"},
          {"consolidationNeeded", "runtime.consolidationNeeded"},
          {"nestedHVEnabled", "config.nestedHVEnabled"},
          {"tpmEnabled", "summary.config.tpmPresent"},
      };
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        json_object_set_new(model, texts[i].key, json_string(properties_text(properties, texts[i].path)));
    for (guint i = 0; i < G_N_ELEMENTS(integers); i++)
        json_object_set_new(model, integers[i].key,
                            json_integer(properties_int(properties, integers[i].path)));
    for (guint i = 0; i < G_N_ELEMENTS(booleans); i++)
        json_object_set_new(model, booleans[i].key,
                            json_boolean(properties_bool(properties, booleans[i].path)));
}

/* Where one property is unset its twin may say it. */
static const char *either(const Properties *properties, const char *first, const char *second)
{
    const char *text = properties_text(properties, first);
    return *text ? text : properties_text(properties, second);
}

void vsphere_model_vm(json_t *model, const Properties *properties)
{
    const xmlNode *boot = properties_node(properties, "config.bootOptions");
    const xmlNode *snapshot = properties_node(properties, "snapshot");
    const char *tracking = extra(properties, "ctkEnabled");

    set_plain_fields(model, properties);
    if (!*json_string_at(model, "parent.id", ""))
        json_object_set_new(model, "parent", vsphere_ref(properties_node(properties, "parentVApp")));
    json_object_set_new(model, "host",
                        json_string(soap_peek(properties_node(properties, "runtime.host")) ?: ""));
    json_object_set_new(model, "guestId",
                        json_string(either(properties, "summary.guest.guestId", "summary.config.guestId")));
    json_object_set_new(model, "bootTime",
                        json_string(either(properties, "runtime.bootTime", "summary.runtime.bootTime")));
    if (tracking)
        json_object_set_new(model, "changeTrackingEnabled", json_boolean(is_true(tracking)));
    json_object_set_new(model, "faultToleranceEnabled",
                        json_boolean(properties_node(properties, "config.ftInfo")));
    json_object_set_new(model, "diskEnableUuid", json_boolean(is_true(extra(properties, "disk.EnableUUID"))));
    json_object_set_new(model, "secureBoot",
                        json_boolean(vsphere_bool(soap_child(boot, "efiSecureBootEnabled"))));
    json_object_set_new(model, "snapshot", vsphere_ref(soap_child(snapshot, "currentSnapshot")));
    json_object_set_new(model, "networks", vsphere_refs(properties_node(properties, "network")));
    json_object_set_new(model, "cpuAffinity", cpu_affinity(properties));
    json_object_set_new(model, "numaNodeAffinity", numa_affinity(properties));
    set_devices(model, properties);
    json_object_set_new(model, "guestNetworks", guest_networks(properties_node(properties, "guest.net")));
    json_object_set_new(model, "nics",
                        vsphere_nics(properties_node(properties, "config.hardware.device"),
                                     properties_node(properties, "config.extraConfig"),
                                     json_object_get(model, "guestNetworks")));
    json_object_set_new(model, "guestApps", guest_apps(extra(properties, "guestinfo.appInfo")));
    json_object_set_new(model, "guestDisks", guest_disks(properties_node(properties, "guest.disk")));
    json_object_set_new(model, "guestIpStacks",
                        guest_ip_stacks(properties_node(properties, "guest.ipStack")));
    json_object_set_new(model, "customDef",
                        custom_definitions(properties_node(properties, "availableField")));
    json_object_set_new(model, "customValues", custom_values(properties_node(properties, "customValue")));
    json_object_set_new(model, "tags", json_array());
}
