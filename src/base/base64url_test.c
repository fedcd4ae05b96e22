/* base64url: letters of its own, and no padding. */
#include "base/base64url.h"

/* The first three of RFC 4648, 10, its two own letters, and the challenge of RFC 7636, B. */
static void bytes_are_written_as_the_rfcs_say(void)
{
    static const struct {
        guint8 bytes[32];
        gsize size;
        const char *text;
    } rows[] = {
        {"", 0, ""},
        {"f", 1, "Zg"},
        {"fo", 2, "Zm8"},
        {"foo", 3, "Zm9v"},
        {{0xfb, 0xef, 0xff}, 3, "--__"},
        {{19,  211, 30,  150, 26,  26,  216, 236, 47,  22,  177, 12, 76,  152, 46,  8,
          118, 168, 120, 173, 109, 241, 68,  86,  110, 225, 137, 74, 203, 112, 249, 195},
         32,
         "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = base64url(rows[i].bytes, rows[i].size);
        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/base64url/bytes are written as the RFCs say", bytes_are_written_as_the_rfcs_say);
    return g_test_run();
}
