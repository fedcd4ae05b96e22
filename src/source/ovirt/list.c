/* list: a list is parsed object by object, because as a whole it would take many times its text's memory. */
#include "source/ovirt/ovirt.h"
#include <string.h>

typedef struct {
    const char *at, *end;
} Text;

static gboolean malformed(const Text *text, const char *wanted, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_JSON,
                "the engine's list is no JSON: %" G_GSIZE_FORMAT " bytes before its end %s was expected",
                (gsize)(text->end - text->at), wanted);
    return FALSE;
}

static gboolean next_is(Text *text, char wanted)
{
    while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at)
        text->at++;
    if (text->at == text->end || *text->at != wanted)
        return FALSE;
    text->at++;
    return TRUE;
}

/* The value that begins here; the text goes on behind it. */
static json_t *take_value(Text *text, GError **error)
{
    json_error_t where;
    json_t *value = json_loadb(text->at, text->end - text->at,
                               JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &where);

    if (!value) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_JSON, "the engine's list is no JSON: %s", where.text);
        return NULL;
    }
    text->at += where.position;
    return value;
}

static gboolean walk_array(Text *text, OvirtEach each, gpointer user_data, GError **error)
{
    if (!next_is(text, '['))
        return malformed(text, "'['", error);
    if (next_is(text, ']'))
        return TRUE;
    do {
        g_autoptr(json_t) one = take_value(text, error);
        if (!one || !each(one, user_data, error))
            return FALSE;
    } while (next_is(text, ','));
    return next_is(text, ']') || malformed(text, "']'", error);
}

static gboolean walk_member(Text *text, const char *name, OvirtEach each, gpointer user_data, GError **error)
{
    g_autoptr(json_t) key = take_value(text, error), other = NULL;

    if (!key)
        return FALSE;
    if (!json_is_string(key) || !next_is(text, ':'))
        return malformed(text, "a member", error);
    if (!strcmp(json_string_value(key), name))
        return walk_array(text, each, user_data, error);
    other = take_value(text, error);
    return other != NULL;
}

gboolean ovirt_list_each(const char *bytes, gsize size, const char *name, OvirtEach each, gpointer user_data,
                         GError **error)
{
    Text text = {bytes, bytes + size};

    if (!next_is(&text, '{'))
        return malformed(&text, "'{'", error);
    if (next_is(&text, '}'))
        return TRUE;
    do {
        if (!walk_member(&text, name, each, user_data, error))
            return FALSE;
    } while (next_is(&text, ','));
    return next_is(&text, '}') || malformed(&text, "'}'", error);
}
