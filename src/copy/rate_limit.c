/* rate_limit: reservations on one line of time. */
#include "copy/rate_limit.h"

#define ROOM_US (G_USEC_PER_SEC / 4)
#define LEAST   ((guint64)64 << 10)

struct RateLimit {
    GMutex lock;
    guint64 rate;   /* under lock, as is the other */
    gint64 free_at; /* when all that is booked has been read */
};

RateLimit *rate_limit_new(guint64 rate)
{
    RateLimit *limit = g_new0(RateLimit, 1);

    g_mutex_init(&limit->lock);
    rate_limit_set(limit, rate);
    return limit;
}

void rate_limit_free(RateLimit *limit)
{
    if (!limit)
        return;
    g_mutex_clear(&limit->lock);
    g_free(limit);
}

void rate_limit_set(RateLimit *limit, guint64 rate)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&limit->lock);
    limit->rate = rate ? CLAMP(rate, LEAST, RATE_LIMIT_MOST) : 0;
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
