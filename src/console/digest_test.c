/* digest_test: a plan's digest counts its VMs and carries none of them. */
#include "console/digest.h"

static Object *parse(const char *text)
{
    json_t *json = json_parse(text, strlen(text), 1 << 20, "test", NULL);
    g_assert_nonnull(json);
    return object_new_take(json);
}

static const char plan_text[] =
    "{'kind':'Plan','metadata':{'name':'p','managedFields':[1],'annotations':{'a':'b',"
    "'kubectl.kubernetes.io/last-applied-configuration':'{}'}},"
    "'spec':{'targetNamespace':'t','warm':false,'vms':[{'id':'vm-1'},{'id':'vm-2'},{'name':'three'},{'id':'"
    "vm-4'},{'id':'vm-5'}]},"
    "'status':{'conditions':[{'type':'Ready','status':'True'}],'migration':{'started':'2026-01-01T00:00:00Z',"
    "'history':[{'migration':{'name':'old'}},{'migration':{'name':'new','uid':'u'}}],"
    "'vms':["
    "{'id':'vm-1','name':'one','conditions':[{'type':'Succeeded','status':'True'}],'pipeline':[{'name':'"
    "DiskTransfer','started':'x',"
    "'progress':{'completed':10,'total':10}}]},"
    "{'id':'vm-2','name':'two','started':'x','pipeline':[{'name':'Initialize','started':'x','progress':{'"
    "completed':1,'total':1}},"
    "{'name':'DiskTransfer','started':'x','annotations':{'expectedCopySeconds':'9'},'progress':{'completed':"
    "3,'total':7}},{'name':'ImageConversion','"
    "progress':{'completed':0,'total':1}}]},"
    "{'id':'vm-3','name':'three','error':{'phase':'DiskTransfer','reasons':['no. Correct the named field. "
    "(Pod x)']}},"
    "{'id':'vm-4','name':'four'}]}}}";

static Object *plan(void)
{
    g_autofree char *text = g_strdelimit(g_strdup(plan_text), "'", '"');
    return parse(text);
}

static void a_plan_is_counted(void)
{
    g_autoptr(Object) object = plan();
    g_autoptr(json_t) out = digest(object);

    g_assert_cmpint(json_int_at(out, "status.vms.total", -1), ==, 5);
    g_assert_cmpint(json_int_at(out, "status.vms.reported", -1), ==, 4);
    g_assert_cmpint(json_int_at(out, "status.vms.succeeded", -1), ==, 1);
    g_assert_cmpint(json_int_at(out, "status.vms.running", -1), ==, 1);
    g_assert_cmpint(json_int_at(out, "status.vms.failed", -1), ==, 1);
    g_assert_cmpint(json_int_at(out, "status.vms.queued", -1), ==, 1);
    g_assert_cmpint(json_int_at(out, "status.bytes.done", -1), ==, 13 * 1024 * 1024);
    g_assert_cmpint(json_int_at(out, "status.bytes.total", -1), ==, 17 * 1024 * 1024);
    g_assert_cmpint(json_int_at(out, "status.cutover.seconds", -1), ==, 9);
    g_assert_cmpint(json_int_at(out, "status.cutover.vms", -1), ==, 1);
    g_assert_cmpuint(json_array_size(json_at(out, "status.failures")), ==, 1);
    g_assert_cmpstr(json_string_at(json_array_get(json_at(out, "status.failures"), 0), "reason", ""), ==,
                    "no");
    g_assert_cmpstr(json_string_at(json_array_get(json_at(out, "status.failures"), 0), "remedy", ""), ==,
                    "Correct the named field.");
    g_assert_cmpstr(json_string_at(out, "status.migration.name", ""), ==, "new");
    g_assert_null(json_at(out, "spec.vms"));
    g_assert_null(json_at(out, "metadata.managedFields"));
    g_assert_cmpuint(json_object_size(json_at(out, "metadata.annotations")), ==, 1);
    g_assert_nonnull(json_at(object_json(object), "spec.vms"));
}

static void rows_follow_the_plan(void)
{
    g_autoptr(Object) object = plan();
    g_autoptr(json_t) rows = digest_plan_rows(object);

    g_assert_cmpuint(json_array_size(rows), ==, 5);
    g_assert_cmpstr(json_string_at(json_array_get(rows, 0), "name", ""), ==, "one");
    g_assert_cmpstr(json_string_at(json_array_get(rows, 2), "id", ""), ==, "vm-3");
    g_assert_cmpstr(json_string_at(json_array_get(rows, 4), "id", ""), ==, "vm-5");
}

static void long_lists_of_items_become_a_number(void)
{
    g_autoptr(GString) text = g_string_new(
        "{\"kind\":\"Plan\",\"metadata\":{\"name\":\"p\"},\"spec\":{},\"status\":{\"conditions\":["
        "{\"type\":\"VMNotFound\",\"status\":\"True\",\"items\":[\"0\"");
    g_autoptr(Object) object = NULL;
    g_autoptr(json_t) out = NULL;
    const json_t *condition;

    for (int i = 1; i < 250; i++)
        g_string_append_printf(text, ",\"%d\"", i);
    g_string_append(text, "]}]}}");
    object = parse(text->str);
    out = digest(object);
    condition = json_array_get(json_at(out, "status.conditions"), 0);
    g_assert_cmpuint(json_array_size(json_object_get(condition, "items")), ==, 20);
    g_assert_cmpint(json_int_at(condition, "itemCount", 0), ==, 250);
}

static void a_plan_without_status_stays_so(void)
{
    g_autoptr(Object) object =
        parse("{\"kind\":\"Plan\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"vms\":[{\"id\":\"a\"}]}}");
    g_autoptr(json_t) out = digest(object);
    g_autoptr(json_t) rows = digest_plan_rows(object);

    g_assert_null(json_object_get(out, "status"));
    g_assert_cmpuint(json_array_size(rows), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console/digest/a plan is counted", a_plan_is_counted);
    g_test_add_func("/console/digest/rows follow the plan", rows_follow_the_plan);
    g_test_add_func("/console/digest/long lists of items become a number",
                    long_lists_of_items_become_a_number);
    g_test_add_func("/console/digest/a plan without status stays so", a_plan_without_status_stays_so);
    return g_test_run();
}
