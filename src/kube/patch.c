/* patch: RFC 7386 and RFC 6902. Strategic merge is in strategic_patch.c. */
#include "kube/patch.h"
#include <string.h>

#define MOST_OPERATIONS 10000
#define MOST_COPIED                                                                                          \
    500000 /* values: operations that copy what they copied before must not grow without end */

/* ---- merge patch ---- */

static json_t *merge(const json_t *document, const json_t *patch)
{
    json_t *result;
    const char *name;
    json_t *value;

    if (!json_is_object(patch))
        return json_deep_copy(patch);
    result = json_is_object(document) ? json_copy((json_t *)document) : json_object();
    json_object_foreach((json_t *)patch, name, value)
    {
        if (json_is_null(value))
            json_object_del(result, name);
        else
            json_object_set_new(result, name, merge(json_object_get(document, name), value));
    }
    return result;
}

json_t *patch_merge(const json_t *document, const json_t *patch, GError **error)
{
    g_autoptr(json_t) merged = NULL;

    if (!json_is_object(patch)) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_PATCH,
                    "a merge patch of an object must be an object");
        return NULL;
    }
    merged = merge(document, patch);
    return json_deep_copy(merged); /* merge() shares what it did not touch */
}

/* ---- JSON patch ---- */

/* Where a JSON pointer (RFC 6901) leads: a member of owner, or the whole document when owner is NULL. */
typedef struct {
    json_t *owner;
    char *name;  /* of an object's member */
    gsize index; /* of an array's item; its size: one past the end */
} Place;

static void place_clear(Place *place)
{
    g_clear_pointer(&place->name, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static gboolean fail(GError **error, gsize operation, const char *path, const char *why)
{
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_PATCH,
                "operation %" G_GSIZE_FORMAT ", path \"%.200s\": %s", operation, path ? path : "", why);
    return FALSE;
}

static char *unescape(const char *part, gsize size)
{
    GString *text = g_string_new_len(part, size);

    g_string_replace(text, "~1", "/", 0);
    g_string_replace(text, "~0", "~", 0);
    return g_string_free(text, FALSE);
}

static json_t *value_at(json_t *document, const Place *place)
{
    if (!place->owner)
        return document;
    return place->name ? json_object_get(place->owner, place->name)
                       : json_array_get(place->owner, place->index);
}

/* Sets place to the part of owner that is called name. */
static gboolean step(json_t *owner, char *name, Place *place)
{
    guint64 index = 0;

    place_clear(place);
    place->owner = owner;
    if (json_is_object(owner)) {
        place->name = name;
        return TRUE;
    }
    if (!strcmp(name, "-"))
        index = json_array_size(owner);
    else if (!json_is_array(owner) || (name[0] == '0' && name[1]) ||
             !g_ascii_string_to_unsigned(name, 10, 0, json_array_size(owner), &index, NULL))
        owner = NULL;
    g_free(name);
    place->index = index;
    return json_is_array(owner);
}

static gboolean find(json_t *document, const char *path, Place *place)
{
    json_t *at = document;

    if (!path || (*path && *path != '/'))
        return FALSE;
    while (*path == '/') {
        gsize size = strcspn(path + 1, "/");
        if (!step(at, unescape(path + 1, size), place))
            return FALSE;
        at = value_at(document, place);
        path += size + 1;
        if (*path && !at)
            return FALSE;
    }
    return TRUE;
}

static void put(json_t **document, const Place *place, gboolean insert, json_t *value)
{
    if (!place->owner) {
        json_decref(*document);
        *document = value;
    } else if (place->name) {
        json_object_set_new(place->owner, place->name, value);
    } else if (insert) {
        json_array_insert_new(place->owner, place->index, value);
    } else {
        json_array_set_new(place->owner, place->index, value);
    }
}

static void cut(const Place *place)
{
    if (place->name)
        json_object_del(place->owner, place->name);
    else
        json_array_remove(place->owner, place->index);
}

static gsize count_values(const json_t *json)
{
    gsize count = 1, i;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)json, name, value) count += count_values(value);
    json_array_foreach(json, i, value) count += count_values(value);
    return count;
}

typedef enum { ADD, REMOVE, REPLACE, MOVE, COPY, TEST, NONE } Verb;

static Verb verb_of(const char *name)
{
    static const char *const names[] = {"add", "remove", "replace", "move", "copy", "test"};
    Verb verb = ADD;

    while (verb < NONE && g_strcmp0(name, names[verb]))
        verb++;
    return verb;
}

/* The value that an operation brings: its own, or what is at its "from". */
static json_t *brought(json_t *document, const json_t *operation, Verb verb, const char *path, gsize *copied)
{
    const char *from = json_string_at(operation, "from", NULL);
    g_auto(Place) source = {0};
    json_t *value;

    if (verb != MOVE && verb != COPY)
        return json_deep_copy(json_object_get(operation, "value"));
    if (!from || !find(document, from, &source) || !(value = value_at(document, &source)))
        return NULL;
    if (verb == COPY) {
        *copied += count_values(value);
        return *copied <= MOST_COPIED ? json_deep_copy(value) : NULL;
    }
    if (!source.owner || (g_str_has_prefix(path, from) && path[strlen(from)] == '/'))
        return NULL; /* into itself */
    value = json_incref(value);
    cut(&source);
    return value;
}

static gboolean operate(json_t **document, const json_t *operation, gsize number, gsize *copied,
                        GError **error)
{
    Verb verb = verb_of(json_string_at(operation, "op", NULL));
    const char *path = json_string_at(operation, "path", NULL);
    g_auto(Place) place = {0};
    g_autoptr(json_t) value = NULL;

    if (verb == NONE || !path)
        return fail(error, number, path,
                    "\"op\" must be add, remove, replace, move, copy or test, and \"path\" a text");
    if (verb != REMOVE && !(value = brought(*document, operation, verb, path, copied)))
        return fail(
            error, number, path,
            "nothing to put there: \"value\" or what \"from\" names is missing, or too much was copied");
    if (!find(*document, path, &place))
        return fail(error, number, path, "there is no such place");
    if (verb == ADD || verb == MOVE || verb == COPY) {
        put(document, &place, TRUE, g_steal_pointer(&value));
        return TRUE;
    }
    if (!value_at(*document, &place) || (verb == REMOVE && !place.owner))
        return fail(error, number, path, "there is no such value");
    if (verb == TEST)
        return json_equal(value_at(*document, &place), value) ||
               fail(error, number, path, "the value there is another than the one tested for");
    if (verb == REMOVE)
        cut(&place);
    else
        put(document, &place, FALSE, g_steal_pointer(&value));
    return TRUE;
}

json_t *patch_json(const json_t *document, const json_t *operations, GError **error)
{
    g_autoptr(json_t) result = json_deep_copy(document);
    const json_t *operation;
    gsize i, copied = 0;

    if (!json_is_array(operations) || json_array_size(operations) > MOST_OPERATIONS) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_PATCH,
                    "a JSON patch must be an array of at most %d operations", MOST_OPERATIONS);
        return NULL;
    }
    json_array_foreach(operations, i,
                       operation) if (!operate(&result, operation, i, &copied, error)) return NULL;
    return g_steal_pointer(&result);
}
