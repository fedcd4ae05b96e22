/* json: how Gantry reads jansson values.
 *
 * Paths are dotted member names ("spec.provider.source.name"); a name that itself holds a dot is reached with jansson's
 * own json_object_get(). Nothing here copies: returned values are borrowed from the document.
 * Threads: a json_t that is no longer changed may be read by any thread (jansson counts references atomically).
 */
#pragma once
#include "base/errors.h"
#include <jansson.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

json_t     *json_at(const json_t *json, const char *path);                           /* borrowed, or NULL */
const char *json_string_at(const json_t *json, const char *path, const char *absent); /* absent also when no string */
gint64      json_int_at(const json_t *json, const char *path, gint64 absent);
gboolean    json_bool_at(const json_t *json, const char *path, gboolean absent);

/* Sets the value at path, making the objects on the way; takes the reference to value, also when it is NULL (then the
 * member is removed). */
void json_set_at_new(json_t *json, const char *path, json_t *value);

/* Parses text of at most limit bytes. what names the document in the error: "what: line 3: '}' expected". */
json_t *json_parse(const char *text, gsize size, gsize limit, const char *what, GError **error);
json_t *json_parse_file(const char *path, gsize limit, GError **error);

/* Compact text with sorted keys, to be freed with g_free(); equal documents give equal text. */
char *json_text(const json_t *json);
