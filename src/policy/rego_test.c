/* rego: programs answer as the rules' syntax trees do, and a request is read as far as rules read it. */
#include "policy/rego.h"
#include <string.h>

static RegoEngine *engine_of(const char *rules, int v0)
{
    RegoEngine *engine = rego_engine_new();
    g_autofree char *policy = g_strconcat(v0 ? "package p\n" : "package p\nimport rego.v1\n", rules, NULL);
    char *why = NULL, *package = rego_engine_add(engine, "p.rego", policy, v0, &why);

    if (!package)
        g_error("%s: %s", rules, why);
    rego_string_free(package);
    return engine;
}

static char *ask(RegoEngine *engine, const char *rule, const RegoValue *input)
{
    char *why = NULL, *answer = rego_engine_rule(engine, rule, input, 2000, &why), *copy;

    if (!answer)
        g_error("%s", why);
    copy = g_strdup(answer);
    rego_string_free(answer);
    return copy;
}

static const char *const entry[] = {"data.p.answer"};

static const struct {
    const char *rules;
    int v0;
} cases[] = {
    {"answer if { x := input.name; not startswith(x, \"d\") }", 0},
    {"answer if { x := input.missing; not startswith(x, \"d\") }", 0},
    {"answer if { x := input.missing }", 0},
    {"answer if { x := input.off }", 0},
    {"answer contains n if { some disk in input.disks; n := disk.size; n > 1 }", 0},
    {"answer contains x if { x := input.disks[_].name }", 0},
    {"answer contains i if { some i; size := input.disks[i].size\n size == 1 }", 0},
    {"answer := [d | some e in input.disks; d := e.name]", 0},
    {"answer := {k: v | v := input[k]; is_string(v)}", 0},
    {"answer if { every d in input.disks { s := d.size; s > 0 } }", 0},
    {"answer if { every d in input.disks { n := d.name; n != \"\" } }", 0},
    {"f(x) := 1 if { y := x.name; y == \"b\" } else := 2 if { x.size == 1 } else := 3\n"
     "answer contains f(d) if some d in input.disks",
     0},
    {"default ok := false\nok if { n := input.missing; n }\nanswer if not ok", 0},
    {"default answer := 7\nanswer := 8 if { n := input.missing; n == null }", 0},
    {"answer := concat(\" \", [object.get(input, \"name\", \"\"), object.get(input, \"os\", \"none\")])", 0},
    {"answer contains sprintf(\"%s %d\", [d.name, d.size]) if { some d in input.disks }", 0},
    {"answer if { some d in input.name }", 0},
    {"answer if { not input.host.cluster.on; count(input.disks) > 1 }", 0},
    {"answer contains round(x) if { x := input.disks[_].size / 3 }", 0},
    {"answer[flag] { input.disks[_].size > 1; flag := {\"id\": input.name} }", 1},
    {"answer { x := input.missing; true }", 1},
    {"count_of[n] = c { d := input.disks[_]; n := d.name; c := d.size }\nanswer = count_of", 1},
    {"answer = x { x := lower(input.name) } else = \"none\"", 1},
};

static const char *const documents[] = {
    "{}",
    "null",
    "[]",
    "{\"name\":\"Data\",\"off\":false,\"disks\":[{\"name\":\"a\",\"size\":1},{\"name\":\"b\",\"size\":2}]}",
    "{\"name\":\"data\",\"missing\":\"x\",\"disks\":[{\"size\":0},{\"name\":\"\"},{\"name\":\"b\",\"size\":7}"
    "]}",
    "{\"name\":7,\"missing\":false,\"disks\":{\"x\":{\"name\":\"b\",\"size\":1}},\"host\":{\"cluster\":{"
    "\"on\":true}}}",
    "{\"name\":null,\"missing\":null,\"off\":true,\"disks\":[],\"host\":{\"cluster\":[]}}",
    "{\"name\":[\"x\"],\"os\":\"\\u00e9\\n\",\"disks\":[3,\"x\",null,[]],\"host\":5}",
};

static void compare(const char *rules, RegoEngine *slow, RegoEngine *fast, const char *document)
{
    g_autoptr(RegoValue) input = rego_value_parse(document, strlen(document), NULL);
    char *why = NULL, *expected = rego_engine_rule(slow, entry[0], input, 2000, &why);

    if (expected) {
        g_autofree char *answer = ask(fast, entry[0], input);
        if (strcmp(answer, expected))
            g_error("%s over %s: the program says '%s', the rules '%s'", rules, document, answer, expected);
    }
    rego_string_free(expected);
    rego_string_free(why);
}

static void a_program_answers_as_its_rules_do(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(RegoEngine) parsed = engine_of(cases[i].rules, cases[i].v0);
        g_autoptr(RegoEngine) slow = rego_engine_clone(parsed);
        g_autoptr(RegoEngine) fast = NULL;
        if (!rego_engine_compile(parsed, entry, 1))
            g_error("no program of %s", cases[i].rules);
        fast = rego_engine_clone(parsed);
        for (gsize k = 0; k < G_N_ELEMENTS(documents); k++)
            compare(cases[i].rules, slow, fast, documents[k]);
    }
}

static void what_a_program_cannot_do_is_left_to_the_rules(void)
{
    static const char *const refused[] = {
        "answer if { [x, y] := input.pair; x < y }",
        "answer if { _ := input.pair }",
        "other if input.on\nanswer if { other with input as {\"on\": true} }",
        "answer if { x := input.a with input as {\"a\": 1}; x == 1 }",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(RegoEngine) engine = engine_of(refused[i], 0);
        g_autoptr(RegoValue) input = rego_value_parse("{\"pair\":[1,2]}", 14, NULL);
        g_assert_false(rego_engine_compile(engine, entry, 1));
        g_autofree char *answer = ask(engine, entry[0], input);
        g_assert_cmpstr(answer, ==, "true");
    }
}

static char *seen(const char *rules, const char *request)
{
    static const char show[] = "package show\nanswer = input";
    g_autoptr(RegoEngine) engine = engine_of(rules, 0), shower = rego_engine_new();
    g_autoptr(RegoReads) reads = rego_reads_new(engine);
    char *why = NULL;
    g_autoptr(RegoValue) body = rego_reads_parse(reads, request, strlen(request), &why);

    if (!body) {
        rego_string_free(why);
        return NULL;
    }
    rego_string_free(rego_engine_add(shower, "show.rego", show, 1, &why));
    return ask(shower, "data.show.answer", body);
}

static void only_what_rules_read_is_kept_of_a_request(void)
{
    static const char request[] = "{\"other\":1,\"input\":{\"a\":{\"b\":1,\"c\":[2,{\"d\":3}],\"\\u0062b\":4}"
                                  ",\"e\":null,\"f\":-1.5,\"g\":\"x\"}}";
    static const struct {
        const char *rules, *kept;
    } rows[] = {
        {"answer if input.a.b == 1", "{\"input\":{\"a\":{\"b\":1}}}"},
        {"answer if input[\"a\"][`bb`] == 1", "{\"input\":{\"a\":{\"bb\":4}}}"},
        {"answer if { input.a.b == 1; count(input.a) > 0; input.a.c[0] == 2 }",
         "{\"input\":{\"a\":{\"b\":1,\"bb\":4,\"c\":[2,{\"d\":3}]}}}"},
        {"answer if input.a.c[_].d == 3", "{\"input\":{\"a\":{\"c\":[2,{\"d\":3}]}}}"},
        {"answer if { some k; input.a[k] == input.f }",
         "{\"input\":{\"a\":{\"b\":1,\"bb\":4,\"c\":[2,{\"d\":3}]},\"f\":-1.5}}"},
        {"answer := object.get(input.a, \"c\", 5)", "{\"input\":{\"a\":{\"c\":[2,{\"d\":3}]}}}"},
        {"answer := object.get(input, \"none\", input.e)",
         "{\"input\":{\"a\":{\"b\":1,\"bb\":4,\"c\":[2,{\"d\":3}]},\"e\":null,\"f\":-1.5,\"g\":\"x\"}}"},
        {"f(x) := x.a\nanswer if f(input)",
         "{\"input\":{\"a\":{\"b\":1,\"bb\":4,\"c\":[2,{\"d\":3}]},\"e\":null,\"f\":-1.5,\"g\":\"x\"}}"},
        {"answer := {x | y := {\"z\": [1 | every w in [2] { w < input.f }]}; x := y}",
         "{\"input\":{\"f\":-1.5}}"},
        {"answer := 1 if { false } else := input.g", "{\"input\":{\"g\":\"x\"}}"},
        {"answer if 1 in input.e.h", "{\"input\":{\"e\":null}}"},
        {"answer := 1", "{\"input\":{}}"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *kept = seen(rows[i].rules, request);
        g_assert_cmpstr(kept, ==, rows[i].kept);
    }
}

static void an_input_with_another_name_is_kept_whole(void)
{
    g_autofree char *kept =
        seen("import input.a as alias\nanswer := alias.b", "{\"input\":{\"a\":{\"b\":1},\"c\":2}}");

    g_assert_cmpstr(kept, ==, "{\"input\":{\"a\":{\"b\":1},\"c\":2}}");
}

static void each_input_of_a_batch_is_read_so(void)
{
    g_autofree char *kept =
        seen("answer := input.a",
             "{\"inputs\":{\"vm-1\":{\"a\":1,\"b\":2},\"vm-2\":5},\"common_input\":{\"a\":[],\"c\":{}}}");

    g_assert_cmpstr(kept, ==, "{\"common_input\":{\"a\":[]},\"inputs\":{\"vm-1\":{\"a\":1},\"vm-2\":5}}");
}

static void a_request_that_is_no_json_is_refused(void)
{
    static const char *const bad[] = {
        "", "{", "{\"input\":}", "{\"other\":tru}", "{} x", "{\"input\":{\"b\":[1,}}"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(seen("answer := input.a", bad[i]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy/rego/a program answers as its rules do", a_program_answers_as_its_rules_do);
    g_test_add_func("/policy/rego/what a program cannot do is left to the rules",
                    what_a_program_cannot_do_is_left_to_the_rules);
    g_test_add_func("/policy/rego/only what rules read is kept of a request",
                    only_what_rules_read_is_kept_of_a_request);
    g_test_add_func("/policy/rego/an input with another name is kept whole",
                    an_input_with_another_name_is_kept_whole);
    g_test_add_func("/policy/rego/each input of a batch is read so", each_input_of_a_batch_is_read_so);
    g_test_add_func("/policy/rego/a request that is no JSON is refused",
                    a_request_that_is_no_json_is_refused);
    return g_test_run();
}
