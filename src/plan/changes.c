/* changes: asks the source, and fits the answer into a Secret. */
#include "plan/changes.h"
#include "base/log.h"
#include "crd/plan_key.h"
#include "plan/warm.h"
#include "source/warm.h"

/* A Secret holds a MiB; a range takes up to 40 bytes of it. */
enum { MOST_RANGES = 16384 };

static gint by_value(gconstpointer a, gconstpointer b)
{
    guint64 one = *(const guint64 *)a, other = *(const guint64 *)b;
    return (one > other) - (one < other);
}

/* The gap up to which neighbours are joined, so that at most `most` ranges are left. */
static guint64 widest_gap(GArray *ranges, guint most)
{
    g_autoptr(GArray) gaps = g_array_new(FALSE, FALSE, sizeof(guint64));

    if (ranges->len <= most)
        return 0;
    for (guint i = 1; i < ranges->len; i++) {
        const SourceRange *before = &g_array_index(ranges, SourceRange, i - 1);
        guint64 gap = g_array_index(ranges, SourceRange, i).start - before->start - before->size;
        g_array_append_val(gaps, gap);
    }
    g_array_sort(gaps, by_value);
    return g_array_index(gaps, guint64, ranges->len - most - 1);
}

json_t *changes_ranges(GArray *ranges, guint most)
{
    guint64 gap = widest_gap(ranges, most);
    json_t *list = json_array();

    for (guint i = 0; i < ranges->len;) {
        SourceRange range = g_array_index(ranges, SourceRange, i++);
        for (; i < ranges->len; i++) {
            const SourceRange *next = &g_array_index(ranges, SourceRange, i);
            if (next->start - range.start - range.size > gap)
                break;
            range.size = next->start + next->size - range.start;
        }
        json_array_append_new(list, json_pack("[I, I]", (json_int_t)range.start, (json_int_t)range.size));
    }
    return list;
}

/* *changes stays NULL when they are lost. */
static gboolean ask(VmRun *vm, const VmDisk *disk, const json_t *disks, const char *change_id,
                    const char *generation, json_t **changes, GCancellable *cancel, GError **error)
{
    const char *id = vm_run_owner(vm)->vm_id, *snapshot = warm_snapshot(warm_last(vm_run_status(vm)));
    g_autoptr(GError) problem = NULL;
    g_autoptr(GArray) ranges = source_changes(vm_run_source(vm, NULL), id, snapshot, disks, disk->id,
                                              change_id, disk->size, cancel, &problem);
    g_autofree char *key = NULL;

    if (ranges) {
        *changes =
            json_pack("{s:s, s:o}", "since", generation, "ranges", changes_ranges(ranges, MOST_RANGES));
        return TRUE;
    }
    if (!g_error_matches(problem, GANTRY_ERROR, ERROR_CHANGES_LOST)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    key = plan_key(vm_run_plan(vm)->plan);
    log_warn("what has changed is not known: the disk is compared as a whole", "plan", key, "vm", id, "disk",
             disk->name, "error", problem->message, NULL);
    return TRUE;
}

/* The disk as a snapshot with that change id froze it, as the copier knows it. */
static char *generation_of(const json_t *as_it_is, const json_t *disk, const char *change_id)
{
    g_autoptr(json_t) then = json_copy((json_t *)disk);
    g_autoptr(json_t) source = NULL;

    json_object_set_new(then, "changeId", json_string(change_id));
    source = source_snapshot_source(as_it_is, then);
    return g_strdup(json_string_at(source, "generation", ""));
}

gboolean changes_find(VmRun *vm, const VmDisk *disk, json_t **source, json_t **changes, GCancellable *cancel,
                      GError **error)
{
    const json_t *status = vm_run_status(vm), *found;
    const char *since = warm_delta(warm_base(status), disk->id);
    const json_t *disks = vm_run_snapshot_disks(vm, warm_snapshot(warm_last(status)), cancel, error);
    g_autoptr(json_t) as_it_is = NULL;
    g_autofree char *generation = NULL;

    if (!disks)
        return FALSE;
    found = json_object_get(disks, disk->id);
    if (!found) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, "the snapshot has no disk %s any more",
                    disk->name);
        return FALSE;
    }
    as_it_is = *source;
    *source = source_snapshot_source(as_it_is, found);
    if (!since)
        return TRUE;
    generation = generation_of(as_it_is, found, since);
    if (!g_strcmp0(json_string_at(found, "knownSince", NULL), since)) {
        *changes = json_pack("{s:s, s:s}", "since", generation, "ranges", "source");
        return TRUE;
    }
    return ask(vm, disk, disks, since, generation, changes, cancel, error);
}
