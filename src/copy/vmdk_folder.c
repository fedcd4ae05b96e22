/* vmdk_folder: a store of local files. */
#include "copy/vmdk_folder.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    VmdkFile file;
    int fd;
    struct stat stat;
} FolderFile;

static gboolean fail(const char *name, GError **error)
{
    g_set_error(error, GANTRY_ERROR, errno == ENOENT ? ERROR_SOURCE_NOT_FOUND : ERROR_SOURCE_READ, "%s: %s",
                name, g_strerror(errno));
    return FALSE;
}

static void close_file(VmdkFile *file)
{
    FolderFile *self = (FolderFile *)file;

    if (self->fd >= 0)
        close(self->fd);
    g_free(file->name);
    g_free(self);
}

static VmdkFile *open_file(VmdkStore *store, const char *name, GCancellable *cancel, GError **error)
{
    FolderFile *self = g_new0(FolderFile, 1);
    g_autoptr(VmdkFile) file = &self->file;

    file->store = store;
    file->name = g_strdup(name);
    self->fd = open(name, O_RDONLY | O_CLOEXEC);
    if (self->fd < 0 || fstat(self->fd, &self->stat) < 0) {
        fail(name, error);
        return NULL;
    }
    file->size = self->stat.st_size;
    return g_steal_pointer(&file);
}

static gboolean read_file(VmdkFile *file, guint64 start, gsize size, guint8 *buffer, gsize *done,
                          GCancellable *cancel, GError **error)
{
    FolderFile *self = (FolderFile *)file;

    while (*done < size) {
        ssize_t got = pread(self->fd, buffer + *done, size - *done, start + *done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(file->name, error);
        if (!got) {
            g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_CHANGED, "%s has become shorter", file->name);
            return FALSE;
        }
        *done += got;
    }
    return TRUE;
}

static GBytes *get_file(VmdkStore *store, const char *name, gsize limit, GCancellable *cancel, GError **error)
{
    g_autoptr(VmdkFile) file = open_file(store, name, cancel, error);
    g_autofree guint8 *text = NULL;
    gsize done = 0, size;

    if (!file)
        return NULL;
    if (file->size > limit) {
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_TOO_LARGE, "%s has more than %" G_GSIZE_FORMAT " bytes",
                    name, limit);
        return NULL;
    }
    size = file->size;
    text = g_malloc(size + 1);
    if (!read_file(file, 0, size, text, &done, cancel, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&text), size);
}

static char *resolve(VmdkStore *store, const char *name, const char *mentioned, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(name);
    return g_path_is_absolute(mentioned) ? g_strdup(mentioned) : g_build_filename(folder, mentioned, NULL);
}

static json_t *identity(const VmdkFile *file)
{
    const struct stat *stat = &((const FolderFile *)file)->stat;
    return json_pack("{s:I,s:I,s:I,s:I}", "size", (json_int_t)file->size, "inode", (json_int_t)stat->st_ino,
                     "modified", (json_int_t)stat->st_mtim.tv_sec, "nanoseconds",
                     (json_int_t)stat->st_mtim.tv_nsec);
}

static const VmdkStoreType folder_type = {.get = get_file,
                                          .open = open_file,
                                          .read = read_file,
                                          .close = close_file,
                                          .resolve = resolve,
                                          .identity = identity};

VmdkStore vmdk_folder = {.type = &folder_type};
