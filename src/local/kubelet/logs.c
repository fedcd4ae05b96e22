/* logs: files that grow at one end and are freed at the other. */
#include "local/kubelet/logs.h"
#include "kube/client.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10, FOLLOW_MS = 150 };

void log_trim(const char *path, guint64 most)
{
    struct stat info;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    if (fstat(fd, &info) == 0 && (guint64)info.st_blocks * 512 > most) {
        off_t keep_from = (info.st_size - (off_t)(most / 2)) & ~(off_t)4095;
        /* Where the file system cannot do it the log just grows. */
        if (keep_from > 0 && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, keep_from) < 0)
            errno = 0;
    }
    close(fd);
}

/* The first byte that is there; after a hole, the first of a whole line. */
static off_t first_line(int fd)
{
    off_t at = lseek(fd, 0, SEEK_DATA);
    char byte;

    if (at <= 0)
        return 0;
    while (pread(fd, &byte, 1, at) == 1 && byte != '\n')
        at++;
    return at + 1;
}

/* Where the last count lines begin. */
static off_t tail_start(int fd, off_t first, off_t size, gint64 count)
{
    char buffer[4096];
    off_t at = size;

    if (count <= 0)
        return size;
    while (at > first) {
        gsize want = MIN((off_t)sizeof buffer, at - first);
        gssize n = pread(fd, buffer, want, at - want);
        if (n <= 0)
            break;
        for (gssize i = n; i > 0; i--) {
            off_t place = at - (n - i) - 1;
            /* The newline at the very end closes the last line and opens none. */
            if (buffer[i - 1] == '\n' && place != size - 1 && --count == 0)
                return place + 1;
        }
        at -= n;
    }
    return first;
}

/* Copies what the file has from *at on; FALSE: the reader is gone or has enough. */
static gboolean copy_rest(int fd, off_t *at, gint64 *left, PodLogWrite write, gpointer writer)
{
    g_autofree char *buffer = g_malloc(PIECE);
    gssize n;

    while ((n = pread(fd, buffer, *left >= 0 ? (gsize)MIN(*left, PIECE) : PIECE, *at)) > 0) {
        g_autoptr(GBytes) piece = g_bytes_new(buffer, n);
        if (!write(piece, writer))
            return FALSE;
        *at += n;
        if (*left >= 0 && !(*left -= n))
            return FALSE;
    }
    return TRUE;
}

gboolean log_write(const char *path, const PodLogOptions *options, PodLogWrite write, gpointer writer,
                   gboolean (*alive)(gpointer user_data), gpointer user_data, GCancellable *cancel,
                   GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    gint64 left = options->limit_bytes;
    struct stat info;
    GPollFD poll;

    if (fd < 0 || fstat(fd, &info) < 0) {
        g_set_error(error, GANTRY_ERROR, errno == ENOENT ? ERROR_KUBE_NOT_FOUND : ERROR_IO, "%s: %s", path,
                    g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return FALSE;
    }
    off_t at = first_line(fd);
    if (options->tail_lines >= 0)
        at = tail_start(fd, at, info.st_size, options->tail_lines);
    gboolean can_poll = g_cancellable_make_pollfd(cancel, &poll);
    gboolean last = !options->follow;
    while (copy_rest(fd, &at, &left, write, writer) && !last && !g_cancellable_is_cancelled(cancel)) {
        last = !alive(user_data); /* then once more, for what came since */
        if (!last)
            g_poll(&poll, can_poll ? 1 : 0, FOLLOW_MS);
    }
    if (can_poll)
        g_cancellable_release_fd(cancel);
    close(fd);
    return TRUE;
}
