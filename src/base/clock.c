/* clock: RFC 3339 text and exponential waits. */
#include "base/clock.h"

char *clock_now(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    return g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
}

char *clock_now_micro(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%06dZ", seconds, g_date_time_get_microsecond(now));
}

gint64 clock_parse(const char *text)
{
    g_autoptr(GDateTime) time = text ? g_date_time_new_from_iso8601(text, NULL) : NULL;
    return time ? g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time) : -1;
}

guint backoff_ms(guint attempt, guint first_ms, guint most_ms)
{
    guint64 wait = attempt < 20 ? (guint64)first_ms << attempt : most_ms;
    wait = MIN(wait, most_ms);
    return wait - wait / 4 + (wait >= 2 ? (guint64)g_random_int_range(0, wait / 2 + 1) : 0);
}

gboolean clock_wait(guint ms, GCancellable *cancel)
{
    GPollFD wake;

    if (!cancel || !g_cancellable_make_pollfd(cancel, &wake)) {
        g_usleep((gulong)ms * 1000);
        return TRUE;
    }
    g_poll(&wake, 1, ms);
    g_cancellable_release_fd(cancel);
    return !g_cancellable_is_cancelled(cancel);
}
