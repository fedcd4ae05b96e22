/* check_guest: power, snapshots, disks, drives, addresses, file systems. */
#include "plan/check_guest.h"
#include "source/warm.h"
#include <string.h>

static void say(PlanCheck *check, const char *type, const char *category, const char *reason,
                const char *message, const CheckedVm *vm, const char *what)
{
    g_autofree char *item = what ? g_strdup_printf("%s: %s", vm->text, what) : g_strdup(vm->text);
    conditions_add_item(check->conditions, type, category, reason, message, item);
}

static gboolean is_warm(const PlanCheck *check)
{
    return json_bool_at(object_json(check->plan), "spec.warm", FALSE);
}

static gboolean is_on(const CheckedVm *vm)
{
    return !strcmp(json_string_at(vm->workload, "powerState", ""), "poweredOn");
}

/* ---- power and tools ---- */

static void check_power(PlanCheck *check, const CheckedVm *vm)
{
    const char *tools = json_string_at(vm->workload, "toolsRunningStatus", "");

    if (!strcmp(json_string_at(vm->workload, "powerState", ""), "suspended"))
        say(check, "VMPowerStateUnsupported", CONDITION_CRITICAL, "NotSupported",
            "A suspended or hibernated VM cannot be migrated: its disks lack what is still in memory. Resume "
            "it and shut it "
            "down.",
            vm, NULL);
    else if (is_on(vm) && *tools && strcmp(tools, "guestToolsRunning") && !check->settings->power_off_force)
        say(check, "GuestToolsIssue", CONDITION_WARN, "ToolsNotRunning",
            "VMware Tools do not run, so the guest cannot be asked to shut down: start them, or shut it down "
            "by hand in time.",
            vm, NULL);
}

/* ---- disks ---- */

static const char *disk_name(const json_t *disk)
{
    return json_string_at(disk, "file", json_string_at(disk, "id", ""));
}

static void check_snapshots(PlanCheck *check, const CheckedVm *vm)
{
    if (*json_string_at(vm->workload, "snapshot.id", ""))
        say(check, "VMHasSnapshots", is_warm(check) ? CONDITION_CRITICAL : CONDITION_WARN, "HasSnapshots",
            is_warm(check) ? "A VM with snapshots cannot be migrated warm: remove them."
                           : "Only the present state of these VMs is migrated, not their snapshots.",
            vm, NULL);
}

static void say_not_kept(PlanCheck *check, const CheckedVm *vm, const VmDisk *disk)
{
    g_autofree char *what =
        g_strdup_printf("disk %s, %" G_GUINT64_FORMAT " MB", disk->name, disk->size >> 20);

    say(check, "VMMissingChangedBlockTracking", CONDITION_WARN, "MissingChangedBlockTracking",
        "The source does not keep what changes on these disks: each round of a warm migration, and the last "
        "one while the VM is off, reads them whole. A disk in qcow2 with incremental backup enabled is read "
        "by its changes.",
        vm, what);
}

static void say_not_frozen(PlanCheck *check, const CheckedVm *vm, const VmDisk *disk, const char *why)
{
    g_autofree char *what = g_strdup_printf("disk %s: %s", disk->name, why);

    say(check, "WarmMigrationNotReady", CONDITION_CRITICAL, "NotSupported",
        "These disks cannot be read while their VM runs: set spec.warm to false, or change what is said.", vm,
        what);
}

/* What a round's changes are asked by. */
static void check_tracking(PlanCheck *check, const CheckedVm *vm)
{
    const char *type = json_string_at(object_json(check->provider), "spec.type", "");
    gboolean to_switch_on = FALSE;

    for (guint i = 0; is_warm(check) && i < vm->vm->disks->len; i++) {
        const VmDisk *disk = vm->vm->disks->pdata[i];
        const char *why;
        SourceTracking tracking = source_tracking(type, vm->workload, disk->id, &why);
        to_switch_on = to_switch_on || tracking == CHANGES_TO_SWITCH_ON;
        if (tracking == CHANGES_NOT_KEPT)
            say_not_kept(check, vm, disk);
        if (tracking == CHANGES_NOT_FROZEN)
            say_not_frozen(check, vm, disk, why);
    }
    if (!to_switch_on)
        return;
    if (check->settings->track_changes)
        say(check, "VMMissingChangedBlockTracking", CONDITION_WARN, "MissingChangedBlockTracking",
            "Changed block tracking will be switched on in the source, and take effect by a snapshot.", vm,
            NULL);
    else
        say(check, "VMMissingChangedBlockTracking", CONDITION_CRITICAL, "MissingChangedBlockTracking",
            "A warm migration needs changed block tracking on the VM and each of its disks: switch it on, or "
            "let Gantry do "
            "so with controller_enable_change_tracking: true in the ForkliftController.",
            vm, NULL);
}

/* No snapshot holds an independent disk. */
static void check_mode(PlanCheck *check, const CheckedVm *vm, const json_t *disk)
{
    if (g_str_has_prefix(json_string_at(disk, "mode", ""), "independent"))
        say(check, "IndependentDiskWarning", is_warm(check) ? CONDITION_CRITICAL : CONDITION_WARN,
            "IndependentDisk",
            is_warm(check)
                ? "Independent disks are left out of snapshots and cannot be migrated warm: change their "
                  "mode."
                : "Independent disks are left out of snapshots; they are migrated while the VM is off.",
            vm, disk_name(disk));
}

static void check_shared(PlanCheck *check, const CheckedVm *vm, const json_t *disk)
{
    g_autofree char *type = g_strdup_printf("SharedWarnDisks-%s", vm->vm->id);

    if (json_bool_at(disk, "shared", FALSE))
        say(check, type, CONDITION_WARN, "SharedDisks",
            "Disks are shared with other VMs: each VM that is migrated gets a copy of its own.", vm,
            disk_name(disk));
}

/* The type of the datastore that a disk is on, "" when the inventory does not know; a new text, NULL with an
 * error. */
static char *datastore_type(PlanCheck *check, const char *id, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) datastore =
        *id ? inventory_get(check->inventory, check->provider, "datastores", id, cancel, &problem) : NULL;

    if (datastore || !problem || g_error_matches(problem, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND))
        return g_strdup(json_string_at(datastore, "type", ""));
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

static gboolean is_read_over_https(const PlanCheck *check, const CheckedVm *vm, const json_t *disk)
{
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, json_int_at(disk, "key", 0));
    g_autofree char *reader =
        source_reader(json_string_at(object_json(check->provider), "spec.type", ""), vm->workload, id, NULL);

    return !g_strcmp0(reader, "https") &&
           !*json_string_at(object_json(check->provider), "spec.settings.vddkInitImage", "");
}

/* The disks of vSAN and vVol datastores are no files that HTTPS could read: the source streams them, and has
 * no ranges of such a stream. */
static void say_streamed(PlanCheck *check, const CheckedVm *vm, const json_t *disk, const char *type)
{
    g_autofree char *size = g_format_size_full(json_int_at(disk, "capacity", 0), G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *what = g_strdup_printf("%s (%s): %s%s", disk_name(disk), *type ? type : "vVol", size,
                                            is_warm(check) ? " each pass" : "");

    say(check, "VMStorageNotSupported", CONDITION_WARN, "Streamed",
        is_warm(check)
            ? "Disks on vSAN and vVol datastores are no files: each pass of a warm migration, and the last "
              "one while the VM is off, streams the whole snapshot from its beginning. Set vddkInitImage on "
              "the provider, move the disks to a VMFS or NFS datastore, or migrate them cold."
            : "Disks on vSAN and vVol datastores are no files: they are streamed whole, and from the "
              "beginning after each interruption. Set vddkInitImage on the provider, or move them to a VMFS "
              "or NFS datastore.",
        vm, what);
}

static gboolean check_datastore(PlanCheck *check, const CheckedVm *vm, const json_t *disk,
                                GCancellable *cancel, GError **error)
{
    g_autofree char *type = datastore_type(check, json_string_at(disk, "datastore.id", ""), cancel, error);
    gboolean is_object;

    if (!type)
        return FALSE;
    is_object = *json_string_at(disk, "vvolId", "") || !g_ascii_strcasecmp(type, "vsan") ||
                !g_ascii_strcasecmp(type, "vvol");
    if (is_object && is_read_over_https(check, vm, disk))
        say_streamed(check, vm, disk, type);
    return TRUE;
}

static gboolean check_disks(PlanCheck *check, const CheckedVm *vm, GCancellable *cancel, GError **error)
{
    size_t i;
    json_t *disk;

    json_array_foreach (json_object_get(vm->workload, "disks"), i, disk) {
        check_mode(check, vm, disk);
        check_shared(check, vm, disk);
        if (!check_datastore(check, vm, disk, cancel, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- drives ---- */

static void check_drives(PlanCheck *check, const CheckedVm *vm)
{
    size_t i;
    json_t *drive;

    json_array_foreach (json_object_get(vm->workload, "cdroms"), i, drive) {
        const char *file = json_string_at(drive, "file", "");
        g_autofree char *what = g_strdup_printf("%s%s%s%s", json_string_at(drive, "label", ""),
                                                *file ? " (" : "", file, *file ? ")" : "");
        if (json_bool_at(drive, "connected", FALSE) ||
            (*file && json_bool_at(drive, "startConnected", FALSE)))
            say(check, "VMHasMountedMedia", CONDITION_WARN, "Connected",
                "CD drives are not migrated: disconnect them, so that no guest misses one.", vm, what);
    }
}

/* ---- the guest ---- */

static gboolean has_address(const json_t *workload, const char *mac)
{
    size_t i;
    json_t *network;

    json_array_foreach (json_object_get(workload, "guestNetworks"), i, network)
        if (!g_ascii_strcasecmp(json_string_at(network, "mac", ""), mac) &&
            *json_string_at(network, "ip", ""))
            return TRUE;
    return FALSE;
}

/* Only a guest with running tools tells its addresses. */
static void check_addresses(PlanCheck *check, const CheckedVm *vm)
{
    size_t i;
    json_t *nic;

    if (!is_on(vm) || strcmp(json_string_at(vm->workload, "toolsRunningStatus", ""), "guestToolsRunning"))
        return;
    json_array_foreach (json_object_get(vm->workload, "nics"), i, nic) {
        const char *mac = json_string_at(nic, "mac", "");
        g_autofree char *what = g_strdup_printf("Network adapter %" G_GSIZE_FORMAT " (%s)", i + 1, mac);
        if (json_bool_at(nic, "startConnected", TRUE) && !has_address(vm->workload, mac))
            say(check, "VMMissingGuestIPs", CONDITION_WARN, "MissingGuestIPs",
                "Network adapters have neither an IPv4 nor an IPv6 address in the guest.", vm, what);
    }
}

static gboolean is_converted(const PlanCheck *check)
{
    return !json_bool_at(object_json(check->plan), "spec.skipGuestConversion", FALSE);
}

static void check_file_systems(PlanCheck *check, const CheckedVm *vm)
{
    size_t i;
    json_t *disk;

    json_array_foreach (json_object_get(vm->workload, "guestDisks"), i, disk) {
        g_autofree char *what = g_strdup_printf("%s is Btrfs", json_string_at(disk, "diskPath", ""));
        if (is_converted(check) && !g_ascii_strcasecmp(json_string_at(disk, "filesystemType", ""), "btrfs"))
            say(check, "GuestFileSystemNotSupported", CONDITION_CRITICAL, "NotSupported",
                "Guests with Btrfs cannot be converted: set skipGuestConversion when the guest has virtio "
                "drivers.",
                vm, what);
    }
}

gboolean check_guest(PlanCheck *check, const CheckedVm *vm, GCancellable *cancel, GError **error)
{
    check_power(check, vm);
    check_snapshots(check, vm);
    check_tracking(check, vm);
    check_drives(check, vm);
    check_addresses(check, vm);
    check_file_systems(check, vm);
    return check_disks(check, vm, cancel, error);
}
