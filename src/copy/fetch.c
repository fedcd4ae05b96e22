/* fetch: extents, tries, and the depth that all threads share. */
#include "copy/fetch.h"
#include "base/clock.h"
#include <string.h>

#define TRIES           7 /* without a byte of progress: about a minute in all */
#define FIRST_WAIT_MS   250
#define LONGEST_WAIT_MS 20000
#define GAP             (256 * 1024) /* reading so many zeros is cheaper than another request */

#define FIRST_DEPTH 2
#define WINDOW_US   (200 * 1000) /* the throughput is measured over at least so long */
#define GAIN        1.05         /* a greater depth is kept when it brings so much */
#define PATIENCE    50           /* windows until a greater depth is tried again */

#define LEAST_LOOK                                                                                           \
    ((guint64)256 << 20)             /* extents are asked for in so large pieces, and larger ones where      \
                                      */
#define MOST_LOOK ((guint64)1 << 40) /* there is nothing but zeros */

struct Fetch {
    Reader *reader;
    RateLimit *limit;
    void (*read)(guint64 bytes, gpointer user_data);
    gpointer user_data;

    GMutex lock;
    GCond room;
    guint depth, turns; /* from here on under lock */
    gint64 window_at;   /* 0: it begins with the next read */
    guint64 window_bytes;
    guint window_reads, patience;
    guint kept_depth; /* while a greater one is tried: the one to go back to; else 0 */
    double rate;      /* bytes a microsecond, at kept_depth */

    GMutex map_lock;
    GArray *map; /* of Extent: what the reader said last; under map_lock, as is this */
    guint64 look;
};

Fetch *fetch_new(Reader *reader, RateLimit *limit, void (*read)(guint64 bytes, gpointer user_data),
                 gpointer user_data)
{
    Fetch *fetch = g_new0(Fetch, 1);
    fetch->reader = reader;
    fetch->limit = limit;
    fetch->read = read;
    fetch->user_data = user_data;
    fetch->depth = MIN(FIRST_DEPTH, reader->parallel);
    fetch->map = g_array_new(FALSE, FALSE, sizeof(Extent));
    fetch->look = LEAST_LOOK;
    g_mutex_init(&fetch->lock);
    g_cond_init(&fetch->room);
    g_mutex_init(&fetch->map_lock);
    return fetch;
}

void fetch_free(Fetch *fetch)
{
    if (!fetch)
        return;
    g_array_unref(fetch->map);
    g_mutex_clear(&fetch->map_lock);
    g_mutex_clear(&fetch->lock);
    g_cond_clear(&fetch->room);
    g_free(fetch);
}

/* ---- depth ------------------------------------------------------------------------------------- */

guint fetch_depth(Fetch *fetch)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&fetch->lock);
    return fetch->depth;
}

void fetch_take_turn(Fetch *fetch)
{
    g_mutex_lock(&fetch->lock);
    while (fetch->turns >= fetch->depth)
        g_cond_wait(&fetch->room, &fetch->lock);
    fetch->turns++;
    g_mutex_unlock(&fetch->lock);
}

void fetch_give_turn_back(Fetch *fetch)
{
    g_mutex_lock(&fetch->lock);
    fetch->turns--;
    g_cond_broadcast(&fetch->room);
    g_mutex_unlock(&fetch->lock);
}

static void begin_window(Fetch *fetch)
{
    fetch->window_at = 0;
    fetch->window_bytes = fetch->window_reads = 0;
}

static void try_greater_depth(Fetch *fetch)
{
    fetch->kept_depth = fetch->depth;
    fetch->depth = MIN(fetch->depth + MAX(1, fetch->depth / 2), fetch->reader->parallel);
    fetch->patience = PATIENCE;
    g_cond_broadcast(&fetch->room);
}

/* A window has ended with this rate. */
static void adapt(Fetch *fetch, double rate)
{
    gboolean gained = rate > fetch->rate * GAIN;

    if (fetch->kept_depth && !gained) {
        fetch->depth = fetch->kept_depth;
        fetch->kept_depth = 0;
        return;
    }
    if (!fetch->kept_depth && fetch->rate > 0 && fetch->patience > 0) {
        fetch->patience--;
        fetch->rate = rate;
        return;
    }
    fetch->rate = rate;
    fetch->kept_depth = 0;
    if (fetch->depth < fetch->reader->parallel)
        try_greater_depth(fetch);
}

static void give_way(Fetch *fetch)
{
    fetch->depth = MAX(1, MIN(fetch->depth, fetch->turns) / 2);
    fetch->kept_depth = 0;
    fetch->rate = 0;
    fetch->patience = PATIENCE;
    begin_window(fetch);
}

static void measure(Fetch *fetch, guint64 bytes, const GError *failed)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&fetch->lock);
    gint64 now = g_get_monotonic_time(), span = now - fetch->window_at;

    if (failed && error_class(failed) == CONGESTED) {
        give_way(fetch);
        return;
    }
    if (!fetch->window_at) {
        fetch->window_at = now;
        return;
    }
    fetch->window_bytes += bytes;
    if (++fetch->window_reads < 2 * fetch->depth || span < WINDOW_US)
        return;
    adapt(fetch, (double)fetch->window_bytes / span);
    begin_window(fetch);
}

/* ---- tries ------------------------------------------------------------------------------------- */

/* Reads as much as the limit lets through at once. */
static gboolean try_read(Fetch *fetch, guint64 start, gsize size, guint8 *buffer, gsize *done,
                         GCancellable *cancel, GError **error)
{
    g_autoptr(GError) failed = NULL;
    gsize before = *done, part = size - before;
    gint64 wait = 0;

    if (fetch->limit)
        part = rate_limit_book(fetch->limit, part, g_get_monotonic_time(), &wait);
    if (wait > 0)
        clock_wait(wait / 1000 + 1, cancel);
    reader_read(fetch->reader, start, before + part, buffer, done, cancel, &failed);
    measure(fetch, *done - before, failed);
    fetch->read(*done - before, fetch->user_data);
    if (!failed)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

/* What follows a try that failed: TRUE when another one makes sense. lends_turn: others may read while this
 * one waits; not for who holds what they need for that. */
static gboolean may_try_again(Fetch *fetch, gint session, guint try, gboolean lends_turn, GError **failed,
                              GCancellable *cancel)
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
    if (class != STALE || *failed || try > 1) {
        if (lends_turn)
            fetch_give_turn_back(fetch);
        clock_wait(backoff_ms(try, FIRST_WAIT_MS, LONGEST_WAIT_MS), cancel);
        if (lends_turn)
            fetch_take_turn(fetch);
    }
    return !g_cancellable_is_cancelled(cancel);
}

static gboolean give_up(GCancellable *cancel, guint64 at, GError **failed, GError **error)
{
    if (*failed)
        g_propagate_prefixed_error(error, g_steal_pointer(failed),
                                   "bytes %" G_GUINT64_FORMAT " and on: ", at);
    else
        g_cancellable_set_error_if_cancelled(cancel, error);
    return FALSE;
}

static gboolean read_range(Fetch *fetch, guint64 start, gsize size, guint8 *buffer, GCancellable *cancel,
                           GError **error)
{
    gsize done = 0;

    for (guint try = 0;; try++) {
        g_autoptr(GError) failed = NULL;
        gint session = g_atomic_int_get(&fetch->reader->session);
        gsize before = done;

        while (!failed && done < size)
            try_read(fetch, start, size, buffer, &done, cancel, &failed);
        if (!failed)
            return TRUE;
        if (done > before)
            try = 0;
        if (!may_try_again(fetch, session, try, TRUE, &failed, cancel))
            return give_up(cancel, start + done, &failed, error);
    }
}

/* ---- the map ----------------------------------------------------------------------------------- */

static guint64 end_of(const Extent *extent)
{
    return extent->start + extent->size;
}

/* Asks the reader about what begins at start, as often as it takes; under map_lock. */
static gboolean look_ahead(Fetch *fetch, guint64 start, guint64 size, GCancellable *cancel, GError **error)
{
    guint64 look = MIN(MAX(fetch->look, size), fetch->reader->size - start);
    g_autoptr(GError) failed = NULL;

    for (guint try = 0;; try++) {
        gint session = g_atomic_int_get(&fetch->reader->session);

        if (reader_extents(fetch->reader, start, look, fetch->map, cancel, &failed))
            break;
        g_array_set_size(fetch->map, 0);
        if (!may_try_again(fetch, session, try, FALSE, &failed, cancel))
            return give_up(cancel, start, &failed, error);
        g_clear_error(&failed);
    }
    if (fetch->map->len == 1 && g_array_index(fetch->map, Extent, 0).zero)
        fetch->look = MIN(fetch->look * 4, MOST_LOOK);
    else
        fetch->look = LEAST_LOOK;
    return TRUE;
}

/* The map holds [start, start + size) when this returns TRUE; under map_lock. */
static gboolean have_map(Fetch *fetch, guint64 start, guint64 size, GCancellable *cancel, GError **error)
{
    const GArray *map = fetch->map;

    return (map->len && g_array_index(map, Extent, 0).start <= start &&
            end_of(&g_array_index(map, Extent, map->len - 1)) >= start + size) ||
           look_ahead(fetch, start, size, cancel, error);
}

/* The number of the extent that holds the byte; the map holds it. */
static guint find_extent(const GArray *map, guint64 at)
{
    guint low = 0, high = map->len;

    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(map, Extent, middle).start <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The extents of [start, start + size), clipped; NULL on error. */
static GArray *extents_of(Fetch *fetch, guint64 start, guint64 size, GCancellable *cancel, GError **error)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&fetch->map_lock);
    guint64 at = start, end = start + size;
    GArray *extents;

    if (!have_map(fetch, start, size, cancel, error))
        return NULL;
    extents = g_array_new(FALSE, FALSE, sizeof(Extent));
    for (guint i = find_extent(fetch->map, start); at < end; i++) {
        Extent part = g_array_index(fetch->map, Extent, i);
        part.size = MIN(end, end_of(&part)) - at;
        part.start = at;
        at += part.size;
        g_array_append_val(extents, part);
    }
    return extents;
}

gboolean fetch_zeros(Fetch *fetch, guint64 start, guint64 most, guint64 *zeros, GCancellable *cancel,
                     GError **error)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&fetch->map_lock);

    if (!have_map(fetch, start, 1, cancel, error))
        return FALSE;
    *zeros = 0;
    for (guint i = find_extent(fetch->map, start); i < fetch->map->len && *zeros < most; i++) {
        const Extent *extent = &g_array_index(fetch->map, Extent, i);
        if (!extent->zero)
            break;
        *zeros = MIN(end_of(extent) - start, most);
    }
    return TRUE;
}

gboolean fetch_range(Fetch *fetch, guint64 start, gsize size, guint8 *buffer, gboolean *zero,
                     GCancellable *cancel, GError **error)
{
    g_autoptr(GArray) extents = extents_of(fetch, start, size, cancel, error);
    guint i = 0;

    if (!extents)
        return FALSE;
    *zero = TRUE;
    for (guint each = 0; each < extents->len; each++)
        *zero = *zero && g_array_index(extents, Extent, each).zero;
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
