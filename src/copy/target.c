/* target: opens, measures, zeroes and re-reads. */
#include "copy/target.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB ((guint64)1 << 20)

void target_set_error(const Target *target, int errsv, const char *what, GError **error)
{
    gboolean full = errsv == ENOSPC || errsv == EDQUOT;
    g_set_error(error, GANTRY_ERROR, full ? ERROR_TARGET_FULL : ERROR_TARGET_IO, "target %s: %s: %s",
                target->path, what, g_strerror(errsv));
}

static gboolean too_small(const Target *target, const char *what, guint64 has, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_TARGET_TOO_SMALL,
                "target %s: %s %" G_GUINT64_FORMAT " bytes, but the disk has %" G_GUINT64_FORMAT,
                target->path, what, has, target->size);
    return FALSE;
}

/* A file may grow into what is free around it; more would end in the middle of the copy. */
static gboolean check_room(const Target *target, const struct stat *stat, GError **error)
{
    struct statvfs fs;
    guint64 room;

    if (fstatvfs(target->fd, &fs) < 0)
        return TRUE;
    room = (guint64)fs.f_bavail * fs.f_frsize + (guint64)stat->st_blocks * 512;
    return room >= target->size || too_small(target, "its file system has room for", room, error);
}

static gboolean check_size(Target *target, gboolean created, GError **error)
{
    guint64 has = 0;
    struct stat stat;

    if (created && ftruncate(target->fd, (target->size + MIB - 1) / MIB * MIB) < 0) {
        if (errno == EFBIG)
            return too_small(target, "its file system does not allow a file of", target->size, error);
        target_set_error(target, errno, "create", error);
        return FALSE;
    }
    if (fstat(target->fd, &stat) < 0) {
        target_set_error(target, errno, "stat", error);
        return FALSE;
    }
    target->block_device = S_ISBLK(stat.st_mode);
    if (target->block_device) {
        if (ioctl(target->fd, BLKGETSIZE64, &has) < 0) {
            target_set_error(target, errno, "size", error);
            return FALSE;
        }
    } else {
        has = stat.st_size;
        target->fresh = stat.st_blocks == 0;
    }
    if (has < target->size)
        return too_small(target, "it has", has, error);
    return target->block_device || target->overcommit ||
           (fcntl(target->fd, F_GETFL) & O_ACCMODE) == O_RDONLY || check_room(target, &stat, error);
}

static void identify(Target *target)
{
    struct statx stat;

    if (target->block_device || statx(target->fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &stat) < 0)
        return;
    target->inode = stat.stx_ino;
    if (stat.stx_mask & STATX_BTIME)
        target->born = (guint64)stat.stx_btime.tv_sec * 1000000000 + stat.stx_btime.tv_nsec;
}

guint64 target_modified(const Target *target)
{
    struct stat stat;

    if (target->block_device || fstat(target->fd, &stat) < 0)
        return 0;
    return (guint64)stat.st_mtim.tv_sec * 1000000000 + stat.st_mtim.tv_nsec;
}

static Target *target_new(const char *path, guint64 size)
{
    Target *target = g_new0(Target, 1);
    target->path = g_strdup(path);
    target->size = size;
    target->fd = target->direct = -1;
    return target;
}

Target *target_open_to_read(const char *path, guint64 size, GError **error)
{
    g_autoptr(Target) target = target_new(path, size);

    target->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (target->fd < 0) {
        target_set_error(target, errno, "open", error);
        return NULL;
    }
    if (!check_size(target, FALSE, error))
        return NULL;
    target->direct = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
    return g_steal_pointer(&target);
}

Target *target_open(const char *path, guint64 size, gboolean overcommit, GError **error)
{
    g_autoptr(Target) target = target_new(path, size);
    gboolean created = FALSE;

    target->overcommit = overcommit;
    target->fd = open(path, O_RDWR | O_CLOEXEC);
    if (target->fd < 0 && errno == ENOENT) {
        target->fd = open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0660);
        created = TRUE;
    }
    if (target->fd < 0) {
        target_set_error(target, errno, "open", error);
        return NULL;
    }
    if (!check_size(target, created, error)) {
        if (created)
            unlink(path);
        return NULL;
    }
    identify(target);
    target->direct = open(path, O_RDWR | O_CLOEXEC | O_DIRECT);
    return g_steal_pointer(&target);
}

void target_close(Target *target)
{
    if (!target)
        return;
    if (target->fd >= 0)
        close(target->fd);
    if (target->direct >= 0)
        close(target->direct);
    g_free(target->path);
    g_free(target);
}

gboolean target_punch(Target *target, guint64 start, guint64 size, GError **error)
{
    if (g_atomic_int_get(&target->no_punch))
        return FALSE;
    if (fallocate(target->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, size) == 0)
        return TRUE;
    if (errno == EOPNOTSUPP || errno == EINVAL || errno == ENODEV)
        g_atomic_int_set(&target->no_punch, TRUE);
    else
        target_set_error(target, errno, "zero a range", error);
    return FALSE;
}

guint64 target_hole(const Target *target, guint64 start, guint64 most)
{
    off_t data;

    if (target->block_device)
        return 0;
    data = lseek(target->fd, start, SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? most : 0;
    return MIN((guint64)data - start, most);
}

void target_drop_cache(const Target *target, guint64 start, guint64 size)
{
    posix_fadvise(target->fd, start, size, POSIX_FADV_DONTNEED);
}

static gboolean read_all(const Target *target, int fd, guint64 start, gsize size, guint8 *buffer,
                         GError **error)
{
    for (gsize done = 0; done < size;) {
        ssize_t got = pread(fd, buffer + done, size - done, start + done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            target_set_error(target, got ? errno : ENODATA, "read", error);
            return FALSE;
        }
        done += got;
    }
    return TRUE;
}

gboolean target_read(const Target *target, guint64 start, gsize size, guint8 *buffer, GError **error)
{
    gsize direct = target->direct < 0 ? 0 : size - size % TARGET_ALIGN;

    if (direct < size)
        target_drop_cache(target, start + direct, size - direct);
    return read_all(target, target->direct, start, direct, buffer, error) &&
           read_all(target, target->fd, start + direct, size - direct, buffer + direct, error);
}
