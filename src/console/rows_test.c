/* rows_test: states of VMs in one word, and pages of them. */
#include "base/errors.h"
#include "console/rows.h"
#include <string.h>

static json_t *parse(const char *text)
{
    g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
    json_t *json = json_parse(quoted, strlen(quoted), 1 << 20, "test", NULL);
    g_assert_nonnull(json);
    return json;
}

static Object *plan(void)
{
    return object_new_take(parse(
        "{'kind':'Plan','metadata':{'name':'p'},'spec':{'vms':[{'id':'vm-1'},{'id':'vm-2'},{'id':'vm-3'},{'"
        "id':"
        "'vm-4'},{'id':'vm-5'}]},'status':{'migration':{'started':'t','vms':["
        "{'id':'vm-1','name':'delta','conditions':[{'type':'Succeeded','status':'True'}],'pipeline':[{'name':"
        "'DiskTransfer','progress':{'completed':40}}]},"
        "{'id':'vm-2','name':'alpha','started':'t2','pipeline':[{'name':'DiskTransfer','progress':{'"
        "completed':"
        "7}}]},"
        "{'id':'vm-3','name':'Echo','error':{'reasons':['no']}},"
        "{'id':'vm-4','name':'bravo','started':'t1','pipeline':[{'name':'DiskTransfer','progress':{'"
        "completed':"
        "9}}]}]}}}"));
}

/* The ids of the page that a view asks for, as "vm-1 vm-2 (of 5, from 0)". */
static char *page(const char *view_text)
{
    g_autoptr(Object) object = plan();
    g_autoptr(json_t) json = parse(view_text);
    g_autoptr(json_t) rows = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_auto(RowsView) view = {0};
    guint found, offset;
    json_t *row;
    size_t i;

    g_assert_true(rows_view_parse(json, &view, &error));
    g_assert_no_error(error);
    rows = rows_page(object, &view, &found, &offset);
    json_array_foreach (rows, i, row)
        g_string_append_printf(out, "%s ", json_string_at(row, "id", "?"));
    g_string_append_printf(out, "(of %u, from %u)", found, offset);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void a_view_is_filtered_sorted_and_cut(void)
{
    static const struct {
        const char *view, *page;
    } cases[] = {
        {"{}", "vm-1 vm-2 vm-3 vm-4 vm-5 (of 5, from 0)"},
        {"{'limit':2}", "vm-1 vm-2 (of 5, from 0)"},
        {"{'limit':2,'offset':2}", "vm-3 vm-4 (of 5, from 2)"},
        {"{'limit':2,'offset':90}", "vm-5 (of 5, from 4)"},
        {"{'q':'ECHO'}", "vm-3 (of 1, from 0)"},
        {"{'q':'vm-4'}", "vm-4 (of 1, from 0)"},
        {"{'q':'nobody'}", "(of 0, from 0)"},
        {"{'states':['Failed','Succeeded']}", "vm-1 vm-3 (of 2, from 0)"},
        {"{'states':[]}", "vm-1 vm-2 vm-3 vm-4 vm-5 (of 5, from 0)"},
        {"{'sort':'copied','descending':true,'limit':3}", "vm-1 vm-4 vm-2 (of 5, from 0)"},
        {"{'sort':'started','descending':true,'limit':2}", "vm-2 vm-4 (of 5, from 0)"},
        {"{'sort':'state'}", "vm-5 vm-2 vm-4 vm-1 vm-3 (of 5, from 0)"},
        {"{'sort':'state','descending':true}", "vm-3 vm-1 vm-2 vm-4 vm-5 (of 5, from 0)"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = page(cases[i].view);
        g_assert_cmpstr(got, ==, cases[i].page);
    }
}

static void a_view_that_is_wrong_says_what_would_be_right(void)
{
    static const struct {
        const char *view, *member;
    } cases[] = {
        {"{'limit':101}", "limit: "},        {"{'offset':-1}", "offset: "},
        {"{'sort':'colour'}", "sort: "},     {"{'states':['Sleeping']}", "states: "},
        {"{'states':'Failed'}", "states: "},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) json = parse(cases[i].view);
        g_autoptr(GError) error = NULL;
        g_auto(RowsView) view = {0};

        g_assert_false(rows_view_parse(json, &view, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_assert_true(g_str_has_prefix(error->message, cases[i].member));
    }
}

static void a_vm_is_in_one_state(void)
{
    static const struct {
        const char *vm;
        gboolean started, warm;
        const char *state;
    } cases[] = {
        {"{}", FALSE, FALSE, "NotStarted"},
        {"{}", TRUE, FALSE, "Queued"},
        {"{'pipeline':[{'name':'Initialize'}]}", TRUE, FALSE, "Queued"},
        {"{'started':'t','pipeline':[{'name':'Initialize'}]}", TRUE, FALSE, "Running"},
        {"{'started':'t','pipeline':[{'name':'DiskTransfer','started':'t'}]}", TRUE, TRUE, "Copying"},
        {"{'started':'t','phase':'CopyingPaused','pipeline':[{'name':'DiskTransfer','started':'t'}]}", TRUE,
         TRUE, "WaitingCutover"},
        {"{'started':'t','pipeline':[{'name':'DiskTransfer','started':'t'},{'name':'Cutover','started':'t'}]"
         "}",
         TRUE, TRUE, "Running"},
        {"{'started':'t','conditions':[{'type':'Canceled','status':'True'}]}", TRUE, FALSE, "Canceled"},
        {"{'started':'t','conditions':[{'type':'Canceled','status':'False'}],'error':{'reasons':[]}}", TRUE,
         FALSE, "Failed"},
        {"{'conditions':[{'type':'Succeeded','status':'True'}]}", TRUE, TRUE, "Succeeded"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_t) vm = parse(cases[i].vm);
        g_assert_cmpstr(row_state(vm, cases[i].started, cases[i].warm), ==, cases[i].state);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console/rows/a view is filtered, sorted and cut", a_view_is_filtered_sorted_and_cut);
    g_test_add_func("/console/rows/a view that is wrong says what would be right",
                    a_view_that_is_wrong_says_what_would_be_right);
    g_test_add_func("/console/rows/a VM is in one state", a_vm_is_in_one_state);
    return g_test_run();
}
