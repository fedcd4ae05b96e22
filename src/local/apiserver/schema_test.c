/* schema: both notations; defaults, pruning, and errors that name the field. */
#include "apiserver-types.h"
#include "local/apiserver/schema.h"
#include <string.h>

static const char types[] = "# a comment\n"
                            "Thing -- A thing.\n"
                            "  spec Spec required\n"
                            "Spec\n"
                            "  mode string =fast in:fast|slow -- How.\n"
                            "  count int =1 min:0 max:9\n"
                            "  parts [Part] key:name\n"
                            "  size quantity\n"
                            "  port intstr\n"
                            "  labels {string}\n"
                            "  data {bytes}\n"
                            "  when time\n"
                            "  free any\n"
                            "Part\n"
                            "  name string required\n"
                            "  on bool =true\n";

static const char openapi[] =
    "{'type':'object','required':['spec'],'properties':{'metadata':{'type':'object'},'spec':{'type':'object',"
    "'required':['name'],"
    "'properties':{'name':{'type':'string','pattern':'^[a-z]+$','maxLength':4},'n':{'type':'integer','"
    "minimum':2,"
    "'exclusiveMaximum':true,'maximum':5,'default':3},'either':{'x-kubernetes-int-or-string':true},'e':{'"
    "type':'string','enum':['a','b']},"
    "'free':{'type':'object','x-kubernetes-preserve-unknown-fields':true,'properties':{'k':{'type':'string'}}"
    "},"
    "'map':{'type':'object','additionalProperties':{'type':'integer'}},'null':{'type':'string','nullable':"
    "true},"
    "'list':{'type':'array','maxItems':2,'items':{'type':'object','properties':{'id':{'type':'string'}}},"
    "'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['id']},"
    "'any':{'anyOf':[{'required':['x']},{'required':['y']}],'type':'object','properties':{'x':{'type':'"
    "string'},'y':{'type':'string'}}}}}}}";

static json_t *parse(const char *quoted)
{
    g_autofree char *text = g_strdelimit(g_strdup(quoted), "'", '"');
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    g_assert_nonnull(json);
    return json;
}

static void expect_json(const json_t *json, const char *quoted)
{
    g_autofree char *expected = g_strdelimit(g_strdup(quoted), "'", '"');
    g_autofree char *text = json_text(json);
    g_assert_cmpstr(text, ==, expected);
}

static char *causes_text(GPtrArray *causes)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < causes->len; i++) {
        const SchemaCause *cause = g_ptr_array_index(causes, i);
        g_string_append_printf(text, "%s%s: %s", i ? "; " : "", cause->field, cause->message);
    }
    return g_string_free(text, FALSE);
}

static SchemaSet *core_set(const Schema **root)
{
    g_autoptr(GError) error = NULL;
    SchemaSet *set = schema_set_from_types(types, &error);
    g_assert_no_error(error);
    *root = schema_set_type(set, "Thing");
    return set;
}

static SchemaSet *custom_set(const Schema **root)
{
    g_autoptr(json_t) json = parse(openapi);
    g_autoptr(GError) error = NULL;
    SchemaSet *set = schema_set_from_openapi(json, "schema", root, &error);
    g_assert_no_error(error);
    return set;
}

static void our_types(void)
{
    g_autoptr(GBytes) text =
        g_resource_lookup_data(apiserver_types_get_resource(), "/gantry/apiserver/types.txt", 0, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(SchemaSet) set = schema_set_from_types(g_bytes_get_data(text, NULL), &error);

    g_assert_no_error(error);
    g_assert_nonnull(schema_set_type(set, "Pod"));
    g_assert_nonnull(schema_field(schema_field(schema_set_type(set, "Pod"), "spec"), "containers"));
}

static void defaults(void)
{
    const Schema *root, *custom;
    g_autoptr(SchemaSet) set = core_set(&root);
    g_autoptr(SchemaSet) custom_types = custom_set(&custom);
    g_autoptr(json_t) thing = parse("{'spec':{'count':0,'parts':[{'name':'a'},{'name':'b','on':false}]}}");
    g_autoptr(json_t) other = parse("{'spec':{'name':'x','n':null}}");
    g_autoptr(json_t) nothing = parse("{}");

    schema_default(root, thing);
    schema_default(custom, other);
    schema_default(custom, nothing);
    expect_json(
        thing, "{'spec':{'count':0,'mode':'fast','parts':[{'name':'a','on':true},{'name':'b','on':false}]}}");
    expect_json(other, "{'spec':{'n':3,'name':'x'}}");
    expect_json(nothing, "{}");
}

static void pruning(void)
{
    const Schema *root;
    g_autoptr(SchemaSet) set = custom_set(&root);
    g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(json_t) json = parse(
        "{'kind':'K','apiVersion':'v','metadata':{'name':'n','labels':{}},'top':1,'spec':{'name':'x','zzz':1,"
        "'null':null,"
        "'e':null,'free':{'k':'v','other':{'deep':1}},'map':{'one':1},'list':[{'id':'a','extra':true}]}}");

    schema_prune(root, json, unknown);
    expect_json(json, "{'apiVersion':'v','kind':'K','metadata':{'labels':{},'name':'n'},'spec':{'free':{'k':'"
                      "v','other':{'deep':1}},"
                      "'list':[{'id':'a'}],'map':{'one':1},'name':'x','null':null}}");
    g_assert_cmpuint(unknown->len, ==, 3);
    g_ptr_array_sort(unknown, (GCompareFunc)g_strcmp0);
    for (guint i = 0; i < unknown->len; i++)
        g_assert_nonnull(strstr("spec.list[0].extra spec.zzz top", g_ptr_array_index(unknown, i)));
}

static void errors(void)
{
    static const struct {
        gboolean custom;
        const char *json, *causes;
    } cases[] = {
        {FALSE,
         "{'spec':{'mode':'slow','count':9,'size':'10Gi','port':'http','when':'2026-01-31T09:00:00Z','free':{"
         "'a':[1]}}}",
         ""},
        {FALSE, "{}", "spec: Required value"},
        {FALSE, "{'spec':{'mode':'warm'}}",
         "spec.mode: Unsupported value: \"warm\": supported values: \"fast\", \"slow\""},
        {FALSE, "{'spec':{'count':'3'}}",
         "spec.count: Invalid value: \"string\": spec.count in body must be of type integer: \"3\""},
        {FALSE, "{'spec':{'count':10}}",
         "spec.count: Invalid value: 10: spec.count in body should be less than or equal to 9"},
        {FALSE, "{'spec':{'parts':[{}]}}", "spec.parts[0].name: Required value"},
        {FALSE, "{'spec':{'parts':[{'name':'a'},{'name':'a'}]}}",
         "spec.parts[1]: Duplicate value: {\"name\":\"a\"}"},
        {FALSE, "{'spec':{'labels':{'a':1}}}",
         "spec.labels.a: Invalid value: \"integer\": spec.labels.a in body must be of type string: 1"},
        {FALSE, "{'spec':{'data':{'a':'%%'}}}",
         "spec.data.a: Invalid value: spec.data.a must be base64; plain text goes into stringData"},
        {FALSE, "{'spec':{'size':'ten'}}",
         "spec.size: Invalid value: \"ten\": must be a quantity: a number and a suffix such as 512Mi, 10Gi "
         "or 500m"},
        {TRUE, "{'spec':{'name':'abc','n':4,'either':1,'e':'a','null':null,'any':{'x':'1'}}}", ""},
        {TRUE, "{'spec':{'name':'ABC'}}",
         "spec.name: Invalid value: \"ABC\": spec.name in body should match '^[a-z]+$'"},
        {TRUE, "{'spec':{'name':'abcde'}}", "spec.name: Too long: may not be more than 4 bytes"},
        {TRUE, "{'spec':{'name':'a','n':5}}",
         "spec.n: Invalid value: 5: spec.n in body should be less than 5"},
        {TRUE, "{'spec':{'name':'a','n':1}}",
         "spec.n: Invalid value: 1: spec.n in body should be greater than or equal to 2"},
        {TRUE, "{'spec':{'name':'a','either':true}}",
         "spec.either: Invalid value: \"boolean\": spec.either in body must be of type integer or string: "
         "true"},
        {TRUE, "{'spec':{'name':'a','list':[{'id':'1'},{'id':'2'},{'id':'3'}]}}",
         "spec.list: Too many: 3: must have at most 2 items"},
        {TRUE, "{'spec':{'name':'a','any':{}}}",
         "spec.any: Invalid value: must validate at least one schema (anyOf)"},
        {TRUE, "{'spec':[]}",
         "spec: Invalid value: \"array\": spec in body must be of type object: \"array\""},
        {TRUE, "{'spec':{}}", "spec.name: Required value"},
    };
    const Schema *core, *custom;
    g_autoptr(SchemaSet) core_types = core_set(&core);
    g_autoptr(SchemaSet) custom_types = custom_set(&custom);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) json = parse(cases[i].json);
        g_autoptr(GPtrArray) causes = schema_causes_new();
        g_autofree char *text = NULL;
        schema_validate(cases[i].custom ? custom : core, json, causes);
        text = causes_text(causes);
        g_assert_cmpstr(text, ==, cases[i].causes);
    }
}

static void bad_schemas(void)
{
    static const char *const bad[] = {
        "{'type':'text'}", "{'properties':{'a':{'type':'string','pattern':'('}}}", "{'items':3}", "[]"};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(json_t) json = parse(bad[i]);
        g_autoptr(GError) error = NULL;
        const Schema *root;
        g_assert_null(schema_set_from_openapi(json, "schema", &root, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_INVALID);
    }
}

static void deep(void)
{
    g_autoptr(json_t) json = json_object();
    g_autoptr(GError) error = NULL;
    const Schema *root;

    for (int i = 0; i < 100; i++)
        json = json_pack("{s:{s:o}}", "properties", "a", json);
    g_assert_null(schema_set_from_openapi(json, "schema", &root, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_INVALID);
}

static void shown(void)
{
    const Schema *root;
    g_autoptr(SchemaSet) set = core_set(&root);
    g_autoptr(json_t) json = schema_set_openapi(set, "p");

    g_assert_cmpstr(json_string_at(json_object_get(json, "p.Thing"), "description", ""), ==, "A thing.");
    g_assert_cmpstr(json_string_at(json_object_get(json, "p.Spec"), "properties.mode.description", ""), ==,
                    "How.");
    g_assert_cmpstr(json_string_at(json_object_get(json, "p.Spec"), "properties.mode.default", ""), ==,
                    "fast");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/local/apiserver/schema/the core types are all described", our_types);
    g_test_add_func("/local/apiserver/schema/defaults fill what is absent", defaults);
    g_test_add_func("/local/apiserver/schema/unknown fields are removed and named", pruning);
    g_test_add_func("/local/apiserver/schema/errors name field, value and what would be right", errors);
    g_test_add_func("/local/apiserver/schema/a schema that is none is refused", bad_schemas);
    g_test_add_func("/local/apiserver/schema/a schema without end is refused", deep);
    g_test_add_func("/local/apiserver/schema/clients are shown descriptions and defaults", shown);
    return g_test_run();
}
