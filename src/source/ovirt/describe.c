/* describe: a workload document of an oVirt VM to the neutral description from which the target is built.
 * Guests of oVirt have virtio drivers where they need them, so that each device keeps the kind that it has.
 */
#include "source/ovirt/ovirt.h"
#include <string.h>

/* ---- refusals ------------------------------------------------------------------------------------------ */

static gboolean check_vm(const json_t *workload, GError **error)
{
    const char *name = json_string_at(workload, "name", ""), *id = json_string_at(workload, "id", "");
    gint64 processors = json_int_at(workload, "cpuSockets", 0) * json_int_at(workload, "cpuCores", 0);

    if (!*id) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "the document is no workload of the inventory: 'id' is missing");
        return FALSE;
    }
    if (processors >= 1 && json_int_at(workload, "memory", 0) >= 1)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VM,
                "'%s' (%s) has no configuration (%" G_GINT64_FORMAT " CPUs, %" G_GINT64_FORMAT
                " bytes of memory): it must be readable by the provider's account",
                name, id, processors, json_int_at(workload, "memory", 0));
    return FALSE;
}

/* ---- operating system ---------------------------------------------------------------------------------- */

static const char *os_label(const char *type)
{
    static const struct {
        const char *type, *label;
    } rows[] = {
        {"rhel_6", "rhel6.10"},
        {"rhel_6x64", "rhel6.10"},
        {"rhel_7x64", "rhel7.7"},
        {"rhel_8x64", "rhel8.1"},
        {"rhel_9x64", "rhel9.0"},
        {"rhel_atomic7x64", "rhel7.7"},
        {"sles_11", "opensuse15.0"},
        {"ubuntu_12_04", "ubuntu18.04"},
        {"ubuntu_12_10", "ubuntu18.04"},
        {"ubuntu_13_04", "ubuntu18.04"},
        {"ubuntu_13_10", "ubuntu18.04"},
        {"ubuntu_14_04", "ubuntu18.04"},
        {"ubuntu_18_04", "ubuntu18.04"},
        {"debian_7", "debian7"},
        {"debian_9", "debian9"},
        {"windows_8", "win10"},
        {"windows_8x64", "win10"},
        {"windows_2012x64", "win2k12r2"},
        {"windows_2012R2x64", "win2k12r2"},
        {"windows_2016x64", "win2k16"},
        {"windows_2019x64", "win2k19"},
        {"windows_2022", "win2k22"},
        {"windows_10", "win10"},
        {"windows_10x64", "win10"},
        {"windows_11", "win11"},
    };
    g_autofree char *lower = g_ascii_strdown(type, -1);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(type, rows[i].type))
            return rows[i].label;
    return strstr(lower, "windows") ? "win10" : strstr(lower, "linux") ? "rhel8.1" : "unknown";
}

/* oVirt names the zones of Windows guests as Windows does. */
static const char *zone_of(const char *name)
{
    static const struct {
        const char *windows, *zone;
    } rows[] = {
        {"GMT Standard Time", "Europe/London"},
        {"Greenwich Standard Time", "Atlantic/Reykjavik"},
        {"W. Europe Standard Time", "Europe/Berlin"},
        {"Romance Standard Time", "Europe/Paris"},
        {"Central Europe Standard Time", "Europe/Budapest"},
        {"Central European Standard Time", "Europe/Warsaw"},
        {"E. Europe Standard Time", "Europe/Chisinau"},
        {"FLE Standard Time", "Europe/Kyiv"},
        {"GTB Standard Time", "Europe/Bucharest"},
        {"Russian Standard Time", "Europe/Moscow"},
        {"Turkey Standard Time", "Europe/Istanbul"},
        {"Israel Standard Time", "Asia/Jerusalem"},
        {"Egypt Standard Time", "Africa/Cairo"},
        {"South Africa Standard Time", "Africa/Johannesburg"},
        {"Arab Standard Time", "Asia/Riyadh"},
        {"Arabian Standard Time", "Asia/Dubai"},
        {"Iran Standard Time", "Asia/Tehran"},
        {"Pakistan Standard Time", "Asia/Karachi"},
        {"India Standard Time", "Asia/Kolkata"},
        {"Nepal Standard Time", "Asia/Kathmandu"},
        {"SE Asia Standard Time", "Asia/Bangkok"},
        {"China Standard Time", "Asia/Shanghai"},
        {"Taipei Standard Time", "Asia/Taipei"},
        {"Singapore Standard Time", "Asia/Singapore"},
        {"Tokyo Standard Time", "Asia/Tokyo"},
        {"Korea Standard Time", "Asia/Seoul"},
        {"W. Australia Standard Time", "Australia/Perth"},
        {"AUS Central Standard Time", "Australia/Darwin"},
        {"AUS Eastern Standard Time", "Australia/Sydney"},
        {"E. Australia Standard Time", "Australia/Brisbane"},
        {"Tasmania Standard Time", "Australia/Hobart"},
        {"New Zealand Standard Time", "Pacific/Auckland"},
        {"Hawaiian Standard Time", "Pacific/Honolulu"},
        {"Alaskan Standard Time", "America/Anchorage"},
        {"Pacific Standard Time", "America/Los_Angeles"},
        {"US Mountain Standard Time", "America/Phoenix"},
        {"Mountain Standard Time", "America/Denver"},
        {"Central Standard Time", "America/Chicago"},
        {"Canada Central Standard Time", "America/Regina"},
        {"Central America Standard Time", "America/Guatemala"},
        {"Mexico Standard Time", "America/Mexico_City"},
        {"US Eastern Standard Time", "America/Indiana/Indianapolis"},
        {"Eastern Standard Time", "America/New_York"},
        {"Atlantic Standard Time", "America/Halifax"},
        {"SA Pacific Standard Time", "America/Bogota"},
        {"SA Western Standard Time", "America/La_Paz"},
        {"SA Eastern Standard Time", "America/Cayenne"},
        {"E. South America Standard Time", "America/Sao_Paulo"},
        {"Argentina Standard Time", "America/Argentina/Buenos_Aires"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(name, rows[i].windows))
            return rows[i].zone;
    return strchr(name, '/') && !strchr(name, ' ') ? name : NULL;
}

/* ---- firmware and processor ---------------------------------------------------------------------------- */

/* A VM that has no type of its own has its cluster's. Its keys stay behind, so that secure boot would refuse
 * what it booted there. */
static void set_firmware(Vm *vm, const json_t *workload)
{
    const char *type = json_string_at(workload, "bios", "");

    if (!*type || !strcmp(type, "cluster_default"))
        type = json_string_at(workload, "cluster.biosType", "");
    vm->firmware =
        !strcmp(type, "q35_ovmf") || !strcmp(type, "q35_secure_boot") ? FIRMWARE_EFI : FIRMWARE_BIOS;
}

/* "Cascadelake-Server,+vmx,-hle" */
static void set_cpu_model(Vm *vm, const char *custom)
{
    g_auto(GStrv) parts = g_strsplit(custom, ",", -1);

    if (!*custom)
        return;
    vm->cpu_model = g_strdup(g_strstrip(parts[0]));
    for (char **part = parts + 1; *part; part++) {
        char *feature = g_strstrip(*part);
        if (*feature == '+' && feature[1])
            g_ptr_array_add(vm->cpu_features, g_strdup(feature + 1));
        else if (*feature == '-' && feature[1])
            g_ptr_array_add(vm->cpu_features_off, g_strdup(feature + 1));
    }
}

static void set_processor(Vm *vm, const json_t *workload)
{
    vm->sockets = json_int_at(workload, "cpuSockets", 1);
    vm->cores = json_int_at(workload, "cpuCores", 1);
    vm->threads = MAX(1, json_int_at(workload, "cpuThreads", 1));
    vm->dedicated_cpus = !strcmp(json_string_at(workload, "cpuPinningPolicy", ""), "dedicated");
    set_cpu_model(vm, json_string_at(workload, "customCpuModel", ""));
}

/* ---- disks --------------------------------------------------------------------------------------------- */

static VmBus bus_of(const char *interface)
{
    if (!strcmp(interface, "virtio_scsi") || !strcmp(interface, "spapr_vscsi"))
        return VM_BUS_SCSI;
    return !strcmp(interface, "sata") || !strcmp(interface, "ide") ? VM_BUS_SATA : VM_BUS_VIRTIO;
}

static gint64 size_of(const json_t *disk)
{
    const json_t *unit = json_array_get(json_at(disk, "lunStorage.LogicalUnits.logicalUnit"), 0);
    return unit ? json_int_at(unit, "size", 0) : json_int_at(disk, "provisionedSize", 0);
}

static gboolean add_disk(Vm *vm, const json_t *attachment, GError **error)
{
    const json_t *source = json_object_get(attachment, "disk");
    gint64 size = size_of(source);
    VmDisk *disk;

    if (size <= 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_VM,
                    "disk '%s' of '%s' has a size of %" G_GINT64_FORMAT " bytes: it must be more than 0",
                    json_string_at(source, "name", json_string_at(attachment, "id", "")), vm->name, size);
        return FALSE;
    }
    disk = vm_add_disk(vm);
    disk->id = g_strdup(json_string_at(source, "id", ""));
    disk->name = g_strdup(disk->id);
    disk->storage_id = g_strdup(json_string_at(source, "storageDomain", ""));
    disk->size = size;
    disk->bus = bus_of(json_string_at(attachment, "interface", ""));
    disk->serial = g_strdup(disk->id);
    disk->boot = json_bool_at(attachment, "bootable", FALSE);
    disk->shared = json_bool_at(source, "shared", FALSE);
    return TRUE;
}

static gboolean add_disks(Vm *vm, const json_t *workload, GError **error)
{
    const json_t *attachment;
    size_t at;

    json_array_foreach (json_object_get(workload, "diskAttachments"), at, attachment)
        if (!add_disk(vm, attachment, error))
            return FALSE;
    return TRUE;
}

/* ---- network cards ------------------------------------------------------------------------------------- */

static const char *nic_model(const char *interface)
{
    static const char *const kept[] = {"e1000", "rtl8139", NULL};
    return g_strv_contains(kept, interface) ? interface : "virtio";
}

/* A card without a profile is on no network: there is nothing to map, and nothing to be missed. */
static void add_nics(Vm *vm, const json_t *workload)
{
    const json_t *source;
    size_t at;

    json_array_foreach (json_object_get(workload, "nics"), at, source) {
        const json_t *profile = json_object_get(source, "profile");
        const char *interface = json_string_at(source, "interface", "");
        VmNic *nic;

        if (!*json_string_at(profile, "network", ""))
            continue;
        nic = vm_add_nic(vm);
        nic->network_id = g_strdup(json_string_at(profile, "network", ""));
        nic->mac = g_ascii_strdown(json_string_at(source, "mac", ""), -1);
        nic->model = g_strdup(nic_model(interface));
        nic->old_model = g_strdup(nic->model);
        nic->passed_through = json_bool_at(profile, "passThrough", FALSE);
        nic->disconnected = !json_bool_at(source, "plugged", TRUE);
    }
}

/* A VM that only an administrator may move, or nobody, is not moved when its host is drained. SPICE becomes
 * VNC, the only console there is; a VM without a display has none. */
static void set_place_and_display(Vm *vm, const json_t *workload)
{
    const char *affinity = json_string_at(workload, "placementPolicyAffinity", "");

    vm->stays_put = !strcmp(affinity, "pinned") || !strcmp(affinity, "user_migratable");
    vm->headless = !*json_string_at(workload, "display", "vnc");
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

Vm *ovirt_describe(const json_t *workload, GError **error)
{
    static const char *const off[] = {"down", "image_locked", NULL};
    g_autoptr(Vm) vm = vm_new();
    const char *serial = json_string_at(workload, "serialNumber", "");
    const char *os = json_string_at(workload, "osType", "");

    if (!check_vm(workload, error))
        return NULL;
    vm->id = g_strdup(json_string_at(workload, "id", ""));
    vm->name = g_strdup(json_string_at(workload, "name", ""));
    vm->uuid = g_strdup(vm->id);
    vm->serial = g_strdup(*serial ? serial : vm->id);
    set_firmware(vm, workload);
    set_processor(vm, workload);
    set_place_and_display(vm, workload);
    vm->tpm = !strcmp(os, "windows_2022") || !strcmp(os, "windows_11");
    vm->memory = json_int_at(workload, "memory", 0);
    vm->timezone = g_strdup(zone_of(json_string_at(workload, "timezone", "")));
    vm->os_label = g_strdup(os_label(os));
    vm->powered_on = !g_strv_contains(off, json_string_at(workload, "status", ""));
    vm->multi_queue = json_bool_at(workload, "multiQueues", FALSE);
    vm->needs_conversion = FALSE;
    add_nics(vm, workload);
    return add_disks(vm, workload, error) ? g_steal_pointer(&vm) : NULL;
}
