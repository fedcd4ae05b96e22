/* quantity: a decimal number and a suffix. */
#include "kube/quantity.h"
#include <string.h>

static const struct {
    const char *suffix;
    guint64 factor;
} suffixes[] = {
    {"", 1},
    {"k", 1000ull},
    {"M", 1000000ull},
    {"G", 1000000000ull},
    {"T", 1000000000000ull},
    {"P", 1000000000000000ull},
    {"E", 1000000000000000000ull},
    {"Ki", 1ull << 10},
    {"Mi", 1ull << 20},
    {"Gi", 1ull << 30},
    {"Ti", 1ull << 40},
    {"Pi", 1ull << 50},
    {"Ei", 1ull << 60},
};

/* "e9" or "E9" behind the number: a power of ten. */
static gboolean exponent(const char *text, guint64 *factor)
{
    guint64 power;

    if ((*text != 'e' && *text != 'E') || !g_ascii_string_to_unsigned(text + 1, 10, 0, 18, &power, NULL))
        return FALSE;
    for (*factor = 1; power; power--)
        *factor *= 10;
    return TRUE;
}

static gboolean factor_of(const char *suffix, guint64 *factor)
{
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (!strcmp(suffix, suffixes[i].suffix)) {
            *factor = suffixes[i].factor;
            return TRUE;
        }
    return exponent(suffix, factor);
}

/* whole.fraction × factor, rounded up. long double holds 64 bits of it exactly. */
static gboolean scale(const char *number, gsize len, guint64 factor, guint64 *bytes)
{
    g_autofree char *text = g_strndup(number, len);
    const char *dot = strchr(text, '.');
    guint64 whole = 0;
    long double part = 0, digit = 0.1L;

    for (const char *c = text; *c && *c != '.'; c++)
        if (!g_uint64_checked_mul(&whole, whole, 10) ||
            !g_uint64_checked_add(&whole, whole, (guint64)(*c - '0')))
            return FALSE;
    if (!g_uint64_checked_mul(&whole, whole, factor))
        return FALSE;
    for (const char *c = dot ? dot + 1 : ""; *c; c++, digit /= 10)
        part += digit * (*c - '0');
    part *= factor;
    guint64 more = (guint64)part;
    if (part - more > 1e-6L)
        more++;
    return g_uint64_checked_add(bytes, whole, more) && *bytes <= G_MAXINT64;
}

gboolean quantity_parse(const char *text, guint64 *bytes, GError **error)
{
    gsize digits = strspn(text, "0123456789"), len = digits;
    guint64 factor, result;

    if (text[len] == '.') {
        gsize fraction = strspn(text + len + 1, "0123456789");
        len += 1 + fraction;
        digits += fraction;
    }
    if (!strcmp(text + len, "m")) /* thousandths make sense for processors only, but round as the others */
        factor = 0;
    else if (!factor_of(text + len, &factor))
        digits = 0;
    if (!digits || !scale(text, len, factor ? factor : 1, &result)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "quantity \"%s\": must be a number of bytes such as 10Gi or 512Mi", text);
        return FALSE;
    }
    *bytes = factor ? result : (result + 999) / 1000;
    return TRUE;
}
