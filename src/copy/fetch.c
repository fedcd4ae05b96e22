/* fetch: extents, tries, and the depth that all threads share. */
#include "copy/fetch.h"
#include "base/clock.h"
#include <string.h>

#define TRIES           7 /* without a byte of progress: about a minute in all */
#define FIRST_WAIT_MS   250
#define LONGEST_WAIT_MS 20000
#define GAP             (256 * 1024) /* reading so many zeros is cheaper than another request */
#define CALM            64           /* good reads after which the depth grows again */

struct Fetch {
    Reader *reader;
    void (*read)(guint64 bytes, gpointer user_data);
    gpointer user_data;
    GMutex lock;
    GCond room;
    guint depth, under_way, calm; /* under lock */
};

Fetch *fetch_new(Reader *reader, void (*read)(guint64 bytes, gpointer user_data), gpointer user_data)
{
    Fetch *fetch = g_new0(Fetch, 1);
    fetch->reader = reader;
    fetch->read = read;
    fetch->user_data = user_data;
    fetch->depth = reader->parallel;
    g_mutex_init(&fetch->lock);
    g_cond_init(&fetch->room);
    return fetch;
}

void fetch_free(Fetch *fetch)
{
    if (!fetch)
        return;
    g_mutex_clear(&fetch->lock);
    g_cond_clear(&fetch->room);
    g_free(fetch);
}

guint fetch_depth(Fetch *fetch)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&fetch->lock);
    return fetch->depth;
}

static void enter(Fetch *fetch)
{
    g_mutex_lock(&fetch->lock);
    while (fetch->under_way >= fetch->depth)
        g_cond_wait(&fetch->room, &fetch->lock);
    fetch->under_way++;
    g_mutex_unlock(&fetch->lock);
}

static void leave(Fetch *fetch, const GError *error)
{
    g_mutex_lock(&fetch->lock);
    fetch->under_way--;
    if (error && error_class(error) == CONGESTED) {
        fetch->depth = MAX(1, MIN(fetch->depth, fetch->under_way + 1) / 2);
        fetch->calm = 0;
    } else if (!error && ++fetch->calm >= CALM) {
        fetch->depth = MIN(fetch->depth + 1, fetch->reader->parallel);
        fetch->calm = 0;
    }
    g_cond_broadcast(&fetch->room);
    g_mutex_unlock(&fetch->lock);
}

static void wait_ms(guint ms, GCancellable *cancel)
{
    GPollFD wake;

    if (!cancel || !g_cancellable_make_pollfd(cancel, &wake)) {
        g_usleep(ms * 1000);
        return;
    }
    g_poll(&wake, 1, ms);
    g_cancellable_release_fd(cancel);
}

static gboolean try_read(Fetch *fetch, guint64 start, gsize size, guint8 *buffer, gsize *done,
                         GCancellable *cancel, GError **error)
{
    g_autoptr(GError) failed = NULL;
    gsize before = *done;

    enter(fetch);
    reader_read(fetch->reader, start, size, buffer, done, cancel, &failed);
    leave(fetch, failed);
    fetch->read(*done - before, fetch->user_data);
    if (!failed)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

/* What follows a try that failed: TRUE when another one makes sense. */
static gboolean may_try_again(Fetch *fetch, gint session, guint try, GError **failed, GCancellable *cancel)
{
    ErrorClass class = error_class(*failed);

    if (g_cancellable_is_cancelled(cancel) || class == FATAL || try >= TRIES ||
        g_error_matches(*failed, GANTRY_ERROR, ERROR_SOURCE_CHANGED) ||
        (class == STALE && !fetch->reader->type->renew))
        return FALSE;
    if (class == STALE) {
        g_clear_error(failed);
        if (!reader_renew(fetch->reader, session, cancel, failed) && error_class(*failed) == FATAL)
            return FALSE;
    }
    if (class != STALE || *failed || try > 1)
        wait_ms(backoff_ms(try, FIRST_WAIT_MS, LONGEST_WAIT_MS), cancel);
    return !g_cancellable_is_cancelled(cancel);
}

static gboolean read_range(Fetch *fetch, guint64 start, gsize size, guint8 *buffer, GCancellable *cancel,
                           GError **error)
{
    gsize done = 0;

    for (guint try = 0;; try++) {
        g_autoptr(GError) failed = NULL;
        gint session = g_atomic_int_get(&fetch->reader->session);
        gsize before = done;

        if (try_read(fetch, start, size, buffer, &done, cancel, &failed))
            return TRUE;
        if (done > before)
            try = 0;
        if (!may_try_again(fetch, session, try, &failed, cancel)) {
            if (failed)
                g_propagate_prefixed_error(error, g_steal_pointer(&failed),
                                           "bytes %" G_GUINT64_FORMAT " and on: ", start + done);
            else
                g_cancellable_set_error_if_cancelled(cancel, error);
            return FALSE;
        }
    }
}

gboolean fetch_range(Fetch *fetch, guint64 start, gsize size, guint8 *buffer, gboolean *zero,
                     GCancellable *cancel, GError **error)
{
    g_autoptr(GArray) extents = g_array_new(FALSE, FALSE, sizeof(Extent));
    guint i = 0;

    if (!reader_extents(fetch->reader, start, size, extents, cancel, error))
        return FALSE;
    *zero = extents->len == 1 && g_array_index(extents, Extent, 0).zero;
    while (i < extents->len && !*zero) {
        Extent run = g_array_index(extents, Extent, i++);

        while (!run.zero && i < extents->len) { /* takes in what follows, but for large gaps */
            const Extent *next = &g_array_index(extents, Extent, i);
            if (next->zero && (next->size > GAP || i + 1 == extents->len))
                break;
            run.size += next->size;
            i++;
        }
        if (run.zero)
            memset(buffer + (run.start - start), 0, run.size);
        else if (!read_range(fetch, run.start, run.size, buffer + (run.start - start), cancel, error))
            return FALSE;
    }
    return TRUE;
}
