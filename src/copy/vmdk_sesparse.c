/* vmdk_sesparse: SESPARSE extents, the snapshots' deltas of VMFS 6 and of disks beyond 2 TiB: 64-bit entries
 * whose top four bits say what a grain is, grains of 4 KiB, tables of 4096. VMware has published no
 * description; the format is as QEMU's block/vmdk.c reads it, and as that refuses what is not understood.
 */
#include "copy/vmdk_grains.h"

#define SECTOR         ((guint64)512)
#define MAGIC          G_GUINT64_CONSTANT(0xcafebabe)
#define VOLATILE_MAGIC G_GUINT64_CONSTANT(0xcafecafe)
#define VERSION_2_1    G_GUINT64_CONSTANT(0x0000000200000001)
#define MOST_SECTORS   (G_GUINT64_CONSTANT(1) << 41)

/* Of the constant header (the first sector), and of the volatile one after it. */
enum {
    VERSION = 8,
    CAPACITY = 16,
    GRAIN_SECTORS = 24,
    TABLE_SECTORS = 32,
    FLAGS = 40,
    VOLATILE_HEADER = 80,
    DIRECTORY = 128,
    DIRECTORY_SECTORS = 136,
    TABLES = 144,
    GRAINS = 192,
    REPLAY_JOURNAL = 512 + 24,
    HEADER_SIZE = 1024
};

static gboolean check_headers(const VmdkGrains *grains, const guint8 *header, GError **error)
{
    if (vmdk_u64(header) != MAGIC || vmdk_u64(header + VERSION) != VERSION_2_1)
        return vmdk_grains_wrong(grains, error, "it does not begin with an SESPARSE header of version 2.1");
    if (vmdk_u64(header + FLAGS) || vmdk_u64(header + VOLATILE_HEADER) != 1 ||
        vmdk_u64(header + SECTOR) != VOLATILE_MAGIC)
        return vmdk_grains_wrong(grains, error, "its header has flags or a layout that are not known");
    if (vmdk_u64(header + REPLAY_JOURNAL))
        return vmdk_grains_wrong(grains, error,
                                 "its journal has not been replayed: the host that wrote it stopped "
                                 "in the middle; open and close the disk in the source first");
    return TRUE;
}

static gboolean open_sesparse(VmdkGrains *grains, const guint8 *header, GError **error)
{
    static const guint numbers[] = {CAPACITY, DIRECTORY, DIRECTORY_SECTORS, TABLES, GRAINS};

    if (!check_headers(grains, header, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (vmdk_u64(header + numbers[i]) > MOST_SECTORS)
            return vmdk_grains_wrong(grains, error,
                                     "byte %u of its header says %" G_GUINT64_FORMAT
                                     " sectors; a disk has at most 2199023255552",
                                     numbers[i], vmdk_u64(header + numbers[i]));
    if (vmdk_u64(header + GRAIN_SECTORS) != 8 || vmdk_u64(header + TABLE_SECTORS) != 64)
        return vmdk_grains_wrong(grains, error,
                                 "grains have %" G_GUINT64_FORMAT " sectors and tables %" G_GUINT64_FORMAT
                                 "; 8 and 64 are known",
                                 vmdk_u64(header + GRAIN_SECTORS), vmdk_u64(header + TABLE_SECTORS));
    grains->holds = vmdk_u64(header + CAPACITY) * SECTOR;
    grains->grain = 8 * SECTOR;
    grains->entry_size = 8;
    grains->per_table = 64 * SECTOR / grains->entry_size;
    grains->directory = vmdk_u64(header + DIRECTORY) * SECTOR;
    grains->tables = vmdk_u64(header + DIRECTORY_SECTORS) * SECTOR / grains->entry_size;
    grains->tables_at = vmdk_u64(header + TABLES) * SECTOR;
    grains->grains_at = vmdk_u64(header + GRAINS) * SECTOR;
    return TRUE;
}

static gboolean find_table(const VmdkGrains *grains, guint64 entry, guint64 *offset, GError **error)
{
    guint64 number = entry & G_MAXUINT32;

    *offset = 0;
    if (!entry)
        return TRUE;
    if (entry >> 32 != 0x10000000)
        return vmdk_grains_wrong(grains, error,
                                 "an entry of its directory is %#" G_GINT64_MODIFIER "x; it must be 0 or "
                                 "begin with 0x10000000",
                                 entry);
    *offset = grains->tables_at + number * grains->per_table * grains->entry_size;
    return TRUE;
}

static gboolean find_grain(const VmdkGrains *grains, guint64 entry, VmdkRunKind *kind, guint64 *offset,
                           GError **error)
{
    /* the number's upper 12 bits come after its lower 48 */
    const guint64 number = (entry >> 48 & 0xfff) | (entry & G_GUINT64_CONSTANT(0xffffffffffff)) << 12;

    switch (entry >> 60) {
    case 0:
        *kind = VMDK_ABSENT;
        if (!entry)
            return TRUE;
        break;
    case 1: /* unmapped by the guest */
    case 2: /* written with zeros */
        *kind = VMDK_ZEROS;
        return TRUE;
    case 3:
        *kind = VMDK_DATA;
        *offset = number > MOST_SECTORS ? G_MAXUINT64 : grains->grains_at + number * grains->grain;
        return TRUE;
    }
    return vmdk_grains_wrong(
        grains, error, "an entry of a table is %#" G_GINT64_MODIFIER "x, which means nothing known", entry);
}

const VmdkFormat vmdk_sesparse = {.name = "SESPARSE",
                                  .header_size = HEADER_SIZE,
                                  .open = open_sesparse,
                                  .table = find_table,
                                  .grain = find_grain};
