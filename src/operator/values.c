/* values: one table of keys with their defaults. */
#include "operator/values.h"
#include <string.h>

#define IMAGE "quay.io/gantry/gantry:" GANTRY_VERSION

enum { MOST_TEXT = 1024 };

typedef enum { FLAG, IMAGE_NAME, QUANTITY, TEXT } Type;

static const struct {
    const char *key, *otherwise;
    Type type;
} rows[] = {
    {"feature_ui", "true", FLAG},
    {"feature_validation", "true", FLAG},
    {"feature_must_gather_api", "true", FLAG},
    {"feature_auth_required", "true", FLAG},
    {"controller_image_fqin", NULL, IMAGE_NAME},
    {"validation_image_fqin", NULL, IMAGE_NAME},
    {"ui_image_fqin", NULL, IMAGE_NAME},
    {"must_gather_api_image_fqin", NULL, IMAGE_NAME},
    {"image_pull_policy", "IfNotPresent", TEXT},
    {"controller_container_limits_cpu", "500m", QUANTITY},
    {"controller_container_limits_memory", "800Mi", QUANTITY},
    {"controller_container_requests_cpu", "100m", QUANTITY},
    {"controller_container_requests_memory", "64Mi", QUANTITY},
    {"inventory_container_limits_cpu", "1", QUANTITY},
    {"inventory_container_limits_memory", "1Gi", QUANTITY},
    {"inventory_container_requests_cpu", "100m", QUANTITY},
    {"inventory_container_requests_memory", "128Mi", QUANTITY},
    {"validation_container_limits_cpu", "1", QUANTITY},
    {"validation_container_limits_memory", "300Mi", QUANTITY},
    {"validation_container_requests_cpu", "100m", QUANTITY},
    {"validation_container_requests_memory", "50Mi", QUANTITY},
    {"ui_container_limits_cpu", "100m", QUANTITY},
    {"ui_container_limits_memory", "800Mi", QUANTITY},
    {"ui_container_requests_cpu", "100m", QUANTITY},
    {"ui_container_requests_memory", "64Mi", QUANTITY},
    {"must_gather_api_container_limits_cpu", "1", QUANTITY},
    {"must_gather_api_container_limits_memory", "1Gi", QUANTITY},
    {"must_gather_api_container_requests_cpu", "100m", QUANTITY},
    {"must_gather_api_container_requests_memory", "64Mi", QUANTITY},
    {"ui_ingress_host", "", TEXT},
};

/* ---- one value ---- */

/* Numbers and booleans are taken as their texts; "True" is how Ansible writes it. */
static char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);

    if (text && (!g_ascii_strcasecmp(text, "true") || !g_ascii_strcasecmp(text, "false")))
        return g_ascii_strdown(text, -1);
    if (text)
        return g_strdup(text);
    return json_is_object(value) || json_is_array(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
}

static gboolean is_plain(const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at > '~')
            return FALSE;
    return strlen(text) <= MOST_TEXT;
}

/* Deployments run Gantry's own program: the images that settings written for Forklift name have none. */
static gboolean is_own_image(const char *image)
{
    const char *slash = strrchr(image, '/'), *last = slash ? slash + 1 : image;
    return strcspn(last, ":@") == strlen("gantry") && g_str_has_prefix(last, "gantry") && is_plain(image);
}

/* What would be right, or NULL when the text is. */
static const char *complaint(Type type, const char *text)
{
    switch (type) {
    case FLAG:
        return !strcmp(text, "true") || !strcmp(text, "false") ? NULL : "must be true or false";
    case IMAGE_NAME:
        return is_own_image(text) ? NULL : "not used: Gantry's services run Gantry's own image";
    case QUANTITY:
        return g_regex_match_simple("^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", text, 0, 0)
                   ? NULL
                   : "must be a quantity, like 500m or 800Mi";
    default:
        return is_plain(text) ? NULL : "must be a short text without blanks";
    }
}

/* The operator's own image is that of the services, too. */
static const char *default_image(void)
{
    const char *image = g_getenv("GANTRY_IMAGE");
    return image && *image ? image : IMAGE;
}

GHashTable *values_read(const json_t *spec, GPtrArray *wrong)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const json_t *value = json_object_get(spec, rows[i].key);
        gboolean given = value && !json_is_null(value);
        g_autofree char *text = given ? text_of(value) : NULL;
        const char *otherwise = rows[i].otherwise ? rows[i].otherwise : default_image(), *why = NULL;

        if (given)
            why = text ? complaint(rows[i].type, text) : "must be a text";
        if (why && wrong)
            g_ptr_array_add(wrong, g_strdup_printf("%s: %s", rows[i].key, why));
        g_hash_table_insert(values, g_strdup(rows[i].key),
                            text && !why ? g_steal_pointer(&text) : g_strdup(otherwise));
    }
    return values;
}

gboolean value_is_on(GHashTable *values, const char *name)
{
    return !g_strcmp0(g_hash_table_lookup(values, name), "true");
}
