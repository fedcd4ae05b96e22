/* rate_limit: reservations on one line of time. */
#include "copy/rate_limit.h"
#include <string.h>

#define LOOK_US     G_USEC_PER_SEC
#define ROOM_US     (G_USEC_PER_SEC / 4)
#define LEAST       ((guint64)64 << 10)
#define MOST        ((guint64)1 << 40)
#define NUMBER_SIZE 64 /* of a file's text, at most */

typedef struct {
    char *path;
    guint64 rate;
} Source;

struct RateLimit {
    GArray *sources; /* of Source; under lock, as is all below */
    GMutex lock;
    gint64 looked_at, free_at; /* free_at: when all that is booked has been read */
    guint64 rate;
};

static void clear_source(gpointer source)
{
    g_free(((Source *)source)->path);
}

RateLimit *rate_limit_new(const char *const *files)
{
    RateLimit *limit = g_new0(RateLimit, 1);

    g_mutex_init(&limit->lock);
    limit->looked_at = -LOOK_US;
    limit->sources = g_array_new(FALSE, FALSE, sizeof(Source));
    g_array_set_clear_func(limit->sources, clear_source);
    for (; *files; files++) {
        Source source = {g_strdup(*files), 0};
        g_array_append_val(limit->sources, source);
    }
    return limit;
}

void rate_limit_free(RateLimit *limit)
{
    if (!limit)
        return;
    g_array_unref(limit->sources);
    g_mutex_clear(&limit->lock);
    g_free(limit);
}

static void look_at(Source *source)
{
    g_autofree char *text = NULL;
    gsize size;
    guint64 rate;

    if (!g_file_get_contents(source->path, &text, &size, NULL) || !*g_strstrip(text))
        source->rate = 0;
    else if (size <= NUMBER_SIZE && g_ascii_string_to_unsigned(text, 10, 0, MOST, &rate, NULL))
        source->rate = rate ? MAX(rate, LEAST) : 0;
}

static void look(RateLimit *limit, gint64 now)
{
    if (now - limit->looked_at < LOOK_US)
        return;
    limit->looked_at = now;
    limit->rate = 0;
    for (guint i = 0; i < limit->sources->len; i++) {
        Source *source = &g_array_index(limit->sources, Source, i);
        look_at(source);
        if (source->rate && (!limit->rate || source->rate < limit->rate))
            limit->rate = source->rate;
    }
}

guint64 rate_limit_get(RateLimit *limit)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&limit->lock);
    return limit->rate;
}

gsize rate_limit_book(RateLimit *limit, gsize size, gint64 now, gint64 *wait_us)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&limit->lock);

    *wait_us = 0;
    look(limit, now);
    if (!limit->rate) {
        limit->free_at = now;
        return size;
    }
    size = MIN(size, MAX(limit->rate / 4 / LEAST, 1) * LEAST);
    limit->free_at = MAX(limit->free_at, now - ROOM_US);
    *wait_us = MAX(0, limit->free_at - now);
    limit->free_at += (gint64)((double)size * G_USEC_PER_SEC / limit->rate);
    return size;
}
