/* rate_limit: how many bytes a second a copy may read, changeable while it runs.
 *
 * A token bucket with a quarter second's worth of room. A rate below 64 KiB a second is taken as that, as a
 * copy has to get on. A new rate counts for what is booked from then on; what waits already keeps its time,
 * which is a few seconds at most. Threads: any.
 */
#pragma once
#include <gio/gio.h>

#define RATE_LIMIT_MOST ((guint64)1 << 40) /* bytes per second */

typedef struct RateLimit RateLimit;

RateLimit *rate_limit_new(guint64 rate); /* bytes per second, RATE_LIMIT_MOST at most; 0: none */
void rate_limit_free(RateLimit *limit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RateLimit, rate_limit_free)

void rate_limit_set(RateLimit *limit, guint64 rate);
guint64 rate_limit_get(RateLimit *limit); /* the one in force */

/* How much of size to read at once now; books that, and says how long to wait before (microseconds).
 * now: g_get_monotonic_time(). */
gsize rate_limit_book(RateLimit *limit, gsize size, gint64 now, gint64 *wait_us);
