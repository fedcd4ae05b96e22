/* fake_snapshots: the part of fake_world that source/warm.h sees: a snapshot per VM at most, change ids that
 * count up. */
#include "plan/fake_world.h"
#include "source/warm.h"
#include <string.h>

typedef struct {
    char *owner, *label;
    guint number; /* of all that were ever made of this VM */
    gboolean there;
    guint asked; /* how often its disks were asked for */
} Snapshot;

static GMutex lock;
static GHashTable *snapshots; /* vm id → Snapshot */

static Snapshot *of(const char *vm_id)
{
    Snapshot *snapshot;

    if (!snapshots)
        snapshots = g_hash_table_new(g_str_hash, g_str_equal);
    snapshot = g_hash_table_lookup(snapshots, vm_id);
    if (!snapshot) {
        snapshot = g_new0(Snapshot, 1);
        g_hash_table_insert(snapshots, g_strdup(vm_id), snapshot);
    }
    return snapshot;
}

guint fake_snapshots_made(const char *vm_id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    return of(vm_id)->number;
}

void fake_remove_snapshot(const char *vm_id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    of(vm_id)->there = FALSE;
}

guint fake_snapshot_asked(const char *vm_id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    return of(vm_id)->asked;
}

gboolean fake_has_snapshot(const char *vm_id)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    return of(vm_id)->there;
}

void fake_snapshots_end(void)
{
    GHashTableIter iter;
    gpointer id, snapshot;

    if (!snapshots)
        return;
    g_hash_table_iter_init(&iter, snapshots);
    while (g_hash_table_iter_next(&iter, &id, &snapshot)) {
        g_free(((Snapshot *)snapshot)->owner);
        g_free(((Snapshot *)snapshot)->label);
        g_free(snapshot);
        g_free(id);
    }
    g_clear_pointer(&snapshots, g_hash_table_unref);
}

/* vSphere's trap: a second one on top of ours would mean that the order was wrong. */
char *source_snapshot_create(Source *source, const char *vm_id, const char *owner, const char *label,
                             const char *since, gboolean *quiesced, GCancellable *cancel, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Snapshot *snapshot = of(vm_id);

    if (!snapshot->there || strcmp(snapshot->label, label)) {
        g_assert_false(snapshot->there);
        g_free(snapshot->owner);
        g_free(snapshot->label);
        snapshot->owner = g_strdup(owner);
        snapshot->label = g_strdup(label);
        snapshot->there = TRUE;
        snapshot->number++;
        snapshot->asked = 0;
    }
    *quiesced = TRUE;
    return g_strdup_printf("snapshot-%u", snapshot->number);
}

gboolean source_snapshot_release(Source *source, const char *vm_id, const char *snapshot,
                                 GCancellable *cancel, GError **error)
{
    return TRUE;
}

gboolean source_snapshot_sweep(Source *source, const char *vm_id, const char *owner, const char *keep,
                               GCancellable *cancel, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    of(vm_id)->there = FALSE;
    return TRUE;
}

json_t *source_snapshot_disks(Source *source, const char *vm_id, const char *id, GCancellable *cancel,
                              GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Snapshot *snapshot = of(vm_id);
    g_autofree char *now = g_strdup_printf("snapshot-%u", snapshot->number);
    g_autofree char *change = g_strdup_printf("tracker/%u", snapshot->number);

    if (!snapshot->there || g_strcmp0(now, id)) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, "there is no snapshot %s", id);
        return NULL;
    }
    snapshot->asked++;
    if (fake_faults.changes_are_off)
        return json_pack("{s:{s:s}, s:{s:s}}", "2000", "file", "[ds] a.vmdk", "2001", "file", "[ds] b.vmdk");
    return json_pack("{s:{s:s, s:s}, s:{s:s, s:s}}", "2000", "file", "[ds] a.vmdk", "changeId", change,
                     "2001", "file", "[ds] b.vmdk", "changeId", change);
}

json_t *source_snapshot_source(const json_t *as_it_is, const json_t *disk)
{
    json_t *source = json_deep_copy(as_it_is);
    json_object_set(source, "generation", json_object_get(disk, "changeId"));
    return source;
}

/* The second half of the disk has changed. */
GArray *source_changes(Source *source, const char *vm_id, const char *snapshot, const json_t *disks,
                       const char *disk_id, const char *change_id, guint64 size, GCancellable *cancel,
                       GError **error)
{
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(SourceRange));
    SourceRange half = {size / 2, size - size / 2};

    if (fake_faults.changes_are_lost) {
        g_array_unref(ranges);
        g_set_error(error, GANTRY_ERROR, ERROR_CHANGES_LOST, "the tracking began anew");
        return NULL;
    }
    g_array_append_val(ranges, half);
    return ranges;
}

SourceTracking source_tracking(const char *type, const json_t *workload, const char *disk_id, const char **why)
{
    *why = NULL;
    return json_bool_at(workload, "changeTrackingEnabled", FALSE) ? CHANGES_TRACKED : CHANGES_TO_SWITCH_ON;
}

gboolean source_reads_running(const char *type)
{
    return TRUE;
}

gboolean source_track_changes(Source *source, const char *vm_id, const char *owner, char **snapshot,
                              GCancellable *cancel, GError **error)
{
    *snapshot = NULL;
    return TRUE;
}
