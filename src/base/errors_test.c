/* errors: what callers and users rely on in every row. */
#include "base/errors.h"
#include <string.h>

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

/* ---- the sources raise them ---- */

/* Without comments' and callers' mere questions whether an error is of that code. */
static void add_source(const char *path, GString *all)
{
    g_autoptr(GRegex) asked =
        g_regex_new("g_error_matches\\s*\\([^;{]*?ERROR_\\w+\\s*\\)", G_REGEX_DOTALL, 0, NULL);
    g_autofree char *text = NULL, *rest = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    rest = g_regex_replace_literal(asked, text, -1, 0, "", 0, NULL);
    g_string_append(all, rest);
}

static void add_folder(const char *folder, GString *all)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            add_folder(path, all);
        else if (g_str_has_suffix(name, ".c") && !g_str_has_suffix(name, "_test.c") &&
                 !g_str_has_prefix(name, "fake_") && strcmp(name, "errors.c"))
            add_source(path, all);
    }
}

static void every_row_is_raised_by_some_source(void)
{
    static const char *const codes[] = {
#define ERROR(code, class, reason, remedy) "ERROR_" #code,
#include "base/errors.def"
#undef ERROR
    };
    g_autoptr(GString) all = g_string_new(NULL);

    add_folder(SOURCES, all);
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autofree char *pattern = g_strdup_printf("\\b%s\\b", codes[i]);
        if (g_regex_match_simple(pattern, all->str, 0, 0))
            continue;
        g_test_message("nothing raises %s: remove its row, or raise it", codes[i]);
        g_test_fail();
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
    g_test_add_func("/base/errors/every row is raised by some source", every_row_is_raised_by_some_source);
    g_test_add_func("/base/errors/a foreign error is transient", a_foreign_error_is_transient);
    g_test_add_func("/base/errors/that somebody asked to stop is nothing to report",
                    that_somebody_asked_to_stop_is_nothing_to_report);
    g_test_add_func("/base/errors/the class shows in the exit code", the_class_shows_in_the_exit_code);
    return g_test_run();
}
