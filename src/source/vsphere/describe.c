/* describe: a workload document of a vSphere VM to the neutral description from which the target is built. */
#include "source/vsphere/vsphere.h"
#include <string.h>

enum { SERIAL_LEN = 20 }; /* what a virtio disk shows its guest */

/* ---- refusals ------------------------------------------------------------------------------------------ */

static gboolean check_vm(const json_t *workload, GError **error)
{
    const char *name = json_string_at(workload, "name", ""), *id = json_string_at(workload, "id", "");
    const char *state = json_string_at(workload, "connectionState", "");

    if (!*id) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "the document is no workload of the inventory: 'id' is missing");
        return FALSE;
    }
    if (json_bool_at(workload, "isTemplate", FALSE)) {
        g_set_error(
            error, GANTRY_ERROR, ERROR_SOURCE_VM,
            "'%s' (%s) is a template: convert it to a virtual machine in vSphere, or deploy one from it",
            name, id);
        return FALSE;
    }
    if (*state && strcmp(state, "connected")) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VM,
                    "'%s' (%s) is %s: its ESXi host must be connected to vCenter and the VM accessible", name,
                    id, state);
        return FALSE;
    }
    if (json_int_at(workload, "cpuCount", 0) < 1 || json_int_at(workload, "memoryMB", 0) < 1) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VM,
                    "'%s' (%s) has no configuration (%" G_GINT64_FORMAT " CPUs, %" G_GINT64_FORMAT
                    " MB): it must be registered and readable by the provider's account",
                    name, id, json_int_at(workload, "cpuCount", 0), json_int_at(workload, "memoryMB", 0));
        return FALSE;
    }
    return TRUE;
}

/* ---- operating system ---------------------------------------------------------------------------------- */

/* vSphere's GuestOsIdentifier as osinfo short ids (https://gitlab.com/libosinfo/osinfo-db). Where vSphere
 * names a family of releases, its usual one. */
static const struct {
    const char *guest_id, *label;
} guest_ids[] = {
    {"almalinux_64Guest", "almalinux9"},
    {"amazonlinux2_64Guest", "amazonlinux2"},
    {"centos64Guest", "centos5.11"},
    {"centosGuest", "centos5.11"},
    {"centos6_64Guest", "centos6.10"},
    {"centos6Guest", "centos6.10"},
    {"centos7_64Guest", "centos7.0"},
    {"centos7Guest", "centos7.0"},
    {"centos8_64Guest", "centos8"},
    {"centos9_64Guest", "centos-stream9"},
    {"coreos64Guest", "fedora-coreos-stable"},
    {"debian6_64Guest", "debian6"},
    {"debian7_64Guest", "debian7"},
    {"debian8_64Guest", "debian8"},
    {"debian9_64Guest", "debian9"},
    {"debian10_64Guest", "debian10"},
    {"debian11_64Guest", "debian11"},
    {"debian12_64Guest", "debian12"},
    {"debian6Guest", "debian6"},
    {"debian7Guest", "debian7"},
    {"debian8Guest", "debian8"},
    {"debian9Guest", "debian9"},
    {"debian10Guest", "debian10"},
    {"debian11Guest", "debian11"},
    {"debian12Guest", "debian12"},
    {"fedora64Guest", "fedora31"},
    {"fedoraGuest", "fedora31"},
    {"freebsd11_64Guest", "freebsd11.0"},
    {"freebsd12_64Guest", "freebsd12.0"},
    {"freebsd13_64Guest", "freebsd13.0"},
    {"freebsd14_64Guest", "freebsd14.0"},
    {"opensuse64Guest", "opensuse15.4"},
    {"opensuseGuest", "opensuse15.4"},
    {"oracleLinux6_64Guest", "ol6.10"},
    {"oracleLinux7_64Guest", "ol7.9"},
    {"oracleLinux8_64Guest", "ol8.0"},
    {"oracleLinux9_64Guest", "ol9.0"},
    {"rhel5_64Guest", "rhel5.11"},
    {"rhel5Guest", "rhel5.11"},
    {"rhel6_64Guest", "rhel6.10"},
    {"rhel6Guest", "rhel6.10"},
    {"rhel7_64Guest", "rhel7.7"},
    {"rhel7Guest", "rhel7.7"},
    {"rhel8_64Guest", "rhel8.1"},
    {"rhel9_64Guest", "rhel9.0"},
    {"rockylinux_64Guest", "rocky9"},
    {"sles11_64Guest", "sles11sp4"},
    {"sles12_64Guest", "sles12sp5"},
    {"sles15_64Guest", "sles15sp4"},
    {"solaris11_64Guest", "solaris11"},
    {"ubuntu64Guest", "ubuntu18.04"},
    {"ubuntuGuest", "ubuntu18.04"},
    {"windows7Guest", "win7"},
    {"windows7_64Guest", "win7"},
    {"windows7Server64Guest", "win2k8r2"},
    {"windows8Guest", "win8"},
    {"windows8_64Guest", "win8"},
    {"windows8Server64Guest", "win2k12r2"},
    {"windows9Guest", "win10"},
    {"windows9_64Guest", "win10"},
    {"windows9Server64Guest", "win2k19"},
    {"windows11_64Guest", "win11"},
    {"windows12_64Guest", "win11"},
    {"windows2019srv_64Guest", "win2k19"},
    {"windows2019srvNext_64Guest", "win2k22"},
    {"windows2022srvNext_64Guest", "win2k25"},
    {"winLonghornGuest", "win2k8"},
    {"winLonghorn64Guest", "win2k8"},
    {"winNetStandardGuest", "win2k3"},
    {"winNetStandard64Guest", "win2k3"},
    {"winNetEnterprise64Guest", "win2k3"},
    {"winXPProGuest", "winxp"},
};

static const char *label_of_guest_id(const char *guest_id)
{
    for (guint i = 0; i < G_N_ELEMENTS(guest_ids); i++)
        if (!strcmp(guest_id, guest_ids[i].guest_id))
            return guest_ids[i].label;
    return NULL;
}

static char *os_label(const json_t *workload)
{
    const char *label = label_of_guest_id(json_string_at(workload, "guestId", ""));
    const char *name = json_string_at(workload, "guestNameFromVmwareTools", "");
    g_autofree char *lower = g_ascii_strdown(*name ? name : json_string_at(workload, "guestName", ""), -1);

    if (label)
        return g_strdup(label);
    if (strstr(lower, "windows"))
        return g_strdup("win10");
    if (strstr(lower, "linux") || strstr(lower, "rhel"))
        return g_strdup("rhel8.1");
    return g_strdup("unknown");
}

/* ---- disks --------------------------------------------------------------------------------------------- */

static int bus_rank(const char *bus)
{
    static const char *const order[] = {"sata", "ide", "scsi", "nvme"};
    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        if (!strcmp(bus, order[i]))
            return i;
    return G_N_ELEMENTS(order);
}

static int compare_ints(gint64 a, gint64 b)
{
    return (a > b) - (a < b);
}

/* The order in which the target shows its disks: by bus, controller, place on it, device key. */
static gint compare_disks(gconstpointer a, gconstpointer b)
{
    static const char *const keys[] = {"controllerKey", "unitNumber", "key"};
    const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
    int order =
        compare_ints(bus_rank(json_string_at(one, "bus", "")), bus_rank(json_string_at(other, "bus", "")));

    for (guint i = 0; order == 0 && i < G_N_ELEMENTS(keys); i++)
        order = compare_ints(json_int_at(one, keys[i], 0), json_int_at(other, keys[i], 0));
    return order;
}

/* "[ds] dir/x-000002.vmdk" is the second snapshot's delta of "[ds] dir/x.vmdk"; the disk keeps its name
 * through snapshots. */
static char *name_without_snapshot(const char *file)
{
    static const gsize suffix_len = sizeof "-000000.vmdk" - 1;
    gsize len = strlen(file);
    const char *suffix = len > suffix_len ? file + len - suffix_len : NULL;

    if (!suffix || suffix[0] != '-' || strcmp(suffix + 7, ".vmdk"))
        return g_strdup(file);
    for (int i = 1; i <= 6; i++)
        if (!g_ascii_isdigit(suffix[i]))
            return g_strdup(file);
    return g_strdup_printf("%.*s.vmdk", (int)(len - suffix_len), file);
}

/* The source's own serial as far as it fits, else one that is the same at each migration of this disk. */
static char *disk_serial(const char *vm_id, const json_t *disk)
{
    GString *serial = g_string_new(NULL);

    for (const char *at = json_string_at(disk, "serial", ""); *at && serial->len < SERIAL_LEN; at++)
        if (g_ascii_isalnum(*at))
            g_string_append_c(serial, *at);
    if (!serial->len) {
        g_autofree char *identity = g_strdup_printf("%s:%d", vm_id, (int)json_int_at(disk, "key", 0));
        g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, identity, -1);
        g_string_append_len(serial, hash, SERIAL_LEN);
    }
    return g_string_free(serial, FALSE);
}

static gboolean add_disk(Vm *vm, const json_t *source, GError **error)
{
    gint64 size = json_int_at(source, "capacity", 0);
    const char *file = json_string_at(source, "file", "");
    VmDisk *disk;

    if (size <= 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VM,
                    "disk '%s' of '%s' has a capacity of %" G_GINT64_FORMAT " bytes: it must be more than 0",
                    file, vm->name, size);
        return FALSE;
    }
    disk = vm_add_disk(vm);
    disk->id = g_strdup_printf("%d", (int)json_int_at(source, "key", 0));
    disk->name = name_without_snapshot(file);
    disk->storage_id = g_strdup(json_string_at(source, "datastore.id", ""));
    disk->size = size;
    disk->bus = VM_BUS_VIRTIO;
    disk->serial = disk_serial(vm->id, source);
    disk->boot = vm->disks->len == 1;
    disk->shared = json_bool_at(source, "shared", FALSE);
    return TRUE;
}

static gboolean add_disks(Vm *vm, const json_t *workload, GError **error)
{
    json_t *disks = json_at(workload, "disks"), *disk;
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    size_t at;

    json_array_foreach (disks, at, disk) {
        g_ptr_array_add(sorted, disk);
    }
    g_ptr_array_sort(sorted, compare_disks);
    for (guint i = 0; i < sorted->len; i++)
        if (!add_disk(vm, sorted->pdata[i], error))
            return FALSE;
    return TRUE;
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

/* What a guest that keeps its drivers has one for. A vmxnet3 is nowhere but in vSphere. */
static const char *old_model(const json_t *workload, const json_t *nic)
{
    static const struct {
        const char *kind, *model;
    } rows[] = {
        {"VirtualE1000", "e1000"},
        {"VirtualE1000e", "e1000e"},
        {"VirtualPCNet32", "pcnet"},
    };
    gint64 key = json_int_at(nic, "deviceKey", -1);
    json_t *device;
    size_t at;

    json_array_foreach (json_at(workload, "devices"), at, device)
        for (guint i = 0; json_int_at(device, "key", 0) == key && i < G_N_ELEMENTS(rows); i++)
            if (!strcmp(json_string_at(device, "kind", ""), rows[i].kind))
                return rows[i].model;
    return NULL;
}

/* A Windows guest says which of its addresses were set by hand; Linux guests often do not, and what they have
 * from DHCP stands in no file of theirs, so that keeping it changes nothing. */
static gboolean is_set_by_hand(const json_t *workload, const json_t *network)
{
    const char *origin = json_string_at(network, "origin", "");

    return !strcmp(origin, "manual") ||
           (!*origin && g_ascii_strncasecmp(json_string_at(workload, "guestId", ""), "win", 3));
}

/* Where the card's packets go that are for no network of its own. */
static char *gateway_of(const json_t *workload, const char *device)
{
    json_t *route;
    size_t at;

    json_array_foreach (json_at(workload, "guestIpStacks"), at, route)
        if (!strcmp(json_string_at(route, "device", ""), device) && json_int_at(route, "prefix", -1) == 0 &&
            g_hostname_is_ip_address(json_string_at(route, "gateway", "")))
            return g_strdup(json_string_at(route, "gateway", ""));
    return NULL;
}

static void add_servers(VmNic *nic, const json_t *dns)
{
    json_t *server;
    size_t at;

    json_array_foreach (dns, at, server) {
        const char *address = json_string_value(server);
        if (address && g_hostname_is_ip_address(address) &&
            !g_ptr_array_find_with_equal_func(nic->dns, address, g_str_equal, NULL))
            g_ptr_array_add(nic->dns, g_strdup(address));
    }
}

static void add_addresses(VmNic *nic, const json_t *workload)
{
    json_t *network;
    size_t at;

    json_array_foreach (json_at(workload, "guestNetworks"), at, network) {
        const char *address = json_string_at(network, "ip", "");
        gint64 prefix = json_int_at(network, "prefix", 0);
        if (g_ascii_strcasecmp(json_string_at(network, "mac", ""), nic->mac) ||
            !g_hostname_is_ip_address(address) || !is_set_by_hand(workload, network) || prefix < 1 ||
            prefix > 128)
            continue;
        g_ptr_array_add(nic->addresses, g_strdup_printf("%s/%d", address, (gint)prefix));
        add_servers(nic, json_object_get(network, "dns"));
        if (!nic->gateway)
            nic->gateway = gateway_of(workload, json_string_at(network, "device", ""));
    }
}

static void add_nics(Vm *vm, const json_t *workload)
{
    json_t *nics = json_at(workload, "nics"), *source;
    size_t at;

    json_array_foreach (nics, at, source) {
        VmNic *nic = vm_add_nic(vm);
        nic->network_id = g_strdup(json_string_at(source, "network.id", ""));
        nic->mac = g_ascii_strdown(json_string_at(source, "mac", ""), -1);
        nic->model = g_strdup("virtio");
        nic->old_model = g_strdup(old_model(workload, source));
        nic->disconnected = !json_bool_at(source, "startConnected", TRUE);
        add_addresses(nic, workload);
    }
}

/* "42256329-8c3a-…" is shown to the guest as "VMware-42 25 63 29 8c 3a …-54 fd …". */
static char *system_serial(const char *uuid)
{
    GString *serial = g_string_new("VMware-");
    guint digits = 0;

    for (const char *c = uuid; *c; c++) {
        if (!g_ascii_isxdigit(*c))
            continue;
        if (digits && digits % 2 == 0)
            g_string_append_c(serial, digits == 16 ? '-' : ' ');
        g_string_append_c(serial, g_ascii_tolower(*c));
        digits++;
    }
    return g_string_free(serial, digits != 32);
}

static void set_processor(Vm *vm, const json_t *workload)
{
    guint count = json_int_at(workload, "cpuCount", 1);
    guint cores = CLAMP(json_int_at(workload, "coresPerSocket", 1), 1, count);

    /* A topology that does not multiply to the number of processors is no topology: then each is a socket. */
    if (count % cores)
        cores = 1;
    vm->sockets = count / cores;
    vm->cores = cores;
    vm->threads = 1;
}

Vm *vsphere_describe(const json_t *workload, GError **error)
{
    g_autoptr(Vm) vm = vm_new();
    const char *zone = json_string_at(workload, "host.timezone", "");

    if (!check_vm(workload, error))
        return NULL;
    vm->id = g_strdup(json_string_at(workload, "id", ""));
    vm->name = g_strdup(json_string_at(workload, "name", ""));
    vm->uuid = g_strdup(json_string_at(workload, "uuid", ""));
    vm->serial = system_serial(vm->uuid);
    vm->nested = json_bool_at(workload, "nestedHVEnabled", FALSE);
    vm->firmware = strcmp(json_string_at(workload, "firmware", "bios"), "efi") ? FIRMWARE_BIOS : FIRMWARE_EFI;
    vm->secure_boot = vm->firmware == FIRMWARE_EFI && json_bool_at(workload, "secureBoot", FALSE);
    vm->tpm = json_bool_at(workload, "tpmEnabled", FALSE);
    set_processor(vm, workload);
    vm->memory = (guint64)json_int_at(workload, "memoryMB", 0) * 1024 * 1024;
    vm->timezone = *zone ? g_strdup(zone) : NULL;
    vm->os_label = os_label(workload);
    vm->powered_on = !strcmp(json_string_at(workload, "powerState", ""), "poweredOn");
    vm->needs_conversion = TRUE;
    add_nics(vm, workload);
    return add_disks(vm, workload, error) ? g_steal_pointer(&vm) : NULL;
}
