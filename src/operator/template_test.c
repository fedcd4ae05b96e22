/* template: names are filled in, and what Gantry installs has no other names than those that have values. */
#include "operator/template.h"
#include "operator/values.h"
#include <string.h>

static GHashTable *shipped_values(void)
{
    static const char *const facts[] = {"namespace", "version", "ca_key", "policy_agent_url", "certificates"};
    GHashTable *values = values_read(NULL, NULL);

    for (guint i = 0; i < G_N_ELEMENTS(facts); i++)
        g_hash_table_insert(values, g_strdup(facts[i]), g_strdup(facts[i]));
    return values;
}

static gboolean has_name(const json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;

    json_object_foreach ((json_t *)value, key, inner)
        if (has_name(inner))
            return TRUE;
    json_array_foreach (value, i, inner)
        if (has_name(inner))
            return TRUE;
    return json_is_string(value) && g_regex_match_simple("<[a-z_]+>", json_string_value(value), 0, 0);
}

static void every_shipped_one_is_filled(void)
{
    g_autoptr(GHashTable) values = shipped_values();
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) templates = templates_load(TEMPLATES, values, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(templates->len, >, 15);
    for (guint i = 0; i < templates->len; i++)
        g_assert_false(has_name(((Template *)templates->pdata[i])->manifest));
}

static void a_feature_is_named_by_a_setting(void)
{
    g_autoptr(GHashTable) values = shipped_values();
    g_autoptr(GPtrArray) templates = templates_load(TEMPLATES, values, NULL);

    for (guint i = 0; i < templates->len; i++) {
        const Template *one = templates->pdata[i];
        if (one->feature)
            g_assert_true(value_is_on(values, one->feature));
    }
}

static json_t *filled(const char *text, GError **error)
{
    g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);
    json_t *manifest = json_parse(text, strlen(text), 4096, "manifest", NULL);

    g_hash_table_insert(values, "a", "x: {y}");
    if (template_fill(manifest, values, error))
        return manifest;
    json_decref(manifest);
    return NULL;
}

static void a_value_stays_a_text(void)
{
    g_autoptr(json_t) manifest = filled("{\"l\":[\"<a>\",1,{\"t\":\"-<a>- <<A> < a>\"}]}", NULL);
    g_autofree char *text = json_text(manifest);

    g_assert_cmpstr(text, ==, "{\"l\":[\"x: {y}\",1,{\"t\":\"-x: {y}- <<A> < a>\"}]}");
}

static void an_unknown_name_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) manifest = filled("{\"t\":\"<b>\"}", &error);

    g_assert_error(error, GANTRY_ERROR, ERROR_INTERNAL);
    g_assert_nonnull(strstr(error->message, "<b>"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/operator/template/every shipped one is filled", every_shipped_one_is_filled);
    g_test_add_func("/operator/template/a feature is named by a setting", a_feature_is_named_by_a_setting);
    g_test_add_func("/operator/template/a value stays a text", a_value_stays_a_text);
    g_test_add_func("/operator/template/an unknown name is an error", an_unknown_name_is_an_error);
    return g_test_run();
}
