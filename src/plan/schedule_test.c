/* schedule: shares of hosts. */
#include "plan/schedule.h"
#include <string.h>

static gboolean take(const char *host, const char *key, guint cost)
{
    g_autofree char *why = NULL;
    return schedule_take("provider", host, key, cost, 4, &why);
}

static void a_host_carries_no_more_than_its_limit(void)
{
    g_autofree char *why = NULL;

    g_assert_true(take("a", "p/1", 2));
    g_assert_true(take("a", "p/2", 2));
    g_assert_false(schedule_take("provider", "a", "p/3", 1, 4, &why));
    g_assert_nonnull(strstr(why, "carries 4 of 4"));
    g_assert_true(take("b", "p/4", 4)); /* another host is not held up */
    schedule_release("p/1");
    g_assert_true(take("a", "p/3", 1));
    for (const char *const *key = (const char *const[]){"p/2", "p/3", "p/4", NULL}; *key; key++)
        schedule_release(*key);
    g_assert_cmpuint(schedule_load("provider", "a"), ==, 0);
}

static void a_share_is_taken_once(void)
{
    g_assert_true(take("a", "p/1", 3));
    g_assert_true(take("a", "p/1", 3));
    g_assert_cmpuint(schedule_load("provider", "a"), ==, 3);
    schedule_release("p/1");
}

static void a_vm_above_the_limit_starts_on_an_idle_host_only(void)
{
    g_assert_true(take("a", "p/1", 1));
    g_assert_false(take("a", "p/2", 9));
    schedule_release("p/1");
    g_assert_true(take("a", "p/2", 9));
    g_assert_false(take("a", "p/3", 1));
    schedule_release("p/2");
}

static void what_ran_before_a_restart_is_held(void)
{
    schedule_hold("provider", "a", "p/1", 4);
    g_assert_false(take("a", "p/2", 1));
    g_assert_true(take("a", "p/1", 4));
    schedule_release("p/1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/schedule/" text, function)
    CASE("a host carries no more than its limit", a_host_carries_no_more_than_its_limit);
    CASE("a share is taken once", a_share_is_taken_once);
    CASE("a VM above the limit starts on an idle host only",
         a_vm_above_the_limit_starts_on_an_idle_host_only);
    CASE("what ran before a restart is held", what_ran_before_a_restart_is_held);
    return g_test_run();
}
