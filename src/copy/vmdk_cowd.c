/* vmdk_cowd: VMFSSPARSE extents, the snapshots' deltas of VMFS up to version 5: a "COWD" header, a directory
 * and tables of 32-bit sector numbers, 4096 to a table. VMware's "Virtual Disk Format 5.0", "ESX Server
 * Sparse Extents".
 */
#include "copy/vmdk_grains.h"
#include <string.h>

#define SECTOR ((guint64)512)

enum {
    VERSION = 4,
    DISK_SECTORS = 12,
    GRAIN_SECTORS = 16,
    DIRECTORY = 20,
    DIRECTORY_LEN = 24,
    HEADER_SIZE = 2048
};

static gboolean open_cowd(VmdkGrains *grains, const guint8 *header, GError **error)
{
    if (memcmp(header, "COWD", 4) || vmdk_u32(header + VERSION) != 1)
        return vmdk_grains_wrong(grains, error, "it does not begin with COWD, version 1");
    grains->holds = vmdk_u32(header + DISK_SECTORS) * SECTOR;
    grains->grain = vmdk_u32(header + GRAIN_SECTORS) * SECTOR;
    grains->per_table = 4096;
    grains->entry_size = 4;
    grains->directory = vmdk_u32(header + DIRECTORY) * SECTOR;
    grains->tables = vmdk_u32(header + DIRECTORY_LEN);
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
    *kind = entry ? VMDK_DATA : VMDK_ABSENT;
    *offset = entry * SECTOR;
    return TRUE;
}

const VmdkFormat vmdk_cowd = {
    .name = "COWD", .header_size = HEADER_SIZE, .open = open_cowd, .table = find_table, .grain = find_grain};
