/* schema_types: the notation of types.txt, in which the core kinds are written down. */
#include "local/apiserver/schema_parts.h"
#include <string.h>

typedef struct {
    const char *name;
    Type type;
    const char *format;
} Plain;

static const Plain plain_types[] = {
    {"string", STRING, NULL},    {"bool", BOOLEAN, NULL},      {"int", INTEGER, "int32"},
    {"int64", INTEGER, "int64"}, {"number", NUMBER, "double"}, {"time", STRING, "date-time"},
    {"bytes", STRING, "byte"},   {"any", ANY, NULL},           {"quantity", STRING, NULL},
    {"intstr", ANY, NULL},
};

/* A type that is named before its own lines come is made then and filled later. */
static Schema *named_type(SchemaSet *set, const char *name)
{
    Schema *schema = g_hash_table_lookup(set->types, name);

    if (!schema) {
        schema = schema_new(set, OBJECT);
        schema->name = g_strdup(name);
        g_hash_table_insert(set->types, schema->name, schema);
    }
    return schema;
}

static Schema *parse_type(SchemaSet *set, const char *text)
{
    gsize size = strlen(text);
    Schema *schema;

    if (*text == '[' || *text == '{') {
        g_autofree char *inner = g_strndup(text + 1, size - 2);
        schema = schema_new(set, *text == '[' ? ARRAY : OBJECT);
        *(*text == '[' ? &schema->items : &schema->values) = parse_type(set, inner);
        return schema;
    }
    for (guint i = 0; i < G_N_ELEMENTS(plain_types); i++) {
        const Plain *plain = &plain_types[i];
        if (strcmp(plain->name, text) != 0)
            continue;
        schema = schema_new(set, plain->type);
        schema->format = g_strdup(plain->format);
        schema->preserve = !strcmp(text, "any");
        schema->int_or_string = !strcmp(text, "intstr");
        schema->quantity = !strcmp(text, "quantity");
        if (schema->quantity || schema->int_or_string)
            schema->type = ANY;
        schema->int_or_string |= schema->quantity;
        return schema;
    }
    schema = schema_new(set, OBJECT);
    schema->ref = named_type(set, text);
    return schema;
}

static json_t *default_value(const Schema *schema, const char *text)
{
    if (schema->type == STRING)
        return json_string(text);
    return json_loads(text, JSON_DECODE_ANY, NULL);
}

static void parse_flag(Schema *schema, const char *flag, gboolean *required)
{
    const char *value = strchr(flag, ':');

    if (!strcmp(flag, "required"))
        *required = TRUE;
    else if (!strcmp(flag, "set"))
        schema->set = TRUE;
    else if (!strcmp(flag, "atomic"))
        schema->atomic = TRUE;
    else if (*flag == '=')
        schema->fallback = default_value(schema, flag + 1);
    else if (g_str_has_prefix(flag, "key:"))
        schema->keys = g_strsplit(value + 1, ",", -1);
    else if (g_str_has_prefix(flag, "min:"))
        schema->has_minimum = TRUE, schema->minimum = g_ascii_strtod(value + 1, NULL);
    else if (g_str_has_prefix(flag, "max:"))
        schema->has_maximum = TRUE, schema->maximum = g_ascii_strtod(value + 1, NULL);
    else if (g_str_has_prefix(flag, "in:")) {
        g_auto(GStrv) values = g_strsplit(value + 1, "|", -1);
        schema->choices = json_array();
        for (char **v = values; *v; v++)
            json_array_append_new(schema->choices, json_string(*v));
    } else {
        g_assert_not_reached(); /* types.txt is ours, and a test reads it */
    }
}

/* "4", "4z" or, inlined, "1.4". */
static void parse_number(Field *field, const char *text)
{
    const char *dot = strchr(text, '.');

    field->outer = dot ? g_ascii_strtoull(text, NULL, 10) : 0;
    field->number = g_ascii_strtoull(dot ? dot + 1 : text, NULL, 10);
    field->zero_absent = g_str_has_suffix(text, "z");
}

static void parse_field(SchemaSet *set, Schema *owner, const char *line)
{
    const char *remark = strstr(line, " -- ");
    g_autofree char *head = remark ? g_strndup(line, remark - line) : g_strdup(line);
    g_auto(GStrv) words = g_strsplit(g_strstrip(head), " ", -1);
    Schema *schema = parse_type(set, words[1]);
    const char *number = "";
    gboolean required = FALSE;

    for (char **word = words + 2; *word; word++)
        if (**word == '@')
            number = *word + 1;
        else
            parse_flag(schema, *word, &required);
    schema->description = remark ? g_strdup(remark + 4) : NULL;
    schema_field_add(owner, words[0], schema, required);
    parse_number(&g_array_index(owner->fields, Field, owner->fields->len - 1), number);
}

static gboolean check_types(SchemaSet *set, GError **error)
{
    GHashTableIter each;
    gpointer type;

    g_hash_table_iter_init(&each, set->types);
    while (g_hash_table_iter_next(&each, NULL, &type)) {
        Schema *schema = type;
        if (!schema->fields) {
            g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "types: %s is used but not described",
                        schema->name);
            return FALSE;
        }
        schema_sort_fields(schema);
    }
    return TRUE;
}

SchemaSet *schema_set_from_types(const char *text, GError **error)
{
    g_autoptr(SchemaSet) set = schema_set_new();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    Schema *owner = NULL;

    for (char **line = lines; *line; line++) {
        if (!**line || **line == '#')
            continue;
        if (**line == ' ' && owner) {
            parse_field(set, owner, *line);
        } else {
            const char *remark = strstr(*line, " -- ");
            g_autofree char *name = g_strndup(*line, remark ? (gsize)(remark - *line) : strlen(*line));
            owner = named_type(set, name);
            owner->description = remark ? g_strdup(remark + 4) : NULL;
            owner->fields = g_array_new(FALSE, FALSE, sizeof(Field));
        }
    }
    return check_types(set, error) ? g_steal_pointer(&set) : NULL;
}
