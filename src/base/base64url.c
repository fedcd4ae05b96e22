/* base64url: GLib's base64 with the two letters that a URL would not bear replaced. */
#include "base/base64url.h"

char *base64url(const guint8 *bytes, gsize size)
{
    char *text = g_base64_encode(bytes, size);

    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    return g_strdelimit(text, "=", '\0');
}
