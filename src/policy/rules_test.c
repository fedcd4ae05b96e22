/* rules: the default policies judge as their own tests say; custom ones are accepted, or refused for a
 * reason. */
#include "base/json.h"
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

/* The document at path over input (may be NULL), NULL when undefined. */
static json_t *evaluate(Rules *rules, const char *path, const char *input, GError **error)
{
    g_autoptr(RegoValue) value = input ? rego_value_parse(input, strlen(input), NULL) : NULL;
    g_autofree char *answer = NULL;

    if (!rules_evaluate(rules, path, value, &answer, error))
        return NULL;
    return answer ? json_loads(answer, JSON_DECODE_ANY, NULL) : NULL;
}

static json_t *judge(Rules *rules, const char *input)
{
    g_autoptr(GError) error = NULL;
    json_t *verdict = evaluate(rules, "io/konveyor/forklift/vmware/validate", input, &error);

    g_assert_no_error(error);
    g_assert_nonnull(verdict);
    return verdict;
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
        g_autoptr(json_t) value = evaluate(rules, path, NULL, &error);
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

    json_array_foreach (json_object_get(verdict, "concerns"), i, concern)
        if (!strcmp(json_string_at(concern, "label", ""), label))
            return TRUE;
    return FALSE;
}

static void a_custom_rule_in_the_guides_form_adds_a_concern(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = load_with(fixture, custom_rule, &error);
    g_assert_no_error(error);
    g_autoptr(json_t) verdict =
        judge(rules, "{\"name\":\"a\",\"disks\":[1,2],\"changeTrackingEnabled\":false}");

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

static void brackets_in_brackets_have_an_end(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GString) deep = g_string_new("package a\n# ]]]\ns := \"\\\"[[[[[[[[[[[[[[[[[[[[\"\nx :=\n");
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 17; i++)
        g_string_append(deep, i % 2 ? "{" : "[");
    g_autoptr(Rules) rules = load_with(fixture, deep->str, &error);
    g_assert_null(rules);
    g_assert_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID);
    g_assert_nonnull(strstr(error->message, "extra.rego:5: brackets are nested deeper than 16 levels"));
}

static void a_function_that_calls_itself_is_refused(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *text;
        gboolean recursive;
    } cases[] = {
        {"package a\n\nf(n) = m { m := f(n + 1) }\n", TRUE},
        {"package a\ng(n) = m { m := f(n) }\nf(n) = m { m := g(n) }\n", TRUE},
        {"package a\nf(n) = m { m := data.a.f(n) }\n", TRUE},
        {"package a\ne := f(1) f(n) := f(1)\n", TRUE},
        {"package a\nf(n) = 1 { n > 1 }\nf(n) = 2 { n <= 1 }\nx = f(1)\n", FALSE},
        {"package a\nf(n) = m { m := g(n) }\ng(n) = count(n) { true }\nx = f(1)\n", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Rules) rules = load_with(fixture, cases[i].text, &error);
        g_assert_true((rules == NULL) == cases[i].recursive);
        g_assert_true(!error || strstr(error->message, "the function calls itself"));
    }
}

static void both_versions_of_the_language_are_read(Fixture *fixture, gconstpointer unused)
{
    static const char *const same[] = {
        "package a\np[x] { x := input.l[_]; x > 1 }\n",              /* v0 */
        "package a\np contains x if { some x in input.l; x > 1 }\n", /* v1 */
        "package a\nimport rego.v1\np contains x if { some x in input.l; x > 1 }\n",
        "package a\nimport future.keywords\np contains x if { some x in input.l; x > 1 }\n",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Rules) rules = load_with(fixture, same[i], &error);
        g_assert_no_error(error);
        g_autoptr(json_t) value = evaluate(rules, "a/p", "{\"l\":[1,2,3]}", &error);
        g_assert_no_error(error);
        g_assert_cmpuint(json_array_size(value), ==, 2);
    }
}

static void the_same_name_means_or(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = load_with(
        fixture, "package io.konveyor.forklift.vmware\nvalid_vm_name { input.name == \"_my_own_\" }\n",
        &error);

    g_assert_no_error(error);
    g_autoptr(json_t) ours = judge(rules, "{\"name\":\"_my_own_\"}");
    g_autoptr(json_t) bad = judge(rules, "{\"name\":\"_bad_\"}");
    g_assert_false(has_label(ours, "Invalid VM Name"));
    g_assert_true(has_label(bad, "Invalid VM Name"));
}

static void one_name_for_two_kinds_is_refused(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules =
        load_with(fixture, "package io.konveyor.forklift.vmware\n\nconcerns := [1]\n", &error);

    g_assert_null(rules);
    g_assert_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID);
    g_assert_nonnull(strstr(error->message, "extra.rego:3: concerns is a value here and a set in "));
}

static void a_category_that_is_none_is_reported_with_its_file(Fixture *fixture, gconstpointer unused)
{
    static const char written[] =
        "package io.konveyor.forklift.vmware\nconcerns[f] {\n  f := {\"category\": \"Bad\", "
        "\"label\": \"l\", \"assessment\": \"a\"}\n}\n",
                      computed[] = "package io.konveyor.forklift.vmware\nc := \"Bad\"\nconcerns[f] {\n  f := "
                                   "{\"category\": c, \"label\": \"l\", \"assessment\": \"a\"}\n}\n";
    static const char *const cases[] = {written, computed};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Rules) rules = load_with(fixture, cases[i], &error);
        g_assert_no_error(error);
        g_autoptr(json_t) verdict = judge(rules, "{\"name\":\"a\"}");
        g_autoptr(GPtrArray) problems = rules_problems(rules);
        g_assert_cmpuint(problems->len, ==, 1);
        g_assert_nonnull(strstr(problems->pdata[0], "extra.rego:3: category \"Bad\" is none; use Critical"));
    }
}

/* What a rule may do wrong while it runs, and what is said of it. */
static const struct {
    const char *name, *condition, *says;
} failing[] = {
    {"loops", "count([x | a := numbers.range(1, 3000)[_]; b := numbers.range(1, 3000)[_]; x := a * b]) > 0",
     "limit"},
    {"swells", "count(numbers.range(1, 200000000)) > 0", "limit"},
    {"asks for terabytes", "count(numbers.range(1, 1000000000000)) > 0", "limit"},
};

static void a_rule_that_fails_is_bounded_and_the_others_go_on(Fixture *fixture, gconstpointer unused)
{
    for (gsize i = 0; i < G_N_ELEMENTS(failing); i++) {
        g_autofree char *text = g_strdup_printf(
            "package io.konveyor.forklift.vmware\nconcerns[f] {\n  input.go == true\n  %s\n  f "
            ":= {\"category\": \"Warning\", \"label\": \"l\", \"assessment\": \"a\"}\n}\n",
            failing[i].condition);
        g_autoptr(GError) error = NULL;
        g_autoptr(Rules) rules = load_with(fixture, text, &error);
        g_assert_no_error(error);
        g_autoptr(json_t) harmless = judge(rules, "{\"name\":\"a\"}");
        g_assert_cmpuint(json_array_size(json_object_get(harmless, "concerns")), ==, 0);
        for (int vm = 0; vm < 4; vm++) { /* from the fourth on it is left out */
            g_autoptr(json_t) verdict = judge(rules, "{\"name\":\"a\",\"go\":true,\"cpuAffinity\":[1]}");
            g_assert_true(has_label(verdict, "CPU affinity detected"));
            g_assert_true(has_label(verdict, "Validation rule extra.rego could not be evaluated"));
        }
        g_autoptr(GPtrArray) problems = rules_problems(rules);
        g_test_message("%s", (char *)problems->pdata[0]);
        g_assert_cmpuint(problems->len, ==, 1);
        g_assert_nonnull(strstr(problems->pdata[0], "extra.rego:2: this rule has failed 3 times"));
        g_assert_nonnull(strstr(problems->pdata[0], failing[i].says));
    }
}

static void a_rule_of_no_concern_that_fails_fails_its_document_only(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules =
        load_with(fixture, "package a\nx = 1 { input.both }\nx = 2 { true }\ny = 3 { true }\n", &error);
    g_autoptr(json_t) good = evaluate(rules, "a/x", "{}", &error),
                      bad = evaluate(rules, "a/x", "{\"both\":true}", &error);

    g_assert_cmpint(json_integer_value(good), ==, 2);
    g_assert_null(bad);
    g_assert_error(error, GANTRY_ERROR, ERROR_POLICY_FAILED);
    g_assert_true(g_str_has_prefix(error->message, "a/x: "));
    g_test_message("%s", error->message);
    g_clear_error(&error);
    g_autoptr(json_t) other = evaluate(rules, "a/y", "{\"both\":true}", &error);
    g_assert_cmpint(json_integer_value(other), ==, 3);
}

static void documents_of_any_shape_are_judged(Fixture *fixture, gconstpointer unused)
{
    static const char *const documents[] = {
        "null",
        "[]",
        "\"x\"",
        "{\"name\":5}",
        "{\"name\":\"a\",\"disks\":{},\"host\":[],\"guestNetworks\":\"x\"}",
        ("{\"name\":\"a\",\"disks\":[null,1,\"x\",[]],\"devices\":7,\"guestDisks\":[{\"freeSpace\":\"much\","
         "\"diskPath\":[]}]}"),
        "{\"name\":\"a\",\"cpuAffinity\":1e300,\"balloonedMemory\":-1,\"snapshot\":null,\"hostName\":{}}",
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = load_with(fixture, "package a\n", &error);
    g_autoptr(GString) deep = g_string_new(NULL);
    char *why = NULL;

    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(json_t) verdict = judge(rules, documents[i]);
        g_assert_true(json_is_array(json_object_get(verdict, "concerns")));
    }
    for (int i = 0; i < 100000; i++)
        g_string_append_c(deep, '[');
    g_assert_null(rego_value_parse(deep->str, deep->len, &why));
    g_assert_nonnull(strstr(why, "recursion limit"));
    rego_string_free(why);
}

static void paths_name_rules_their_parts_and_what_holds_them(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *path, *value;
    } cases[] = {
        {"a/b/x", "{\"y\":{\"z\":7}}"},
        {"a/b/x/y", "{\"z\":7}"},
        {"a/b/x/y/z", "7"},
        {"a/b/x/n", NULL},
        {"a/b/s", "[\"t\"]"},
        {"a/b/f", NULL},
        {"a/b/no", NULL},
        {"a/nothing", NULL},
        {"a/b", "{\"s\":[\"t\"],\"x\":{\"y\":{\"z\":7}}}"},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = load_with(
        fixture,
        "package a.b\nx = {\"y\": {\"z\": 7}}\ns[\"t\"] { true }\nf(n) = n { true }\nno { input.never }\n",
        &error);

    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = NULL;
        g_assert_true(rules_evaluate(rules, cases[i].path, NULL, &answer, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(answer, ==, cases[i].value);
    }
}

static void an_unknown_path_is_undefined(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = load_with(fixture, custom_rule, &error);
    g_autoptr(json_t) value = evaluate(rules, "io/konveyor/no/such/rule", NULL, &error);

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
    TEST("brackets in brackets have an end", brackets_in_brackets_have_an_end);
    TEST("a function that calls itself is refused", a_function_that_calls_itself_is_refused);
    TEST("both versions of the language are read", both_versions_of_the_language_are_read);
    TEST("the same name means OR", the_same_name_means_or);
    TEST("one name for two kinds is refused", one_name_for_two_kinds_is_refused);
    TEST("a category that is none is reported with its file",
         a_category_that_is_none_is_reported_with_its_file);
    TEST("a rule that fails is bounded, and the others go on",
         a_rule_that_fails_is_bounded_and_the_others_go_on);
    TEST("a rule of no concern that fails fails its document only",
         a_rule_of_no_concern_that_fails_fails_its_document_only);
    TEST("documents of any shape are judged", documents_of_any_shape_are_judged);
    TEST("paths name rules, their parts, and what holds them",
         paths_name_rules_their_parts_and_what_holds_them);
    TEST("an unknown path is undefined", an_unknown_path_is_undefined);
    return g_test_run();
}
