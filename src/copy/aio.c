/* aio: one ring, or the same calls made at once. */
#include "copy/aio.h"
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WRITE, READ, SYNC };

struct Aio {
    struct io_uring ring;
    gboolean uring, fixed;
    int wake_fd;
    gboolean listening; /* the ring watches wake_fd */
    guint under_way;
    GQueue ended; /* without a ring */
};

Aio *aio_new(gpointer memory, gsize size, guint depth, gboolean *uring, GError **error)
{
    g_autoptr(Aio) aio = g_new0(Aio, 1);
    struct iovec vec = {memory, size};
    int failed = g_getenv("GANTRY_NO_URING") ? -ENOSYS : io_uring_queue_init(depth + 1, &aio->ring, 0);

    g_queue_init(&aio->ended);
    aio->uring = failed == 0;
    aio->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (aio->wake_fd < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "eventfd: %s", g_strerror(errno));
        return NULL;
    }
    aio->fixed = aio->uring && io_uring_register_buffers(&aio->ring, &vec, 1) == 0;
    *uring = aio->uring;
    return g_steal_pointer(&aio);
}

void aio_free(Aio *aio)
{
    if (!aio)
        return;
    g_assert(aio->under_way == 0);
    if (aio->uring)
        io_uring_queue_exit(&aio->ring);
    if (aio->wake_fd >= 0)
        close(aio->wake_fd);
    g_free(aio);
}

static struct io_uring_sqe *next_entry(Aio *aio)
{
    struct io_uring_sqe *entry;
    while (!(entry = io_uring_get_sqe(&aio->ring)))
        io_uring_submit(&aio->ring);
    return entry;
}

/* Handed to the kernel together, by the next aio_wait(). */
static void submit(Aio *aio, AioOp *op)
{
    struct io_uring_sqe *entry = next_entry(aio);

    if (op->kind == SYNC)
        io_uring_prep_fsync(entry, op->fd, IORING_FSYNC_DATASYNC);
    else if (op->kind == WRITE && aio->fixed)
        io_uring_prep_write_fixed(entry, op->fd, op->buffer, op->left, op->offset, 0);
    else if (op->kind == WRITE)
        io_uring_prep_write(entry, op->fd, op->buffer, op->left, op->offset);
    else if (aio->fixed)
        io_uring_prep_read_fixed(entry, op->fd, op->buffer, op->left, op->offset, 0);
    else
        io_uring_prep_read(entry, op->fd, op->buffer, op->left, op->offset);
    io_uring_sqe_set_data(entry, op);
}

/* Takes the kernel's answer; TRUE when the operation has ended. */
static gboolean advance(AioOp *op, gssize got)
{
    if (got == -EINTR || got == -EAGAIN)
        return FALSE;
    if (got < 0) {
        op->result = -got;
        return TRUE;
    }
    if (op->kind == SYNC)
        return TRUE;
    if (got == 0) {
        op->result = op->kind == WRITE ? EIO : ENODATA;
        return TRUE;
    }
    op->buffer += got;
    op->offset += got;
    op->left -= got;
    return op->left == 0;
}

static void call(AioOp *op)
{
    gssize got;

    do {
        if (op->kind == SYNC)
            got = fdatasync(op->fd);
        else if (op->kind == WRITE)
            got = pwrite(op->fd, op->buffer, op->left, op->offset);
        else
            got = pread(op->fd, op->buffer, op->left, op->offset);
    } while (!advance(op, got < 0 ? -errno : got));
}

void aio_again(Aio *aio, AioOp *op)
{
    op->result = 0;
    aio->under_way++;
    if (aio->uring) {
        submit(aio, op);
        return;
    }
    call(op);
    g_queue_push_tail(&aio->ended, op);
}

static void begin(Aio *aio, AioOp *op, int kind, int fd, guint8 *buffer, gsize size, guint64 offset)
{
    op->kind = kind;
    op->fd = fd;
    op->buffer = buffer;
    op->left = size;
    op->offset = offset;
    aio_again(aio, op);
}

void aio_write(Aio *aio, AioOp *op, int fd, guint8 *buffer, gsize size, guint64 offset)
{
    begin(aio, op, WRITE, fd, buffer, size, offset);
}

void aio_read(Aio *aio, AioOp *op, int fd, guint8 *buffer, gsize size, guint64 offset)
{
    begin(aio, op, READ, fd, buffer, size, offset);
}

void aio_sync(Aio *aio, AioOp *op, int fd)
{
    begin(aio, op, SYNC, fd, NULL, 0, 0);
}

void aio_wake(Aio *aio)
{
    eventfd_write(aio->wake_fd, 1);
}

guint aio_under_way(const Aio *aio)
{
    return aio->under_way;
}

static AioOp *wait_for_wake(Aio *aio, guint timeout_ms)
{
    struct pollfd wake = {aio->wake_fd, POLLIN, 0};
    AioOp *op = g_queue_pop_head(&aio->ended);
    eventfd_t count;

    if (op) {
        aio->under_way--;
        return op;
    }
    poll(&wake, 1, timeout_ms);
    eventfd_read(aio->wake_fd, &count);
    return NULL;
}

AioOp *aio_wait(Aio *aio, guint timeout_ms)
{
    struct __kernel_timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000LL};
    struct io_uring_cqe *answer;
    eventfd_t count;
    AioOp *op;
    int got;

    if (!aio->uring)
        return wait_for_wake(aio, timeout_ms);
    if (!aio->listening) {
        struct io_uring_sqe *entry = next_entry(aio);
        io_uring_prep_poll_add(entry, aio->wake_fd, POLLIN);
        io_uring_sqe_set_data(entry, NULL);
        aio->listening = TRUE;
    }
    io_uring_submit_and_wait_timeout(&aio->ring, &answer, 1, &timeout, NULL);
    if (io_uring_peek_cqe(&aio->ring, &answer) < 0)
        return NULL;
    op = io_uring_cqe_get_data(answer);
    got = answer->res;
    io_uring_cqe_seen(&aio->ring, answer);
    if (!op) {
        eventfd_read(aio->wake_fd, &count);
        aio->listening = FALSE;
        return NULL;
    }
    if (!advance(op, got)) {
        submit(aio, op);
        return NULL;
    }
    aio->under_way--;
    return op;
}
