/* vmdk_grains: a sparse VMDK extent: a directory of tables of grains, whatever the format.
 *
 * A disk's extent is divided into grains; a table has an entry for each of a fixed number of them, and the
 * directory an entry for each table. Formats differ in the header and in what the entries say (vmdk_cowd.c,
 * vmdk_sesparse.c, vmdk_hosted.c); how they are walked is the same. Everything that a header or a table says
 * is held against the file before it is used. Threads: constant after it was opened. Errors: DISK_TABLES
 * (the file, what it says and what would be right), DISK_FORMAT, and the store's.
 */
#pragma once
#include "copy/table_cache.h"

typedef enum {
    VMDK_ABSENT, /* not in this layer: the parent has it */
    VMDK_ZEROS,
    VMDK_DATA
} VmdkRunKind;

typedef struct {
    VmdkRunKind kind;
    guint64 start, size; /* in the disk */
    VmdkFile *file;      /* of VMDK_DATA: where the bytes are */
    guint64 offset;
} VmdkRun;

/* Adds a run; what goes on where the last one ended, in the same way, makes that longer. */
void vmdk_run_add(GArray *runs, const VmdkRun *run);

typedef struct VmdkGrains VmdkGrains;

typedef struct {
    const char *name;  /* "COWD" */
    gsize header_size; /* bytes of the file that open() gets */

    /* Fills what the header says into grains; checked afterwards are only limits that all formats share. */
    gboolean (*open)(VmdkGrains *grains, const guint8 *header, GError **error);
    /* Where a table is in the file, of a directory's entry; 0: there is none. */
    gboolean (*table)(const VmdkGrains *grains, guint64 entry, guint64 *offset, GError **error);
    /* What a grain is, of a table's entry; its place in the file when it is data. */
    gboolean (*grain)(const VmdkGrains *grains, guint64 entry, VmdkRunKind *kind, guint64 *offset,
                      GError **error);
} VmdkFormat;

struct VmdkGrains {
    const VmdkFormat *format;
    VmdkFile *file;
    guint64 size;  /* bytes of the disk that the extent covers, as its descriptor says */
    guint64 holds; /* as the file's header says: no less */

    guint64 grain;                /* bytes of the disk */
    guint64 per_table;            /* grains, and entries */
    gsize entry_size;             /* bytes of an entry, in directory and tables: 4 or 8 */
    guint64 directory;            /* bytes into the file */
    guint64 tables;               /* entries of the directory */
    guint64 tables_at, grains_at; /* bytes into the file; used by formats whose entries count from there */
    gboolean has_zero_entries;
};

extern const VmdkFormat vmdk_cowd, vmdk_sesparse, vmdk_hosted;

/* size: bytes of the disk. The file is borrowed. */
VmdkGrains *vmdk_grains_open(const VmdkFormat *format, VmdkFile *file, guint64 size, GCancellable *cancel,
                             GError **error);

/* Adds the runs of [start, start + size) of the extent, which begins at disk_start in the disk. */
gboolean vmdk_grains_find(const VmdkGrains *grains, TableCache *cache, guint64 start, guint64 size,
                          guint64 disk_start, GArray *runs, GCancellable *cancel, GError **error);

/* For formats: DISK_TABLES about the file. */
gboolean vmdk_grains_wrong(const VmdkGrains *grains, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Little-endian numbers in headers. */
static inline guint32 vmdk_u32(const guint8 *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (guint32)at[3] << 24;
}
static inline guint64 vmdk_u64(const guint8 *at)
{
    return vmdk_u32(at) | (guint64)vmdk_u32(at + 4) << 32;
}
