/* vmdk_hosted: SPARSE extents ("KDMV"), as hosted products write them: a directory and tables of 32-bit
 * sector numbers. VMware's "Virtual Disk Format 5.0", "Hosted Sparse Extents". Compressed ones are streams
 * (vmdk_stream.h): they have no order that could be read at random.
 */
#include "copy/vmdk_grains.h"
#include <string.h>

#define SECTOR ((guint64)512)

enum {
    VERSION = 4,
    FLAGS = 8,
    CAPACITY = 12,
    GRAIN_SECTORS = 20,
    ENTRIES = 44,
    SPARE_DIRECTORY = 48,
    DIRECTORY = 56,
    LINE_ENDS = 73,
    HEADER_SIZE = 512
};
#define FLAG_ZERO_ENTRIES  (1u << 2)
#define FLAG_COMPRESSED    (1u << 16)
#define MOST_SECTORS       (G_GUINT64_CONSTANT(1) << 41)
#define MOST_GRAIN_SECTORS 32768

static gboolean open_hosted(VmdkGrains *grains, const guint8 *header, GError **error)
{
    const guint32 flags = vmdk_u32(header + FLAGS), version = vmdk_u32(header + VERSION);
    const guint64 sectors = vmdk_u64(header + CAPACITY), grain = vmdk_u64(header + GRAIN_SECTORS),
                  directory = vmdk_u64(header + DIRECTORY);

    if (memcmp(header, "KDMV", 4) || version < 1 || version > 3)
        return vmdk_grains_wrong(grains, error, "it does not begin with KDMV, version 1 to 3");
    if (flags & 1 && memcmp(header + LINE_ENDS, "\n \r\n", 4))
        return vmdk_grains_wrong(grains, error, "its line ends were rewritten: it was transferred as text");
    if (flags & FLAG_COMPRESSED) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT,
                    "%s is compressed (streamOptimized), which is for transport: it cannot be read in ranges",
                    grains->file->name);
        return FALSE;
    }
    if (sectors > MOST_SECTORS || grain > MOST_SECTORS || directory > MOST_SECTORS)
        return vmdk_grains_wrong(grains, error, "capacity, grain or directory exceed what a disk can have");
    grains->holds = sectors * SECTOR;
    grains->grain = grain * SECTOR;
    grains->per_table = vmdk_u32(header + ENTRIES);
    grains->entry_size = 4;
    grains->directory = directory * SECTOR;
    if (grain && grain <= MOST_GRAIN_SECTORS && grains->per_table)
        grains->tables = (sectors + grain * grains->per_table - 1) / (grain * grains->per_table);
    grains->has_zero_entries = flags & FLAG_ZERO_ENTRIES;
    return TRUE;
}

static gboolean find_table(const VmdkGrains *grains, guint64 entry, guint64 *offset, GError **error)
{
    *offset = entry * SECTOR;
    return TRUE;
}

static gboolean find_grain(const VmdkGrains *grains, guint64 entry, VmdkRunKind *kind, guint64 *offset,
                           GError **error)
{
    *kind = !entry ? VMDK_ABSENT : entry == 1 && grains->has_zero_entries ? VMDK_ZEROS : VMDK_DATA;
    *offset = entry * SECTOR;
    return TRUE;
}

const VmdkFormat vmdk_hosted = {.name = "KDMV",
                                .header_size = HEADER_SIZE,
                                .open = open_hosted,
                                .table = find_table,
                                .grain = find_grain};
