/* base64url: bytes as text that may stand in a URL, a cookie or a header: RFC 4648, 5, without padding.
 * Threads: any. */
#pragma once
#include <glib.h>

/* To be freed with g_free(). */
char *base64url(const guint8 *bytes, gsize size);
