/* schema_openapi: shows a set to clients as OpenAPI v3 components. */
#include "local/apiserver/schema_parts.h"

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
        json_object_set_new(json, "type", json_string(schema_type_names[schema->type]));
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
