/* rate_limit: what a second carries, by a clock of the test's own. */
#include "copy/rate_limit.h"

#define MIB    ((gsize)1 << 20)
#define SECOND G_USEC_PER_SEC

/* Bytes that get through in so many seconds from then on, when each read takes no time. */
static guint64 read_for(RateLimit *limit, gint64 *now, guint seconds)
{
    gint64 end = *now + seconds * SECOND, wait;
    guint64 bytes = 0;

    while (*now < end) {
        bytes += rate_limit_book(limit, 4 * MIB, *now, &wait);
        *now += wait;
        if (bytes > 4096 * MIB)
            break; /* no limit at all */
    }
    return bytes;
}

static void without_a_limit_nothing_waits(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(0);
    gint64 wait;

    g_assert_cmpuint(rate_limit_book(limit, 4 * MIB, 1, &wait), ==, 4 * MIB);
    g_assert_cmpint(wait, ==, 0);
}

static void a_second_carries_what_the_limit_says(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(2 * MIB);
    gint64 now = 1;
    guint64 bytes = read_for(limit, &now, 10);

    g_assert_cmpuint(bytes, >=, 20 * MIB);
    g_assert_cmpuint(bytes, <=, 21 * MIB);
}

static void a_change_counts_from_the_next_read(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(MIB);
    gint64 now = 1;
    guint64 bytes = read_for(limit, &now, 10);

    g_assert_cmpuint(bytes, >=, 9 * MIB);
    g_assert_cmpuint(bytes, <=, 11 * MIB);
    rate_limit_set(limit, 100 * MIB);
    g_assert_cmpuint(read_for(limit, &now, 10), >=, 900 * MIB);
    rate_limit_set(limit, MIB);
    g_assert_cmpuint(read_for(limit, &now, 10), <=, 11 * MIB);
    rate_limit_set(limit, 0);
    g_assert_cmpuint(read_for(limit, &now, 1), >, 4096 * MIB);
}

static void a_pause_saves_up_a_quarter_second(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(8 * MIB);
    gint64 now = 1;

    read_for(limit, &now, 1);
    now += 60 * SECOND;
    g_assert_cmpuint(read_for(limit, &now, 1), <=, 12 * MIB);
}

static void nothing_is_slower_than_64_kib(void)
{
    g_autoptr(RateLimit) limit = rate_limit_new(1);
    g_assert_cmpuint(rate_limit_get(limit), ==, 64 * 1024);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/rate_limit/without a limit nothing waits", without_a_limit_nothing_waits);
    g_test_add_func("/copy/rate_limit/a second carries what the limit says",
                    a_second_carries_what_the_limit_says);
    g_test_add_func("/copy/rate_limit/a change counts from the next read",
                    a_change_counts_from_the_next_read);
    g_test_add_func("/copy/rate_limit/a pause saves up a quarter second", a_pause_saves_up_a_quarter_second);
    g_test_add_func("/copy/rate_limit/nothing is slower than 64 KiB", nothing_is_slower_than_64_kib);
    return g_test_run();
}
