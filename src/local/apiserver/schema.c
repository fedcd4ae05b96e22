/* schema: one compiled form for both notations, and walks over an object along it. */
#include "local/apiserver/schema.h"
#include "base/clock.h"
#include <math.h>
#include <string.h>

typedef enum { ANY, OBJECT, ARRAY, STRING, INTEGER, NUMBER, BOOLEAN } Type;

static const char *const type_names[] = {"", "object", "array", "string", "integer", "number", "boolean"};

typedef struct {
    char *name;
    const Schema *schema;
    gboolean required;
    guint16 number, outer; /* in protobuf; outer: of the message that is inlined in JSON. 0: none */
    gboolean zero_absent;  /* protobuf's zero value means that the field was not set */
} Field;

struct Schema {
    Type type;
    guint nullable : 1, int_or_string : 1, preserve : 1, embedded : 1, set : 1, atomic : 1, quantity : 1;
    guint has_minimum : 1, has_maximum : 1, above_minimum : 1, below_maximum : 1;
    char *name;        /* of a named type */
    char *description; /* for clients */
    char *format;
    GArray *fields;    /* of Field, by name; NULL: none are named */
    GPtrArray *needed; /* names of required fields that the schema does not describe */
    const Schema *items, *values;
    const Schema *ref; /* a named type that says all but default and description */
    json_t *fallback;  /* the default */
    json_t *choices;   /* the enum */
    GRegex *pattern;
    double minimum, maximum;
    gint64 min_size, max_size; /* characters, items or fields; -1: no limit */
    char **keys;
    GPtrArray *all, *any, *one; /* of const Schema */
    const Schema * not ;
};

struct SchemaSet {
    gint refs;
    GPtrArray *schemas; /* every Schema, owned */
    GHashTable *types;  /* name → Schema */
};

static void schema_free(gpointer data)
{
    Schema *schema = data;

    for (guint i = 0; schema->fields && i < schema->fields->len; i++)
        g_free(g_array_index(schema->fields, Field, i).name);
    g_clear_pointer(&schema->fields, g_array_unref);
    g_clear_pointer(&schema->needed, g_ptr_array_unref);
    g_clear_pointer(&schema->all, g_ptr_array_unref);
    g_clear_pointer(&schema->any, g_ptr_array_unref);
    g_clear_pointer(&schema->one, g_ptr_array_unref);
    g_clear_pointer(&schema->pattern, g_regex_unref);
    json_decref(schema->fallback);
    json_decref(schema->choices);
    g_strfreev(schema->keys);
    g_free(schema->name);
    g_free(schema->description);
    g_free(schema->format);
    g_free(schema);
}

static SchemaSet *set_new(void)
{
    SchemaSet *set = g_new0(SchemaSet, 1);
    set->refs = 1;
    set->schemas = g_ptr_array_new_with_free_func(schema_free);
    set->types = g_hash_table_new(g_str_hash, g_str_equal);
    return set;
}

SchemaSet *schema_set_ref(SchemaSet *set)
{
    g_atomic_int_inc(&set->refs);
    return set;
}

void schema_set_unref(SchemaSet *set)
{
    if (!set || !g_atomic_int_dec_and_test(&set->refs))
        return;
    g_hash_table_unref(set->types);
    g_ptr_array_unref(set->schemas);
    g_free(set);
}

static Schema *schema_new(SchemaSet *set, Type type)
{
    Schema *schema = g_new0(Schema, 1);
    schema->type = type;
    schema->min_size = schema->max_size = -1;
    g_ptr_array_add(set->schemas, schema);
    return schema;
}

static gint field_order(gconstpointer a, gconstpointer b)
{
    return strcmp(((const Field *)a)->name, ((const Field *)b)->name);
}

static const Field *field_find(const Schema *schema, const char *name)
{
    guint low = 0, high = schema->fields ? schema->fields->len : 0;

    while (low < high) {
        guint middle = (low + high) / 2;
        const Field *field = &g_array_index(schema->fields, Field, middle);
        int order = strcmp(name, field->name);
        if (!order)
            return field;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void field_add(Schema *schema, const char *name, const Schema *of, gboolean required)
{
    Field field = {.name = g_strdup(name), .schema = of, .required = required};
    if (!schema->fields)
        schema->fields = g_array_new(FALSE, FALSE, sizeof(Field));
    g_array_append_val(schema->fields, field);
}

const Schema *schema_set_type(const SchemaSet *set, const char *name)
{
    return g_hash_table_lookup(set->types, name);
}

/* What describes the value: for a field of a named type, that type. */
static const Schema *target(const Schema *schema)
{
    return schema && schema->ref ? schema->ref : schema;
}

const Schema *schema_field(const Schema *schema, const char *name)
{
    const Schema *of = target(schema);
    const Field *field = of ? field_find(of, name) : NULL;
    return field ? field->schema : of ? of->values : NULL;
}

const Schema *schema_items(const Schema *schema)
{
    return schema ? schema->items : NULL;
}
const char *const *schema_list_keys(const Schema *schema)
{
    return schema ? (const char *const *)schema->keys : NULL;
}
gboolean schema_is_set(const Schema *schema)
{
    return schema && schema->set;
}

gboolean schema_is_atomic(const Schema *schema)
{
    return schema && (schema->atomic || (schema->type == ARRAY && !schema->keys && !schema->set));
}

/* ---- from types.txt ---- */

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
    field_add(owner, words[0], schema, required);
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
        g_array_sort(schema->fields, field_order);
    }
    return TRUE;
}

SchemaSet *schema_set_from_types(const char *text, GError **error)
{
    g_autoptr(SchemaSet) set = set_new();
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

/* ---- from OpenAPI ---- */

enum { most_levels = 64 };

static const Schema *compile(SchemaSet *set, const json_t *openapi, const char *path, guint level,
                             GError **error);

static gboolean bad_schema(GError **error, const char *path, const char *what)
{
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_INVALID, "%s: %s", path, what);
    return FALSE;
}

static gboolean compile_fields(SchemaSet *set, Schema *schema, const json_t *openapi, const char *path,
                               guint level, GError **error)
{
    const json_t *required = json_object_get(openapi, "required");
    const char *name;
    json_t *value;
    size_t i;

    json_object_foreach(json_object_get(openapi, "properties"), name, value)
    {
        g_autofree char *at = g_strdup_printf("%s.properties[%s]", path, name);
        const Schema *field = compile(set, value, at, level + 1, error);
        if (!field)
            return FALSE;
        field_add(schema, name, field, FALSE);
    }
    if (schema->fields)
        g_array_sort(schema->fields, field_order);
    json_array_foreach(required, i, value)
    {
        Field *field = json_is_string(value) ? (Field *)field_find(schema, json_string_value(value)) : NULL;
        if (field) {
            field->required = TRUE;
        } else if (json_is_string(value)) {
            if (!schema->needed)
                schema->needed = g_ptr_array_new_with_free_func(g_free);
            g_ptr_array_add(schema->needed, g_strdup(json_string_value(value)));
        }
    }
    return TRUE;
}

static gboolean compile_parts(SchemaSet *set, Schema *schema, const json_t *openapi, const char *path,
                              guint level, GError **error)
{
    const json_t *values = json_object_get(openapi, "additionalProperties");
    const json_t *items = json_object_get(openapi, "items");
    const json_t *not = json_object_get(openapi, "not");
    const struct {
        const char *name;
        GPtrArray **list;
    } groups[] = {{"allOf", &schema->all}, {"anyOf", &schema->any}, {"oneOf", &schema->one}};

    if (json_is_object(values) && !(schema->values = compile(set, values, path, level + 1, error)))
        return FALSE;
    if (json_is_true(values))
        schema->preserve = TRUE;
    if (items && !(schema->items = compile(set, items, path, level + 1, error)))
        return FALSE;
    if (not &&!(schema->not = compile(set, not, path, level + 1, error)))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(groups); i++) {
        const json_t *list = json_object_get(openapi, groups[i].name);
        const json_t *each;
        size_t n;
        json_array_foreach(list, n, each)
        {
            const Schema *part = compile(set, each, path, level + 1, error);
            if (!part)
                return FALSE;
            if (!*groups[i].list)
                *groups[i].list = g_ptr_array_new();
            g_ptr_array_add(*groups[i].list, (gpointer)part);
        }
    }
    return TRUE;
}

static gboolean compile_type(Schema *schema, const json_t *openapi, const char *path, GError **error)
{
    const char *type = json_string_at(openapi, "type", NULL);

    for (guint i = OBJECT; type && i < G_N_ELEMENTS(type_names); i++)
        if (!strcmp(type_names[i], type))
            schema->type = i;
    if (type && schema->type == ANY)
        return bad_schema(error, path,
                          "type: must be one of array, boolean, integer, number, object, string");
    if (!type && (json_object_get(openapi, "properties") || json_object_get(openapi, "additionalProperties")))
        schema->type = OBJECT;
    if (!type && json_object_get(openapi, "items"))
        schema->type = ARRAY;
    schema->nullable = json_bool_at(openapi, "nullable", FALSE);
    schema->int_or_string = json_bool_at(openapi, "x-kubernetes-int-or-string", FALSE);
    schema->preserve = json_bool_at(openapi, "x-kubernetes-preserve-unknown-fields", FALSE);
    schema->embedded = json_bool_at(openapi, "x-kubernetes-embedded-resource", FALSE);
    if (schema->int_or_string)
        schema->type = ANY;
    return TRUE;
}

static gboolean compile_limits(Schema *schema, const json_t *openapi, const char *path, GError **error)
{
    const json_t *minimum = json_object_get(openapi, "minimum"),
                 *maximum = json_object_get(openapi, "maximum");
    const char *pattern = json_string_at(openapi, "pattern", NULL);
    static const char *const sizes[][2] = {[ARRAY] = {"minItems", "maxItems"},
                                           [STRING] = {"minLength", "maxLength"},
                                           [OBJECT] = {"minProperties", "maxProperties"}};

    schema->has_minimum = json_is_number(minimum);
    schema->has_maximum = json_is_number(maximum);
    schema->minimum = json_number_value(minimum);
    schema->maximum = json_number_value(maximum);
    schema->above_minimum = json_bool_at(openapi, "exclusiveMinimum", FALSE);
    schema->below_maximum = json_bool_at(openapi, "exclusiveMaximum", FALSE);
    if (schema->type == ARRAY || schema->type == STRING || schema->type == OBJECT) {
        schema->min_size = json_int_at(openapi, sizes[schema->type][0], -1);
        schema->max_size = json_int_at(openapi, sizes[schema->type][1], -1);
    }
    schema->choices = json_incref(json_object_get(openapi, "enum"));
    schema->fallback = json_incref(json_object_get(openapi, "default"));
    schema->format = g_strdup(json_string_at(openapi, "format", NULL));
    if (pattern) {
        g_autoptr(GError) why = NULL;
        schema->pattern = g_regex_new(pattern, G_REGEX_DOLLAR_ENDONLY, 0, &why);
        if (!schema->pattern)
            return bad_schema(error, path, why->message);
    }
    return TRUE;
}

static void compile_list_type(Schema *schema, const json_t *openapi)
{
    const char *list = json_string_at(openapi, "x-kubernetes-list-type", "");
    const char *map = json_string_at(openapi, "x-kubernetes-map-type", "");
    const json_t *keys = json_object_get(openapi, "x-kubernetes-list-map-keys");

    schema->set = !strcmp(list, "set");
    schema->atomic = !strcmp(list, "atomic") || !strcmp(map, "atomic");
    if (!strcmp(list, "map") && json_array_size(keys)) {
        g_autoptr(GStrvBuilder) names = g_strv_builder_new();
        size_t i;
        json_t *key;
        json_array_foreach(keys, i, key) if (json_is_string(key))
            g_strv_builder_add(names, json_string_value(key));
        schema->keys = g_strv_builder_end(names);
    }
}

static const Schema *compile(SchemaSet *set, const json_t *openapi, const char *path, guint level,
                             GError **error)
{
    Schema *schema;

    if (!json_is_object(openapi) || level > most_levels) {
        bad_schema(error, path, level > most_levels ? "is nested too deeply" : "must be an object");
        return NULL;
    }
    schema = schema_new(set, ANY);
    if (!compile_type(schema, openapi, path, error) || !compile_limits(schema, openapi, path, error) ||
        !compile_fields(set, schema, openapi, path, level, error) ||
        !compile_parts(set, schema, openapi, path, level, error))
        return NULL;
    compile_list_type(schema, openapi);
    return schema;
}

SchemaSet *schema_set_from_openapi(const json_t *openapi, const char *path, const Schema **root,
                                   GError **error)
{
    g_autoptr(SchemaSet) set = set_new();

    *root = compile(set, openapi, path, 0, error);
    return *root ? g_steal_pointer(&set) : NULL;
}

/* ---- defaults ---- */

/* The first level of an object, and of one embedded in another, has members that no schema describes. */
static gboolean is_envelope(const char *name)
{
    return !strcmp(name, "apiVersion") || !strcmp(name, "kind") || !strcmp(name, "metadata");
}

/* nullable fields keep a null; for all others null means absent. */
static gboolean is_absent(const Schema *schema, const json_t *value)
{
    return !value || (json_is_null(value) && !schema->nullable);
}

static void fill(const Schema *schema, json_t *value, guint level)
{
    const Schema *of = target(schema);
    size_t i;
    json_t *item;
    const char *name;

    if (level > most_levels)
        return;
    if (json_is_array(value) && of->items) {
        json_array_foreach(value, i, item) fill(of->items, item, level + 1);
        return;
    }
    if (!json_is_object(value))
        return;
    for (guint n = 0; of->fields && n < of->fields->len; n++) {
        const Field *field = &g_array_index(of->fields, Field, n);
        item = json_object_get(value, field->name);
        if (is_absent(field->schema, item) && field->schema->fallback)
            json_object_set_new(value, field->name, item = json_deep_copy(field->schema->fallback));
        if (item)
            fill(field->schema, item, level + 1);
    }
    if (of->values)
        json_object_foreach(value, name, item) if (!field_find(of, name)) fill(of->values, item, level + 1);
}

json_t *schema_default_of(const Schema *schema)
{
    return schema ? schema->fallback : NULL;
}

void schema_default(const Schema *schema, json_t *object)
{
    fill(schema, object, 0);
}

/* ---- pruning ---- */

static void prune(const Schema *schema, json_t *value, gboolean envelope, GString *path, GPtrArray *unknown,
                  guint level);

static void prune_fields(const Schema *of, json_t *value, gboolean envelope, GString *path,
                         GPtrArray *unknown, guint level)
{
    gsize size = path->len;
    const char *name;
    json_t *item;
    void *next;

    json_object_foreach_safe(value, next, name, item)
    {
        const Field *field = field_find(of, name);
        const Schema *schema = field ? field->schema : of->values;

        /* A CRD may list metadata, as "type: object" and no more. */
        if (envelope && is_envelope(name) && (!field || !target(field->schema)->fields))
            continue;
        g_string_append_printf(path, "%s%s", size ? "." : "", name);
        if (schema && is_absent(schema, item) && !(of->values && !field)) {
            json_object_del(value, name);
        } else if (schema) {
            prune(schema, item, FALSE, path, unknown, level + 1);
        } else if (!of->preserve) {
            if (unknown)
                g_ptr_array_add(unknown, g_strdup(path->str));
            json_object_del(value, name);
        }
        g_string_truncate(path, size);
    }
}

static void prune(const Schema *schema, json_t *value, gboolean envelope, GString *path, GPtrArray *unknown,
                  guint level)
{
    const Schema *of = target(schema);
    gsize size = path->len;
    size_t i;
    json_t *item;

    if (level > most_levels)
        return;
    if (json_is_array(value) && of->items) {
        json_array_foreach(value, i, item)
        {
            g_string_append_printf(path, "[%zu]", i);
            prune(of->items, item, FALSE, path, unknown, level + 1);
            g_string_truncate(path, size);
        }
    } else if (json_is_object(value) && (of->type == OBJECT || of->fields || of->values)) {
        /* "type: object" alone knows no field: everything in it is unknown, as the real server sees it */
        prune_fields(of, value, envelope || of->embedded, path, unknown, level);
    }
}

void schema_prune(const Schema *schema, json_t *object, GPtrArray *unknown)
{
    g_autoptr(GString) path = g_string_new(NULL);
    prune(schema, object, TRUE, path, unknown, 0);
}

void schema_prune_part(const Schema *schema, json_t *part, const char *at, GPtrArray *unknown)
{
    g_autoptr(GString) path = g_string_new(at);
    prune(schema, part, FALSE, path, unknown, 0);
}

/* ---- validation ---- */

void schema_cause_free(gpointer data)
{
    SchemaCause *cause = data;
    g_free(cause->field);
    g_free(cause->message);
    g_free(cause);
}

GPtrArray *schema_causes_new(void)
{
    return g_ptr_array_new_with_free_func(schema_cause_free);
}

void schema_cause_add(GPtrArray *causes, const char *reason, const char *field, const char *format, ...)
{
    SchemaCause *cause = g_new(SchemaCause, 1);
    va_list args;

    va_start(args, format);
    *cause = (SchemaCause){reason, g_strdup(field), g_strdup_vprintf(format, args)};
    va_end(args);
    g_ptr_array_add(causes, cause);
}

/* How an error shows a value: as JSON, cut where it is long. */
static char *shown(const json_t *value)
{
    g_autofree char *text = json_text(value);
    if (strlen(text) > 200)
        strcpy(text + 197, "...");
    return g_utf8_make_valid(text, -1);
}

static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "number";
    case JSON_NULL:
        return "null";
    default:
        return "boolean";
    }
}

static gboolean has_type(const Schema *schema, const json_t *value)
{
    if (schema->int_or_string)
        return json_is_integer(value) || json_is_string(value) || (schema->quantity && json_is_real(value));
    switch (schema->type) {
    case ANY:
        return TRUE;
    case OBJECT:
        return json_is_object(value);
    case ARRAY:
        return json_is_array(value);
    case STRING:
        return json_is_string(value);
    case INTEGER:
        return json_is_integer(value) ||
               (json_is_real(value) && floor(json_real_value(value)) == json_real_value(value));
    case NUMBER:
        return json_is_number(value);
    case BOOLEAN:
        return json_is_boolean(value);
    }
    return FALSE;
}

static void check(const Schema *schema, const json_t *value, gboolean envelope, GString *path,
                  GPtrArray *causes, guint level);

static void check_number(const Schema *schema, const json_t *value, const char *path, GPtrArray *causes)
{
    double number = json_number_value(value);
    gboolean int32 = json_is_integer(value) && !g_strcmp0(schema->format, "int32");

    if (schema->has_minimum && (schema->above_minimum ? number <= schema->minimum : number < schema->minimum))
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %.15g: %s in body should be greater than%s %.15g", number, path,
                         schema->above_minimum ? "" : " or equal to", schema->minimum);
    if (schema->has_maximum && (schema->below_maximum ? number >= schema->maximum : number > schema->maximum))
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %.15g: %s in body should be less than%s %.15g", number, path,
                         schema->below_maximum ? "" : " or equal to", schema->maximum);
    if (int32 && (json_integer_value(value) > G_MAXINT32 || json_integer_value(value) < G_MININT32))
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %" JSON_INTEGER_FORMAT ": %s in body must be of type int32",
                         json_integer_value(value), path);
}

static gboolean is_base64(const char *text)
{
    gsize size = strlen(text),
          plain = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\r\n");
    gsize padded = plain + strspn(text + plain, "=\r\n");
    guint digits = 0;

    for (const char *c = text; *c; c++)
        digits += *c != '\r' && *c != '\n';
    return padded == size && digits % 4 == 0;
}

static gboolean is_quantity(const char *text)
{
    static const char *const suffixes[] = {"",  "n", "u",  "m",  "k",  "M",  "G",  "T",
                                           "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    char *end;

    if (!g_ascii_isdigit(*text) && !strchr("+-.", *text))
        return FALSE;
    g_ascii_strtod(text, &end);
    if (end == text || strspn(text, "+-.0123456789eE") < (gsize)(end - text))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (!strcmp(suffixes[i], end))
            return TRUE;
    return FALSE;
}

static void check_string(const Schema *schema, const json_t *value, const char *path, GPtrArray *causes)
{
    const char *text = json_string_value(value);
    glong length = schema->min_size >= 0 || schema->max_size >= 0 ? g_utf8_strlen(text, -1) : 0;

    if (schema->min_size >= 0 && length < schema->min_size)
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: \"%s\": %s in body should be at least %" G_GINT64_FORMAT
                         " chars long",
                         text, path, schema->min_size);
    if (schema->max_size >= 0 && length > schema->max_size)
        schema_cause_add(causes, "FieldValueTooLong", path,
                         "Too long: may not be more than %" G_GINT64_FORMAT " bytes", schema->max_size);
    if (schema->pattern && !g_regex_match(schema->pattern, text, 0, NULL)) {
        g_autofree char *quoted = shown(value);
        schema_cause_add(causes, "FieldValueInvalid", path, "Invalid value: %s: %s in body should match '%s'",
                         quoted, path, g_regex_get_pattern(schema->pattern));
    }
    if (!g_strcmp0(schema->format, "date-time") && clock_parse(text) < 0)
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: \"%s\": %s in body must be of type date-time: a time such as "
                         "2026-01-31T09:00:00Z",
                         text, path);
    if (!g_strcmp0(schema->format, "byte") && !is_base64(text))
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %s must be base64; plain text goes into stringData", path);
    if (schema->quantity && !is_quantity(text))
        schema_cause_add(
            causes, "FieldValueInvalid", path,
            "Invalid value: \"%s\": must be a quantity: a number and a suffix such as 512Mi, 10Gi or 500m",
            text);
}

static void check_choice(const Schema *schema, const json_t *value, const char *path, GPtrArray *causes)
{
    g_autoptr(GString) supported = g_string_new(NULL);
    g_autofree char *given = NULL;
    size_t i;
    json_t *choice;

    json_array_foreach(schema->choices, i, choice) if (json_equal(choice, value)) return;
    json_array_foreach(schema->choices, i, choice)
    {
        g_autofree char *text = shown(choice);
        g_string_append_printf(supported, "%s%s", i ? ", " : "", text);
    }
    given = shown(value);
    schema_cause_add(causes, "FieldValueNotSupported", path, "Unsupported value: %s: supported values: %s",
                     given, supported->str);
}

static void check_size(const Schema *schema, gsize size, const char *what, const char *path,
                       GPtrArray *causes)
{
    if (schema->min_size >= 0 && size < (guint64)schema->min_size)
        schema_cause_add(causes, "FieldValueInvalid", path,
                         "Invalid value: %" G_GSIZE_FORMAT
                         ": %s in body should have at least %" G_GINT64_FORMAT " %s",
                         size, path, schema->min_size, what);
    if (schema->max_size >= 0 && size > (guint64)schema->max_size)
        schema_cause_add(causes, "FieldValueTooMany", path,
                         "Too many: %" G_GSIZE_FORMAT ": must have at most %" G_GINT64_FORMAT " %s", size,
                         schema->max_size, what);
}

static void check_required(const char *name, GString *path, GPtrArray *causes)
{
    gsize size = path->len;
    g_string_append_printf(path, "%s%s", size ? "." : "", name);
    schema_cause_add(causes, "FieldValueRequired", path->str, "Required value");
    g_string_truncate(path, size);
}

static void check_fields(const Schema *of, const json_t *value, gboolean envelope, GString *path,
                         GPtrArray *causes, guint level)
{
    gsize size = path->len;
    const char *name;
    json_t *item;

    for (guint i = 0; of->fields && i < of->fields->len; i++) {
        const Field *field = &g_array_index(of->fields, Field, i);
        if (field->required && is_absent(field->schema, json_object_get(value, field->name)))
            check_required(field->name, path, causes);
    }
    for (guint i = 0; of->needed && i < of->needed->len; i++)
        if (!json_object_get(value, g_ptr_array_index(of->needed, i)))
            check_required(g_ptr_array_index(of->needed, i), path, causes);

    json_object_foreach((json_t *)value, name, item)
    {
        const Field *field = field_find(of, name);
        const Schema *schema = field ? field->schema : of->values;
        if (!schema || (envelope && !field && is_envelope(name)) || (envelope && !strcmp(name, "metadata")))
            continue;
        g_string_append_printf(path, "%s%s", size ? "." : "", name);
        check(schema, item, FALSE, path, causes, level + 1);
        g_string_truncate(path, size);
    }
}

static void check_duplicates(const Schema *schema, const json_t *value, GString *path, GPtrArray *causes)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gsize size = path->len;
    size_t i;
    json_t *item;

    json_array_foreach(value, i, item)
    {
        g_autoptr(json_t) key = schema->keys ? json_object() : json_incref(item);
        char *text;
        for (char **k = schema->keys; k && *k; k++)
            json_object_set(key, *k, json_object_get(item, *k));
        text = json_text(key);
        if (!g_hash_table_add(seen, text)) {
            g_string_append_printf(path, "[%zu]", i);
            schema_cause_add(causes, "FieldValueDuplicate", path->str, "Duplicate value: %s", text);
            g_string_truncate(path, size);
        }
    }
}

static gboolean passes(const Schema *schema, const json_t *value, gboolean envelope, GString *path,
                       guint level)
{
    g_autoptr(GPtrArray) causes = schema_causes_new();
    check(schema, value, envelope, path, causes, level);
    return causes->len == 0;
}

static void check_groups(const Schema *schema, const json_t *value, gboolean envelope, GString *path,
                         GPtrArray *causes, guint level)
{
    guint any = 0, one = 0;

    for (guint i = 0; schema->all && i < schema->all->len; i++)
        check(g_ptr_array_index(schema->all, i), value, envelope, path, causes, level + 1);
    for (guint i = 0; schema->any && i < schema->any->len; i++)
        any += passes(g_ptr_array_index(schema->any, i), value, envelope, path, level + 1);
    for (guint i = 0; schema->one && i < schema->one->len; i++)
        one += passes(g_ptr_array_index(schema->one, i), value, envelope, path, level + 1);
    if (schema->any && !any)
        schema_cause_add(causes, "FieldValueInvalid", path->str,
                         "Invalid value: must validate at least one schema (anyOf)");
    if (schema->one && one != 1)
        schema_cause_add(causes, "FieldValueInvalid", path->str,
                         "Invalid value: must validate one and only one schema (oneOf)");
    if (schema->not &&passes(schema->not, value, envelope, path, level + 1))
        schema_cause_add(causes, "FieldValueInvalid", path->str,
                         "Invalid value: must not validate the schema (not)");
}

static void check(const Schema *schema, const json_t *value, gboolean envelope, GString *path,
                  GPtrArray *causes, guint level)
{
    const Schema *of = target(schema);
    gsize size = path->len;
    size_t i;
    json_t *item;

    if (level > most_levels || (json_is_null(value) && schema->nullable))
        return;
    if (!has_type(of, value)) {
        g_autofree char *text = json_is_object(value) || json_is_array(value)
                                    ? g_strdup_printf("\"%s\"", type_of(value))
                                    : shown(value);
        schema_cause_add(causes, "FieldValueTypeInvalid", path->str,
                         "Invalid value: \"%s\": %s in body must be of type %s: %s", type_of(value),
                         path->str,
                         of->quantity        ? "quantity"
                         : of->int_or_string ? "integer or string"
                                             : type_names[of->type],
                         text);
        return;
    }
    if (schema->choices)
        check_choice(schema, value, path->str, causes);
    if (json_is_number(value))
        check_number(schema, value, path->str, causes);
    if (json_is_string(value))
        check_string(schema, value, path->str, causes);
    if (json_is_array(value)) {
        check_size(schema, json_array_size(value), "items", path->str, causes);
        if (schema->keys || schema->set)
            check_duplicates(schema, value, path, causes);
        if (of->items)
            json_array_foreach(value, i, item)
            {
                g_string_append_printf(path, "[%zu]", i);
                check(of->items, item, FALSE, path, causes, level + 1);
                g_string_truncate(path, size);
            }
    }
    if (json_is_object(value)) {
        check_size(schema, json_object_size(value), "properties", path->str, causes);
        check_fields(of, value, envelope || of->embedded, path, causes, level);
    }
    check_groups(schema, value, envelope, path, causes, level);
}

void schema_validate(const Schema *schema, const json_t *object, GPtrArray *causes)
{
    g_autoptr(GString) path = g_string_new(NULL);
    check(schema, object, TRUE, path, causes, 0);
}

void schema_validate_part(const Schema *schema, const json_t *part, const char *at, GPtrArray *causes)
{
    g_autoptr(GString) path = g_string_new(at);
    check(schema, part, FALSE, path, causes, 0);
}

/* ---- for clients ---- */

static json_t *openapi_of(const Schema *schema, const char *prefix);

static json_t *openapi_fields(const Schema *schema, const char *prefix)
{
    json_t *json = json_object(), *fields = json_object(), *required = json_array();

    for (guint i = 0; schema->fields && i < schema->fields->len; i++) {
        const Field *field = &g_array_index(schema->fields, Field, i);
        json_object_set_new(fields, field->name, openapi_of(field->schema, prefix));
        if (field->required)
            json_array_append_new(required, json_string(field->name));
    }
    json_object_set_new(json, "type", json_string("object"));
    json_object_set_new(json, "properties", fields);
    if (json_array_size(required))
        json_object_set(json, "required", required);
    json_decref(required);
    return json;
}

static json_t *openapi_of(const Schema *schema, const char *prefix)
{
    json_t *json = json_object();

    if (schema->ref) {
        g_autofree char *ref = g_strconcat("#/components/schemas/", prefix, ".", schema->ref->name, NULL);
        json_object_set_new(json, "allOf", json_pack("[{s:s}]", "$ref", ref));
    } else if (schema->int_or_string) {
        json_object_set_new(json, "x-kubernetes-int-or-string", json_true());
    } else if (schema->type != ANY) {
        json_object_set_new(json, "type", json_string(type_names[schema->type]));
    } else {
        json_object_set_new(json, "x-kubernetes-preserve-unknown-fields", json_true());
    }
    if (schema->format)
        json_object_set_new(json, "format", json_string(schema->format));
    if (schema->description || (schema->ref && schema->ref->description))
        json_object_set_new(
            json, "description",
            json_string(schema->description ? schema->description : schema->ref->description));
    if (schema->fallback)
        json_object_set(json, "default", schema->fallback);
    if (schema->choices)
        json_object_set(json, "enum", schema->choices);
    if (schema->items)
        json_object_set_new(json, "items", openapi_of(schema->items, prefix));
    if (schema->values)
        json_object_set_new(json, "additionalProperties", openapi_of(schema->values, prefix));
    return json;
}

json_t *schema_set_openapi(const SchemaSet *set, const char *prefix)
{
    json_t *all = json_object();
    GHashTableIter each;
    gpointer name, type;

    g_hash_table_iter_init(&each, set->types);
    while (g_hash_table_iter_next(&each, &name, &type)) {
        g_autofree char *full = g_strconcat(prefix, ".", (char *)name, NULL);
        json_t *json = openapi_fields(type, prefix);
        if (((Schema *)type)->description)
            json_object_set_new(json, "description", json_string(((Schema *)type)->description));
        json_object_set_new(all, full, json);
    }
    return all;
}

/* ---- protobuf ---- */

WireType schema_wire_type(const Schema *schema)
{
    static const WireType types[] = {
        [ANY] = WIRE_SKIPPED, [OBJECT] = WIRE_MESSAGE, [ARRAY] = WIRE_LIST,  [STRING] = WIRE_STRING,
        [INTEGER] = WIRE_INT, [NUMBER] = WIRE_SKIPPED, [BOOLEAN] = WIRE_BOOL};

    if (schema->quantity)
        return WIRE_QUANTITY;
    if (schema->int_or_string)
        return WIRE_INT_OR_STRING;
    if (schema->values)
        return WIRE_MAP;
    if (!g_strcmp0(schema->format, "date-time"))
        return WIRE_TIME;
    if (!g_strcmp0(schema->format, "byte"))
        return WIRE_BYTES;
    return types[schema->type];
}

const Schema *schema_wire_field(const Schema *schema, guint outer, guint number, const char **name,
                                gboolean *zero_absent)
{
    const Schema *of = target(schema);

    for (guint i = 0; of->fields && i < of->fields->len; i++) {
        const Field *field = &g_array_index(of->fields, Field, i);
        if (field->number == number && field->outer == outer) {
            *name = field->name;
            *zero_absent = field->zero_absent;
            return field->schema;
        }
    }
    return NULL;
}

gboolean schema_wire_inlines(const Schema *schema, guint number)
{
    const Schema *of = target(schema);

    for (guint i = 0; of->fields && i < of->fields->len; i++)
        if (g_array_index(of->fields, Field, i).outer == number)
            return TRUE;
    return FALSE;
}
