/* errors: what callers and users rely on in every row. */
#include "base/errors.h"

static void every_row_has_a_reason_and_a_remedy(void)
{
    static const struct {
        int code;
        const char *name;
    } codes[] = {
#define ERROR(code, class, reason, remedy) {ERROR_##code, #code},
#include "base/errors.def"
#undef ERROR
    };

    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autoptr(GError) error = g_error_new(GANTRY_ERROR, codes[i].code, "x");
        g_test_message("%s", codes[i].name);
        g_assert_true(g_ascii_isupper(error_reason(error)[0]));
        g_assert_null(strchr(error_reason(error), ' '));
        g_assert_true(g_str_has_suffix(error_remedy(error), "."));
    }
}

static void a_foreign_error_is_transient(void)
{
    g_autoptr(GError) error = g_error_new(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "late");
    g_assert_cmpint(error_class(error), ==, TRANSIENT);
    g_assert_cmpint(error_exit_code(error), ==, 75);
}

static void that_somebody_asked_to_stop_is_nothing_to_report(void)
{
    g_autoptr(GError) error = g_error_new(G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");
    g_assert_cmpstr(error_reason(error), ==, "Canceled");
    g_assert_null(strstr(error_remedy(error), "report"));
}

static void the_class_shows_in_the_exit_code(void)
{
    g_autoptr(GError) error = g_error_new(GANTRY_ERROR, ERROR_BAD_INPUT, "x");
    g_assert_cmpint(error_exit_code(error), ==, 1);
    g_assert_cmpstr(error_class_name(error_class(error)), ==, "fatal");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/errors/every row has a reason and a remedy", every_row_has_a_reason_and_a_remedy);
    g_test_add_func("/base/errors/a foreign error is transient", a_foreign_error_is_transient);
    g_test_add_func("/base/errors/that somebody asked to stop is nothing to report",
                    that_somebody_asked_to_stop_is_nothing_to_report);
    g_test_add_func("/base/errors/the class shows in the exit code", the_class_shows_in_the_exit_code);
    return g_test_run();
}
