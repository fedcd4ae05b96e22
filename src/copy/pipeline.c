/* pipeline: the ring of buffers, the threads that fill it and the one that empties it. */
#include "copy/pipeline.h"
#include "copy/aio.h"
#include "copy/fetch.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define VERIFY_BUFFERS 2
#define LEAST_BUFFERS  2
#define RUNS           (CHUNK_SIZE / GRANULE / 2 + 2) /* most pieces that one chunk is written in */
#define CHECKPOINT_US  G_USEC_PER_SEC
#define ZEROS_FRESH    (1 << 18)          /* most chunks of zeros that go as one, */
#define ZEROS_PUNCHED  (1 << 8)           /* and where they have to be zeroed in the target */
#define HOLES          ((guint64)1 << 35) /* most bytes of holes that are proved at once */
#define AGAIN_US       G_USEC_PER_SEC     /* until a full target is tried again */
#define IN_FLIGHT      24 /* at most 1/24 of the disk is on its way into the target when we are killed, */
#define UNRECORDED     40 /* 1/40 waits for a checkpoint, and as much is in the one under way */

/* A buffer of the ring and the chunk in it, or a run of chunks of zeros. Owned by the free queue, a reader
 * thread or the landing thread in turn. */
typedef struct {
    guint8 *buffer;
    guint64 chunk, chunks; /* the first, and how many */
    gsize size;
    Hash hash;       /* of each */
    gboolean zero;   /* nothing to write: the target reads as zeros there */
    gboolean same;   /* nothing to write: the target has it already */
    guint64 touched; /* bit per granule that may differ from what the target holds */
    guint64 data;    /* bit per granule that has to be written */
    guint writes;    /* under way */
    AioOp ops[RUNS];
} Buffer;

typedef struct {
    guint64 chunk, chunks;
    gsize size;
    Hash hash;
} Landed;

typedef struct {
    const Pipeline *pipeline;
    GCancellable *cancel; /* the run's own: cancelled by the caller's, and by the first error */
    Fetch *fetch;
    Aio *aio;
    GAsyncQueue *free, *filled; /* of Buffer */
    Buffer *buffers, *verifiers;
    guint n_buffers, n_threads;
    guint8 *memory;
    gsize memory_size;

    GMutex lock;
    GError *error;  /* the first; under lock, as are these two */
    guint64 cursor; /* the next chunk to claim */
    guint readers;
    gint punches; /* atomic: the target has zeroed a range before */

    /* the landing thread's own */
    guint held;                /* buffers taken from filled whose writes are under way */
    GQueue stalled;            /* of AioOp: writes that wait for room in the target */
    gint64 again_at;           /* when they are tried again */
    gboolean full;             /* the last write found no room */
    gboolean lost;             /* a flush failed: nobody knows what of the writes before it is there */
    GArray *waiting, *syncing; /* of Landed */
    guint64 waiting_bytes, interval;
    guint64 waiting_data; /* of waiting_bytes: what was read for it */
    GQueue withheld;      /* of Buffer: free when the flush under way has ended */
    gint64 last_checkpoint;
    gboolean flushing;       /* the target, for what is in syncing */
    gboolean journal_behind; /* holds records that no flush of it was begun for */
    gboolean flushing_journal;
    AioOp flush_op, journal_op;
    guint64 verify_cursor;
    guint verifying;
} Run;

/* Keeps the first error, and stops everybody. */
static void stop(Run *run, GError *error)
{
    g_mutex_lock(&run->lock);
    if (!run->error)
        run->error = error;
    else
        g_error_free(error);
    g_mutex_unlock(&run->lock);
    g_cancellable_cancel(run->cancel);
}

static gboolean is_stopped(Run *run)
{
    return g_cancellable_is_cancelled(run->cancel);
}

/* ---- reader threads ---------------------------------------------------------------------------- */

static gboolean claim(Run *run, guint64 *chunk)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&run->lock);

    *chunk = journal_next(run->pipeline->journal, run->cursor, 1 << CHUNK_MISSING | 1 << CHUNK_STALE);
    run->cursor = *chunk + 1;
    return chunk_start(*chunk) < run->pipeline->target->size;
}

/* Bit i: granule i holds data. */
static guint64 find_data(const guint8 *buffer, gsize size)
{
    guint64 data = 0;

    for (gsize at = 0, i = 0; at < size; at += GRANULE, i++)
        if (!is_zero(buffer + at, MIN(GRANULE, size - at)))
            data |= G_GUINT64_CONSTANT(1) << i;
    return data;
}

#define EVERY_GRANULE (~(guint64)0)

static guint64 granules_of(guint64 from, guint64 to)
{
    guint first = from / GRANULE, end = (to + GRANULE - 1) / GRANULE;
    return (end == 64 ? 0 : G_GUINT64_CONSTANT(1) << end) - (G_GUINT64_CONSTANT(1) << first);
}

/* FALSE without an error: the storage cannot zero ranges. */
static gboolean punch(Run *run, guint64 start, guint64 size, GError **error)
{
    if (!target_punch(run->pipeline->target, start, size, error))
        return FALSE;
    g_atomic_int_set(&run->punches, TRUE);
    return TRUE;
}

/* Zeroes the touched granules without data in the target, unless they are zero there; where the storage
 * cannot, they become data. */
static gboolean clear_gaps(Run *run, Buffer *buffer, GError **error)
{
    guint64 start = chunk_start(buffer->chunk), gaps = buffer->touched & ~buffer->data;
    guint granules = (buffer->size + GRANULE - 1) / GRANULE;

    for (guint i = 0, end; i < granules && !run->pipeline->target->fresh; i = end + 1) {
        gsize from = i * GRANULE, to;
        GError *failed = NULL;

        for (end = i; end < granules && gaps >> end & 1; end++)
            ;
        if (end == i)
            continue;
        to = MIN(end * GRANULE, buffer->size);
        if (punch(run, start + from, to - from, &failed))
            continue;
        if (failed) {
            g_propagate_error(error, failed);
            return FALSE;
        }
        if (buffer->zero)
            memset(buffer->buffer, 0, buffer->size);
        buffer->zero = FALSE;
        buffer->data |= granules_of(from, to);
    }
    return TRUE;
}

/* Decides what of the chunk has to be written, against what the target held before. */
static gboolean compare_with_target(Run *run, Buffer *buffer, GError **error)
{
    Journal *journal = run->pipeline->journal;

    if (journal_state(journal, buffer->chunk) == CHUNK_STALE) {
        Hash before;
        if (!journal_hash(journal, buffer->chunk, &before, error))
            return FALSE;
        buffer->same = hash_equal(&before, &buffer->hash);
        if (!buffer->same && !journal_forget(journal, buffer->chunk, error))
            return FALSE;
    }
    return buffer->same || clear_gaps(run, buffer, error);
}

/* Takes the whole chunk from the source. */
static gboolean fill(Run *run, Buffer *buffer, GError **error)
{
    buffer->touched = EVERY_GRANULE;
    if (!fetch_range(run->fetch, chunk_start(buffer->chunk), buffer->size, buffer->buffer, &buffer->zero,
                     run->cancel, error))
        return FALSE;
    if (!buffer->zero)
        buffer->data = find_data(buffer->buffer, buffer->size);
    buffer->zero = buffer->data == 0;
    buffer->hash = buffer->zero ? hash_of_zeros(buffer->size) : hash_of(buffer->buffer, buffer->size);
    return compare_with_target(run, buffer, error);
}

/* Puts what has changed in the source over the base that is in the buffer. */
static gboolean fetch_changes(Run *run, Buffer *buffer, GError **error)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Extent));
    guint64 start = chunk_start(buffer->chunk);

    buffer->touched = 0;
    extent_list_find(run->pipeline->changes, start, buffer->size, parts);
    for (guint i = 0; i < parts->len; i++) {
        const Extent *part = &g_array_index(parts, Extent, i);
        gsize at = part->start - start;
        gboolean zero;

        if (part->zero)
            continue;
        if (!fetch_range(run->fetch, part->start, part->size, buffer->buffer + at, &zero, run->cancel, error))
            return FALSE;
        if (zero)
            memset(buffer->buffer + at, 0, part->size);
        buffer->touched |= granules_of(at, at + part->size);
    }
    return TRUE;
}

/* Takes from the source only what has changed since the target's copy of the chunk, which is proved to be
 * what it should before. */
static gboolean fill_changed(Run *run, Buffer *buffer, const Hash *base, GError **error)
{
    const Pipeline *pipeline = run->pipeline;
    Hash seen;

    if (!target_read(pipeline->target, chunk_start(buffer->chunk), buffer->size, buffer->buffer, error))
        return FALSE;
    seen = hash_of(buffer->buffer, buffer->size);
    if (!hash_equal(&seen, base)) /* somebody else wrote to the target */
        return journal_forget(pipeline->journal, buffer->chunk, error) && fill(run, buffer, error);
    if (!fetch_changes(run, buffer, error))
        return FALSE;
    buffer->zero = FALSE;
    buffer->data = find_data(buffer->buffer, buffer->size) & buffer->touched;
    buffer->hash = hash_of(buffer->buffer, buffer->size);
    return compare_with_target(run, buffer, error);
}

/* Lets the buffer stand for as many chunks as there are zeros from its first on, when nobody else has claimed
 * them. */
static gboolean claim_zeros(Run *run, Buffer *buffer, GError **error)
{
    const Pipeline *pipeline = run->pipeline;
    gboolean fresh = pipeline->target->fresh;
    guint64 start = chunk_start(buffer->chunk), most = fresh ? ZEROS_FRESH : ZEROS_PUNCHED, zeros;

    if (!fresh && !g_atomic_int_get(&run->punches))
        return TRUE;
    if (!fetch_zeros(run->fetch, start, most * CHUNK_SIZE, &zeros, run->cancel, error))
        return FALSE;
    g_mutex_lock(&run->lock);
    if (run->cursor == buffer->chunk + 1 && zeros >= CHUNK_SIZE) {
        buffer->chunks = journal_run(pipeline->journal, buffer->chunk, zeros / CHUNK_SIZE, CHUNK_MISSING);
        buffer->chunks = MAX(buffer->chunks, 1);
        run->cursor = buffer->chunk + buffer->chunks;
    }
    g_mutex_unlock(&run->lock);
    return TRUE;
}

static gboolean fill_zeros(Run *run, Buffer *buffer, GError **error)
{
    g_autoptr(GError) failed = NULL;

    buffer->size = buffer->chunks * CHUNK_SIZE;
    buffer->zero = TRUE;
    buffer->hash = hash_of_zeros(CHUNK_SIZE);
    if (run->pipeline->target->fresh || punch(run, chunk_start(buffer->chunk), buffer->size, &failed))
        return TRUE;
    if (failed)
        g_propagate_error(error, g_steal_pointer(&failed));
    else
        g_set_error(error, GANTRY_ERROR, ERROR_TARGET_IO, "target %s: it does not zero ranges any more",
                    run->pipeline->target->path);
    return FALSE;
}

static gboolean fill_any(Run *run, Buffer *buffer, GError **error)
{
    const Pipeline *pipeline = run->pipeline;
    ChunkState state = journal_state(pipeline->journal, buffer->chunk);
    Hash base;

    buffer->chunks = 1;
    buffer->size = chunk_size(pipeline->target->size, buffer->chunk);
    buffer->same = buffer->zero = FALSE;
    buffer->data = 0;
    if (state == CHUNK_STALE && pipeline->changes && journal_base(pipeline->journal, buffer->chunk, &base))
        return fill_changed(run, buffer, &base, error);
    if (state == CHUNK_MISSING && !claim_zeros(run, buffer, error))
        return FALSE;
    return buffer->chunks > 1 ? fill_zeros(run, buffer, error) : fill(run, buffer, error);
}

/* FALSE: there is nothing more to read, or it failed. */
static gboolean read_chunk(Run *run)
{
    Buffer *buffer = g_async_queue_timeout_pop(run->free, 100 * 1000);
    GError *error = NULL;

    if (!buffer)
        return TRUE;
    if (!claim(run, &buffer->chunk)) {
        g_async_queue_push(run->free, buffer);
        return FALSE;
    }
    if (!fill_any(run, buffer, &error)) {
        g_async_queue_push(run->free, buffer);
        stop(run, error);
        return FALSE;
    }
    g_async_queue_push(run->filled, buffer);
    aio_wake(run->aio);
    return TRUE;
}

static gpointer read_chunks(gpointer user_data)
{
    Run *run = user_data;

    for (gboolean more = TRUE; more && !is_stopped(run);) {
        fetch_take_turn(run->fetch);
        more = read_chunk(run);
        fetch_give_turn_back(run->fetch);
    }
    g_mutex_lock(&run->lock);
    run->readers--;
    g_mutex_unlock(&run->lock);
    aio_wake(run->aio);
    return NULL;
}

/* ---- the landing thread: writes ---------------------------------------------------------------- */

/* Where a flush is slow, no more is read than would be read again after a kill. */
static gboolean reads_ahead_of_flush(const Run *run)
{
    return run->flushing && run->waiting_data >= run->interval;
}

static void landed(Run *run, Buffer *buffer)
{
    Landed entry = {buffer->chunk, buffer->chunks, buffer->size, buffer->hash};

    if (!run->lost) {
        g_array_append_val(run->waiting, entry);
        run->waiting_bytes += entry.size;
        run->waiting_data += buffer->zero ? 0 : entry.size;
    }
    if (reads_ahead_of_flush(run))
        g_queue_push_tail(&run->withheld, buffer);
    else
        g_async_queue_push(run->free, buffer);
}

static void write_run(Run *run, Buffer *buffer, int fd, gsize from, gsize to)
{
    AioOp *op = &buffer->ops[buffer->writes++];

    op->owner = buffer;
    aio_write(run->aio, op, fd, buffer->buffer + from, to - from, chunk_start(buffer->chunk) + from);
    progress_add(run->pipeline->progress, PROGRESS_WRITTEN, to - from);
}

static void write_buffer(Run *run, Buffer *buffer)
{
    const Target *target = run->pipeline->target;
    gsize direct = target->direct < 0 ? 0 : buffer->size - buffer->size % TARGET_ALIGN;
    guint granules = buffer->data ? (buffer->size + GRANULE - 1) / GRANULE : 0;

    buffer->writes = 0;
    for (guint i = 0, end; i < granules && !buffer->same; i = end + 1) {
        gsize from, to;

        for (end = i; end < granules && buffer->data >> end & 1; end++)
            ;
        if (end == i)
            continue;
        from = i * GRANULE;
        to = MIN(end * GRANULE, buffer->size);
        if (from < MIN(to, direct))
            write_run(run, buffer, target->direct, from, MIN(to, direct));
        if (to > direct) /* the odd end of the disk, or a target without O_DIRECT */
            write_run(run, buffer, target->fd, MAX(from, direct), to);
    }
    if (buffer->writes)
        run->held++;
    else
        landed(run, buffer);
}

static void take_filled(Run *run)
{
    Buffer *buffer;

    while ((buffer = g_async_queue_try_pop(run->filled)))
        write_buffer(run, buffer);
}

static void write_failed(Run *run, AioOp *op)
{
    GError *error = NULL;
    target_set_error(run->pipeline->target, op->result, "write", &error);
    stop(run, error);
    ((Buffer *)op->owner)->same = TRUE; /* marks it as failed: it must not be counted as landed */
}

static void write_over(Run *run, Buffer *buffer)
{
    if (--buffer->writes)
        return;
    run->held--;
    if (buffer->same)
        g_async_queue_push(run->free, buffer);
    else
        landed(run, buffer);
}

static void set_full(Run *run, gboolean full)
{
    if (run->full != full)
        progress_set_waiting(run->pipeline->progress, full ? "room on the target's storage" : NULL);
    run->full = full;
}

static gboolean is_full(const AioOp *op)
{
    return op->result == ENOSPC || op->result == EDQUOT;
}

static void write_ended(Run *run, AioOp *op)
{
    if (is_full(op) && !is_stopped(run)) {
        set_full(run, TRUE);
        run->again_at = g_get_monotonic_time() + AGAIN_US;
        g_queue_push_tail(&run->stalled, op);
        return;
    }
    if (op->result)
        write_failed(run, op);
    else
        set_full(run, FALSE);
    write_over(run, op->owner);
}

/* Tries the writes again that found no room; or gives them up when the run is stopped. */
static void look_at_stalled(Run *run)
{
    AioOp *op;

    if (g_queue_is_empty(&run->stalled))
        return;
    if (is_stopped(run)) {
        while ((op = g_queue_pop_head(&run->stalled))) {
            write_failed(run, op);
            write_over(run, op->owner);
        }
    } else if (g_get_monotonic_time() >= run->again_at) {
        run->again_at = g_get_monotonic_time() + AGAIN_US;
        while ((op = g_queue_pop_head(&run->stalled)))
            aio_again(run->aio, op);
    }
}

/* ---- the landing thread: checkpoints ----------------------------------------------------------- */

static gboolean nothing_more_comes(Run *run)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&run->lock);
    return run->readers == 0 && run->held == 0 && g_async_queue_length(run->filled) <= 0;
}

static void begin_checkpoint(Run *run)
{
    GArray *empty = run->syncing;

    if (run->flushing || !run->waiting->len)
        return;
    if (run->waiting_bytes < run->interval && g_get_monotonic_time() - run->last_checkpoint < CHECKPOINT_US &&
        !nothing_more_comes(run))
        return;
    run->syncing = run->waiting;
    run->waiting = empty;
    run->waiting_bytes = run->waiting_data = 0;
    run->last_checkpoint = g_get_monotonic_time();
    run->flushing = TRUE;
    aio_sync(run->aio, &run->flush_op, run->pipeline->target->fd);
}

/* Goes along with the target's next flush: a kill leaves the records as they are, and a power cut that takes
 * some costs reading their chunks again. */
static void begin_journal_flush(Run *run)
{
    if (run->flushing_journal || !run->journal_behind)
        return;
    run->journal_behind = FALSE;
    run->flushing_journal = TRUE;
    aio_sync(run->aio, &run->journal_op, journal_fd(run->pipeline->journal));
}

static gboolean record_chunks(Run *run, GError **error)
{
    Journal *journal = run->pipeline->journal;

    if (!journal_check_fence(journal, error))
        return FALSE;
    for (guint i = 0; i < run->syncing->len; i++) {
        const Landed *entry = &g_array_index(run->syncing, Landed, i);
        if (!journal_put_run(journal, entry->chunk, entry->chunks, &entry->hash, CHUNK_LANDED, error))
            return FALSE;
        progress_add(run->pipeline->progress, PROGRESS_DONE, entry->size);
    }
    return TRUE;
}

/* The next flush would succeed: an error is told once, and is about what landed since, too. */
static void flush_failed(Run *run, int errsv, const char *what)
{
    GError *error = NULL;

    run->lost = TRUE;
    g_array_set_size(run->waiting, 0);
    target_set_error(run->pipeline->target, errsv, what, &error);
    stop(run, error);
}

static void flush_ended(Run *run)
{
    GError *error = NULL;

    run->flushing = FALSE;
    if (run->flush_op.result) {
        flush_failed(run, run->flush_op.result, "flush");
    } else if (!run->lost) {
        run->journal_behind = TRUE;
        if (!record_chunks(run, &error))
            stop(run, error);
    }
    g_array_set_size(run->syncing, 0);
    while (!g_queue_is_empty(&run->withheld))
        g_async_queue_push(run->free, g_queue_pop_head(&run->withheld));
}

static void journal_flush_ended(Run *run)
{
    run->flushing_journal = FALSE;
    if (run->journal_op.result)
        flush_failed(run, run->journal_op.result, "flush of the journal");
}

static gboolean is_in_checkpoint(const Run *run)
{
    return run->waiting->len || run->flushing || run->journal_behind || run->flushing_journal;
}

/* ---- the landing thread: read-back ------------------------------------------------------------- */

static void compared(Run *run, Buffer *buffer, const Hash *seen)
{
    Journal *journal = run->pipeline->journal;
    GError *error = NULL;
    Hash wanted;

    if (!journal_hash(journal, buffer->chunk, &wanted, &error)) {
        stop(run, error);
    } else if (!hash_equal(&wanted, seen)) {
        journal_forget(journal, buffer->chunk, NULL);
        stop(run, g_error_new(GANTRY_ERROR, ERROR_READ_BACK,
                              "target %s: bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                              " read back differ from what was written",
                              run->pipeline->target->path, chunk_start(buffer->chunk),
                              chunk_start(buffer->chunk) + buffer->size - 1));
    } else if (!journal_put(journal, buffer->chunk, seen, CHUNK_VERIFIED, &error)) {
        stop(run, error);
    } else {
        progress_add(run->pipeline->progress, PROGRESS_VERIFIED, buffer->size);
    }
}

static void read_back(Run *run, Buffer *buffer)
{
    const Target *target = run->pipeline->target;
    gsize direct = target->direct < 0 ? 0 : buffer->size - buffer->size % TARGET_ALIGN;
    guint64 start = chunk_start(buffer->chunk);
    Hash hash;

    if (target_hole(target, start, buffer->size) == buffer->size) {
        hash = hash_of_zeros(buffer->size);
        compared(run, buffer, &hash);
        return;
    }
    run->verifying++;
    buffer->writes = 0;
    if (direct) {
        buffer->ops[buffer->writes].owner = buffer;
        aio_read(run->aio, &buffer->ops[buffer->writes++], target->direct, buffer->buffer, direct, start);
    }
    if (direct < buffer->size) {
        target_drop_cache(target, start + direct, buffer->size - direct);
        buffer->ops[buffer->writes].owner = buffer;
        aio_read(run->aio, &buffer->ops[buffer->writes++], target->fd, buffer->buffer + direct,
                 buffer->size - direct, start + direct);
    }
}

/* Proves a run of chunks that are a hole in the target and zeros in the source. Gives their number; 0: the
 * chunk is none of those. */
static guint64 prove_zeros(Run *run, guint64 chunk)
{
    const Pipeline *pipeline = run->pipeline;
    guint64 left = pipeline->target->size - chunk_start(chunk);
    guint64 len = target_hole(pipeline->target, chunk_start(chunk), MIN(left, HOLES)) / CHUNK_SIZE, same = 0;
    g_autofree Hash *hashes = NULL;
    GError *error = NULL;
    Hash zeros;

    if (len < 2)
        return 0;
    len = journal_run(pipeline->journal, chunk, len, CHUNK_LANDED);
    hashes = g_new(Hash, len);
    zeros = hash_of_zeros(CHUNK_SIZE);
    if (journal_hashes(pipeline->journal, chunk, len, hashes, &error))
        while (same < len && hash_equal(&hashes[same], &zeros))
            same++;
    if (!error && same)
        journal_put_run(pipeline->journal, chunk, same, &zeros, CHUNK_VERIFIED, &error);
    if (error)
        stop(run, error);
    progress_add(pipeline->progress, PROGRESS_VERIFIED, same * CHUNK_SIZE);
    return same;
}

static gboolean begin_read_back(Run *run, Buffer *buffer)
{
    Journal *journal = run->pipeline->journal;
    guint64 size = run->pipeline->target->size, next, zeros;

    if (is_stopped(run) || !run->pipeline->verify || journal_count(journal, CHUNK_LANDED) <= run->verifying)
        return FALSE;
    next = journal_next(journal, run->verify_cursor, 1 << CHUNK_LANDED);
    if (chunk_start(next) >= size) {
        run->verify_cursor = 0; /* once more from the start, when those under way have ended */
        if (run->verifying)
            return FALSE;
        next = journal_next(journal, 0, 1 << CHUNK_LANDED);
    }
    zeros = prove_zeros(run, next);
    run->verify_cursor = next + MAX(zeros, 1);
    if (zeros)
        return TRUE;
    buffer->chunk = next;
    buffer->size = chunk_size(size, next);
    read_back(run, buffer);
    return TRUE;
}

static void begin_read_backs(Run *run)
{
    for (guint i = 0; i < VERIFY_BUFFERS; i++)
        while (!run->verifiers[i].writes && begin_read_back(run, &run->verifiers[i]))
            ;
}

static void read_back_ended(Run *run, AioOp *op)
{
    Buffer *buffer = op->owner;
    Hash hash;

    if (op->result) {
        GError *error = NULL;
        target_set_error(run->pipeline->target, op->result, "read back", &error);
        stop(run, error);
    }
    if (--buffer->writes)
        return;
    run->verifying--;
    if (!is_stopped(run)) {
        hash = hash_of(buffer->buffer, buffer->size);
        compared(run, buffer, &hash);
    }
}

/* ---- the landing thread ------------------------------------------------------------------------ */

static gboolean is_finished(Run *run)
{
    if (!nothing_more_comes(run) || is_in_checkpoint(run) || run->verifying)
        return FALSE;
    return is_stopped(run) || !run->pipeline->verify ||
           journal_count(run->pipeline->journal, CHUNK_LANDED) == 0;
}

static void land(Run *run)
{
    const Buffer *verifiers = run->verifiers;

    for (;;) {
        AioOp *op;

        take_filled(run);
        look_at_stalled(run);
        begin_checkpoint(run);
        begin_journal_flush(run);
        begin_read_backs(run);
        if (is_finished(run))
            return;
        if (nothing_more_comes(run) && !is_in_checkpoint(run))
            progress_set_phase(run->pipeline->progress, "Verifying");
        op = aio_wait(run->aio, 100);
        if (!op)
            continue;
        if (op == &run->flush_op)
            flush_ended(run);
        else if (op == &run->journal_op)
            journal_flush_ended(run);
        else if ((const Buffer *)op->owner >= verifiers &&
                 (const Buffer *)op->owner < verifiers + VERIFY_BUFFERS)
            read_back_ended(run, op);
        else
            write_ended(run, op);
    }
}

/* ---- the run ----------------------------------------------------------------------------------- */

static void count_read(guint64 bytes, gpointer user_data)
{
    Run *run = user_data;
    journal_add_read(run->pipeline->journal, bytes);
    progress_add(run->pipeline->progress, PROGRESS_READ, bytes);
}

/* As many buffers as fit, but so few that not much of a small disk is in flight when we are killed. */
static void size_ring(Run *run)
{
    const Pipeline *pipeline = run->pipeline;
    guint64 size = pipeline->target->size;
    guint64 fit = pipeline->memory / CHUNK_SIZE, fair = size / IN_FLIGHT / CHUNK_SIZE;

    fit = fit > VERIFY_BUFFERS ? fit - VERIFY_BUFFERS : 0;
    run->n_buffers = MAX(LEAST_BUFFERS, MIN(fit, MAX(fair, LEAST_BUFFERS)));
    run->n_threads = pipeline->reader->sequential ? 1 : MIN(pipeline->reader->parallel, run->n_buffers);
    run->interval = CLAMP(size / UNRECORDED, CHUNK_SIZE, 64 * CHUNK_SIZE);
}

static gboolean make_ring(Run *run, GError **error)
{
    guint all = run->n_buffers + VERIFY_BUFFERS;
    gboolean uring;

    run->memory_size = all * CHUNK_SIZE;
    run->memory = mmap(NULL, run->memory_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (run->memory == MAP_FAILED) {
        run->memory = NULL;
        g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "no memory for %u buffers", all);
        return FALSE;
    }
    run->buffers = g_new0(Buffer, all);
    run->verifiers = run->buffers + run->n_buffers;
    for (guint i = 0; i < all; i++)
        run->buffers[i].buffer = run->memory + i * CHUNK_SIZE;
    for (guint i = 0; i < run->n_buffers; i++)
        g_async_queue_push(run->free, &run->buffers[i]);
    run->aio = aio_new(run->memory, run->memory_size, 128, &uring, error);
    return run->aio != NULL;
}

static void clear(Run *run)
{
    g_clear_pointer(&run->aio, aio_free);
    if (run->memory)
        munmap(run->memory, run->memory_size);
    g_free(run->buffers);
    fetch_free(run->fetch);
    g_async_queue_unref(run->free);
    g_async_queue_unref(run->filled);
    g_array_unref(run->waiting);
    g_array_unref(run->syncing);
    g_object_unref(run->cancel);
    g_clear_error(&run->error);
    g_mutex_clear(&run->lock);
}

static void pass_on(GCancellable *from, gpointer to)
{
    g_cancellable_cancel(to);
}

static void copy_all(Run *run, GCancellable *cancel)
{
    gulong handler = cancel ? g_cancellable_connect(cancel, G_CALLBACK(pass_on), run->cancel, NULL) : 0;
    g_autofree GThread **threads = g_new(GThread *, run->n_threads);

    run->readers = run->n_threads;
    for (guint i = 0; i < run->n_threads; i++)
        threads[i] = g_thread_new("read", read_chunks, run);
    land(run);
    for (guint i = 0; i < run->n_threads; i++)
        g_thread_join(threads[i]);
    if (handler)
        g_cancellable_disconnect(cancel, handler);
}

gboolean pipeline_run(const Pipeline *pipeline, GCancellable *cancel, GError **error)
{
    Run run = {.pipeline = pipeline, .cancel = g_cancellable_new()};
    gboolean good = FALSE;

    g_mutex_init(&run.lock);
    run.free = g_async_queue_new();
    run.filled = g_async_queue_new();
    run.waiting = g_array_new(FALSE, FALSE, sizeof(Landed));
    run.syncing = g_array_new(FALSE, FALSE, sizeof(Landed));
    run.last_checkpoint = g_get_monotonic_time();
    run.fetch = fetch_new(pipeline->reader, pipeline->limit, count_read, &run);
    g_queue_init(&run.stalled);
    g_queue_init(&run.withheld);
    size_ring(&run);
    if (make_ring(&run, error)) {
        copy_all(&run, cancel);
        if (!g_cancellable_set_error_if_cancelled(cancel, error)) {
            good = run.error == NULL;
            if (run.error)
                g_propagate_error(error, g_steal_pointer(&run.error));
        }
    }
    clear(&run);
    return good;
}
