/* tool: output, exit codes, words about errors, and an end that is asked for. */
#include "convert/tool.h"

static void remember(const char *line, gpointer user_data)
{
    g_ptr_array_add(user_data, g_strdup(line));
}

static void lines_and_output_are_kept_apart(void)
{
    const char *argv[] = {"sh", "-c", "echo one >&2; echo data; printf two >&2", NULL};
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) output = g_string_new(NULL);
    const ToolOptions options = {.line = remember, .user_data = lines, .output = output};
    g_autoptr(GError) error = NULL;

    g_assert_true(tool_run(argv, &options, NULL, &error));
    g_assert_cmpstr(output->str, ==, "data\n");
    g_assert_cmpuint(lines->len, ==, 2);
    g_assert_cmpstr(lines->pdata[1], ==, "two");
}

static void a_failure_is_told_in_the_program_s_words(void)
{
    const char *argv[] = {"sh", "-c", "echo 'v2v: error: no space'; echo later; exit 3", NULL};
    const ToolOptions options = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(tool_run(argv, &options, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_CONVERSION_FAILED);
    g_assert_cmpstr(error->message, ==, "sh: no space (exit code 3)");
}

static void a_missing_program_is_named(void)
{
    const char *argv[] = {"no-such-program-here", NULL};
    const ToolOptions options = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(tool_run(argv, &options, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_CONVERSION_TOOL);
}

static void a_killed_program_may_be_run_again(void)
{
    const char *argv[] = {"sh", "-c", "kill -9 $$", NULL};
    const ToolOptions options = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(tool_run(argv, &options, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_CONVERSION_STOPPED);
}

static gpointer cancel_soon(gpointer user_data)
{
    g_usleep(200 * 1000);
    g_cancellable_cancel(user_data);
    return NULL;
}

static void an_end_that_is_asked_for_ends_the_whole_group(void)
{
    const char *argv[] = {"sh", "-c", "sleep 100 & wait", NULL};
    const ToolOptions options = {0};
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_new("cancel", cancel_soon, cancel);
    gint64 started = g_get_monotonic_time();

    g_assert_false(tool_run(argv, &options, cancel, &error));
    g_thread_join(thread);
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - started, <, 8 * G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convert/tool/lines and output are kept apart", lines_and_output_are_kept_apart);
    g_test_add_func("/convert/tool/a failure is told in the program's words",
                    a_failure_is_told_in_the_program_s_words);
    g_test_add_func("/convert/tool/a missing program is named", a_missing_program_is_named);
    g_test_add_func("/convert/tool/a killed program may be run again", a_killed_program_may_be_run_again);
    g_test_add_func("/convert/tool/an end that is asked for ends the whole group",
                    an_end_that_is_asked_for_ends_the_whole_group);
    return g_test_run();
}
