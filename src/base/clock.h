/* clock: the two texts in which Kubernetes writes time (RFC 3339), and the wait between tries. */
#pragma once
#include "base/errors.h"

char *clock_now(void);       /* "2026-11-23T03:21:20Z", as metav1.Time */
char *clock_now_micro(void); /* "2026-11-23T03:21:20.000123Z", as metav1.MicroTime */

/* Microseconds since 1970, or -1 when text is not an RFC 3339 time with an offset. */
gint64 clock_parse(const char *text);

/* How long to wait before try number attempt (0 is the first): exponential from first_ms up to most_ms, with a
 * jitter of a quarter so that many waiters spread out. */
guint backoff_ms(guint attempt, guint first_ms, guint most_ms);

/* Waits so long, or until cancelled: then FALSE. */
gboolean clock_wait(guint ms, GCancellable *cancel);
