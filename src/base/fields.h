/* fields: takes members out of a JSON document that came from outside, each checked against its limits.
 *
 * A member that is missing or wrong is an error that names the document, the member, its value and what would
 * be right: "copy spec: limits.connections is 0; it must be a number from 1 to 32". Texts are borrowed from
 * the document. Threads: any. Errors: BAD_INPUT.
 */
#pragma once
#include "base/json.h"

typedef struct {
    const char *what; /* names the document: "copy spec" */
    const json_t *json;
} Fields;

/* Sets the error that says what the member at path is and what would be right; always FALSE. */
gboolean field_wrong(const Fields *fields, const char *path, const char *right, GError **error);

gboolean field_object(const Fields *fields, const char *path, const json_t **object, GError **error);
/* 1 to most bytes, without a null. The second leaves *text alone when the member is absent, null or "". */
gboolean field_text(const Fields *fields, const char *path, gsize most, const char **text, GError **error);
gboolean field_optional_text(const Fields *fields, const char *path, gsize most, const char **text,
                             GError **error);
/* An absolute path of at most 4096 bytes. */
gboolean field_path(const Fields *fields, const char *path, const char **text, GError **error);
gboolean field_number(const Fields *fields, const char *path, guint64 least, guint64 most, guint64 *number,
                      GError **error);
gboolean field_optional_number(const Fields *fields, const char *path, guint64 least, guint64 most,
                               guint64 absent, guint64 *number, GError **error);
/* FALSE when it is absent. */
gboolean field_optional_flag(const Fields *fields, const char *path, gboolean *flag, GError **error);
