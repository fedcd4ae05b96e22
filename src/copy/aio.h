/* aio: writes, reads and flushes that are under way together: io_uring, or plain calls where the kernel has
 * none.
 *
 * An operation is whole: what the kernel does in part is asked for again until it is done or fails.
 * Threads: one thread submits and waits; aio_wake() may be called from any.
 */
#pragma once
#include "base/errors.h"

typedef struct Aio Aio;

/* An operation's memory, owned by the caller, alive until aio_wait() gives it back. */
typedef struct {
    gpointer owner; /* the caller's */
    int result;     /* 0, or an errno */
    /* private to aio.c */
    int kind, fd;
    guint8 *buffer;
    gsize left;
    guint64 offset;
} AioOp;

/* memory: where all buffers lie, pinned where the kernel allows that. depth: most operations at once. */
Aio *aio_new(gpointer memory, gsize size, guint depth, gboolean *uring, GError **error);
void aio_free(Aio *aio); /* nothing may be under way */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Aio, aio_free)

void aio_write(Aio *aio, AioOp *op, int fd, guint8 *buffer, gsize size, guint64 offset);
void aio_read(Aio *aio, AioOp *op, int fd, guint8 *buffer, gsize size, guint64 offset);
void aio_again(Aio *aio, AioOp *op);        /* what is left of one that has failed */
void aio_sync(Aio *aio, AioOp *op, int fd); /* fdatasync */

/* One operation that has ended; or NULL when somebody called aio_wake() or timeout_ms have passed. */
AioOp *aio_wait(Aio *aio, guint timeout_ms);
void aio_wake(Aio *aio);
guint aio_under_way(const Aio *aio);
