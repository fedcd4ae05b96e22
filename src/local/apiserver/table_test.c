/* table: ages, JSONPaths, and the rows of the kinds that people look at most. */
#include "local/apiserver/table.h"
#include <string.h>

static json_t *parse(const char *quoted)
{
    g_autofree char *text = g_strdelimit(g_strdup(quoted), "'", '"');
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    g_assert_nonnull(json);
    return json;
}

static void ages(void)
{
    static const struct {
        gint64 seconds;
        const char *text;
    } cases[] = {{-5, "<invalid>"},  {0, "0s"},        {119, "119s"},    {120, "2m"},     {599, "9m59s"},
                 {600, "10m"},       {10799, "179m"},  {10800, "3h"},    {10860, "3h1m"}, {28800, "8h"},
                 {172799, "47h"},    {172800, "2d"},   {180000, "2d2h"}, {691200, "8d"},  {63072000, "2y"},
                 {63158400, "2y1d"}, {252288000, "8y"}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = table_age(cases[i].seconds);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void paths(void)
{
    static const char *const cases[][2] = {
        {".spec.type", "vsphere"},
        {".status.conditions[?(@.type==\"Ready\")].status", "True"},
        {".status.conditions[?(@.type=='Lost')].status", NULL},
        {".status.conditions[1].type", "Ready"},
        {".metadata.labels['a.b/c']", "x"},
        {".metadata.labels.a\\.b/c", "x"},
        {".spec.none.at.all", NULL},
        {".status.conditions[", NULL},
        {".status.conditions[?(@.type", NULL},
    };
    g_autoptr(json_t) json =
        parse("{'spec':{'type':'vsphere'},'metadata':{'labels':{'a.b/c':'x'}},'status':{'conditions':["
              "{'type':'Other','status':'False'},{'type':'Ready','status':'True'}]}}");

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(json_string_value(table_jsonpath(json, cases[i][0])), ==, cases[i][1]);
}

/* The cells of a row, with bars between. */
static char *row(const char *group, const char *version, const char *plural, const char *quoted)
{
    g_autoptr(Kinds) kinds = kinds_new(NULL);
    g_autoptr(Kind) kind = kinds_find(kinds, group, version, plural);
    Request request = {.kind = kind};
    g_autoptr(json_t) object = parse(quoted);
    g_autoptr(json_t) table = table_of_object(&request, object);
    const json_t *cells = json_object_get(json_array_get(json_object_get(table, "rows"), 0), "cells");
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *cell;

    g_assert_cmpuint(json_array_size(cells), ==,
                     json_array_size(json_object_get(table, "columnDefinitions")));
    json_array_foreach(cells, i, cell)
    {
        g_autofree char *plain = json_is_string(cell) ? g_strdup(json_string_value(cell)) : json_text(cell);
        g_string_append_printf(text, "%s%s", i ? "|" : "", plain);
    }
    return g_string_free(text, FALSE);
}

static void rows(void)
{
    static const struct {
        const char *group, *version, *plural, *object, *row;
    } cases[] = {
        {"", "v1", "pods",
         "{'metadata':{'name':'p'},'spec':{'nodeName':'n','containers':[{'name':'a'},{'name':'b'}]},'status':"
         "{'phase':"
         "'Running','podIP':'127.0.0.9','containerStatuses':[{'ready':true,'restartCount':2,'state':{'"
         "running':{}}},"
         "{'ready':false,'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]}}",
         "p|1/2|CrashLoopBackOff|2|<unknown>|127.0.0.9|n|<none>|<none>"},
        {"", "v1", "pods",
         "{'metadata':{'name':'p'},'spec':{'containers':[{}],'initContainers':[{},{}]},'status':{'phase':'"
         "Pending',"
         "'initContainerStatuses':[{'state':{'terminated':{'exitCode':0}}},{'state':{'running':{}}}]}}",
         "p|0/1|Init:1/2|0|<unknown>|<none>|<none>|<none>|<none>"},
        {"", "v1", "pods",
         "{'metadata':{'name':'p'},'spec':{'containers':[{}]},'status':{'phase':'Failed','containerStatuses':"
         "[{'state':"
         "{'terminated':{'exitCode':3}}}]}}",
         "p|0/1|ExitCode:3|0|<unknown>|<none>|<none>|<none>|<none>"},
        {"", "v1", "pods",
         "{'metadata':{'name':'p','deletionTimestamp':'2026-01-01T00:00:00Z'},'spec':{'containers':[{}]}}",
         "p|0/1|Terminating|0|<unknown>|<none>|<none>|<none>|<none>"},
        {"apps", "v1", "deployments",
         "{'metadata':{'name':'d'},'spec':{'replicas':3,'selector':{'matchLabels':{'a':'b'}},'template':{'"
         "spec':"
         "{'containers':[{'name':'c','image':'i'}]}}},'status':{'readyReplicas':1,'updatedReplicas':2}}",
         "d|1/3|2|0|<unknown>|c|i|a=b"},
        {"batch", "v1", "jobs",
         "{'metadata':{'name':'j'},'spec':{'completions':1},'status':{'succeeded':1,'startTime':'2026-01-"
         "01T00:00:00Z',"
         "'completionTime':'2026-01-01T00:01:05Z','conditions':[{'type':'Complete','status':'True'}]}}",
         "j|Complete|1/1|65s|<unknown>|||<none>"},
        {"", "v1", "persistentvolumeclaims",
         "{'metadata':{'name':'c'},'spec':{'volumeName':'pv1','storageClassName':'standard','volumeMode':"
         "'Filesystem'},'status':{'phase':'Bound','capacity':{'storage':'1Gi'},'accessModes':"
         "['ReadWriteOnce','ReadWriteMany']}}",
         "c|Bound|pv1|1Gi|RWO,RWX|standard|<unset>|<unknown>|Filesystem"},
        {"", "v1", "secrets", "{'metadata':{'name':'s'},'type':'Opaque','data':{'a':'','b':''}}",
         "s|Opaque|2|<unknown>"},
        {"", "v1", "services",
         "{'metadata':{'name':'s'},'spec':{'clusterIP':'127.1.2.3','ports':[{'port':80},{'port':53,'protocol'"
         ":'UDP'}]}}",
         "s|ClusterIP|127.1.2.3|<none>|80/TCP,53/UDP|<unknown>|<none>"},
        {"storage.k8s.io", "v1", "storageclasses",
         "{'metadata':{'name':'standard','annotations':{'storageclass.kubernetes.io/is-default-class':"
         "'true'}},'provisioner':'gantry.io/folder'}",
         "standard (default)|gantry.io/folder|Delete|Immediate|false|<unknown>"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = row(cases[i].group, cases[i].version, cases[i].plural, cases[i].object);
        g_assert_cmpstr(text, ==, cases[i].row);
    }
}

static void accepts(void)
{
    static const struct {
        const char *accept;
        Shape shape;
        gboolean acceptable;
    } cases[] = {
        {NULL, SHAPE_PLAIN, TRUE},
        {"*/*", SHAPE_PLAIN, TRUE},
        {"application/json", SHAPE_PLAIN, TRUE},
        {"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", SHAPE_TABLE, TRUE},
        {"application/json;as=Table;v=v1alpha9;g=other.io, application/json", SHAPE_TABLE, TRUE},
        {"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", SHAPE_PARTIAL, TRUE},
        {"application/vnd.kubernetes.protobuf, application/json", SHAPE_PLAIN, TRUE},
        {"application/vnd.kubernetes.protobuf", SHAPE_PLAIN, FALSE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean acceptable;
        g_assert_cmpint(shape_of_accept(cases[i].accept, &acceptable), ==, cases[i].shape);
        g_assert_cmpint(acceptable, ==, cases[i].acceptable);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/local/apiserver/table/ages are written as kubectl writes them", ages);
    g_test_add_func("/local/apiserver/table/a printer column's path is followed", paths);
    g_test_add_func("/local/apiserver/table/rows say what people look for", rows);
    g_test_add_func("/local/apiserver/table/the shape follows what the client accepts", accepts);
    return g_test_run();
}
