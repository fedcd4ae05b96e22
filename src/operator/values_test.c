/* values: what the spec may say, and what keeps the default. */
#include "operator/values.h"
#include <string.h>

static const struct {
    const char *name, *spec, *key, *value, *complaint; /* complaint NULL: none */
} cases[] = {
    {"nothing", "{}", "feature_ui", "true", NULL},
    {"a feature as a boolean", "{\"feature_ui\":false}", "feature_ui", "false", NULL},
    {"a feature as Ansible writes it", "{\"feature_ui\":\"False\"}", "feature_ui", "false", NULL},
    {"a feature that is neither", "{\"feature_ui\":\"no\"}", "feature_ui", "true",
     "feature_ui: must be true or false"},
    {"an image of ours", "{\"ui_image_fqin\":\"mirror:5000/x/gantry@sha256:00\"}", "ui_image_fqin",
     "mirror:5000/x/gantry@sha256:00", NULL},
    {"an image of another's", "{\"ui_image_fqin\":\"registry.redhat.io/mtv/mtv-ui-rhel8:2.3.0\"}",
     "ui_image_fqin", "gantry:test", "ui_image_fqin: not used"},
    {"an image with a line in it", "{\"ui_image_fqin\":\"x/gantry:1\\ny\"}", "ui_image_fqin", "gantry:test",
     "ui_image_fqin: not used"},
    {"a quantity as a number", "{\"ui_container_limits_cpu\":2}", "ui_container_limits_cpu", "2", NULL},
    {"a quantity that is none", "{\"ui_container_limits_cpu\":\"much\"}", "ui_container_limits_cpu", "100m",
     "ui_container_limits_cpu: must be a quantity"},
    {"a list", "{\"image_pull_policy\":[]}", "image_pull_policy", "IfNotPresent",
     "image_pull_policy: must be a text"},
    {"null", "{\"image_pull_policy\":null}", "image_pull_policy", "IfNotPresent", NULL},
};

static void a_value_is_read(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    g_autoptr(json_t) spec = json_parse(cases[i].spec, strlen(cases[i].spec), 4096, "spec", NULL);
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) values = values_read(spec, wrong);

    g_assert_cmpstr(g_hash_table_lookup(values, cases[i].key), ==, cases[i].value);
    g_assert_cmpuint(wrong->len, ==, cases[i].complaint ? 1 : 0);
    if (cases[i].complaint)
        g_assert_true(g_str_has_prefix(wrong->pdata[0], cases[i].complaint));
}

int main(int argc, char **argv)
{
    g_setenv("GANTRY_IMAGE", "gantry:test", TRUE);
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/operator/values/", cases[i].name, NULL);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), a_value_is_read);
    }
    return g_test_run();
}
