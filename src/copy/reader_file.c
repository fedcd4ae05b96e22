/* reader_file: a raw disk in a file or block device of this machine; tests and "already here" sources. */
#include "copy/reader.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    Reader reader;
    int fd;
} FileReader;

static void close_file(Reader *reader)
{
    FileReader *file = (FileReader *)reader;
    if (file->fd >= 0)
        close(file->fd);
    g_free(file);
}

static gboolean fail(GError **error, int code, const char *what)
{
    g_set_error(error, GANTRY_ERROR, code, "source file: %s: %s", what, g_strerror(errno));
    return FALSE;
}

static Reader *open_file(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *path = copy_spec_source_text(spec, "path", 4096, error);
    g_autoptr(Reader) reader = NULL;
    FileReader *file;
    struct stat stat;
    off_t end;

    if (!path)
        return NULL;
    file = g_new0(FileReader, 1);
    reader = &file->reader;
    reader->type = &reader_file;
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0 || fstat(file->fd, &stat) < 0 || (end = lseek(file->fd, 0, SEEK_END)) < 0) {
        fail(error, errno == ENOENT ? ERROR_SOURCE_NOT_FOUND : ERROR_SOURCE_READ, path);
        return NULL;
    }
    reader->size = end;
    reader->parallel = spec->connections;
    reader->identity = json_pack("{s:s,s:I,s:I,s:I,s:I}", "type", "file", "inode", (json_int_t)stat.st_ino,
                                 "size", (json_int_t)end, "modified", (json_int_t)stat.st_mtim.tv_sec,
                                 "nanoseconds", (json_int_t)stat.st_mtim.tv_nsec);
    reader->choice = g_strdup("file: the disk is a file of this machine");
    return g_steal_pointer(&reader);
}

static gboolean file_extents(Reader *reader, guint64 start, guint64 size, GArray *extents,
                             GCancellable *cancel, GError **error)
{
    FileReader *file = (FileReader *)reader;
    guint64 end = start + size;

    while (start < end) {
        off_t data = lseek(file->fd, start, SEEK_DATA);
        off_t hole = data == (off_t)start ? lseek(file->fd, start, SEEK_HOLE) : -1;
        Extent extent = {.start = start, .zero = data != (off_t)start};

        if (data < 0 && errno != ENXIO) { /* the file system has no map: everything may be data */
            extent.zero = FALSE;
            hole = end;
        }
        if (extent.zero)
            extent.size = MIN(data < 0 ? end : (guint64)data, end) - start;
        else
            extent.size = MIN(hole <= (off_t)start ? end : (guint64)hole, end) - start;
        g_array_append_val(extents, extent);
        start += extent.size;
    }
    return TRUE;
}

static gboolean read_file(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                          GCancellable *cancel, GError **error)
{
    FileReader *file = (FileReader *)reader;

    while (*done < size) {
        ssize_t got;

        if (g_cancellable_set_error_if_cancelled(cancel, error))
            return FALSE;
        got = pread(file->fd, buffer + *done, MIN(size - *done, (gsize)1 << 20), start + *done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(error, ERROR_SOURCE_READ, "read");
        if (got == 0) {
            g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_CHANGED, "source file: it has become shorter");
            return FALSE;
        }
        *done += got;
    }
    return TRUE;
}

const ReaderType reader_file = {
    .type = "file", .open = open_file, .extents = file_extents, .read = read_file, .close = close_file};
