/* Any bytes in place of a sparse VMDK extent. The first byte says of which format, the next two how many sectors the
 * descriptor claims: what is found covers the disk in order, and data lie inside the file. */
#include "copy/vmdk_grains.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

typedef struct {
    VmdkFile file;
    const guint8 *bytes;
} MemoryFile;

static gboolean read_memory(VmdkFile *file, guint64 start, gsize size, guint8 *buffer, gsize *done,
                            GCancellable *cancel, GError **error)
{
    g_assert(start <= file->size && size <= file->size - start);
    memcpy(buffer, ((MemoryFile *)file)->bytes + start, size);
    *done = size;
    return TRUE;
}

static void check_runs(const GArray *runs, guint64 size)
{
    guint64 at = 0;

    for (guint i = 0; i < runs->len; i++) {
        const VmdkRun *run = &g_array_index(runs, VmdkRun, i);
        g_assert(run->start == at && run->size > 0);
        g_assert(run->kind != VMDK_DATA ||
                 (run->offset <= run->file->size && run->size <= run->file->size - run->offset));
        at += run->size;
    }
    g_assert(at == size);
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    static const VmdkFormat *const formats[] = {&vmdk_cowd, &vmdk_sesparse, &vmdk_hosted};
    static const VmdkStoreType type = {.read = read_memory};
    VmdkStore store = {.type = &type};
    MemoryFile file = {.file = {.store = &store, .name = (char *)"fuzz"}};
    g_autoptr(TableCache) cache = table_cache_new(4 * TABLE_BLOCK);
    g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(VmdkRun));
    g_autoptr(GError) error = NULL;
    g_autofree VmdkGrains *grains = NULL;
    guint64 disk;

    if (size < 3)
        return 0;
    disk = (guint64)(data[1] | data[2] << 8) * 512;
    file.bytes = data + 3;
    file.file.size = size - 3;
    grains = vmdk_grains_open(formats[data[0] % G_N_ELEMENTS(formats)], &file.file, disk, NULL, &error);
    g_assert((grains == NULL) == (error != NULL));
    if (grains && vmdk_grains_find(grains, cache, 0, disk, 0, runs, NULL, &error))
        check_runs(runs, disk);
    else
        g_assert(error);
    return 0;
}
