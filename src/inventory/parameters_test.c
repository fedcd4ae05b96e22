/* parameters: what a query may say, and what is said of the rest. */
#include "inventory/parameters.h"
#include <string.h>

static const char *lookup(gconstpointer source, const char *name)
{
    return g_hash_table_lookup((GHashTable *)source, name);
}

static gboolean parse(const char *query, Parameters *parameters, GHashTable **values, GError **error)
{
    *values = g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL);
    g_assert_nonnull(*values);
    return parameters_read(parameters, lookup, *values, error);
}

static void what_is_absent_has_a_default(void)
{
    g_autoptr(GHashTable) values = NULL;
    g_auto(Parameters) found = {0};

    g_assert_true(parse("", &found, &values, NULL));
    g_assert_cmpint(found.limit, ==, -1);
    g_assert_cmpint(found.offset, ==, 0);
    g_assert_cmpuint(found.detail, ==, 0);
    g_assert_true(!found.name && !found.ns && !found.filter && !found.total);
}

static void detail_is_a_number_or_all(void)
{
    static const struct {
        const char *query;
        guint detail;
    } rows[] = {{"detail=", 0},    {"detail=0", 0},   {"detail=1", 1},  {"detail=4", 4},
                {"detail=all", 9}, {"detail=ALL", 9}, {"detail=77", 9}, {"detail=-3", 0}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GHashTable) values = NULL;
        g_auto(Parameters) found = {0};
        g_assert_true(parse(rows[i].query, &found, &values, NULL));
        g_assert_cmpuint(found.detail, ==, rows[i].detail);
    }
}

static void everything_at_once_is_read(void)
{
    g_autoptr(GHashTable) values = NULL;
    g_auto(Parameters) found = {0};

    g_assert_true(parse(
        "limit=5&offset=7&detail=1&name=a%2Fb&namespace=n&total=true&q=name~x&advancedOption=c.d&other=1",
        &found, &values, NULL));
    g_assert_cmpint(found.limit, ==, 5);
    g_assert_cmpint(found.offset, ==, 7);
    g_assert_cmpstr(found.name, ==, "a/b");
    g_assert_cmpstr(found.ns, ==, "n");
    g_assert_cmpstr(found.advanced_option, ==, "c.d");
    g_assert_true(found.total && found.filter);
}

static void what_is_empty_is_absent(void)
{
    g_autoptr(GHashTable) values = NULL;
    g_auto(Parameters) found = {0};

    g_assert_true(
        parse("limit=&offset=&detail=&name=&namespace=&total=&q=&advancedOption=", &found, &values, NULL));
    g_assert_cmpint(found.limit, ==, -1);
    g_assert_cmpint(found.offset, ==, 0);
    g_assert_cmpuint(found.detail, ==, 0);
    g_assert_true(!found.name && !found.ns && !found.advanced_option && !found.filter && !found.total);
}

static void what_is_wrong_is_named(void)
{
    static const char *const rows[][2] = {
        {"limit=-1", "limit: '-1'"},
        {"limit=many", "limit: 'many'"},
        {"offset=1.5", "offset: '1.5'"},
        {"limit=99999999999999999999", "limit"},
        {"total=yes", "total: 'yes'"},
        {"detail=much", "detail: 'much'"},
        {"q=%21", "q: column 1: '!'"},
        {"q=name~\303\251t\303\251,cpuCount>x", "q: column 10: 'cpuCount>x' is no term"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GHashTable) values = NULL;
        g_auto(Parameters) found = {0};
        g_autoptr(GError) error = NULL;
        g_assert_false(parse(rows[i][0], &found, &values, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        if (!strstr(error->message, rows[i][1]))
            g_error("%s: %s", rows[i][0], error->message);
    }
}

static void a_name_has_a_limit(void)
{
    g_autofree char *long_name = g_strnfill(5000, 'a'), *query = g_strconcat("name=", long_name, NULL);
    g_autoptr(GHashTable) values = NULL;
    g_auto(Parameters) found = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(parse(query, &found, &values, &error));
    g_assert_cmpuint(strlen(error->message), <, 200);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, run) g_test_add_func("/inventory/parameters/" name, run)
    TEST("what is absent has a default", what_is_absent_has_a_default);
    TEST("detail is a number or all", detail_is_a_number_or_all);
    TEST("everything at once is read", everything_at_once_is_read);
    TEST("what is empty is absent", what_is_empty_is_absent);
    TEST("what is wrong is named", what_is_wrong_is_named);
    TEST("a name has a limit", a_name_has_a_limit);
    return g_test_run();
}
