/* schema: sets of compiled schemas, and what one says of its fields. */
#include "local/apiserver/schema_parts.h"
#include <string.h>

const char *const schema_type_names[] = {"", "object", "array", "string", "integer", "number", "boolean"};

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

SchemaSet *schema_set_new(void)
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

Schema *schema_new(SchemaSet *set, Type type)
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

void schema_sort_fields(Schema *schema)
{
    g_array_sort(schema->fields, field_order);
}

const Field *schema_field_find(const Schema *schema, const char *name)
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

void schema_field_add(Schema *schema, const char *name, const Schema *of, gboolean required)
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

const Schema *schema_target(const Schema *schema)
{
    return schema && schema->ref ? schema->ref : schema;
}

const Schema *schema_field(const Schema *schema, const char *name)
{
    const Schema *of = schema_target(schema);
    const Field *field = of ? schema_field_find(of, name) : NULL;
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

gboolean schema_is_envelope(const char *name)
{
    return !strcmp(name, "apiVersion") || !strcmp(name, "kind") || !strcmp(name, "metadata");
}

gboolean schema_is_absent(const Schema *schema, const json_t *value)
{
    return !value || (json_is_null(value) && !schema->nullable);
}
