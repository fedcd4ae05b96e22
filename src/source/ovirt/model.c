/* model: which member of the engine's object becomes which member of the inventory's document. */
#include "source/ovirt/ovirt.h"
#include <string.h>

/* ---- scalars ------------------------------------------------------------------------------------------- */

const char *ovirt_text(const json_t *json, const char *path)
{
    return json_string_at(json, path, "");
}

gint64 ovirt_int(const json_t *json, const char *path)
{
    const json_t *value = json_at(json, path);
    gint64 number = 0;

    if (json_is_integer(value))
        return json_integer_value(value);
    if (!json_is_string(value) ||
        !g_ascii_string_to_signed(json_string_value(value), 10, G_MININT64, G_MAXINT64, &number, NULL))
        return 0;
    return number;
}

gboolean ovirt_bool(const json_t *json, const char *path)
{
    const json_t *value = json_at(json, path);
    return json_is_true(value) || !g_strcmp0(json_string_value(value), "true");
}

/* ---- fields -------------------------------------------------------------------------------------------- */

/* How a member is made. */
typedef enum {
    TEXT,   /* "" when it is missing */
    NUMBER, /* 0 */
    TRUTH,  /* false */
    TEXTS,  /* a list of plain texts: [] */
    IDS,    /* the ids of a list of objects: [] */
    LIST,   /* a list of objects, made as items say: [] */
    OBJECT, /* one object, made as items say */
    MADE,   /* by make() from the whole object */
} FieldType;

typedef struct OvirtField {
    const char *key, *path;
    FieldType type;
    const struct OvirtField *items;
    json_t *(*make)(const json_t *object);
} Field;

static json_t *make_object(const Field *fields, const json_t *object);

static json_t *make_list(const Field *field, const json_t *list)
{
    json_t *made = json_array(), *one;
    size_t at;

    json_array_foreach (list, at, one) {
        if (field->type == LIST)
            json_array_append_new(made, make_object(field->items, one));
        else if (field->type == IDS)
            json_array_append_new(made, json_string(ovirt_text(one, "id")));
        else if (json_is_string(one))
            json_array_append(made, one);
    }
    return made;
}

static json_t *make_field(const Field *field, const json_t *object)
{
    switch (field->type) {
    case TEXT:
        return json_string(ovirt_text(object, field->path));
    case NUMBER:
        return json_integer(ovirt_int(object, field->path));
    case TRUTH:
        return json_boolean(ovirt_bool(object, field->path));
    case OBJECT:
        return make_object(field->items, field->path ? json_at(object, field->path) : object);
    case MADE:
        return field->make(object);
    default:
        return make_list(field, json_at(object, field->path));
    }
}

static json_t *make_object(const Field *fields, const json_t *object)
{
    json_t *made = json_object();

    for (; fields->key; fields++)
        json_object_set_new(made, fields->key, make_field(fields, object));
    return made;
}

/* ---- data centers, clusters, hosts --------------------------------------------------------------------- */

static const Field data_center[] = {{NULL}};

static const Field cluster_cpu[] = {{"architecture", "architecture", TEXT}, {"type", "type", TEXT}, {NULL}};
static const Field cluster_version[] = {{"minor", "minor", TEXT}, {"major", "major", TEXT}, {NULL}};
static const Field cluster[] = {{"dataCenter", "data_center.id", TEXT},
                                {"haReservation", "ha_reservation", TRUTH},
                                {"ksmEnabled", "ksm.enabled", TRUTH},
                                {"biosType", "bios_type", TEXT},
                                {"cpu", "cpu", OBJECT, cluster_cpu},
                                {"version", "version", OBJECT, cluster_version},
                                {NULL}};

static json_t *make_in_maintenance(const json_t *host)
{
    return json_boolean(!strcmp(ovirt_text(host, "status"), "maintenance"));
}

static const Field host_attachment[] = {{"id", "id", TEXT}, {"network", "network.id", TEXT}, {NULL}};
static const Field host_nic[] = {{"id", "id", TEXT},
                                 {"name", "name", TEXT},
                                 {"linkSpeed", "speed", NUMBER},
                                 {"mtu", "mtu", NUMBER},
                                 {"vlan", "vlan.id", TEXT},
                                 {"ipAddress", "ip.address", TEXT},
                                 {"subnetMask", "ip.netmask", TEXT},
                                 {NULL}};
static const Field host[] = {
    {"cluster", "cluster.id", TEXT},
    {"status", "status", TEXT},
    {"productName", "os.type", TEXT},
    {"productVersion", "os.version.full_version", TEXT},
    {"inMaintenance", .type = MADE, .make = make_in_maintenance},
    {"cpuSockets", "cpu.topology.sockets", NUMBER},
    {"cpuCores", "cpu.topology.cores", NUMBER},
    {"networkAttachments", "network_attachments.network_attachment", LIST, host_attachment},
    {"nics", "nics.host_nic", LIST, host_nic},
    {"address", "address", TEXT},
    {NULL}};

/* ---- networks ------------------------------------------------------------------------------------------ */

static const Field network[] = {{"dataCenter", "data_center.id", TEXT},
                                {"vlan", "vlan.id", TEXT},
                                {"usages", "usages.usage", TEXTS},
                                {"nicProfiles", "vnic_profiles.vnic_profile", IDS},
                                {NULL}};

static json_t *make_pass_through(const json_t *profile)
{
    return json_boolean(!strcmp(ovirt_text(profile, "pass_through.mode"), "enabled"));
}

static const Field property[] = {{"name", "name", TEXT}, {"value", "value", TEXT}, {NULL}};
static const Field nic_profile[] = {{"network", "network.id", TEXT},
                                    {"networkFilter", "network_filter.id", TEXT},
                                    {"portMirroring", "port_mirroring", TRUTH},
                                    {"qos", "qos.id", TEXT},
                                    {"properties", "custom_properties.custom_property", LIST, property},
                                    {"passThrough", .type = MADE, .make = make_pass_through},
                                    {NULL}};

/* ---- storage ------------------------------------------------------------------------------------------- */

static const Field disk_profile[] = {
    {"storageDomain", "storage_domain.id", TEXT}, {"qos", "qos.id", TEXT}, {NULL}};

static json_t *make_domain_center(const json_t *domain)
{
    return json_string(ovirt_text(json_array_get(json_at(domain, "data_centers.data_center"), 0), "id"));
}

static json_t *make_capacity(const json_t *domain)
{
    return json_integer(ovirt_int(domain, "available") + ovirt_int(domain, "used"));
}

static const Field domain_storage[] = {{"type", "type", TEXT}, {NULL}};
static const Field storage_domain[] = {
    {"dataCenter", .type = MADE, .make = make_domain_center}, {"type", "type", TEXT},
    {"capacity", .type = MADE, .make = make_capacity},        {"free", "available", NUMBER},
    {"storage", "storage", OBJECT, domain_storage},           {NULL}};

static json_t *make_disk_domain(const json_t *disk)
{
    return json_string(ovirt_text(json_array_get(json_at(disk, "storage_domains.storage_domain"), 0), "id"));
}

/* The API has had both spellings. */
static json_t *make_shared(const json_t *disk)
{
    return json_boolean(ovirt_bool(disk, "shareable") || ovirt_bool(disk, "sharable"));
}

static const Field logical_unit[] = {{"lunId", "id", TEXT},
                                     {"address", "address", TEXT},
                                     {"port", "port", TEXT},
                                     {"target", "target", TEXT},
                                     {"lunMapping", "lun_mapping", NUMBER},
                                     {"size", "size", NUMBER},
                                     {NULL}};
static const Field logical_units[] = {
    {"logicalUnit", "lun_storage.logical_units.logical_unit", LIST, logical_unit}, {NULL}};
static const Field lun_storage[] = {{"LogicalUnits", NULL, OBJECT, logical_units}, {NULL}};
static const Field disk[] = {{"shared", .type = MADE, .make = make_shared},
                             {"storageDomain", .type = MADE, .make = make_disk_domain},
                             {"profile", "disk_profile.id", TEXT},
                             {"provisionedSize", "provisioned_size", NUMBER},
                             {"actualSize", "actual_size", NUMBER},
                             {"storageType", "storage_type", TEXT},
                             {"status", "status", TEXT},
                             {"backup", "backup", TEXT},
                             {"lunStorage", NULL, OBJECT, lun_storage},
                             {NULL}};

/* ---- VMs ----------------------------------------------------------------------------------------------- */

static json_t *make_guest_name(const json_t *vm)
{
    g_autofree char *name = g_strdup_printf("%s %s", ovirt_text(vm, "guest_operating_system.distribution"),
                                            ovirt_text(vm, "guest_operating_system.version.full_version"));
    return json_string(g_strstrip(name));
}

/* The host's nodes that the VM's own are pinned to, each once, as text. */
static json_t *make_numa_affinity(const json_t *vm)
{
    json_t *made = json_array(), *node, *pin;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    size_t at, inner;

    json_array_foreach (json_at(vm, "numa_nodes.vm_numa_node"), at, node)
        json_array_foreach (json_at(node, "numa_node_pins.numa_node_pin"), inner, pin) {
            char *index = g_strdup_printf("%" G_GINT64_FORMAT, ovirt_int(pin, "index"));
            if (g_hash_table_add(seen, index))
                json_array_append_new(made, json_string(index));
        }
    return made;
}

/* Addresses are in reported_devices.reported_device[].ips.ip[]. */
static json_t *make_addresses(const json_t *nic)
{
    json_t *made = json_array(), *device, *ip;
    size_t at, inner;

    json_array_foreach (json_at(nic, "reported_devices.reported_device"), at, device)
        json_array_foreach (json_at(device, "ips.ip"), inner, ip)
            json_array_append_new(made, json_pack("{s:s, s:s}", "address", ovirt_text(ip, "address"),
                                                  "version", ovirt_text(ip, "version")));
    return made;
}

/* An empty drive has no file. */
static json_t *make_cdroms(const json_t *vm)
{
    json_t *made = json_array(), *drive;
    size_t at;

    json_array_foreach (json_at(vm, "cdroms.cdrom"), at, drive) {
        json_t *one = json_pack("{s:s}", "id", ovirt_text(drive, "id"));
        if (*ovirt_text(drive, "file.id"))
            json_object_set_new(one, "file", json_string(ovirt_text(drive, "file.id")));
        json_array_append_new(made, one);
    }
    return made;
}

static json_t *make_pinning_policy(const json_t *vm)
{
    const char *policy = ovirt_text(vm, "cpu_pinning_policy");
    return json_string(*policy ? policy : "none");
}

static const Field vm_nic[] = {{"id", "id", TEXT},
                               {"name", "name", TEXT},
                               {"interface", "interface", TEXT},
                               {"plugged", "plugged", TRUTH},
                               {"ipAddress", .type = MADE, .make = make_addresses},
                               {"profile", "vnic_profile.id", TEXT},
                               {"mac", "mac.address", TEXT},
                               {NULL}};
static const Field vm_attachment[] = {{"id", "id", TEXT},
                                      {"interface", "interface", TEXT},
                                      {"scsiReservation", "uses_scsi_reservation", TRUTH},
                                      {"disk", "disk.id", TEXT},
                                      {"bootable", "bootable", TRUTH},
                                      {NULL}};
static const Field vm_pin[] = {{"set", "cpu_set", NUMBER}, {"cpu", "vcpu", NUMBER}, {NULL}};
static const Field vm_device[] = {{"capability", "capability", TEXT},
                                  {"product", "product.name", TEXT},
                                  {"vendor", "vendor.name", TEXT},
                                  {NULL}};
static const Field vm_watchdog[] = {
    {"id", "id", TEXT}, {"action", "action", TEXT}, {"model", "model", TEXT}, {NULL}};
static const Field vm_snapshot[] = {{"id", "id", TEXT},
                                    {"description", "description", TEXT},
                                    {"type", "snapshot_type", TEXT},
                                    {"persistMemory", "persist_memorystate", TRUTH},
                                    {NULL}};
static const Field vm_guest[] = {{"distribution", "guest_operating_system.distribution", TEXT},
                                 {"fullVersion", "guest_operating_system.version.full_version", TEXT},
                                 {NULL}};
static const Field vm[] = {{"cluster", "cluster.id", TEXT},
                           {"status", "status", TEXT},
                           {"host", "host.id", TEXT},
                           {"nics", "nics.nic", LIST, vm_nic},
                           {"diskAttachments", "disk_attachments.disk_attachment", LIST, vm_attachment},
                           {"guestName", .type = MADE, .make = make_guest_name},
                           {"cpuSockets", "cpu.topology.sockets", NUMBER},
                           {"cpuCores", "cpu.topology.cores", NUMBER},
                           {"cpuThreads", "cpu.topology.threads", NUMBER},
                           {"cpuShares", "cpu_shares", NUMBER},
                           {"cpuAffinity", "cpu.cpu_tune.vcpu_pins.vcpu_pin", LIST, vm_pin},
                           {"cpuPinningPolicy", .type = MADE, .make = make_pinning_policy},
                           {"customCpuModel", "custom_cpu_model", TEXT},
                           {"memory", "memory", NUMBER},
                           {"balloonedMemory", "memory_policy.ballooning", TRUTH},
                           {"ioThreads", "io.threads", NUMBER},
                           {"bios", "bios.type", TEXT},
                           {"bootMenuEnabled", "bios.boot_menu.enabled", TRUTH},
                           {"display", "display.type", TEXT},
                           {"hasIllegalImages", "has_illegal_images", TRUTH},
                           {"numaNodeAffinity", .type = MADE, .make = make_numa_affinity},
                           {"leaseStorageDomain", "lease.storage_domain.id", TEXT},
                           {"storageErrorResumeBehaviour", "storage_error_resume_behaviour", TEXT},
                           {"haEnabled", "high_availability.enabled", TRUTH},
                           {"usbEnabled", "usb.enabled", TRUTH},
                           {"placementPolicyAffinity", "placement_policy.affinity", TEXT},
                           {"timezone", "time_zone.name", TEXT},
                           {"stateless", "stateless", TEXT},
                           {"serialNumber", "serial_number.value", TEXT},
                           {"serialPolicy", "serial_number.policy", TEXT},
                           {"multiQueues", "multi_queues_enabled", TRUTH},
                           {"hostDevices", "host_devices.host_device", LIST, vm_device},
                           {"cdroms", .type = MADE, .make = make_cdroms},
                           {"watchDogs", "watchdogs.watchdog", LIST, vm_watchdog},
                           {"properties", "custom_properties.custom_property", LIST, property},
                           {"snapshots", "snapshots.snapshot", LIST, vm_snapshot},
                           {"guest", NULL, OBJECT, vm_guest},
                           {"osType", "os.type", TEXT},
                           {NULL}};

/* ---- kinds --------------------------------------------------------------------------------------------- */

const OvirtKind ovirt_kinds[] = {
    {"DataCenter", "datacenters", "data_center", NULL, data_center},
    {"StorageDomain", "storagedomains", "storage_domain", NULL, storage_domain},
    {"NICProfile", "vnicprofiles", "vnic_profile", NULL, nic_profile},
    {"DiskProfile", "diskprofiles", "disk_profile", NULL, disk_profile},
    {"Network", "networks", "network", "vnic_profiles", network},
    {"Disk", "disks", "disk", NULL, disk},
    {"Cluster", "clusters", "cluster", NULL, cluster},
    {"Host", "hosts", "host", "network_attachments,nics", host},
    {"VM", "vms", "vm", "disk_attachments,host_devices,snapshots,watchdogs,cdroms,nics", vm},
    {NULL},
};

const OvirtKind *ovirt_kind(const char *kind)
{
    for (const OvirtKind *row = ovirt_kinds; row->kind; row++)
        if (!strcmp(kind, row->kind))
            return row;
    return NULL;
}

json_t *ovirt_model(const OvirtKind *kind, const json_t *object)
{
    const char *id = ovirt_text(object, "id"), *description = ovirt_text(object, "description");
    json_t *model;

    if (!*id)
        return NULL;
    model = make_object(kind->fields, object);
    json_object_set_new(model, "id", json_string(id));
    json_object_set_new(model, "name", json_string(ovirt_text(object, "name")));
    if (*description)
        json_object_set_new(model, "description", json_string(description));
    return model;
}
