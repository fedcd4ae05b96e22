/* json: paths, parsing with a ceiling, and stable text. */
#include "base/json.h"
#include <string.h>

/* Calls json_object_getn() for each dotted part; the last part's object and name are what setters need. */
static json_t *walk(const json_t *json, const char *path, const char **last)
{
    const char *dot;

    while (json && (dot = strchr(path, '.'))) {
        json = json_object_getn(json, path, dot - path);
        path = dot + 1;
    }
    *last = path;
    return (json_t *)json;
}

json_t *json_at(const json_t *json, const char *path)
{
    const char *name;
    json_t *owner = walk(json, path, &name);
    return json_object_get(owner, name);
}

const char *json_string_at(const json_t *json, const char *path, const char *absent)
{
    const char *text = json_string_value(json_at(json, path));
    return text ? text : absent;
}

gint64 json_int_at(const json_t *json, const char *path, gint64 absent)
{
    const json_t *value = json_at(json, path);
    return json_is_integer(value) ? json_integer_value(value) : absent;
}

gboolean json_bool_at(const json_t *json, const char *path, gboolean absent)
{
    const json_t *value = json_at(json, path);
    return json_is_boolean(value) ? json_is_true(value) : absent;
}

void json_set_at_new(json_t *json, const char *path, json_t *value)
{
    const char *dot;

    while ((dot = strchr(path, '.'))) {
        json_t *next = json_object_getn(json, path, dot - path);
        if (!json_is_object(next)) {
            if (!value)
                return;
            next = json_object();
            json_object_setn_new(json, path, dot - path, next);
        }
        json = next;
        path = dot + 1;
    }
    if (value)
        json_object_set_new(json, path, value);
    else
        json_object_del(json, path);
}

json_t *json_parse(const char *text, gsize size, gsize limit, const char *what, GError **error)
{
    json_error_t at;
    json_t *json;

    if (size > limit) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_JSON, "%s: %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT " are accepted",
                    what, size, limit);
        return NULL;
    }
    json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
    if (!json)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_JSON, "%s: line %d: %s", what, at.line, at.text);
    return json;
}

json_t *json_parse_file(const char *path, gsize limit, GError **error)
{
    g_autofree char *text = NULL;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, error))
        return NULL;
    return json_parse(text, size, limit, path, error);
}

char *json_text(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}
