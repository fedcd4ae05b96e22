/* rules: the default policies judge as their own tests say; custom ones are accepted, or refused for a
 * reason. */
#include "base/share.h"
#include "policy/rules.h"
#include <glib/gstdio.h>
#include <string.h>

static const char custom_rule[] = "package io.konveyor.forklift.vmware\n"
                                  "has_multiple_disks {\n  count(input.disks) > 1\n}\n"
                                  "concerns[flag] {\n  has_multiple_disks\n  flag := {\n"
                                  "    \"category\": \"Information\",\n"
                                  "    \"label\": \"Multiple disks detected\",\n"
                                  "    \"assessment\": \"Multiple disks detected on this VM.\"\n  }\n}\n";

typedef struct {
    char *policies, *extra;
} Fixture;

static void setup(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    fixture->policies = share_find(&error, "policies", NULL);
    g_assert_no_error(error);
    fixture->extra = g_dir_make_tmp("gantry-rules-XXXXXX", &error);
    g_assert_no_error(error);
}

static void teardown(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *file = g_build_filename(fixture->extra, "extra.rego", NULL);
    g_unlink(file);
    g_rmdir(fixture->extra);
    g_free(fixture->extra);
    g_free(fixture->policies);
}

static Rules *load_with(const Fixture *fixture, const char *custom, GError **error)
{
    g_autofree char *file = g_build_filename(fixture->extra, "extra.rego", NULL);
    const char *directories[] = {fixture->policies, fixture->extra, NULL};

    g_assert_true(g_file_set_contents(file, custom, -1, NULL));
    return rules_load(directories, FALSE, error);
}

static void every_default_rule_passes_its_tests(Fixture *fixture, gconstpointer unused)
{
    const char *directories[] = {fixture->policies, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = rules_load(directories, TRUE, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(rules_tests(rules)->len, >, 100);
    for (guint i = 0; i < rules_tests(rules)->len; i++) {
        const char *path = rules_tests(rules)->pdata[i];
        g_autoptr(json_t) value = NULL;
        rules_evaluate(rules, path, NULL, &value, &error);
        g_assert_no_error(error);
        if (!json_is_true(value))
            g_test_message("%s does not hold", path);
        g_assert_true(json_is_true(value));
    }
}

static gboolean has_label(const json_t *verdict, const char *label)
{
    const json_t *concern;
    size_t i;

    json_array_foreach(json_object_get(verdict, "concerns"), i,
                       concern) if (!strcmp(json_string_at(concern, "label", ""), label)) return TRUE;
    return FALSE;
}

static void a_custom_rule_in_the_guides_form_adds_a_concern(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = load_with(fixture, custom_rule, &error);
    g_autoptr(json_t) input =
        json_pack("{s:s, s:[i,i], s:b}", "name", "a", "disks", 1, 2, "changeTrackingEnabled", 0);
    g_autoptr(json_t) verdict = NULL;

    g_assert_no_error(error);
    g_assert_true(rules_evaluate(rules, "io/konveyor/forklift/vmware/validate", input, &verdict, &error));
    g_assert_no_error(error);
    g_assert_true(has_label(verdict, "Multiple disks detected"));
    g_assert_true(has_label(verdict, "Changed Block Tracking (CBT) not enabled"));
    g_assert_cmpint(json_int_at(verdict, "rules_version", 0), ==, 5);
}

static void a_default_that_contradicts_is_refused(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules =
        load_with(fixture, "package io.konveyor.forklift.vmware\n\ndefault valid_input = true\n", &error);

    g_assert_null(rules);
    g_assert_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID);
    g_assert_nonnull(strstr(error->message, "extra.rego:3: default valid_input is set already"));
}

static void a_file_that_does_not_parse_is_named(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = load_with(fixture, "package a\n\nallow {\n", &error);

    g_assert_null(rules);
    g_assert_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID);
    g_assert_nonnull(strstr(error->message, "extra.rego"));
}

static void the_hash_follows_the_text(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(Rules) one = load_with(fixture, custom_rule, NULL);
    g_autoptr(Rules) same = load_with(fixture, custom_rule, NULL);
    g_autoptr(Rules) other = load_with(fixture, "package a\n", NULL);

    g_assert_cmpstr(rules_hash(one), ==, rules_hash(same));
    g_assert_cmpstr(rules_hash(one), !=, rules_hash(other));
    g_assert_cmpuint(rules_count(one), ==, rules_count(other));
}

static void an_unknown_path_is_undefined(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = load_with(fixture, custom_rule, &error);
    g_autoptr(json_t) value = NULL;

    g_assert_true(rules_evaluate(rules, "io/konveyor/no/such/rule", NULL, &value, &error));
    g_assert_no_error(error);
    g_assert_null(value);
}

#define TEST(name, function) g_test_add("/policy/rules/" name, Fixture, NULL, setup, function, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("every default rule passes its tests", every_default_rule_passes_its_tests);
    TEST("a custom rule in the guide's form adds a concern", a_custom_rule_in_the_guides_form_adds_a_concern);
    TEST("a default that contradicts is refused", a_default_that_contradicts_is_refused);
    TEST("a file that does not parse is named", a_file_that_does_not_parse_is_named);
    TEST("the hash follows the text", the_hash_follows_the_text);
    TEST("an unknown path is undefined", an_unknown_path_is_undefined);
    return g_test_run();
}
