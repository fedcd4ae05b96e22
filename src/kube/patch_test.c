/* patch: what the RFCs and Kubernetes' own documents show, and what must be refused. */
#include "kube/patch.h"
#include <string.h>

typedef struct {
    const char *name, *document, *patch;
    const char *result;  /* JSON; NULL: refused */
    const char *message; /* part of the refusal */
} Row;

/* Rows are written with single quotes for double ones. */
static json_t *parse(const char *text)
{
    g_autoptr(GString) json = g_string_new(text);
    g_autoptr(GError) error = NULL;
    json_t *value;

    g_string_replace(json, "'", "\"", 0);
    value = json_parse(json->str, json->len, 100000, text, &error);
    g_assert_no_error(error);
    return value;
}

static void check(json_t *(*patch)(const json_t *, const json_t *, GError **), const Row *rows, gsize len)
{
    for (gsize i = 0; i < len; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) document = parse(rows[i].document), change = parse(rows[i].patch);
        g_autoptr(json_t) result = patch(document, change, &error);
        g_autoptr(json_t) unchanged = parse(rows[i].document), expected = NULL;
        g_autofree char *got = result ? json_text(result) : g_strdup(error->message), *wanted = NULL;

        g_test_message("%s", rows[i].name);
        g_assert_true(json_equal(document, unchanged));
        if (!rows[i].result) {
            g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_PATCH);
            g_assert_nonnull(strstr(error->message, rows[i].message));
            continue;
        }
        expected = parse(rows[i].result);
        wanted = json_text(expected);
        g_assert_cmpstr(got, ==, wanted);
    }
}

static void a_merge_patch_follows_rfc_7386(void)
{
    static const Row rows[] = {
        {"replaced", "{'a':'b'}", "{'a':'c'}", "{'a':'c'}", NULL},
        {"added", "{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}", NULL},
        {"removed", "{'a':'b','b':'c'}", "{'a':null}", "{'b':'c'}", NULL},
        {"a list is replaced", "{'a':['b']}", "{'a':['c','d']}", "{'a':['c','d']}", NULL},
        {"deep", "{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}", NULL},
        {"nulls of new objects vanish", "{'e':null}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}},'e':null}",
         NULL},
        {"an object takes a list's place", "{'a':[1]}", "{'a':{'b':1}}", "{'a':{'b':1}}", NULL},
        {"no object", "{'a':1}", "['c']", NULL, "must be an object"},
    };
    check(patch_merge, rows, G_N_ELEMENTS(rows));
}

static void a_json_patch_follows_rfc_6902(void)
{
    static const Row rows[] = {
        {"add a member", "{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux'}]",
         "{'baz':'qux','foo':'bar'}", NULL},
        {"add an item", "{'foo':['bar','baz']}", "[{'op':'add','path':'/foo/1','value':'qux'}]",
         "{'foo':['bar','qux','baz']}", NULL},
        {"append", "{'foo':['bar']}", "[{'op':'add','path':'/foo/-','value':['abc']}]",
         "{'foo':['bar',['abc']]}", NULL},
        {"remove", "{'foo':['a','b'],'c':1}", "[{'op':'remove','path':'/foo/0'},{'op':'remove','path':'/c'}]",
         "{'foo':['b']}", NULL},
        {"replace", "{'a':1}", "[{'op':'replace','path':'/a','value':2}]", "{'a':2}", NULL},
        {"replace all", "{'a':1}", "[{'op':'replace','path':'','value':{'b':2}}]", "{'b':2}", NULL},
        {"move", "{'a':{'b':1},'c':{}}", "[{'op':'move','from':'/a/b','path':'/c/d'}]",
         "{'a':{},'c':{'d':1}}", NULL},
        {"move an item", "{'a':[1,2,3]}", "[{'op':'move','from':'/a/0','path':'/a/2'}]", "{'a':[2,3,1]}",
         NULL},
        {"copy", "{'a':{'b':1}}", "[{'op':'copy','from':'/a','path':'/c'}]", "{'a':{'b':1},'c':{'b':1}}",
         NULL},
        {"test", "{'a/b':1,'m~n':2}",
         "[{'op':'test','path':'/a~1b','value':1},{'op':'test','path':'/m~0n','value':2}]",
         "{'a/b':1,'m~n':2}", NULL},
        {"test fails", "{'a':1}", "[{'op':'test','path':'/a','value':2}]", NULL, "another than the one"},
        {"nothing there", "{'a':1}", "[{'op':'remove','path':'/b'}]", NULL, "operation 0, path \"/b\""},
        {"no parent", "{'a':1}", "[{'op':'add','path':'/b/c','value':1}]", NULL, "no such place"},
        {"past the end", "{'a':[1]}", "[{'op':'add','path':'/a/2','value':1}]", NULL, "no such place"},
        {"a leading zero", "{'a':[1,2]}", "[{'op':'replace','path':'/a/01','value':1}]", NULL,
         "no such place"},
        {"into a text", "{'a':'x'}", "[{'op':'add','path':'/a/0','value':1}]", NULL, "no such place"},
        {"without value", "{'a':1}", "[{'op':'add','path':'/b'}]", NULL, "\"value\""},
        {"into itself", "{'a':{'b':1}}", "[{'op':'move','from':'/a','path':'/a/b'}]", NULL, "nothing to put"},
        {"remove all", "{'a':1}", "[{'op':'remove','path':''}]", NULL, "no such value"},
        {"unknown verb", "{'a':1}", "[{'op':'swap','path':'/a'}]", NULL, "\"op\" must be"},
        {"relative path", "{'a':1}", "[{'op':'remove','path':'a'}]", NULL, "no such place"},
        {"no list", "{'a':1}", "{'op':'remove'}", NULL, "array"},
    };
    check(patch_json, rows, G_N_ELEMENTS(rows));
}

static void copies_of_copies_end(void)
{
    g_autoptr(json_t) document = json_pack("{s:[i]}", "a", 1), operations = json_array(), result = NULL;
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 40; i++)
        json_array_append_new(operations,
                              json_pack("{s:s,s:s,s:s}", "op", "copy", "from", "/a", "path", "/a/-"));
    result = patch_json(document, operations, &error);
    g_assert_null(result);
    g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_PATCH);
}

static void a_strategic_patch_merges_lists_by_their_keys(void)
{
    static const Row rows[] = {
        {"containers by name",
         "{'spec':{'template':{'spec':{'containers':[{'name':'a','image':'1','args':['x','y']},{'name':'b','"
         "image':'2'}]}}}}",
         "{'spec':{'template':{'spec':{'containers':[{'name':'a','image':'9','args':['z']}]}}}}",
         "{'spec':{'template':{'spec':{'containers':[{'name':'a','image':'9','args':['z']},{'name':'b','"
         "image':'2'}]}}}}",
         NULL},
        {"a new container comes first", "{'spec':{'containers':[{'name':'a'}]}}",
         "{'spec':{'containers':[{'name':'b'}]}}", "{'spec':{'containers':[{'name':'b'},{'name':'a'}]}}",
         NULL},
        {"delete by key", "{'spec':{'containers':[{'name':'a'},{'name':'b'}]}}",
         "{'spec':{'containers':[{'name':'a','$patch':'delete'}]}}", "{'spec':{'containers':[{'name':'b'}]}}",
         NULL},
        {"replace a list", "{'spec':{'containers':[{'name':'a'},{'name':'b'}]}}",
         "{'spec':{'containers':[{'$patch':'replace'},{'name':'c'}]}}",
         "{'spec':{'containers':[{'name':'c'}]}}", NULL},
        {"env by name, a null removes",
         "{'spec':{'containers':[{'name':'a','env':[{'name':'X','value':'1'},{'name':'Y'}]}]}}",
         "{'spec':{'containers':[{'name':'a','env':[{'name':'X','value':null,'valueFrom':{'k':1}}]}]}}",
         "{'spec':{'containers':[{'name':'a','env':[{'name':'X','valueFrom':{'k':1}},{'name':'Y'}]}]}}",
         NULL},
        {"container ports by containerPort",
         "{'spec':{'containers':[{'name':'a','ports':[{'containerPort':80}]}]}}",
         "{'spec':{'containers':[{'name':'a','ports':[{'containerPort':80,'name':'web'}]}]}}",
         "{'spec':{'containers':[{'name':'a','ports':[{'containerPort':80,'name':'web'}]}]}}", NULL},
        {"service ports by port", "{'spec':{'ports':[{'port':80,'targetPort':1},{'port':81}]}}",
         "{'spec':{'ports':[{'port':80,'targetPort':2}]}}",
         "{'spec':{'ports':[{'port':80,'targetPort':2},{'port':81}]}}", NULL},
        {"a volume's kind is replaced", "{'spec':{'volumes':[{'name':'v','emptyDir':{}}]}}",
         "{'spec':{'volumes':[{'$retainKeys':['name','hostPath'],'name':'v','hostPath':{'path':'/x'}}]}}",
         "{'spec':{'volumes':[{'name':'v','hostPath':{'path':'/x'}}]}}", NULL},
        {"strategy keeps only its keys",
         "{'spec':{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':1}}}}",
         "{'spec':{'strategy':{'$retainKeys':['type'],'type':'Recreate'}}}",
         "{'spec':{'strategy':{'type':'Recreate'}}}", NULL},
        {"owners by uid", "{'metadata':{'ownerReferences':[{'uid':'1','name':'a'}]}}",
         "{'metadata':{'ownerReferences':[{'uid':'1','controller':true},{'uid':'2'}]}}",
         "{'metadata':{'ownerReferences':[{'uid':'1','name':'a','controller':true},{'uid':'2'}]}}", NULL},
        {"conditions by type", "{'status':{'conditions':[{'type':'Ready','status':'False'}]}}",
         "{'status':{'conditions':[{'type':'Ready','status':'True'}]}}",
         "{'status':{'conditions':[{'type':'Ready','status':'True'}]}}", NULL},
        {"finalizers are a set", "{'metadata':{'finalizers':['a','b']}}",
         "{'metadata':{'finalizers':['b','c']}}", "{'metadata':{'finalizers':['a','b','c']}}", NULL},
        {"values leave a set", "{'metadata':{'finalizers':['a','b','c']}}",
         "{'metadata':{'$deleteFromPrimitiveList/finalizers':['a','c']}}",
         "{'metadata':{'finalizers':['b']}}", NULL},
        {"other lists are replaced", "{'spec':{'tolerations':[{'key':'a'}]}}",
         "{'spec':{'tolerations':[{'key':'b'}]}}", "{'spec':{'tolerations':[{'key':'b'}]}}", NULL},
        {"the order that is asked for", "{'spec':{'containers':[{'name':'a'},{'name':'b'},{'name':'c'}]}}",
         "{'spec':{'$setElementOrder/"
         "containers':[{'name':'d'},{'name':'c'},{'name':'a'}],'containers':[{'name':'d'}]}}",
         "{'spec':{'containers':[{'name':'d'},{'name':'b'},{'name':'c'},{'name':'a'}]}}", NULL},
        {"an order without change", "{'spec':{'containers':[{'name':'a'},{'name':'b'}]}}",
         "{'spec':{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}]}}",
         "{'spec':{'containers':[{'name':'b'},{'name':'a'}]}}", NULL},
        {"an order for what is not there", "{'spec':{}}",
         "{'spec':{'$setElementOrder/containers':[{'name':'b'}]}}", "{'spec':{}}", NULL},
        {"an object is replaced", "{'metadata':{'labels':{'a':'1','b':'2'}}}",
         "{'metadata':{'labels':{'$patch':'replace','c':'3'}}}", "{'metadata':{'labels':{'c':'3'}}}", NULL},
        {"an object is deleted", "{'metadata':{'labels':{'a':'1'}}}",
         "{'metadata':{'labels':{'$patch':'delete'}}}", "{'metadata':{}}", NULL},
        {"directives do not reach new objects", "{}",
         "{'spec':{'containers':[{'name':'a','$patch':'merge','x':null}]}}",
         "{'spec':{'containers':[{'name':'a'}]}}", NULL},
        {"annotations as kubectl writes them", "{'metadata':{'annotations':{'a':'1','b':'2'}}}",
         "{'metadata':{'annotations':{'a':null,'c':'3'}}}", "{'metadata':{'annotations':{'b':'2','c':'3'}}}",
         NULL},
        {"no merge key", "{'spec':{'containers':[]}}", "{'spec':{'containers':[{'image':'x'}]}}", NULL,
         "spec.containers: an item without its merge key"},
        {"no object in a list of objects", "{'spec':{'containers':[]}}", "{'spec':{'containers':['a']}}",
         NULL, "spec.containers: an item that is not an object"},
        {"an unknown directive", "{'spec':{}}", "{'spec':{'$patch':'swap'}}", NULL, "spec: $patch must be"},
        {"an order that is none", "{'spec':{}}", "{'spec':{'$setElementOrder/containers':'a'}}", NULL,
         "spec.containers: $setElementOrder"},
        {"no object", "{}", "[]", NULL, "must be an object"},
    };
    check(patch_strategic, rows, G_N_ELEMENTS(rows));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kube/patch/a merge patch follows RFC 7386", a_merge_patch_follows_rfc_7386);
    g_test_add_func("/kube/patch/a JSON patch follows RFC 6902", a_json_patch_follows_rfc_6902);
    g_test_add_func("/kube/patch/copies of copies end", copies_of_copies_end);
    g_test_add_func("/kube/patch/a strategic patch merges lists by their keys",
                    a_strategic_patch_merges_lists_by_their_keys);
    return g_test_run();
}
