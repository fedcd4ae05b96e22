/* rate_limit: how many bytes a second a copy may read, changeable while it runs.
 *
 * The limit is in files, so that whoever runs the copy changes it by changing them: a ConfigMap that is
 * mounted, or a plain file. Each is read again every second and holds a decimal number of bytes per second;
 * 0, an empty file or none at all is no limit. The lowest of them counts: one file can be the plan's share
 * and another the host's. A number below 64 KiB is taken as that; what is no number leaves the file's last
 * one in force. A token bucket with a quarter second's worth of room. Threads: any.
 */
#pragma once
#include <gio/gio.h>

typedef struct RateLimit RateLimit;

RateLimit *rate_limit_new(const char *const *files); /* copied; NULL at the end */
void rate_limit_free(RateLimit *limit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RateLimit, rate_limit_free)

guint64 rate_limit_get(RateLimit *limit); /* bytes per second at present; 0: none */

/* How much of size to read at once now; books that, and says how long to wait before (microseconds).
 * now: g_get_monotonic_time(). */
gsize rate_limit_book(RateLimit *limit, gsize size, gint64 now, gint64 *wait_us);
