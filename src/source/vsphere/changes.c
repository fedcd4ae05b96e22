/* changes: changed block tracking: the change ids of a snapshot's disks, and the areas that changed between
 * two.
 *
 * A change id is read in the snapshot's configuration, never in the running VM's, which is not sealed. It
 * reads "UUID/N"; ids of another UUID count from another beginning, and say nothing about this one.
 */
#include "source/vsphere/vsphere.h"
#include <string.h>

#define MOST_RANGES 4000000 /* 64 KiB each in 256 GiB that changed: more is no delta */

/* ---- the disks of a snapshot --------------------------------------------------------------------------- */

static json_t *read_parents(const xmlNode *backing)
{
    json_t *parents = json_array();

    for (xmlNode *parent = soap_child(backing, "parent"); parent; parent = soap_child(parent, "parent")) {
        const char *file = soap_peek(soap_child(parent, "fileName"));
        json_array_append_new(parents, json_string(file ? file : ""));
    }
    return parents;
}

static gint64 capacity_of(const xmlNode *disk)
{
    gint64 bytes = vsphere_int(soap_child(disk, "capacityInBytes"));
    return bytes ? bytes : vsphere_int(soap_child(disk, "capacityInKB")) * 1024;
}

static gboolean take_disks(const Properties *properties, gpointer user_data, GError **error)
{
    json_t *disks = json_object();

    for (xmlNode *device = soap_first(properties_node(properties, "config.hardware.device")); device;
         device = soap_next(device)) {
        const xmlNode *backing = soap_child(device, "backing");
        const char *file = soap_peek(soap_child(backing, "fileName")),
                   *key = soap_peek(soap_child(device, "key")),
                   *change_id = soap_peek(soap_child(backing, "changeId"));
        g_autofree char *type = soap_type(device);
        json_t *disk;

        if (g_strcmp0(type, "VirtualDisk") || !file || !key)
            continue;
        disk = json_pack("{s:s,s:o,s:I}", "file", file, "parents", read_parents(backing), "size",
                         (json_int_t)capacity_of(device));
        if (change_id && *change_id)
            json_object_set_new(disk, "changeId", json_string(change_id));
        json_object_set_new(disks, key, disk);
    }
    *(json_t **)user_data = disks;
    return TRUE;
}

json_t *vsphere_snapshot_disks(gpointer session, const char *vm_id, const char *snapshot,
                               GCancellable *cancel, GError **error)
{
    static const char *const paths[] = {"config.hardware.device", NULL};
    json_t *disks = NULL, *disk;
    const char *key;

    if (!vsphere_read_object(session, "VirtualMachineSnapshot", snapshot, paths, take_disks, &disks, cancel,
                             error)) {
        g_prefix_error(error, "snapshot '%s' of VM '%s': ", snapshot, vm_id);
        return NULL;
    }
    json_object_foreach (disks, key, disk)
        json_object_set_new(disk, "snapshot", json_string(snapshot));
    return disks;
}

/* Of the VM and of each of its disks; both can be switched on. */
SourceTracking vsphere_tracking(const json_t *workload, const char *disk_id, const char **why)
{
    gboolean tracked = json_bool_at(workload, "changeTrackingEnabled", FALSE);
    json_t *disk;
    size_t i;

    json_array_foreach (json_object_get(workload, "disks"), i, disk) {
        g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, json_int_at(disk, "key", -1));
        if (!strcmp(id, disk_id))
            tracked = tracked && json_bool_at(disk, "changeTrackingEnabled", TRUE);
    }
    return tracked ? CHANGES_TRACKED : CHANGES_TO_SWITCH_ON;
}

/* ---- switching it on ----------------------------------------------------------------------------------- */

static gboolean take_tracking(const Properties *properties, gpointer user_data, GError **error)
{
    *(gboolean *)user_data = properties_bool(properties, "config.changeTrackingEnabled");
    return TRUE;
}

gboolean vsphere_track(gpointer session, const char *vm_id, gboolean *changed, GCancellable *cancel,
                       GError **error)
{
    static const char *const paths[] = {"config.changeTrackingEnabled", NULL};
    GString *call;
    g_autofree char *task = NULL;
    gboolean is_on = FALSE;

    if (!vsphere_read_object(session, "VirtualMachine", vm_id, paths, take_tracking, &is_on, cancel, error))
        return FALSE;
    if (is_on)
        return TRUE;
    call = soap_call("ReconfigVM_Task", "VirtualMachine", vm_id);
    soap_open(call, "spec");
    soap_add(call, "changeTrackingEnabled", "true");
    soap_close(call, "spec");
    task = vsphere_begin_task(session, call, "ReconfigVM_Task", cancel, error);
    if (task && vsphere_wait_for_task(session, task, NULL, cancel, error)) {
        *changed = TRUE;
        return TRUE;
    }
    g_prefix_error(error, "changed block tracking of VM '%s' cannot be switched on: ", vm_id);
    return FALSE;
}

/* ---- areas --------------------------------------------------------------------------------------------- */

typedef struct {
    guint64 start, length;
    GArray *ranges;
} Page;

static gboolean take_page(xmlNode *element, gpointer user_data, GError **error)
{
    Page *page = user_data;

    page->start = vsphere_int(soap_child(element, "startOffset"));
    page->length = vsphere_int(soap_child(element, "length"));
    for (xmlNode *area = soap_first(element); area; area = soap_next(area)) {
        gint64 start = vsphere_int(soap_child(area, "start")),
               length = vsphere_int(soap_child(area, "length"));
        SourceRange range = {start, length};

        if (!soap_is(area, "changedArea"))
            continue;
        if (start < 0 || length < 0 || start > G_MAXINT64 - length || page->ranges->len >= MOST_RANGES) {
            g_set_error(error, GANTRY_ERROR, ERROR_SOAP_MALFORMED,
                        "a changed area of %" G_GINT64_FORMAT " bytes at %" G_GINT64_FORMAT
                        " cannot be, or there are more than %d",
                        length, start, MOST_RANGES);
            return FALSE;
        }
        g_array_append_val(page->ranges, range);
    }
    return FALSE;
}

static gboolean read_page(VsphereSession *session, const char *vm_id, const char *snapshot,
                          const char *disk_id, const char *change_id, guint64 start, Page *page,
                          GCancellable *cancel, GError **error)
{
    static const char *const names[] = {"returnval", NULL};
    GString *call = soap_call("QueryChangedDiskAreas", "VirtualMachine", vm_id);
    g_autofree char *offset = g_strdup_printf("%" G_GUINT64_FORMAT, start);
    g_autoptr(GBytes) envelope = NULL, reply = NULL;

    soap_add_ref(call, "snapshot", "VirtualMachineSnapshot", snapshot);
    soap_add(call, "deviceKey", disk_id);
    soap_add(call, "startOffset", offset);
    soap_add(call, "changeId", change_id);
    envelope = soap_finish(call, "QueryChangedDiskAreas");
    reply = vsphere_call(session, envelope, cancel, error);
    page->length = 0;
    return reply && soap_read(reply, names, take_page, page, error);
}

/* vSphere says so by FileFault, or by finding fault with the changeId. */
static void name_loss(const char *disk_id, GError **failed)
{
    if (!strstr((*failed)->message, "FileFault") &&
        !(strstr((*failed)->message, "InvalidArgument") && strstr((*failed)->message, "changeId")))
        return;
    GError *lost = g_error_new(GANTRY_ERROR, ERROR_CHANGES_LOST, "the changes of disk %s are not known: %s",
                               disk_id, (*failed)->message);
    g_error_free(*failed);
    *failed = lost;
}

static gboolean same_beginning(const char *one, const char *other)
{
    const char *slash = strrchr(one, '/');
    return slash && !strncmp(one, other, slash - one + 1);
}

static gboolean lost(GError **error, const char *disk_id, const char *why)
{
    g_set_error(error, GANTRY_ERROR, ERROR_CHANGES_LOST, "the changes of disk %s are not known: %s", disk_id,
                why);
    return FALSE;
}

/* Whether what the snapshot counts from is what change_id counts from. */
static gboolean check_beginning(const char *vm_id, const char *snapshot, const json_t *disks,
                                const char *disk_id, const char *change_id, guint64 size, GError **error)
{
    const json_t *disk = json_object_get(disks, disk_id);
    const char *now = json_string_at(disk, "changeId", NULL);

    if (!disk) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, "snapshot '%s' of VM '%s' has no disk %s",
                    snapshot, vm_id, disk_id);
        return FALSE;
    }
    if (!now) {
        g_set_error(error, GANTRY_ERROR, ERROR_CHANGES_OFF,
                    "the changes of disk %s (%s) of VM '%s' are not tracked", disk_id,
                    json_string_at(disk, "file", ""), vm_id);
        return FALSE;
    }
    if ((guint64)json_int_at(disk, "size", 0) != size)
        return lost(error, disk_id, "it has another size than before");
    if (strcmp(change_id, "*") && !same_beginning(change_id, now))
        return lost(error, disk_id, "their tracking has begun anew");
    return TRUE;
}

gboolean vsphere_changes(gpointer session, const char *vm_id, const char *snapshot, const json_t *disks,
                         const char *disk_id, const char *change_id, guint64 size, GArray *ranges,
                         GCancellable *cancel, GError **error)
{
    Page page = {.ranges = ranges};

    if (!check_beginning(vm_id, snapshot, disks, disk_id, change_id, size, error))
        return FALSE;
    for (guint64 start = 0; start < size; start = page.start + page.length) {
        g_autoptr(GError) failed = NULL;

        if (!read_page(session, vm_id, snapshot, disk_id, change_id, start, &page, cancel, &failed)) {
            name_loss(disk_id, &failed);
            g_propagate_error(error, g_steal_pointer(&failed));
            return FALSE;
        }
        if (page.start != start || !page.length ||
            page.length >
                G_MAXINT64) { /* a page without areas is not the end; one without a length is no page */
            g_set_error(error, GANTRY_ERROR, ERROR_SOAP_MALFORMED,
                        "the changes of disk %s from %" G_GUINT64_FORMAT
                        " on were asked for; the source speaks of %" G_GUINT64_FORMAT
                        " bytes at %" G_GUINT64_FORMAT,
                        disk_id, start, page.length, page.start);
            return FALSE;
        }
    }
    return TRUE;
}
