/* folder: free space, directories and blank disks. */
#include "local/cdi/folder.h"
#include "kube/quantity.h"
#include "local/cdi/cdi.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define VOLUME_PREFIX "pvc-"
enum { DISK_MODE = 0660, DIR_MODE = 0700 };

static gboolean io_error(GError **error, const char *doing, const char *path)
{
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s %s: %s", doing, path, g_strerror(errno));
    return FALSE;
}

const char *folder_of(const Object *storage_class)
{
    const json_t *json = object_json(storage_class);

    if (strcmp(json_string_at(json, "provisioner", ""), CDI_PROVISIONER))
        return NULL;
    return json_string_at(json, "parameters.path", NULL);
}

/* Bytes that the files of a directory take on the disk. */
static guint64 allocated(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint64 bytes = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        struct stat status;
        if (!lstat(file, &status))
            bytes += (guint64)status.st_blocks * 512;
    }
    return bytes;
}

/* What a volume may still grow by. */
static guint64 owed(const Object *volume)
{
    const json_t *json = object_json(volume);
    guint64 size, used = allocated(json_string_at(json, "spec.hostPath.path", ""));

    if (!quantity_parse(json_string_at(json, "spec.capacity.storage", "0"), &size, NULL))
        return 0;
    return size > used ? size - used : 0;
}

gboolean folder_room(const Object *storage_class, const GPtrArray *volumes, guint64 *bytes, GError **error)
{
    const char *path = folder_of(storage_class);
    struct statvfs fs;
    guint64 promised = 0, free_bytes;

    if (g_mkdir_with_parents(path, DIR_MODE) || statvfs(path, &fs))
        return io_error(error, "storage folder", path);
    for (guint i = 0; i < volumes->len; i++)
        if (!strcmp(json_string_at(object_json(volumes->pdata[i]), "spec.storageClassName", ""),
                    object_name(storage_class)))
            promised += owed(volumes->pdata[i]);
    free_bytes = (guint64)fs.f_bavail * fs.f_frsize;
    *bytes = free_bytes > promised ? free_bytes - promised : 0;
    return TRUE;
}

/* More than the limit of this process would be a signal, not an error. */
static gint64 file_size_limit(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur > G_MAXINT64 ? G_MAXINT64 : (gint64)limit.rlim_cur;
}

static gint64 largest_size(int fd)
{
    gint64 least = 0, most = file_size_limit();

    while (least < most) { /* least is taken, above most nothing is */
        gint64 middle = most - (most - least) / 2;
        if (ftruncate(fd, middle))
            most = middle - 1;
        else
            least = middle;
    }
    return least;
}

gboolean folder_largest_file(const Object *storage_class, guint64 *bytes, GError **error)
{
    const char *folder = folder_of(storage_class);
    g_autofree char *path = g_build_filename(folder, ".largest-XXXXXX", NULL);
    int fd = g_mkdir_with_parents(folder, DIR_MODE) ? -1 : g_mkstemp_full(path, O_RDWR | O_CLOEXEC, DISK_MODE);

    if (fd < 0)
        return io_error(error, "storage folder", folder);
    g_unlink(path);
    *bytes = largest_size(fd);
    close(fd);
    return TRUE;
}

gboolean folder_make(const Object *storage_class, const char *volume, char **path, GError **error)
{
    const char *folder = folder_of(storage_class);
    g_autofree char *dir = g_build_filename(folder, volume, NULL);

    if (!g_path_is_absolute(folder)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "parameters.path \"%s\" of StorageClass %s: must be an absolute path", folder,
                    object_name(storage_class));
        return FALSE;
    }
    if (g_mkdir_with_parents(dir, DIR_MODE))
        return io_error(error, "make directory", dir);
    *path = g_steal_pointer(&dir);
    return TRUE;
}

gboolean folder_delete(const char *path, GError **error)
{
    g_autofree char *base = g_path_get_basename(path);
    g_autoptr(GDir) dir = NULL;
    const char *name;

    if (!g_str_has_prefix(base, VOLUME_PREFIX)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s is not deleted: it was not made for a claim",
                    path);
        return FALSE;
    }
    if (!(dir = g_dir_open(path, 0, NULL)))
        return g_file_test(path, G_FILE_TEST_EXISTS) ? io_error(error, "open", path) : TRUE;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_remove(file) && errno != ENOENT)
            return io_error(error, "delete", file);
    }
    return !g_rmdir(path) || io_error(error, "delete", path);
}

gboolean folder_make_disk(const char *dir, guint64 size, GError **error)
{
    g_autofree char *path = g_build_filename(dir, "disk.img", NULL);
    g_autofree char *part = g_strconcat(path, ".part", NULL);
    int fd;

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    if ((fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, DISK_MODE)) < 0)
        return io_error(error, "make", part);
    gboolean made = !ftruncate(fd, (off_t)size) && !fsync(fd);
    if (!made)
        io_error(error, "make", part);
    close(fd);
    return made && (!g_rename(part, path) || io_error(error, "make", path));
}
