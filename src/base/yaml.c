/* yaml: libfyaml's document trees turned into jansson values. */
#include "base/yaml.h"
#include <libfyaml.h>
#include <string.h>

#define MOST_LEVELS 100
#define MOST_VALUES 200000

typedef struct {
    const char *what;
    struct fy_document *document;
    guint values;
} Reader;

static json_t *read_node(Reader *reader, struct fy_node *node, guint level, GError **error);

static gboolean is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(text, *words))
            return TRUE;
    return FALSE;
}

static json_t *plain_integer(const char *text)
{
    guint base = g_str_has_prefix(text, "0x") ? 16 : g_str_has_prefix(text, "0o") ? 8 : 10;
    gint64 value;

    if (base == 10)
        return g_ascii_string_to_signed(*text == '+' ? text + 1 : text, 10, G_MININT64, G_MAXINT64, &value,
                                        NULL)
                   ? json_integer(value)
                   : NULL;
    return g_ascii_string_to_unsigned(text + 2, base, 0, G_MAXINT64, (guint64 *)&value, NULL)
               ? json_integer(value)
               : NULL;
}

static json_t *plain_real(const char *text)
{
    char *end;
    double value;

    if (strspn(text, "0123456789+-.eE") != strlen(text) || !strpbrk(text, "0123456789"))
        return NULL; /* nothing of JSON: .inf, .nan, 0x1p3 */
    value = g_ascii_strtod(text, &end);
    return *end ? NULL : json_real(value);
}

/* The core schema's reading of a scalar without quotes (YAML 1.2.2, 10.3.2). */
static json_t *plain_scalar(const char *text, gsize size)
{
    static const char *const null[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    json_t *number;

    if (is_one_of(text, null))
        return json_null();
    if (is_one_of(text, yes))
        return json_true();
    if (is_one_of(text, no))
        return json_false();
    if ((number = plain_integer(text)) || (number = plain_real(text)))
        return number;
    return json_stringn(text, size);
}

static json_t *fail(const Reader *reader, const char *why, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_YAML, "%s: %s", reader->what, why);
    return NULL;
}

/* Whether a tag says that the scalar is a text, however it looks. */
static gboolean tagged_text(struct fy_node *node)
{
    static const char *const tags[] = {"!!str", "tag:yaml.org,2002:str"};
    gsize size = 0;
    const char *tag = fy_node_get_tag(node, &size);

    for (gsize i = 0; tag && i < G_N_ELEMENTS(tags); i++)
        if (size == strlen(tags[i]) && !memcmp(tag, tags[i], size))
            return TRUE;
    return FALSE;
}

static json_t *read_scalar(Reader *reader, struct fy_node *node, GError **error)
{
    gsize size = 0;
    const char *raw = fy_node_get_scalar(node, &size);
    g_autofree char *text = g_strndup(raw ? raw : "", size);
    gboolean plain = fy_node_get_style(node) == FYNS_PLAIN && !tagged_text(node);
    json_t *json = plain ? plain_scalar(text, size) : json_stringn(text, size);

    return json ? json : fail(reader, "a text that is not UTF-8", error);
}

static json_t *read_sequence(Reader *reader, struct fy_node *node, guint level, GError **error)
{
    g_autoptr(json_t) array = json_array();
    struct fy_node *item;
    void *position = NULL;

    while ((item = fy_node_sequence_iterate(node, &position))) {
        json_t *json = read_node(reader, item, level, error);
        if (!json)
            return NULL;
        json_array_append_new(array, json);
    }
    return g_steal_pointer(&array);
}

static json_t *read_mapping(Reader *reader, struct fy_node *node, guint level, GError **error)
{
    g_autoptr(json_t) object = json_object();
    struct fy_node_pair *pair;
    void *position = NULL;

    while ((pair = fy_node_mapping_iterate(node, &position))) {
        struct fy_node *key = fy_node_pair_key(pair);
        gsize size = 0;
        const char *name = key && fy_node_is_scalar(key) ? fy_node_get_scalar(key, &size) : NULL;
        json_t *json;

        if (!name || memchr(name, 0, size))
            return fail(reader, "a mapping key that is not a text", error);
        json = read_node(reader, fy_node_pair_value(pair), level, error);
        if (!json)
            return NULL;
        if (json_object_setn_new(object, name, size, json) < 0)
            return fail(reader, "a mapping key that is not UTF-8", error);
    }
    return g_steal_pointer(&object);
}

/* By name only: fy_node_resolve_alias() would take the text for a path expression, and read past its end. */
static struct fy_node *find_anchor(const Reader *reader, struct fy_node *alias)
{
    gsize size = 0;
    const char *name = fy_node_get_scalar(alias, &size);
    struct fy_anchor *anchor = name && size ? fy_document_lookup_anchor(reader->document, name, size) : NULL;

    return anchor ? fy_anchor_node(anchor) : NULL;
}

/* Reads node, which is at this level; NULL stands for an empty value. */
static json_t *read_node(Reader *reader, struct fy_node *node, guint level, GError **error)
{
    if (level > MOST_LEVELS)
        return fail(reader, "more than 100 levels deep", error);
    if (++reader->values > MOST_VALUES)
        return fail(reader, "more than 200000 values", error);
    if (!node)
        return json_null();
    if (fy_node_is_alias(node)) {
        struct fy_node *anchored = find_anchor(reader, node);
        return anchored ? read_node(reader, anchored, level + 1, error)
                        : fail(reader, "an alias without anchor", error);
    }
    switch (fy_node_get_type(node)) {
    case FYNT_SEQUENCE:
        return read_sequence(reader, node, level + 1, error);
    case FYNT_MAPPING:
        return read_mapping(reader, node, level + 1, error);
    case FYNT_SCALAR:
        break;
    }
    return read_scalar(reader, node, error);
}

static void set_parse_error(struct fy_diag *diag, const char *what, GError **error)
{
    void *position = NULL;
    struct fy_diag_error *first = fy_diag_errors_iterate(diag, &position);

    if (first)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_YAML, "%s: line %d: %s", what, first->line, first->msg);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_YAML, "%s: not YAML", what);
}

static gboolean read_documents(struct fy_parser *parser, struct fy_diag *diag, const char *what,
                               GPtrArray *documents, GError **error)
{
    Reader reader = {.what = what};
    struct fy_document *document;

    while ((document = fy_parse_load_document(parser))) {
        struct fy_node *root = fy_document_root(document);
        json_t *json;

        reader.document = document;
        json = root ? read_node(&reader, root, 0, error) : json_null();

        fy_parse_document_destroy(parser, document);
        if (!json)
            return FALSE;
        if (json_is_null(json))
            json_decref(json);
        else
            g_ptr_array_add(documents, json);
    }
    if (!fy_parser_get_stream_error(parser))
        return TRUE;
    set_parse_error(diag, what, error);
    return FALSE;
}

GPtrArray *yaml_parse_all(const char *text, gsize size, gsize limit, const char *what, GError **error)
{
    g_autoptr(GPtrArray) documents = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    g_autofree char *copy = NULL; /* libfyaml peeks at the byte after the end */
    struct fy_diag *diag;
    struct fy_parser *parser;
    gboolean read;

    if (size > limit) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_YAML,
                    "%s: %" G_GSIZE_FORMAT " bytes, at most %" G_GSIZE_FORMAT " are accepted", what, size,
                    limit);
        return NULL;
    }
    if (!g_utf8_validate(text, size, NULL)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_YAML, "%s: not UTF-8", what);
        return NULL;
    }
    diag = fy_diag_create(NULL);
    fy_diag_set_collect_errors(diag, true);
    parser = fy_parser_create(
        &(struct fy_parse_cfg){.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE, .diag = diag});
    copy = g_strndup(text, size);
    fy_parser_set_string(parser, copy, size);
    read = read_documents(parser, diag, what, documents, error);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return read ? g_steal_pointer(&documents) : NULL;
}

json_t *yaml_parse(const char *text, gsize size, gsize limit, const char *what, GError **error)
{
    g_autoptr(GPtrArray) documents = yaml_parse_all(text, size, limit, what, error);

    if (!documents)
        return NULL;
    if (documents->len != 1) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_YAML, "%s: %u documents where one is expected", what,
                    documents->len);
        return NULL;
    }
    return json_incref(documents->pdata[0]);
}

GPtrArray *yaml_parse_file(const char *path, gsize limit, GError **error)
{
    g_autofree char *text = NULL;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, error))
        return NULL;
    return yaml_parse_all(text, size, limit, path, error);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *yaml_files(const char *directory, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, error);
    GPtrArray *paths = dir ? g_ptr_array_new_with_free_func(g_free) : NULL;
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_suffix(name, ".yaml"))
            g_ptr_array_add(paths, g_build_filename(directory, name, NULL));
    if (paths)
        g_ptr_array_sort(paths, by_name);
    return paths;
}
