/* warm: hands every call on to the kind of the source. */
#include "source/warm.h"
#include "source/kind.h"
#include <string.h>

static const SourceWarm *find_warm(Source *source, GError **error)
{
    const SourceKind *kind = source_kind(source);

    if (!kind->warm)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "a source of type %s has no snapshots that are read", kind->type);
    return kind->warm;
}

json_t *source_snapshots(Source *source, const char *vm_id, GCancellable *cancel, GError **error)
{
    const SourceWarm *warm = find_warm(source, error);
    return warm ? warm->snapshots(source_connection(source), vm_id, cancel, error) : NULL;
}

char *source_snapshot_create(Source *source, const char *vm_id, const char *owner, const char *label,
                             const char *since, gboolean *quiesced, GCancellable *cancel, GError **error)
{
    const SourceWarm *warm = find_warm(source, error);
    return warm ? warm->create(source_connection(source), vm_id, owner, label, since, quiesced, cancel, error)
                : NULL;
}

gboolean source_snapshot_release(Source *source, const char *vm_id, const char *snapshot,
                                 GCancellable *cancel, GError **error)
{
    const SourceWarm *warm = find_warm(source, error);
    return warm &&
           (!warm->release || warm->release(source_connection(source), vm_id, snapshot, cancel, error));
}

gboolean source_snapshot_remove(Source *source, const char *vm_id, const char *snapshot, GCancellable *cancel,
                                GError **error)
{
    const SourceWarm *warm = find_warm(source, error);
    return warm && warm->remove(source_connection(source), vm_id, snapshot, cancel, error);
}

gboolean source_snapshot_sweep(Source *source, const char *vm_id, const char *owner, const char *keep,
                               GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) all = source_snapshots(source, vm_id, cancel, error);
    const json_t *one;
    size_t at;

    if (!all)
        return FALSE;
    json_array_foreach (json_object_get(all, "snapshots"), at, one) {
        const char *id = json_string_at(one, "id", "");

        if (g_strcmp0(json_string_at(one, "owner", NULL), owner) || !g_strcmp0(id, keep))
            continue;
        if (!source_snapshot_remove(source, vm_id, id, cancel, error))
            return FALSE;
    }
    return source_settle(source, vm_id, cancel, error);
}

gboolean source_settle(Source *source, const char *vm_id, GCancellable *cancel, GError **error)
{
    const SourceWarm *warm = find_warm(source, error);
    return warm && warm->settle(source_connection(source), vm_id, cancel, error);
}

json_t *source_snapshot_disks(Source *source, const char *vm_id, const char *snapshot, GCancellable *cancel,
                              GError **error)
{
    const SourceWarm *warm = find_warm(source, error);
    return warm ? warm->disks(source_connection(source), vm_id, snapshot, cancel, error) : NULL;
}

json_t *source_snapshot_source(const json_t *as_it_is, const json_t *disk)
{
    const char *file = json_string_at(disk, "file", ""), *end = strstr(file, "] ");
    g_autofree char *datastore = NULL;
    json_t *source = json_deep_copy(as_it_is), *other;
    size_t at;

    if (*file == '[' && end) {
        datastore = g_strndup(file + 1, end - file - 1);
        json_object_set_new(source, "datastore", json_string(datastore));
        json_object_set_new(source, "path", json_string(end + 2));
    }
    json_object_set(source, "parents", json_object_get(disk, "parents"));
    json_object_set_new(source, "generation",
                        json_sprintf("snapshot/%s/%s", json_string_at(disk, "changeId", ""), file));
    json_array_foreach (json_object_get(source, "others"), at, other) {
        json_object_set(other, "snapshot", json_object_get(disk, "snapshot"));
        json_object_set(other, "generation", json_object_get(source, "generation"));
    }
    return source;
}

SourceTracking source_tracking(const char *type, const json_t *workload, const char *disk_id, const char **why)
{
    const SourceKind *kind = source_find_kind(type);

    *why = NULL;
    return kind && kind->warm ? kind->warm->tracking(workload, disk_id, why) : CHANGES_NOT_KEPT;
}

gboolean source_reads_running(const char *type)
{
    const SourceKind *kind = source_find_kind(type);
    return kind && kind->warm;
}

gboolean source_track_changes(Source *source, const char *vm_id, const char *owner, char **snapshot,
                              GCancellable *cancel, GError **error)
{
    const SourceWarm *warm = find_warm(source, error);
    gboolean changed = FALSE, quiesced;

    *snapshot = NULL;
    if (!warm || !warm->track(source_connection(source), vm_id, &changed, cancel, error))
        return FALSE;
    if (!changed)
        return TRUE;
    *snapshot = source_snapshot_create(source, vm_id, owner, "tracking", NULL, &quiesced, cancel, error);
    return *snapshot && source_snapshot_remove(source, vm_id, *snapshot, cancel, error) &&
           source_settle(source, vm_id, cancel, error);
}

static gint by_start(gconstpointer a, gconstpointer b)
{
    const SourceRange *left = a, *right = b;
    return left->start < right->start ? -1 : left->start > right->start;
}

/* In order, without overlaps, and inside the disk. */
static GArray *tidy(GArray *ranges, guint64 size)
{
    GArray *tidied = g_array_new(FALSE, FALSE, sizeof(SourceRange));

    g_array_sort(ranges, by_start);
    for (guint i = 0; i < ranges->len; i++) {
        SourceRange range = g_array_index(ranges, SourceRange, i);
        SourceRange *last = tidied->len ? &g_array_index(tidied, SourceRange, tidied->len - 1) : NULL;

        if (range.start >= size || !range.size)
            continue;
        range.size = MIN(range.size, size - range.start);
        if (last && range.start <= last->start + last->size)
            last->size = MAX(last->size, range.start + range.size - last->start);
        else
            g_array_append_val(tidied, range);
    }
    return tidied;
}

GArray *source_changes(Source *source, const char *vm_id, const char *snapshot, const json_t *disks,
                       const char *disk_id, const char *change_id, guint64 size, GCancellable *cancel,
                       GError **error)
{
    const SourceWarm *warm = find_warm(source, error);
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(SourceRange));

    if (warm && !warm->changes)
        g_set_error(error, GANTRY_ERROR, ERROR_CHANGES_LOST,
                    "what has changed on disk %s is not known since '%s'", disk_id, change_id);
    return warm && warm->changes &&
                   warm->changes(source_connection(source), vm_id, snapshot, disks, disk_id, change_id, size,
                                 ranges, cancel, error)
               ? tidy(ranges, size)
               : NULL;
}
