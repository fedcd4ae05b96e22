/* yaml: documents become what their authors meant; bombs and nonsense are refused. */
#include "base/yaml.h"
#include <string.h>

static void assert_becomes(const char *yaml, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) json = yaml_parse(yaml, strlen(yaml), 4096, "test", &error);
    g_autofree char *text = NULL;

    g_assert_no_error(error);
    text = json_text(json);
    g_assert_cmpstr(text, ==, expected);
}

static void scalars_are_read_by_the_core_schema(void)
{
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        {"a: 1", "{\"a\":1}"},
        {"a: -17", "{\"a\":-17}"},
        {"a: 0x10", "{\"a\":16}"},
        {"a: 0o10", "{\"a\":8}"},
        {"a: 1.5", "{\"a\":1.5}"},
        {"a: 1e3", "{\"a\":1000.0}"},
        {"a: '1'", "{\"a\":\"1\"}"},
        {"a: !!str 1", "{\"a\":\"1\"}"},
        {"a: true", "{\"a\":true}"},
        {"a: \"true\"", "{\"a\":\"true\"}"},
        {"a: ~", "{\"a\":null}"},
        {"a:", "{\"a\":null}"},
        {"a: 2021-04-04T01:23:45.678+09:00", "{\"a\":\"2021-04-04T01:23:45.678+09:00\"}"},
        {"a: 127.0.0.1", "{\"a\":\"127.0.0.1\"}"},
        {"a: 6C:DF:C9", "{\"a\":\"6C:DF:C9\"}"},
        {"a: .inf", "{\"a\":\".inf\"}"},
        {"a: e", "{\"a\":\"e\"}"},
        {"a: 99999999999999999999", "{\"a\":1e20}"},
        {"a: \"\\u00e4\"", "{\"a\":\"\xc3\xa4\"}"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].yaml);
        assert_becomes(rows[i].yaml, rows[i].json);
    }
}

static void blocks_flows_and_texts_are_read(void)
{
    assert_becomes("list:\n- a\n- {b: [1, 2]}\n-\n  c: d\n",
                   "{\"list\":[\"a\",{\"b\":[1,2]},{\"c\":\"d\"}]}");
    assert_becomes("text: |\n  one\n  two\n", "{\"text\":\"one\\ntwo\\n\"}");
    assert_becomes("text: >-\n  one\n  two\n", "{\"text\":\"one two\"}");
    assert_becomes("a: &x {b: 1}\nc: *x\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}");
    assert_becomes("{\"json\": [true, null, \"x\"]}", "{\"json\":[true,null,\"x\"]}");
}

static void a_stream_has_several_documents_and_empty_ones_are_left_out(void)
{
    const char *yaml = "---\na: 1\n---\n# nothing\n---\nb: 2\n...\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) documents = yaml_parse_all(yaml, strlen(yaml), 4096, "test", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(documents->len, ==, 2);
    g_assert_cmpint(json_int_at(documents->pdata[1], "b", 0), ==, 2);
}

static void what_is_not_yaml_is_refused_with_its_line(void)
{
    static const struct {
        const char *yaml, *message;
    } rows[] = {
        {"a: 1\nb: [1,\n", "test: line "},
        {"a: 1\na: 2\n", "test: line 2: "},
        {"a: *b\n", "an alias without anchor"},
        {"a: &b {c: 1}\nd: *b/c\n", "an alias without anchor"},
        {"- \x11: : */-", "test: "},
        {"[1]: 2\n", "key"},
        {"? {a: 1}\n: 2\n", "test: "},
        {"a: \xff\n", "test: "},
        {"", "0 documents"},
        {"a: 1\n---\nb: 1\n", "2 documents"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(yaml_parse(rows[i].yaml, strlen(rows[i].yaml), 4096, "test", &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_YAML);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, rows[i].message));
    }
}

static void a_bomb_of_aliases_is_refused(void)
{
    g_autoptr(GString) yaml = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    g_autoptr(GError) error = NULL;

    for (int i = 1; i < 9; i++) {
        g_string_append_printf(yaml, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            g_string_append_printf(yaml, "%s*a%d", j ? ", " : "", i - 1);
        g_string_append(yaml, "]\n");
    }
    g_assert_null(yaml_parse(yaml->str, yaml->len, 4096, "bomb", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_YAML);
    g_assert_nonnull(strstr(error->message, "values"));
}

static void an_alias_of_itself_is_refused(void)
{
    const char *yaml = "a: &a [*a]\n";
    g_autoptr(GError) error = NULL;

    g_assert_null(yaml_parse(yaml, strlen(yaml), 4096, "loop", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_YAML);
}

static void a_document_over_its_limit_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(yaml_parse("a: 1", 4, 3, "long", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_YAML);
}

static void a_value_is_written_for_people(void)
{
    static const char wanted[] = "apiVersion: v1\n"
                                 "data:\n"
                                 "  empty: {}\n"
                                 "  list:\n"
                                 "  - one\n"
                                 "  - two: 2\n"
                                 "  none: []\n"
                                 "  text: \"yes\"\n"
                                 "kind: Config Map\n";
    g_autoptr(json_t) value =
        json_pack("{s:s, s:s, s:{s:s, s:[s, {s:i}], s:{}, s:[]}}", "kind", "Config Map", "apiVersion", "v1",
                  "data", "text", "yes", "list", "one", "two", 2, "empty", "none");
    g_autofree char *yaml = yaml_text(value);

    g_assert_cmpstr(yaml, ==, wanted);
}

static void what_is_written_is_read_back(void)
{
    static const char *const texts[] = {
        "plain",  "x: y",         "line\nnext\n", "- a",    "#x",   "",     "2026-11-23T00:00:00Z",
        " lead",  "tab\tx\x01",   "12:30",        "üx",     "a #b", "{x",   "*x",
        "&y",     "!z",           "%q",           "@x",     "`x",   "a: ",  "key:",
        "trail ", "two\n\nlines", "'q'",          "\"dq\"", "? x",  "true", "No",
        "~",      "0x1f",         "1e3",          "-",      "---",  "...",  "a, b",
        "a]",     "[dc] x.vmdk",  "a\\b",         "=",      "<<",
    };
    g_autoptr(json_t) value = json_object();

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        json_object_set_new(value, texts[i], json_pack("[s, s, i, b, n]", texts[i], "x", i, i % 2));
    g_autofree char *yaml = yaml_text(value);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) back = yaml_parse(yaml, strlen(yaml), 1 << 16, "own", &error);
    g_assert_no_error(error);
    g_assert_true(json_equal(back, value));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/base/yaml/" name, function)
    TEST("scalars are read by the core schema", scalars_are_read_by_the_core_schema);
    TEST("blocks, flows and texts are read", blocks_flows_and_texts_are_read);
    TEST("a stream has several documents and empty ones are left out",
         a_stream_has_several_documents_and_empty_ones_are_left_out);
    TEST("what is not YAML is refused with its line", what_is_not_yaml_is_refused_with_its_line);
    TEST("a bomb of aliases is refused", a_bomb_of_aliases_is_refused);
    TEST("an alias of itself is refused", an_alias_of_itself_is_refused);
    TEST("a document over its limit is refused", a_document_over_its_limit_is_refused);
    TEST("a value is written for people", a_value_is_written_for_people);
    TEST("what is written is read back", what_is_written_is_read_back);
    return g_test_run();
}
