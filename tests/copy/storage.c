/* storage: a disk of the test's that fails: preloaded into gantry copy, it stands between it and its files.
 *
 * STORAGE_ROOT names the folder whose files are meant, STORAGE_FAULT what happens at the operation number STORAGE_AT
 * (writes, flushes and punches are counted):
 *   power   the power goes: of what was written since a file's last flush, some sectors are there and some are not
 *   eio     the operation fails with EIO; a flush that fails so loses what it should have kept
 *   full    this and the STORAGE_FOR operations after it find no room
 * STORAGE_SEED decides which sectors survive.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

/* What a range held before it was written, newest first. */
typedef struct Undo {
    struct Undo *next;
    ino_t file;
    char path[PATH_MAX];
    off_t at;
    size_t size;
    unsigned char before[];
} Undo;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Undo *undos;
static long operations;
static __thread int inside; /* our own calls pass by; those of other threads wait for the lock */

static long number(const char *name, long absent)
{
    const char *text = getenv(name);
    return text ? atol(text) : absent;
}

/* The path of a file that is meant. */
static int is_meant(int fd, char path[PATH_MAX])
{
    const char *root = getenv("STORAGE_ROOT");
    char link[64];
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = root ? readlink(link, path, PATH_MAX - 1) : -1;
    if (len < 0)
        return 0;
    path[len] = 0;
    return !strncmp(path, root, strlen(root));
}

static ino_t inode_of(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) ? 0 : stat.st_ino;
}

static void remember(int fd, const char *path, off_t at, size_t size)
{
    Undo *undo = calloc(1, sizeof *undo + size);
    int plain = open(path, O_RDONLY | O_CLOEXEC);

    undo->file = inode_of(fd);
    strcpy(undo->path, path);
    undo->at = at;
    undo->size = size;
    if (pread(plain, undo->before, size, at) < 0)
        undo->size = 0;
    close(plain);
    undo->next = undos;
    undos = undo;
}

static void forget(ino_t file)
{
    for (Undo **link = &undos; *link;) {
        Undo *undo = *link;
        if (undo->file != file) {
            link = &undo->next;
            continue;
        }
        *link = undo->next;
        free(undo);
    }
}

/* Takes back some sectors of what was not flushed, newest first. */
static void lose(ino_t only)
{
    srandom(number("STORAGE_SEED", 1));
    for (Undo *undo = undos; undo; undo = undo->next) {
        int plain, all = random() % 3, fd_was = inside;

        if (only && undo->file != only)
            continue;
        inside = 1;
        plain = open(undo->path, O_RDWR | O_CLOEXEC);
        for (size_t at = 0; at < undo->size; at += SECTOR) {
            size_t size = undo->size - at < SECTOR ? undo->size - at : SECTOR;
            if (all == 0 || (all == 1 && random() % 2))
                if (pwrite(plain, undo->before + at, size, undo->at + at) < 0)
                    _exit(99);
        }
        close(plain);
        inside = fd_was;
    }
}

/* Says what happens to this operation: 0 it goes on, else the error. */
static int befall(int is_flush, int fd)
{
    const char *fault = getenv("STORAGE_FAULT");
    long now = ++operations, at = number("STORAGE_AT", -1);

    if (!fault)
        return 0;
    if (!strcmp(fault, "power") && now == at) {
        lose(0);
        kill(getpid(), SIGKILL);
    }
    if (!strcmp(fault, "eio") && now == at) {
        if (is_flush) {
            lose(inode_of(fd));
            forget(inode_of(fd));
        }
        return EIO;
    }
    if (!strcmp(fault, "full") && !is_flush && now >= at && now < at + number("STORAGE_FOR", 1))
        return ENOSPC;
    return 0;
}

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    char path[PATH_MAX];
    ssize_t put = -1;
    int failed;

    if (inside || !is_meant(fd, path))
        return NEXT(pwrite64)(fd, data, size, at);
    pthread_mutex_lock(&lock);
    failed = befall(0, fd);
    if (!failed) {
        remember(fd, path, at, size);
        put = NEXT(pwrite64)(fd, data, size, at);
        failed = put < 0 ? errno : 0;
    }
    pthread_mutex_unlock(&lock);
    errno = failed;
    return put;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return pwrite64(fd, data, size, at);
}

static int flush(int fd, int (*real)(int))
{
    char path[PATH_MAX];
    int failed, done = -1;

    if (inside || !is_meant(fd, path))
        return real(fd);
    pthread_mutex_lock(&lock);
    failed = befall(1, fd);
    if (!failed) {
        done = real(fd);
        failed = errno;
        forget(inode_of(fd));
    }
    pthread_mutex_unlock(&lock);
    errno = failed;
    return done;
}

int fdatasync(int fd)
{
    return flush(fd, NEXT(fdatasync));
}

int fsync(int fd)
{
    return flush(fd, NEXT(fsync));
}

int fallocate64(int fd, int mode, off64_t at, off64_t size)
{
    char path[PATH_MAX];
    int failed, done = -1;

    if (inside || !is_meant(fd, path) || !(mode & FALLOC_FL_PUNCH_HOLE))
        return NEXT(fallocate64)(fd, mode, at, size);
    pthread_mutex_lock(&lock);
    failed = befall(0, fd);
    if (!failed) {
        remember(fd, path, at, size);
        done = NEXT(fallocate64)(fd, mode, at, size);
        failed = errno;
    }
    pthread_mutex_unlock(&lock);
    errno = failed;
    return done;
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
    return fallocate64(fd, mode, at, size);
}
