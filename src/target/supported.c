/* supported: a walk over a manifest and a structural schema at once. */
#include "target/supported.h"
#include <string.h>

enum { DEPTH_MOST = 64 };

static void prune(json_t *value, const json_t *schema, const char *path, GPtrArray *left_out, guint depth);

static gboolean keeps_unknown(const json_t *schema)
{
    return json_bool_at(schema, "x-kubernetes-preserve-unknown-fields", FALSE) ||
           json_bool_at(schema, "x-kubernetes-embedded-resource", FALSE) ||
           !json_object_get(schema, "properties");
}

static void prune_object(json_t *object, const json_t *schema, const char *path, GPtrArray *left_out,
                         guint depth)
{
    const json_t *properties = json_object_get(schema, "properties"),
                 *others = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(object, next, key, value)
    {
        const json_t *known = json_object_get(properties, key);
        g_autofree char *below = *path ? g_strdup_printf("%s.%s", path, key) : g_strdup(key);
        if (!known && json_is_object(others))
            known = others;
        if (known)
            prune(value, known, below, left_out, depth);
        else if (!keeps_unknown(schema)) {
            g_ptr_array_add(left_out, g_steal_pointer(&below));
            json_object_del(object, key);
        }
    }
}

static void prune(json_t *value, const json_t *schema, const char *path, GPtrArray *left_out, guint depth)
{
    size_t i;
    json_t *item;

    if (depth == DEPTH_MOST)
        return;
    if (json_is_object(value))
        prune_object(value, schema, path, left_out, depth + 1);
    else if (json_is_array(value) && json_is_object(json_object_get(schema, "items")))
        json_array_foreach (value, i, item) {
            g_autofree char *below = g_strdup_printf("%s[%zu]", path, i);
            prune(item, json_object_get(schema, "items"), below, left_out, depth + 1);
        }
}

/* The schema of the manifest's apiVersion, or NULL. */
static const json_t *schema_of(const json_t *definition, const json_t *manifest)
{
    const char *slash = strchr(json_string_at(manifest, "apiVersion", ""), '/');
    size_t i;
    json_t *version;

    json_array_foreach (json_at(definition, "spec.versions"), i, version)
        if (slash && !strcmp(json_string_at(version, "name", ""), slash + 1))
            return json_at(version, "schema.openAPIV3Schema");
    return NULL;
}

GPtrArray *target_leave_out(json_t *manifest, const json_t *definition)
{
    GPtrArray *left_out = g_ptr_array_new_with_free_func(g_free);
    const json_t *spec = json_at(schema_of(definition, manifest), "properties.spec");

    if (spec)
        prune(json_object_get(manifest, "spec"), spec, "spec", left_out, 0);
    return left_out;
}
