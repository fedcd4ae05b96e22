/* quantity: what Kubernetes accepts, and what it does not. */
#include "kube/quantity.h"

static void every_spelling_of_an_amount_is_read(void)
{
    static const struct {
        const char *text;
        guint64 bytes;
    } cases[] = {
        {"0", 0},
        {"7", 7},
        {"128Mi", 134217728},
        {"1500M", 1500000000},
        {"0.5Gi", 536870912},
        {"1.5Ki", 1536},
        {"2e9", 2000000000},
        {"3E3", 3000},
        {"10k", 10000},
        {"100m", 1},
        {".5Ki", 512},
        {"1.0001", 2},
        {"4Ti", 4398046511104},
        {"2E", 2000000000000000000},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        guint64 bytes = 0;
        g_test_message("%s", cases[i].text);
        g_assert_true(quantity_parse(cases[i].text, &bytes, &error));
        g_assert_cmpuint(bytes, ==, cases[i].bytes);
    }
}

static void anything_else_is_refused(void)
{
    static const char *const cases[] = {
        "", "Gi", "-1", "1GB", "1 Gi", "12e", "9Ei", "99999999999999999999", "1.2.3", "0x10"};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        guint64 bytes = 42;
        g_test_message("%s", cases[i]);
        g_assert_false(quantity_parse(cases[i], &bytes, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_assert_cmpuint(bytes, ==, 42);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kube/quantity/every spelling of an amount is read",
                    every_spelling_of_an_amount_is_read);
    g_test_add_func("/kube/quantity/anything else is refused", anything_else_is_refused);
    return g_test_run();
}
