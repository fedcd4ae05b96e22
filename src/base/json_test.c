/* json: paths and limits. */
#include "base/json.h"
#include <string.h>

static void a_path_reads_what_was_set(void)
{
    g_autoptr(json_t) json = json_object();
    json_set_at_new(json, "spec.provider.name", json_string("vc"));
    json_set_at_new(json, "spec.count", json_integer(3));
    g_assert_cmpstr(json_string_at(json, "spec.provider.name", NULL), ==, "vc");
    g_assert_cmpint(json_int_at(json, "spec.count", 0), ==, 3);
    json_set_at_new(json, "spec.provider.name", NULL);
    g_assert_null(json_at(json, "spec.provider.name"));
    json_set_at_new(json, "no.such.thing", NULL);
    g_assert_null(json_at(json, "no"));
}

static void an_absent_value_gives_what_was_asked_for(void)
{
    g_autoptr(json_t) json = json_pack("{s:s}", "a", "text");
    g_assert_cmpint(json_int_at(json, "a", 7), ==, 7);
    g_assert_cmpstr(json_string_at(json, "a.b.c", "x"), ==, "x");
    g_assert_true(json_bool_at(NULL, "a", TRUE));
}

static void a_document_over_its_limit_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(json_parse("[1,2,3]", 7, 6, "input", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_JSON);
    g_assert_nonnull(strstr(error->message, "at most 6"));
}

static void a_broken_document_names_its_line(void)
{
    g_autoptr(GError) error = NULL;
    const char *text = "{\n\"a\": }";
    g_assert_null(json_parse(text, strlen(text), 100, "spec.json", &error));
    g_assert_true(g_str_has_prefix(error->message, "spec.json: line 2: "));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/json/a path reads what was set", a_path_reads_what_was_set);
    g_test_add_func("/base/json/an absent value gives what was asked for", an_absent_value_gives_what_was_asked_for);
    g_test_add_func("/base/json/a document over its limit is refused", a_document_over_its_limit_is_refused);
    g_test_add_func("/base/json/a broken document names its line", a_broken_document_names_its_line);
    return g_test_run();
}
