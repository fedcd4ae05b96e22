/* clock: what is written is read back; waits grow and stay in their bounds. */
#include "base/clock.h"

static void what_is_written_is_read_back(void)
{
    g_autofree char *text = clock_now_micro();
    gint64 then = clock_parse(text);
    g_assert_cmpint(then, >, 0);
    g_assert_cmpint(ABS(g_get_real_time() - then), <, 60 * G_USEC_PER_SEC);
    g_assert_cmpint(clock_parse("2021-04-04T01:23:45.678+09:00"), ==, G_GINT64_CONSTANT(1617467025678000));
    g_assert_cmpint(clock_parse("tomorrow"), ==, -1);
    g_assert_cmpint(clock_parse(NULL), ==, -1);
}

static void waits_grow_and_stay_in_their_bounds(void)
{
    for (guint attempt = 0; attempt < 70; attempt++) {
        guint wait = backoff_ms(attempt, 100, 30000);
        g_assert_cmpuint(wait, >=, 75);
        g_assert_cmpuint(wait, <=, 37500);
    }
    g_assert_cmpuint(backoff_ms(60, 100, 30000), >=, 22500);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/clock/what is written is read back", what_is_written_is_read_back);
    g_test_add_func("/base/clock/waits grow and stay in their bounds", waits_grow_and_stay_in_their_bounds);
    return g_test_run();
}
