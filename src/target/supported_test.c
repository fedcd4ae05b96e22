/* supported: what a schema does not have is taken out and named; what it keeps stays. */
#include "target/supported.h"
#include <string.h>

static json_t *parse(const char *text)
{
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
    json_t *parsed = json_loads(json, 0, NULL);
    g_assert_nonnull(parsed);
    return parsed;
}

static json_t *definition_with(const char *spec_schema)
{
    return json_pack("{s:{s:[{s:s, s:{}}, {s:s, s:{s:{s:{s:o}}}}]}}", "spec", "versions", "name", "v1alpha3",
                     "schema", "name", "v1", "schema", "openAPIV3Schema", "properties", "spec",
                     parse(spec_schema));
}

static const char manifest_text[] =
    "{'apiVersion':'kubevirt.io/v1','metadata':{'anything':1},'spec':{'running':true,"
    "'nics':[{'name':'a','state':'down'},{'name':'b'}],'labels':{'x':'y'}}}";

static void unknown_fields_are_taken_out_and_named(void)
{
    g_autoptr(json_t) definition = definition_with(
        "{'properties':{'nics':{'items':{'properties':{'name':{}}}},'labels':{'additionalProperties':{}}}}");
    g_autoptr(json_t) manifest = parse(manifest_text);
    g_autoptr(GPtrArray) left_out = target_leave_out(manifest, definition);

    g_assert_cmpuint(left_out->len, ==, 2);
    g_assert_cmpstr(left_out->pdata[0], ==, "spec.running");
    g_assert_cmpstr(left_out->pdata[1], ==, "spec.nics[0].state");
    g_assert_null(json_at(manifest, "spec.running"));
    g_assert_cmpstr(json_string_at(manifest, "spec.labels.x", ""), ==, "y");
    g_assert_nonnull(json_at(manifest, "metadata.anything"));
}

static void a_schema_that_keeps_what_it_does_not_know_takes_nothing(void)
{
    static const char *const schemas[] = {
        "{'x-kubernetes-preserve-unknown-fields':true,'properties':{'nics':{}}}",
        "{'type':'object'}",
        ("{'properties':{'running':{},'labels':{},"
         "'nics':{'items':{'x-kubernetes-preserve-unknown-fields':true}}}}"),
    };
    for (guint i = 0; i < G_N_ELEMENTS(schemas); i++) {
        g_autoptr(json_t) definition = definition_with(schemas[i]), manifest = parse(manifest_text),
                          before = parse(manifest_text);
        g_autoptr(GPtrArray) left_out = target_leave_out(manifest, definition);
        g_assert_cmpuint(left_out->len, ==, 0);
        g_assert_true(json_equal(manifest, before));
    }
}

static void a_definition_without_this_version_takes_nothing(void)
{
    g_autoptr(json_t) manifest = parse(manifest_text), none = json_object();
    g_autoptr(GPtrArray) left_out = target_leave_out(manifest, none);
    g_assert_cmpuint(left_out->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/target/supported/" text, function)
    CASE("unknown fields are taken out and named", unknown_fields_are_taken_out_and_named);
    CASE("a schema that keeps what it does not know takes nothing",
         a_schema_that_keeps_what_it_does_not_know_takes_nothing);
    CASE("a definition without this version takes nothing", a_definition_without_this_version_takes_nothing);
    return g_test_run();
}
