/* yaml: YAML documents (https://yaml.org/spec/1.2.2/, core schema) as JSON values, and back.
 *
 * Plain scalars become null, booleans, integers or reals as the core schema says; everything else, times included, is a
 * string. Aliases are copied where they stand; tags other than the core schema's are ignored. Documents that are empty are
 * left out.
 * Limits: the size given, 100 levels, 200,000 values after aliases were copied.
 * Threads: any. Errors: BAD_YAML, "what: line 3: …".
 */
#pragma once
#include "base/json.h"

/* Exactly one document. */
json_t *yaml_parse(const char *text, gsize size, gsize limit, const char *what, GError **error);

/* The documents of a stream separated by "---", in order: json_t, owned by the array. */
GPtrArray *yaml_parse_all(const char *text, gsize size, gsize limit, const char *what, GError **error);
GPtrArray *yaml_parse_file(const char *path, gsize limit, GError **error);

/* The paths of a directory's *.yaml in the order of their names: char *, owned by the array. Errors: those of g_dir_open(). */
GPtrArray *yaml_files(const char *directory, GError **error);

/* One value in block style with sorted keys; to be freed with g_free(). Every reader of YAML, also of version 1.1, gets the same
 * value back. */
char *yaml_text(const json_t *json);
