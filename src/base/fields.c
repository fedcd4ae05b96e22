/* fields: one check for each kind of member. */
#include "base/fields.h"
#include <string.h>

#define PATH_LIMIT  4096
#define SHOWN_LIMIT 80 /* of a wrong value */

gboolean field_wrong(const Fields *fields, const char *path, const char *right, GError **error)
{
    const json_t *value = json_at(fields->json, path);
    g_autofree char *is = value ? json_text(value) : g_strdup("missing");

    if (strlen(is) > SHOWN_LIMIT)
        strcpy(is + SHOWN_LIMIT - 3, "...");
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: %s is %s; it must be %s", fields->what, path, is,
                right);
    return FALSE;
}

gboolean field_object(const Fields *fields, const char *path, const json_t **object, GError **error)
{
    const json_t *value = json_at(fields->json, path);

    if (!json_is_object(value))
        return field_wrong(fields, path, "an object", error);
    *object = value;
    return TRUE;
}

gboolean field_text(const Fields *fields, const char *path, gsize most, const char **text, GError **error)
{
    const json_t *value = json_at(fields->json, path);
    const char *is = json_string_value(value);

    if (!is || !*is || json_string_length(value) > most || strlen(is) != json_string_length(value)) {
        g_autofree char *right = g_strdup_printf("a text of 1 to %" G_GSIZE_FORMAT " bytes", most);
        return field_wrong(fields, path, right, error);
    }
    *text = is;
    return TRUE;
}

gboolean field_optional_text(const Fields *fields, const char *path, gsize most, const char **text,
                             GError **error)
{
    const json_t *value = json_at(fields->json, path);

    if (!value || json_is_null(value) || (json_is_string(value) && !json_string_length(value)))
        return TRUE;
    return field_text(fields, path, most, text, error);
}

gboolean field_path(const Fields *fields, const char *path, const char **text, GError **error)
{
    const char *is;

    if (!field_text(fields, path, PATH_LIMIT, &is, error))
        return FALSE;
    if (!g_path_is_absolute(is))
        return field_wrong(fields, path, "an absolute path", error);
    *text = is;
    return TRUE;
}

gboolean field_number(const Fields *fields, const char *path, guint64 least, guint64 most, guint64 *number,
                      GError **error)
{
    const json_t *value = json_at(fields->json, path);

    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (guint64)json_integer_value(value) < least || (guint64)json_integer_value(value) > most) {
        g_autofree char *right =
            g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, least, most);
        return field_wrong(fields, path, right, error);
    }
    *number = json_integer_value(value);
    return TRUE;
}

gboolean field_optional_number(const Fields *fields, const char *path, guint64 least, guint64 most,
                               guint64 absent, guint64 *number, GError **error)
{
    if (json_at(fields->json, path))
        return field_number(fields, path, least, most, number, error);
    *number = absent;
    return TRUE;
}

gboolean field_optional_flag(const Fields *fields, const char *path, gboolean *flag, GError **error)
{
    const json_t *value = json_at(fields->json, path);

    if (value && !json_is_boolean(value))
        return field_wrong(fields, path, "true or false", error);
    *flag = json_is_true(value);
    return TRUE;
}
