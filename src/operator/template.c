/* template: fills names in after the YAML was read, so that no value can change a manifest's shape. */
#include "operator/template.h"
#include "base/yaml.h"
#include <string.h>

enum { FILE_LIMIT = 4 << 20 };

#define PREFIX "gantry.io/"

void template_free(Template *one)
{
    json_decref(one->manifest);
    g_free(one->feature);
    g_free(one->needs);
    g_free(one);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Template, template_free)

/* ---- names ---- */

static char *fill_text(const char *text, GHashTable *values, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    while (*text) {
        gsize size = *text == '<' ? strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
        if (!size || text[1 + size] != '>') {
            g_string_append_c(out, *text++);
            continue;
        }
        g_autofree char *name = g_strndup(text + 1, size);
        const char *value = g_hash_table_lookup(values, name);
        if (!value) {
            g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "a template asks for <%s>, which is no setting",
                        name);
            return NULL;
        }
        g_string_append(out, value);
        text += size + 2;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* *slot gets the filled text; what holds no name stays as it is. */
static gboolean fill_value(json_t *value, json_t **filled, GHashTable *values, GError **error)
{
    g_autofree char *text = NULL;

    *filled = NULL;
    if (!json_is_string(value))
        return template_fill(value, values, error);
    if (!strchr(json_string_value(value), '<'))
        return TRUE;
    text = fill_text(json_string_value(value), values, error);
    *filled = text ? json_string(text) : NULL;
    return text != NULL;
}

gboolean template_fill(json_t *manifest, GHashTable *values, GError **error)
{
    json_t *value, *filled;
    const char *key;
    void *next;
    size_t i;

    json_object_foreach_safe(manifest, next, key, value)
    {
        if (!fill_value(value, &filled, values, error))
            return FALSE;
        if (filled)
            json_object_set_new(manifest, key, filled);
    }
    json_array_foreach (manifest, i, value) {
        if (!fill_value(value, &filled, values, error))
            return FALSE;
        if (filled)
            json_array_set_new(manifest, i, filled);
    }
    return TRUE;
}

/* ---- files ---- */

/* The annotation's text, which is taken out; NULL when it has none. */
static char *take_annotation(json_t *manifest, const char *name)
{
    json_t *annotations = json_at(manifest, "metadata.annotations");
    g_autofree char *key = g_strconcat(PREFIX, name, NULL);
    char *text = g_strdup(json_string_value(json_object_get(annotations, key)));

    json_object_del(annotations, key);
    return text;
}

static Template *template_new(json_t *manifest, GHashTable *values, GError **error)
{
    g_autoptr(Template) one = g_new0(Template, 1);
    g_autofree char *keep = NULL;

    one->manifest = json_incref(manifest);
    one->feature = take_annotation(manifest, "feature");
    one->needs = take_annotation(manifest, "needs");
    keep = take_annotation(manifest, "keep");
    one->keep = keep != NULL;
    one->resource = kube_resource_of(manifest);
    if (!one->resource) {
        g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "%s %s is of no kind that Gantry knows",
                    json_string_at(manifest, "kind", ""), json_string_at(manifest, "metadata.name", ""));
        return NULL;
    }
    return template_fill(manifest, values, error) ? g_steal_pointer(&one) : NULL;
}

static gboolean load_file(GPtrArray *templates, const char *path, GHashTable *values, GError **error)
{
    g_autoptr(GPtrArray) manifests = yaml_parse_file(path, FILE_LIMIT, error);

    for (guint i = 0; manifests && i < manifests->len; i++) {
        Template *one = template_new(manifests->pdata[i], values, error);
        if (!one) {
            g_prefix_error(error, "%s: ", path);
            return FALSE;
        }
        g_ptr_array_add(templates, one);
    }
    return manifests != NULL;
}

GPtrArray *templates_load(const char *directory, GHashTable *values, GError **error)
{
    g_autoptr(GPtrArray) paths = yaml_files(directory, error),
                         templates = g_ptr_array_new_with_free_func((GDestroyNotify)template_free);

    for (guint i = 0; paths && i < paths->len; i++)
        if (!load_file(templates, paths->pdata[i], values, error))
            return NULL;
    return paths ? g_steal_pointer(&templates) : NULL;
}
