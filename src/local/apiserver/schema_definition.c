/* schema_definition: the OpenAPI v3 of a CustomResourceDefinition, compiled. */
#include "local/apiserver/schema_parts.h"
#include <string.h>

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

    json_object_foreach (json_object_get(openapi, "properties"), name, value) {
        g_autofree char *at = g_strdup_printf("%s.properties[%s]", path, name);
        const Schema *field = compile(set, value, at, level + 1, error);
        if (!field)
            return FALSE;
        schema_field_add(schema, name, field, FALSE);
    }
    if (schema->fields)
        schema_sort_fields(schema);
    json_array_foreach (required, i, value) {
        Field *field =
            json_is_string(value) ? (Field *)schema_field_find(schema, json_string_value(value)) : NULL;
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
        json_array_foreach (list, n, each) {
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

    for (guint i = OBJECT; type && i < G_N_ELEMENTS(schema_type_names); i++)
        if (!strcmp(schema_type_names[i], type))
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
        json_array_foreach (keys, i, key)
            if (json_is_string(key))
                g_strv_builder_add(names, json_string_value(key));
        schema->keys = g_strv_builder_end(names);
    }
}

static const Schema *compile(SchemaSet *set, const json_t *openapi, const char *path, guint level,
                             GError **error)
{
    Schema *schema;

    if (!json_is_object(openapi) || level > SCHEMA_MOST_LEVELS) {
        bad_schema(error, path, level > SCHEMA_MOST_LEVELS ? "is nested too deeply" : "must be an object");
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
    g_autoptr(SchemaSet) set = schema_set_new();

    *root = compile(set, openapi, path, 0, error);
    return *root ? g_steal_pointer(&set) : NULL;
}
