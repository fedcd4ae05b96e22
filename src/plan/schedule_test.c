/* schedule: shares, queues, fairness between plans, and a thousand VMs. */
#include "plan/schedule.h"
#include <string.h>

/* As many disks on one host, datastore and class; larger with more of them. */
static void want_at(const char *plan, const char *vm, const char *host, guint disks, const char *datastore)
{
    ScheduleDisk list[16];
    Demand demand = {.plan = plan,
                     .vm = vm,
                     .provider = "provider",
                     .host = host,
                     .host_name = host,
                     .ns = "target",
                     .size = disks,
                     .disks = list,
                     .disk_count = disks};

    for (guint i = 0; i < disks; i++)
        list[i] = (ScheduleDisk){.name = "disk", .datastore = datastore, .storage_class = "standard"};
    schedule_want(&demand);
    schedule_dispatch();
}

static void want(const char *plan, const char *vm, const char *host, guint disks)
{
    want_at(plan, vm, host, disks, "");
}

static void begin(guint host, guint datastore)
{
    guint limits[SCHEDULE_KINDS] = {
        [SCHEDULE_HOST] = host, [SCHEDULE_NFC] = 10, [SCHEDULE_DATASTORE] = datastore};
    schedule_set_limits(limits);
}

static void end(void)
{
    for (const char *const *plan = (const char *const[]){"p", "q", "r", NULL}; *plan; plan++)
        schedule_forget(*plan);
    g_assert_cmpuint(schedule_load(SCHEDULE_HOST, "provider", "a"), ==, 0);
}

static void expect_place(const char *plan, const char *vm, guint place, const char *reason)
{
    g_autofree char *why = NULL;

    g_assert_cmpuint(schedule_place(plan, vm, &why), ==, place);
    if (reason && !(why && strstr(why, reason)))
        g_error("'%s' does not say '%s'", why, reason);
}

static void a_host_carries_no_more_than_its_limit(void)
{
    begin(4, 0);
    want("p", "1", "a", 2);
    want("p", "2", "a", 2);
    want("p", "3", "a", 1);
    want("p", "4", "b", 4); /* another host is not held up */
    g_assert_true(schedule_holds("p", "1") && schedule_holds("p", "2") && schedule_holds("p", "4"));
    expect_place("p", "3", 1, "Host a carries 4 of 4 disks (controller_max_vm_inflight); this VM needs 1");
    schedule_release("p", "1");
    schedule_dispatch();
    g_assert_true(schedule_holds("p", "3"));
    expect_place("p", "3", 0, NULL);
    end();
}

static void a_share_is_given_back_disk_by_disk(void)
{
    ScheduleDisk disks[] = {{.name = "one", .datastore = "ds", .storage_class = ""},
                            {.name = "two", .datastore = "ds", .storage_class = ""}};
    Demand demand = {.plan = "p",
                     .vm = "1",
                     .provider = "provider",
                     .host = "a",
                     .host_name = "a",
                     .ns = "",
                     .size = 2,
                     .disks = disks,
                     .disk_count = 2};

    begin(2, 0);
    schedule_want(&demand);
    want("p", "2", "a", 1);
    g_assert_true(schedule_holds("p", "1"));
    g_assert_false(schedule_holds("p", "2"));
    schedule_disk_done("p", "1", "two");
    schedule_disk_done("p", "1", "two");
    schedule_dispatch();
    g_assert_true(schedule_holds("p", "2"));
    g_assert_cmpuint(schedule_load(SCHEDULE_DATASTORE, "provider", "ds"), ==, 1);
    /* the first holds nothing any more when the second, its plan's only other VM, is through */
    schedule_disk_done("p", "1", "one");
    schedule_release("p", "2");
    schedule_release("p", "1");
    g_assert_cmpuint(schedule_load(SCHEDULE_DATASTORE, "provider", "ds"), ==, 0);
    end();
}

static void the_largest_comes_first_and_is_not_overtaken(void)
{
    begin(4, 0);
    want("p", "running", "a", 2);
    want("p", "small", "a", 3);
    want("p", "large", "a", 4);
    want("p", "tiny", "a", 1); /* there is room for it */
    expect_place("p", "large", 1, "Host a carries 2 of 4");
    expect_place("p", "small", 2, NULL);
    expect_place("p", "tiny", 3, "Others wait for host a before it");
    schedule_release("p", "running");
    schedule_dispatch();
    g_assert_true(schedule_holds("p", "large"));
    end();
}

static void a_vm_above_the_limit_starts_on_an_idle_host_only(void)
{
    begin(4, 0);
    want("p", "1", "a", 1);
    want("p", "2", "a", 9);
    g_assert_false(schedule_holds("p", "2"));
    schedule_release("p", "1");
    schedule_dispatch();
    g_assert_true(schedule_holds("p", "2"));
    want("p", "3", "a", 1);
    g_assert_false(schedule_holds("p", "3"));
    end();
}

static void what_waits_for_a_datastore_holds_up_nobody_else_on_its_host(void)
{
    begin(8, 2);
    want_at("p", "1", "a", 2, "slow");
    want_at("p", "2", "a", 2, "slow");
    want_at("p", "3", "a", 1, "fast");
    g_assert_true(schedule_holds("p", "1") && schedule_holds("p", "3"));
    expect_place("p", "2", 1, "Datastore slow carries 2 of 2 disks (controller_max_disks_per_datastore)");
    end();
}

static void connections_of_the_nfc_server_have_a_limit_of_their_own(void)
{
    ScheduleDisk disks[6];
    Demand demand = {
        .provider = "provider", .host = "a", .host_name = "a", .ns = "", .disks = disks, .disk_count = 6};

    for (guint i = 0; i < 6; i++)
        disks[i] = (ScheduleDisk){.name = "disk", .datastore = "", .storage_class = "", .nfc = TRUE};
    begin(20, 0);
    demand.plan = "p";
    demand.vm = "1";
    schedule_want(&demand);
    demand.vm = "2";
    schedule_want(&demand);
    want("p", "3", "a", 6); /* over HTTPS */
    g_assert_true(schedule_holds("p", "1") && schedule_holds("p", "3"));
    expect_place("p", "2", 1, "Host a carries 6 of 10 NFC connections (controller_max_nfc_connections)");
    end();
}

/* Not known before: the second VM's disks turn out to need connections when it has begun. */
static void a_connection_is_taken_when_its_need_turns_out(void)
{
    begin(20, 0);
    want("p", "1", "a", 1);
    for (guint i = 0; i < 12; i++) {
        g_autofree char *disk = g_strdup_printf("%u", i);
        g_assert_cmpint(schedule_connect("p", "1", disk), ==, i < 10);
    }
    g_assert_true(schedule_connect("p", "1", "3")); /* it has that already */
    schedule_disk_done("p", "1", "3");
    g_assert_true(schedule_connect("p", "1", "11"));
    g_assert_cmpuint(schedule_load(SCHEDULE_NFC, "provider", "a"), ==, 10);
    end();
}

static void limits_change_while_vms_wait(void)
{
    begin(1, 0);
    want("p", "1", "a", 1);
    want("p", "2", "a", 1);
    g_assert_false(schedule_holds("p", "2"));
    begin(2, 0);
    schedule_dispatch();
    g_assert_true(schedule_holds("p", "2"));
    begin(1, 0); /* what runs goes on */
    g_assert_cmpuint(schedule_load(SCHEDULE_HOST, "provider", "a"), ==, 2);
    end();
}

static void what_ran_before_a_restart_is_held(void)
{
    ScheduleDisk disk = {.name = "disk", .datastore = "", .storage_class = ""};
    Demand demand = {.plan = "p",
                     .vm = "0",
                     .provider = "provider",
                     .host = "a",
                     .host_name = "a",
                     .ns = "",
                     .disks = &disk,
                     .disk_count = 1};

    begin(1, 0);
    schedule_hold(&demand);
    want("p", "1", "a", 1);
    g_assert_false(schedule_holds("p", "1"));
    end();
}

static void plans_share_a_host_evenly(void)
{
    begin(4, 0);
    for (guint i = 0; i < 20; i++) {
        g_autofree char *vm = g_strdup_printf("%u", i);
        want("p", vm, "a", 1);
    }
    want("q", "late", "a", 1);
    expect_place("q", "late", 1, NULL); /* not behind all of the first plan's */
    schedule_release("p", "0");
    schedule_dispatch();
    g_assert_true(schedule_holds("q", "late"));
    end();
}

static void count_grant(const char *plan, gpointer user_data)
{
    g_hash_table_add(user_data, g_strdup(plan));
}

static void a_plan_is_told_of_its_grants(void)
{
    g_autoptr(GHashTable) told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    begin(1, 0);
    want("p", "1", "a", 1);
    want("q", "1", "a", 1);
    schedule_on_grant(count_grant, told);
    schedule_forget("p");
    schedule_dispatch();
    schedule_on_grant(NULL, NULL);
    g_assert_true(g_hash_table_contains(told, "q"));
    g_assert_cmpuint(g_hash_table_size(told), ==, 1);
    end();
}

static void a_vm_that_moved_waits_at_its_new_host(void)
{
    ScheduleDisk disk = {.name = "disk", .datastore = "", .storage_class = ""};
    Demand demand = {.plan = "p",
                     .vm = "1",
                     .provider = "provider",
                     .host = "a",
                     .host_name = "a",
                     .ns = "",
                     .disks = &disk,
                     .disk_count = 1};

    begin(1, 0);
    want("q", "1", "b", 1);
    schedule_want(&demand);
    schedule_dispatch();
    schedule_confirm(&demand);
    g_assert_true(schedule_holds("p", "1"));
    demand.host = demand.host_name = "b";
    schedule_confirm(&demand);
    schedule_dispatch();
    g_assert_false(schedule_holds("p", "1"));
    g_assert_cmpuint(schedule_load(SCHEDULE_HOST, "provider", "a"), ==, 0);
    end();
}

/* Of a thousand VMs on twenty hosts, in one plan and in three, as many run at any time as the limits allow.
 */
static void no_host_idles_while_a_thousand_wait(gconstpointer plans)
{
    const char *const names[] = {"p", "q", "r"};
    guint begun = 0;

    begin(4, 0);
    for (guint i = 0; i < 1000; i++) {
        g_autofree char *vm = g_strdup_printf("vm-%u", i), *host = g_strdup_printf("h%u", i % 20);
        want(names[i % GPOINTER_TO_UINT(plans)], vm, host, 1);
    }
    while (begun < 1000) {
        guint now = 0;
        for (guint i = 0; i < 20; i++) {
            g_autofree char *host = g_strdup_printf("h%u", i);
            guint load = schedule_load(SCHEDULE_HOST, "provider", host);
            g_assert_cmpuint(load, <=, 4);
            now += load;
        }
        g_assert_cmpuint(now, ==, MIN(80, 1000 - begun));
        for (guint i = 0; i < 1000; i++) {
            g_autofree char *vm = g_strdup_printf("vm-%u", i);
            const char *plan = names[i % GPOINTER_TO_UINT(plans)];
            if (!schedule_holds(plan, vm))
                continue;
            schedule_release(plan, vm);
            begun++;
        }
        schedule_dispatch();
    }
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/schedule/" text, function)
    CASE("a host carries no more than its limit", a_host_carries_no_more_than_its_limit);
    CASE("a share is given back disk by disk", a_share_is_given_back_disk_by_disk);
    CASE("the largest comes first and is not overtaken", the_largest_comes_first_and_is_not_overtaken);
    CASE("a VM above the limit starts on an idle host only",
         a_vm_above_the_limit_starts_on_an_idle_host_only);
    CASE("what waits for a datastore holds up nobody else on its host",
         what_waits_for_a_datastore_holds_up_nobody_else_on_its_host);
    CASE("connections of the NFC server have a limit of their own",
         connections_of_the_nfc_server_have_a_limit_of_their_own);
    CASE("a connection is taken when its need turns out", a_connection_is_taken_when_its_need_turns_out);
    CASE("limits change while VMs wait", limits_change_while_vms_wait);
    CASE("what ran before a restart is held", what_ran_before_a_restart_is_held);
    CASE("plans share a host evenly", plans_share_a_host_evenly);
    CASE("a plan is told of its grants", a_plan_is_told_of_its_grants);
    CASE("a VM that moved waits at its new host", a_vm_that_moved_waits_at_its_new_host);
    g_test_add_data_func("/plan/schedule/no host idles while a thousand VMs of one plan wait",
                         GUINT_TO_POINTER(1), no_host_idles_while_a_thousand_wait);
    g_test_add_data_func("/plan/schedule/no host idles while a thousand VMs of three plans wait",
                         GUINT_TO_POINTER(3), no_host_idles_while_a_thousand_wait);
    return g_test_run();
}
