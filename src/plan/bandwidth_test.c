/* bandwidth: who gets how much, by a clock of the test's own. Each case begins with an empty table; limits
 * and shares are in MiB per second here. */
#include "plan/bandwidth.h"

#define SECOND G_USEC_PER_SEC
#define MIB    ((guint64)1 << 20)

static gint64 now = 100 * SECOND;

static BandwidthCopy copy_of(const char *plan, const char *disk, const char *host, guint64 plan_limit)
{
    return (BandwidthCopy){
        .plan = plan, .vm = "vm-1", .disk = disk, .host = host, .plan_limit = plan_limit * MIB};
}

static guint64 ask(const char *plan, const char *disk, const char *host, guint64 plan_limit)
{
    const BandwidthCopy copy = copy_of(plan, disk, host, plan_limit);
    const char *whose;
    return bandwidth_share(&copy, now, &whose) / MIB;
}

static void limit_host_a(guint64 limit)
{
    bandwidth_set_host("ns/a", "v/a", limit * MIB);
}

static void forget_all(void)
{
    now += 60 * SECOND; /* nobody asks for what was before */
    bandwidth_set_limits(0, 0);
    limit_host_a(0);
}

static void without_limits_nobody_is_held_back(void)
{
    forget_all();
    g_assert_cmpuint(ask("p", "1", "v/a", 0), ==, 0);
}

static void a_plan_s_limit_is_shared_by_its_copies_alone(void)
{
    forget_all();
    g_assert_cmpuint(ask("p", "1", "v/a", 900), ==, 900);
    g_assert_cmpuint(ask("p", "2", "v/b", 900), ==, 450);
    g_assert_cmpuint(ask("q", "1", "v/a", 0), ==, 0);
    g_assert_cmpuint(ask("p", "3", "v/b", 900), ==, 300);
    g_assert_cmpuint(ask("p", "1", "v/a", 900), ==, 300);
}

static void a_host_s_limit_is_shared_by_the_copies_of_all_plans(void)
{
    forget_all();
    bandwidth_set_limits(0, 100 * MIB);
    ask("p", "1", "v/a", 0);
    g_assert_cmpuint(ask("q", "1", "v/a", 0), ==, 50);
    g_assert_cmpuint(ask("q", "2", "v/b", 0), ==, 100);
    g_assert_cmpuint(ask("q", "3", NULL, 0), ==, 0);
}

static void a_host_may_have_a_limit_of_its_own(void)
{
    forget_all();
    bandwidth_set_limits(0, 100 * MIB);
    limit_host_a(700);
    g_assert_cmpuint(ask("p", "1", "v/a", 0), ==, 700);
    g_assert_cmpuint(ask("p", "2", "v/b", 0), ==, 100);
    limit_host_a(0);
    g_assert_cmpuint(ask("p", "1", "v/a", 0), ==, 100);
}

static void what_one_cannot_use_the_others_get(void)
{
    const char *whose;
    BandwidthCopy slow = copy_of("p", "1", "v/a", 1000);

    forget_all();
    limit_host_a(100);
    ask("p", "1", "v/a", 1000);
    ask("p", "2", "v/b", 1000);
    g_assert_cmpuint(ask("p", "3", "v/b", 1000), ==, 450);
    g_assert_cmpuint(bandwidth_share(&slow, now, &whose), ==, 100 * MIB);
    g_assert_cmpstr(whose, ==, "its host");
}

static void the_limit_of_all_holds_for_all(void)
{
    forget_all();
    bandwidth_set_limits(1000 * MIB, 0);
    ask("p", "1", "v/a", 300);
    ask("p", "2", "v/a", 300);
    g_assert_cmpuint(ask("q", "1", "w/a", 0), ==, 700);
    g_assert_cmpuint(ask("q", "2", "w/a", 0), ==, 350);
    bandwidth_set_limits(400 * MIB, 0);
    g_assert_cmpuint(ask("q", "2", "w/a", 0), ==, 100);
}

static void who_has_ended_or_is_not_looked_at_leaves_its_share(void)
{
    BandwidthCopy ended = copy_of("p", "2", "v/a", 900);

    forget_all();
    ask("p", "1", "v/a", 900);
    ask("p", "2", "v/a", 900);
    g_assert_cmpuint(ask("p", "3", "v/a", 900), ==, 300);
    bandwidth_end(&ended);
    g_assert_cmpuint(ask("p", "1", "v/a", 900), ==, 450);
    now += 31 * SECOND;
    g_assert_cmpuint(ask("p", "1", "v/a", 900), ==, 900);
}

static void a_copy_has_to_get_on(void)
{
    BandwidthCopy one = copy_of("p", "1", "v/a", 0);
    const char *whose;

    forget_all();
    one.plan_limit = 1;
    g_assert_cmpuint(bandwidth_share(&one, now, &whose), ==, BANDWIDTH_LEAST);
    g_assert_cmpstr(whose, ==, "its plan");
    one.plan_limit = G_MAXINT64;
    g_assert_cmpuint(bandwidth_share(&one, now, &whose), ==, BANDWIDTH_MOST);
}

static void an_annotation_is_a_quantity(void)
{
    static const struct {
        const char *text;
        gint64 limit; /* -1: refused */
    } cases[] = {{"50M", 50000000}, {"1Mi", 1048576}, {"0", 0},   {"", 0},
                 {"1000", 1000},    {"fast", -1},     {"-5", -1}, {"10 MB/s", -1}};

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Object) plan =
            object_new_take(json_pack("{s:{s:s, s:{s:s}}}", "metadata", "name", "p", "annotations",
                                      BANDWIDTH_ANNOTATION, cases[i].text));
        g_autoptr(GError) error = NULL;
        guint64 limit;

        g_test_message("%s", cases[i].text);
        g_assert_cmpint(bandwidth_read(plan, &limit, &error), ==, cases[i].limit >= 0);
        if (cases[i].limit >= 0)
            g_assert_cmpuint(limit, ==, cases[i].limit);
        else
            g_assert_nonnull(strstr(error->message, BANDWIDTH_ANNOTATION));
    }
}

#define TEST(name, function) g_test_add_func("/plan/bandwidth/" name, function)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("without limits nobody is held back", without_limits_nobody_is_held_back);
    TEST("a plan's limit is shared by its copies alone", a_plan_s_limit_is_shared_by_its_copies_alone);
    TEST("a host's limit is shared by the copies of all plans",
         a_host_s_limit_is_shared_by_the_copies_of_all_plans);
    TEST("a host may have a limit of its own", a_host_may_have_a_limit_of_its_own);
    TEST("what one cannot use the others get", what_one_cannot_use_the_others_get);
    TEST("the limit of all holds for all", the_limit_of_all_holds_for_all);
    TEST("who has ended or is not looked at leaves its share",
         who_has_ended_or_is_not_looked_at_leaves_its_share);
    TEST("a copy has to get on", a_copy_has_to_get_on);
    TEST("an annotation is a quantity", an_annotation_is_a_quantity);
    return g_test_run();
}
