/* filter: what q= accepts, what it matches, and what it says of the rest. */
#include "inventory/filter.h"
#include <string.h>

static json_t *parse(const char *text)
{
    g_autofree char *json = g_strdup(text);
    g_strdelimit(json, "'", '"');
    return json_loads(json, 0, NULL);
}

static void terms_must_all_hold(void)
{
    static const char document[] =
        "{'name':'Web-01','powerState':'poweredOn','memoryMB':4096,'isTemplate':false,"
        "'host':{'id':'host-1'},'disks':[{'capacity':10,'bus':'scsi'},{'capacity':99,'bus':'ide'}],"
        "'concerns':[{'category':'Warning'}]}";
    static const struct {
        const char *filter;
        gboolean matches;
    } rows[] = {
        {"name=Web-01", TRUE},
        {"name=web-01", FALSE},
        {"name~web", TRUE},
        {"name!=Web-01", FALSE},
        {"name!=other", TRUE},
        {"memoryMB>4095", TRUE},
        {"memoryMB>4096", FALSE},
        {"memoryMB<5000", TRUE},
        {"isTemplate=false", TRUE},
        {"host.id=host-1", TRUE},
        {"disks.capacity>50", TRUE},
        {"disks.capacity>100", FALSE},
        {"disks.bus=ide", TRUE},
        {"disks.bus=nvme", FALSE},
        {"concerns.category=Warning", TRUE},
        {"absent=", FALSE},
        {"absent!=x", TRUE},
        {"name~web,memoryMB>1", TRUE},
        {"name~web,memoryMB>9999", FALSE},
        {"name>1", FALSE},
        {"name", TRUE},
        {"powerState=suspended|poweredOn", TRUE},
        {"powerState=suspended|poweredOff", FALSE},
        {"powerState!=suspended|poweredOff", TRUE},
        {"powerState!=suspended|poweredOn", FALSE},
        {"disks.bus=nvme|ide", TRUE},
        {"name~mail|WEB", TRUE},
        {"name~mail|shop", FALSE},
        {"name|host.id=host-1", TRUE},
        {"name|powerState~ON|off", TRUE},
        {"name|host.id~shop", FALSE},
        {"name|host.id!=host-1", FALSE},
        {"name|absent!=host-1|host-2", TRUE},
        {"name=|Web-01", TRUE},
        {"name=|web", FALSE},
    };
    g_autoptr(json_t) json = parse(document);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Filter) filter = filter_parse(rows[i].filter, &error);
        g_assert_no_error(error);
        if (filter_matches(filter, json) != rows[i].matches)
            g_error("row %u: %s", i, rows[i].filter);
    }
}

static void what_is_no_filter_is_refused(void)
{
    static const char *const rows[] = {"=x",     "a b=c",  "a>",    "a>x",   "a,-b", ".a=1",
                                       "a.=1",   "a!b",    "a=1,",  "|a=1",  "a|=1", "a||b=1",
                                       "a~\xf0", "a=\xc3", "a|b>1", "a>1|2", "a|b",  "a|b c=1"};
    g_autofree char *long_text = g_strnfill(2000, 'a');
    g_autoptr(GString) terms = g_string_new("a=1");

    for (int i = 0; i < 20; i++)
        g_string_append(terms, ",a=1");
    for (guint i = 0; i < G_N_ELEMENTS(rows) + 2; i++) {
        const char *text = i < G_N_ELEMENTS(rows)    ? rows[i]
                           : i == G_N_ELEMENTS(rows) ? long_text
                                                     : terms->str;
        g_autoptr(GError) error = NULL;
        Filter *filter = filter_parse(text, &error);
        if (filter)
            g_error("accepted: %s", text);
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_assert_true(g_str_has_prefix(error->message, "q:"));
    }
}

static void sorting_is_by_number_or_text(void)
{
    static const struct {
        const char *filter;
        int sign;
    } rows[] = {{"size", -1}, {"-size", 1}, {"name", 1}, {"-name", -1}, {"absent", 0}};
    g_autoptr(json_t) one = parse("{'size':9,'name':'b'}"), other = parse("{'size':10,'name':'a'}");

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Filter) filter = filter_parse(rows[i].filter, NULL);
        int order = filter_compare(filter, one, other);
        g_assert_true(filter_sorts(filter));
        g_assert_cmpint((order > 0) - (order < 0), ==, rows[i].sign);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inventory/filter/terms must all hold", terms_must_all_hold);
    g_test_add_func("/inventory/filter/what is no filter is refused", what_is_no_filter_is_refused);
    g_test_add_func("/inventory/filter/sorting is by number or text", sorting_is_by_number_or_text);
    return g_test_run();
}
