/* vmdk_store: where the files of a virtual disk lie: a vSphere datastore, or a folder of this machine.
 *
 * Guarantee: an opened file stays the same; when it was written to since, reading fails with SOURCE_CHANGED.
 * Threads: any, after the store was made; a file is constant after it was opened. A store outlives its files.
 * Errors: those of reader.h; HTTP_TOO_LARGE from get().
 */
#pragma once
#include "base/json.h"

typedef struct VmdkStoreType VmdkStoreType;

/* The head of every store's own struct. */
typedef struct {
    const VmdkStoreType *type;
} VmdkStore;

/* The head of every file's own struct. */
typedef struct {
    VmdkStore *store;
    char *name;   /* as messages name it */
    guint64 size; /* bytes */
} VmdkFile;

struct VmdkStoreType {
    /* A small file as a whole: HTTP_TOO_LARGE when it has more than limit bytes. */
    GBytes *(*get)(VmdkStore *store, const char *name, gsize limit, GCancellable *cancel, GError **error);
    VmdkFile *(*open)(VmdkStore *store, const char *name, GCancellable *cancel, GError **error);

    /* Fills buffer with [start + *done, start + size) and moves *done along, also when it fails. */
    gboolean (*read)(VmdkFile *file, guint64 start, gsize size, guint8 *buffer, gsize *done,
                     GCancellable *cancel, GError **error);
    void (*close)(VmdkFile *file);

    /* The name of the file that the descriptor of that name calls mentioned: beside it, or an absolute path
     * of ESXi. To be freed; NULL with DISK_CHAIN when it cannot be reached. */
    char *(*resolve)(VmdkStore *store, const char *name, const char *mentioned, GError **error);

    /* What tells this content of the file from any other: size, times, tags. */
    json_t *(*identity)(const VmdkFile *file);
};

static inline void vmdk_file_close(VmdkFile *file)
{
    if (file)
        file->store->type->close(file);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkFile, vmdk_file_close)
