/* parameters: each query parameter by a function of its own. */
#include "inventory/parameters.h"
#include <string.h>

enum { MOST_NAME = 1024, MOST_DETAIL = 9 };

static gboolean bad(const char *name, const char *value, const char *right, GError **error)
{
    g_autofree char *start = g_utf8_make_valid(value, strnlen(value, 64));

    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: '%s' is not %s", name, start, right);
    return FALSE;
}

static gboolean read_count(const char *text, const char *name, gint64 absent, gint64 *count, GError **error)
{
    guint64 value = 0;

    *count = absent;
    if (!text || !*text)
        return TRUE;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &value, NULL))
        return bad(name, text, "a number of 0 or more", error);
    *count = value;
    return TRUE;
}

static gboolean read_detail(const char *text, guint *detail, GError **error)
{
    gint64 value = 0;

    *detail = 0;
    if (!text || !*text)
        return TRUE;
    if (!g_ascii_strcasecmp(text, "all")) {
        *detail = MOST_DETAIL;
        return TRUE;
    }
    if (!g_ascii_string_to_signed(text, 10, G_MININT, G_MAXINT, &value, NULL))
        return bad("detail", text, "a number or 'all'", error);
    *detail = CLAMP(value, 0, MOST_DETAIL);
    return TRUE;
}

static gboolean read_flag(const char *text, const char *name, gboolean *flag, GError **error)
{
    *flag = text && !strcmp(text, "true");
    return !text || *flag || !*text || !strcmp(text, "false") || bad(name, text, "true or false", error);
}

static gboolean read_name(const char *text, const char *parameter, const char **name, GError **error)
{
    *name = text && *text ? text : NULL;
    return !text || strlen(text) <= MOST_NAME || bad(parameter, text, "a name: it is too long", error);
}

static gboolean read_filter(const char *text, Filter **filter, GError **error)
{
    *filter = text && *text ? filter_parse(text, error) : NULL;
    return !text || !*text || *filter;
}

gboolean parameters_read(Parameters *parameters, ParameterLookup lookup, gconstpointer source, GError **error)
{
    g_auto(Parameters) read = {0};

    if (!read_count(lookup(source, "limit"), "limit", -1, &read.limit, error) ||
        !read_count(lookup(source, "offset"), "offset", 0, &read.offset, error) ||
        !read_detail(lookup(source, "detail"), &read.detail, error) ||
        !read_flag(lookup(source, "total"), "total", &read.total, error) ||
        !read_name(lookup(source, "name"), "name", &read.name, error) ||
        !read_name(lookup(source, "namespace"), "namespace", &read.ns, error) ||
        !read_name(lookup(source, "advancedOption"), "advancedOption", &read.advanced_option, error) ||
        !read_filter(lookup(source, "q"), &read.filter, error))
        return FALSE;
    *parameters = read;
    read.filter = NULL;
    return TRUE;
}

void parameters_clear(Parameters *parameters)
{
    g_clear_pointer(&parameters->filter, filter_free);
}
