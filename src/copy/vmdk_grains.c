/* vmdk_grains: looks entries up, a slice of a table at a time. */
#include "copy/vmdk_grains.h"
#include <string.h>

#define SECTOR       512
#define MOST_GRAIN   ((guint64)16 << 20)
#define MOST_ENTRIES ((guint64)65536)              /* of a table */
#define MOST_COVERED (G_GUINT64_CONSTANT(1) << 50) /* bytes: 1 PiB, the descriptor's limit */
#define SLICE        ((gsize)512)                  /* entries that are looked at together */

void vmdk_run_add(GArray *runs, const VmdkRun *run)
{
    VmdkRun *last = runs->len ? &g_array_index(runs, VmdkRun, runs->len - 1) : NULL;

    if (last && last->kind == run->kind && last->start + last->size == run->start &&
        (run->kind != VMDK_DATA || (last->file == run->file && last->offset + last->size == run->offset)))
        last->size += run->size;
    else
        g_array_append_val(runs, *run);
}

gboolean vmdk_grains_wrong(const VmdkGrains *grains, GError **error, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, GANTRY_ERROR, ERROR_DISK_TABLES, "%s (%s): %s", grains->file->name,
                grains->format->name, what);
    return FALSE;
}

/* ---- opening ----------------------------------------------------------------------------------- */

static gboolean check_geometry(const VmdkGrains *grains, GError **error)
{
    guint64 covered, needed;

    if (!grains->grain || grains->grain % SECTOR || grains->grain & (grains->grain - 1) ||
        grains->grain > MOST_GRAIN)
        return vmdk_grains_wrong(grains, error,
                                 "a grain has %" G_GUINT64_FORMAT
                                 " bytes; it must be a power of 2 from 512 to 16777216",
                                 grains->grain);
    if (!grains->per_table || grains->per_table > MOST_ENTRIES)
        return vmdk_grains_wrong(grains, error,
                                 "a table has %" G_GUINT64_FORMAT " entries; it must be from 1 to 65536",
                                 grains->per_table);
    if (grains->holds < grains->size || grains->holds > MOST_COVERED)
        return vmdk_grains_wrong(grains, error,
                                 "its header says %" G_GUINT64_FORMAT
                                 " bytes of disk, the descriptor %" G_GUINT64_FORMAT,
                                 grains->holds, grains->size);
    covered = grains->grain * grains->per_table; /* at most 2⁴⁰ */
    needed = (grains->size + covered - 1) / covered;
    if (grains->tables < needed)
        return vmdk_grains_wrong(grains, error,
                                 "its directory has %" G_GUINT64_FORMAT
                                 " entries; the disk needs %" G_GUINT64_FORMAT,
                                 grains->tables, needed);
    if (grains->directory < grains->format->header_size || grains->directory > grains->file->size ||
        needed > (grains->file->size - grains->directory) / grains->entry_size)
        return vmdk_grains_wrong(grains, error,
                                 "its directory (at %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
                                 " entries) lies outside the file's %" G_GUINT64_FORMAT " bytes",
                                 grains->directory, needed, grains->file->size);
    return TRUE;
}

VmdkGrains *vmdk_grains_open(const VmdkFormat *format, VmdkFile *file, guint64 size, GCancellable *cancel,
                             GError **error)
{
    g_autofree VmdkGrains *grains = g_new0(VmdkGrains, 1);
    g_autofree guint8 *header = g_malloc(format->header_size);
    gsize done = 0;

    grains->format = format;
    grains->file = file;
    grains->size = size;
    if (file->size < format->header_size) {
        vmdk_grains_wrong(grains, error,
                          "it has %" G_GUINT64_FORMAT " bytes; its header alone has %" G_GSIZE_FORMAT,
                          file->size, format->header_size);
        return NULL;
    }
    if (!file->store->type->read(file, 0, format->header_size, header, &done, cancel, error) ||
        !format->open(grains, header, error) || !check_geometry(grains, error))
        return NULL;
    return g_steal_pointer(&grains);
}

/* ---- looking up -------------------------------------------------------------------------------- */

static guint64 entry_of(const VmdkGrains *grains, const guint8 *entries, gsize i)
{
    return grains->entry_size == 8 ? vmdk_u64(entries + i * 8) : vmdk_u32(entries + i * 4);
}

/* The place of the table with that number; 0: it does not exist. */
static gboolean find_table(const VmdkGrains *grains, TableCache *cache, guint64 number, guint64 *offset,
                           GCancellable *cancel, GError **error)
{
    guint64 table_size = grains->per_table * grains->entry_size;
    guint8 entry[8];

    if (!table_cache_read(cache, grains->file, grains->directory + number * grains->entry_size,
                          grains->entry_size, entry, cancel, error) ||
        !grains->format->table(grains, entry_of(grains, entry, 0), offset, error))
        return FALSE;
    if (*offset && (*offset < grains->format->header_size || *offset > grains->file->size ||
                    table_size > grains->file->size - *offset))
        return vmdk_grains_wrong(grains, error,
                                 "table %" G_GUINT64_FORMAT " (at %" G_GUINT64_FORMAT
                                 ") lies outside the file's %" G_GUINT64_FORMAT " bytes",
                                 number, *offset, grains->file->size);
    return TRUE;
}

/* Adds the part of a grain from skip on: run says where in the disk, and how much. */
static gboolean add_grain(const VmdkGrains *grains, guint64 entry, guint64 skip, VmdkRun run, GArray *runs,
                          GError **error)
{
    if (!grains->format->grain(grains, entry, &run.kind, &run.offset, error))
        return FALSE;
    if (run.kind == VMDK_DATA) {
        run.file = grains->file;
        if (run.offset < grains->format->header_size || run.offset > grains->file->size ||
            skip + run.size > grains->file->size - run.offset)
            return vmdk_grains_wrong(grains, error,
                                     "the grain of byte %" G_GUINT64_FORMAT " (at %" G_GUINT64_FORMAT
                                     ") lies outside the file's %" G_GUINT64_FORMAT " bytes",
                                     run.start, run.offset, grains->file->size);
        run.offset += skip;
    }
    vmdk_run_add(runs, &run);
    return TRUE;
}

/* Grains of one table, at most SLICE; moves *start along. */
static gboolean add_slice(const VmdkGrains *grains, TableCache *cache, guint64 table, guint64 *start,
                          guint64 end, guint64 disk_start, GArray *runs, GCancellable *cancel, GError **error)
{
    guint64 first = *start / grains->grain, within = first % grains->per_table,
            last = MIN((end - 1) / grains->grain + 1, first - within + grains->per_table);
    gsize len = MIN(last - first, SLICE);
    guint8 entries[SLICE * 8];

    if (!table_cache_read(cache, grains->file, table + within * grains->entry_size, len * grains->entry_size,
                          entries, cancel, error))
        return FALSE;
    for (gsize i = 0; i < len; i++) {
        guint64 skip = *start % grains->grain;
        VmdkRun run = {.start = disk_start + *start, .size = MIN(grains->grain - skip, end - *start)};

        if (!add_grain(grains, entry_of(grains, entries, i), skip, run, runs, error))
            return FALSE;
        *start += run.size;
    }
    return TRUE;
}

gboolean vmdk_grains_find(const VmdkGrains *grains, TableCache *cache, guint64 start, guint64 size,
                          guint64 disk_start, GArray *runs, GCancellable *cancel, GError **error)
{
    const guint64 covered = grains->grain * grains->per_table, end = start + size;

    g_assert(start <= grains->size && size <= grains->size - start);
    while (start < end) {
        guint64 table, until = MIN(end, (start / covered + 1) * covered);

        if (!find_table(grains, cache, start / covered, &table, cancel, error))
            return FALSE;
        if (!table) {
            VmdkRun run = {.kind = VMDK_ABSENT, .start = disk_start + start, .size = until - start};
            vmdk_run_add(runs, &run);
            start = until;
        }
        while (start < until)
            if (!add_slice(grains, cache, table, &start, until, disk_start, runs, cancel, error))
                return FALSE;
    }
    return TRUE;
}
