/* container: when a container runs again, and what is shown of it. */
#include "local/kubelet/container.h"
#include <string.h>

static void backoff_doubles(void)
{
    static const gint64 seconds[] = {0, 0, 10, 20, 40, 80, 160, 300, 300};
    for (guint i = 0; i < G_N_ELEMENTS(seconds); i++)
        g_assert_cmpint(container_backoff_us(i), ==, seconds[i] * G_USEC_PER_SEC);
    g_assert_cmpint(container_backoff_us(G_MAXUINT), ==, 300 * G_USEC_PER_SEC);
}

static void policies(void)
{
    g_assert_true(container_runs_again("Always", 0));
    g_assert_true(container_runs_again("OnFailure", 1));
    g_assert_false(container_runs_again("OnFailure", 0));
    g_assert_false(container_runs_again("Never", 1));
}

static void messages_have_a_ceiling(void)
{
    g_autofree char *text = g_strnfill(5001, 'x');
    memcpy(text + 5001 - 4097, "\xc3\xa4", 2); /* a character across the cut */
    g_autofree char *message = container_message(text, 5001);
    g_assert_cmpuint(strlen(message), ==, 4095);
    g_assert_true(g_utf8_validate(message, -1, NULL));
}

static void state_is_kept(void)
{
    g_autoptr(Container) container = container_new("main", "gantry", FALSE);
    container->phase = CONTAINER_RUNNING;
    container->run = 2;
    container->started_at = 1000000;
    container->sandbox = (Sandbox){17, 18, 1234567890123, 99};
    container_terminated(container, 3, "Error", g_strdup("why"), 5000000);
    container->sandbox.inner = 18;
    g_autoptr(json_t) state = container_state(container);
    g_autoptr(Container) again = container_from_state(state);
    g_autoptr(json_t) second = container_state(again);
    g_assert_true(json_equal(state, second));
}

static void a_crash_loop_shows_the_last_end(void)
{
    g_autoptr(Container) container = container_new("main", "gantry", FALSE);
    container_terminated(container, 3, "Error", NULL, 5000000);
    container_wait(container, "CrashLoopBackOff", "wait");
    g_autoptr(json_t) status = container_status(container, "u");
    g_assert_cmpstr(json_string_at(status, "state.waiting.reason", ""), ==, "CrashLoopBackOff");
    g_assert_cmpint(json_int_at(status, "lastState.terminated.exitCode", 0), ==, 3);
    g_assert_cmpint(json_int_at(status, "restartCount", -1), ==, 0);
    container_next_run(container);
    g_assert_cmpint(container->run, ==, 1);
    g_assert_cmpint(container->last.exit_code, ==, 3);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kubelet/container/the wait before a run doubles from ten seconds to five minutes",
                    backoff_doubles);
    g_test_add_func("/kubelet/container/the restart policy decides by the exit code", policies);
    g_test_add_func("/kubelet/container/a message keeps its last 4096 bytes and whole characters",
                    messages_have_a_ceiling);
    g_test_add_func("/kubelet/container/the state file brings everything back", state_is_kept);
    g_test_add_func("/kubelet/container/a crash loop shows how the last run ended",
                    a_crash_loop_shows_the_last_end);
    return g_test_run();
}
