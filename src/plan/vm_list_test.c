/* vm_list: lines, tables, and what is wrong with them. */
#include "plan/vm_list.h"
#include <string.h>

static const struct {
    const char *text, *wanted; /* wanted begins with "[", or is the error */
} cases[] = {
    {"web1\nweb2\n", "[{\"name\":\"web1\"},{\"name\":\"web2\"}]"},
    {"# the web\r\n\r\nweb1\r\nmy vm", "[{\"name\":\"web1\"},{\"name\":\"my vm\"}]"},
    {"name,targetName,note\nweb1,w1,x\n\"a, \"\"b\"\"\",,\n",
     "[{\"name\":\"web1\",\"targetName\":\"w1\"},{\"name\":\"a, \\\"b\\\"\"}]"},
    {"id\nvm-12\n", "[{\"id\":\"vm-12\"}]"},
    {"ID,NAME\nvm-12,web\n", "[{\"id\":\"vm-12\",\"name\":\"web\"}]"},
    {"", "list: it names no VM"},
    {"# none\n", "list: it names no VM"},
    {"host,cpu\na,1\n", "list: line 1, column 1: no column is called name or id"},
    {"name,id\na\n", "list: line 2, column 1: it has 1 fields, the heading 2"},
    {"name,targetName\n,x\n", "list: line 2, column 1: it has neither a name nor an id"},
    {"name,targetName\na,\"x\n", "list: line 2, column 3: the quotation mark is not closed on this line"},
    {"name,targetName\n\"a\"b,x\n",
     "list: line 2, column 4: a comma or the line's end must follow a quotation mark"},
    {"web\xff\n", "list: line 1, column 1: it is not UTF-8"},
};

static void reads(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) vms = vm_list_parse(cases[i].text, strlen(cases[i].text), "list", &error);
        g_autofree char *text = vms ? json_text(vms) : g_strdup(error->message);
        g_assert_cmpstr(text, ==, cases[i].wanted);
        g_assert_true(vms || g_error_matches(error, GANTRY_ERROR, ERROR_BAD_INPUT));
    }
}

static void limits(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) many = NULL, wide = NULL;

    for (int i = 0; i < 10001; i++)
        g_string_append_printf(text, "vm%d\n", i);
    g_assert_null(vm_list_parse(text->str, text->len, "list", &many));
    g_assert_cmpstr(many->message, ==, "list: line 10001, column 1: there are more than 10,000 VMs");
    g_string_set_size(text, 300);
    memset(text->str, 'a', 300);
    g_assert_null(vm_list_parse(text->str, text->len, "list", &wide));
    g_assert_cmpstr(wide->message, ==, "list: line 1, column 1: the field is longer than 256 bytes");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/vm_list/lines and tables are read, errors say where", reads);
    g_test_add_func("/plan/vm_list/the limits hold", limits);
    return g_test_run();
}
