/* schema_shape: gives an object its defaults, and takes away what no schema describes. */
#include "local/apiserver/schema_parts.h"

/* ---- defaults ---- */

static void fill(const Schema *schema, json_t *value, guint level)
{
    const Schema *of = schema_target(schema);
    size_t i;
    json_t *item;
    const char *name;

    if (level > SCHEMA_MOST_LEVELS)
        return;
    if (json_is_array(value) && of->items) {
        json_array_foreach (value, i, item)
            fill(of->items, item, level + 1);
        return;
    }
    if (!json_is_object(value))
        return;
    for (guint n = 0; of->fields && n < of->fields->len; n++) {
        const Field *field = &g_array_index(of->fields, Field, n);
        item = json_object_get(value, field->name);
        if (schema_is_absent(field->schema, item) && field->schema->fallback)
            json_object_set_new(value, field->name, item = json_deep_copy(field->schema->fallback));
        if (item)
            fill(field->schema, item, level + 1);
    }
    if (of->values)
        json_object_foreach (value, name, item)
            if (!schema_field_find(of, name))
                fill(of->values, item, level + 1);
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
        const Field *field = schema_field_find(of, name);
        const Schema *schema = field ? field->schema : of->values;

        /* A CRD may list metadata, as "type: object" and no more. */
        if (envelope && schema_is_envelope(name) && (!field || !schema_target(field->schema)->fields))
            continue;
        g_string_append_printf(path, "%s%s", size ? "." : "", name);
        if (schema && schema_is_absent(schema, item) && !(of->values && !field)) {
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
    const Schema *of = schema_target(schema);
    gsize size = path->len;
    size_t i;
    json_t *item;

    if (level > SCHEMA_MOST_LEVELS)
        return;
    if (json_is_array(value) && of->items) {
        json_array_foreach (value, i, item) {
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
