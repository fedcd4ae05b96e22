/* yaml_text: JSON values as YAML that a person reads: block style, sorted keys, quotes only where they are
 * needed. */
#include "base/yaml.h"
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

static struct fy_node *node_of(struct fy_document *document, const json_t *json);

/* Words that some version of YAML takes for something else than text. */
static gboolean is_word_of_yaml(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (!g_ascii_strcasecmp(text, words[i]))
            return TRUE;
    return FALSE;
}

/* Text that no reader takes for anything else: it begins with a letter and holds nothing with a meaning of
 * its own. */
static gboolean may_be_plain(const char *text)
{
    if (!g_ascii_isalpha(*text) || is_word_of_yaml(text))
        return FALSE;
    for (const char *c = text; *c; c++) {
        gboolean harmless = g_ascii_isalnum(*c) || strchr("._/()+@-", *c);
        gboolean inside = (*c == ' ' || *c == ':') && c[1] && c[1] != ' ';
        if (!harmless && !inside)
            return FALSE;
    }
    return TRUE;
}

/* A JSON scalar is a YAML scalar too. */
static struct fy_node *scalar_of(struct fy_document *document, const json_t *json)
{
    const char *text = json_string_value(json);

    if (text && may_be_plain(text))
        return fy_node_create_scalar_copy(document, text, FY_NT);
    return fy_node_build_from_malloc_string(document, json_text(json), FY_NT);
}

static struct fy_node *key_of(struct fy_document *document, const char *key)
{
    g_autoptr(json_t) text = json_string(key);
    return scalar_of(document, text);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct fy_node *mapping_of(struct fy_document *document, const json_t *json)
{
    struct fy_node *mapping = fy_node_create_mapping(document);
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)json, key, value)
        g_ptr_array_add(keys, (gpointer)key);
    g_ptr_array_sort(keys, by_name);
    for (guint i = 0; i < keys->len; i++)
        fy_node_mapping_append(mapping, key_of(document, keys->pdata[i]),
                               node_of(document, json_object_get(json, keys->pdata[i])));
    return mapping;
}

static struct fy_node *node_of(struct fy_document *document, const json_t *json)
{
    struct fy_node *sequence;
    json_t *item;
    size_t i;

    if (json_object_size(json))
        return mapping_of(document, json);
    if (!json_array_size(json))
        return scalar_of(document, json); /* {} and [] too */
    sequence = fy_node_create_sequence(document);
    json_array_foreach ((json_t *)json, i, item)
        fy_node_sequence_append(sequence, node_of(document, item));
    return sequence;
}

char *yaml_text(const json_t *json)
{
    struct fy_document *document = fy_document_create(NULL);
    char *emitted, *text;

    fy_document_set_root(document, node_of(document, json));
    emitted = fy_emit_document_to_string(document, FYECF_MODE_BLOCK | FYECF_WIDTH_INF | FYECF_INDENT_2);
    text = g_strdup(emitted);
    free(emitted);
    fy_document_destroy(document);
    return text;
}
