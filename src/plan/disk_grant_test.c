/* disk_grant: what the source has opened is closed, also when the controller was killed before it could note
 * that. */
#include "plan/disk_grant.h"
#include "plan/fake_world.h"
#include "plan/source_record.h"
#include <string.h>

typedef struct {
    Object *plan, *provider, *secret;
    PlanRun run;
    json_t *written; /* the status as it was written last: all that a killed controller leaves */
} World;

static void world_begin(World *world)
{
    fake_begin();
    world->plan = fake_add(&KUBE_PLAN, "{\"metadata\":{\"name\":\"p\",\"namespace\":\"mtv\"},\"spec\":{}}");
    world->provider = fake_add(&KUBE_PROVIDER, "{\"metadata\":{\"name\":\"rhv\",\"namespace\":\"mtv\"},"
                                               "\"spec\":{\"type\":\"ovirt\",\"url\":\"https://e/api\"}}");
    world->secret = fake_add(&KUBE_SECRET, "{\"metadata\":{\"name\":\"rhv\",\"namespace\":\"mtv\"}}");
    world->run = (PlanRun){.kube = (KubeClient *)world,
                           .target = (KubeClient *)world,
                           .plan = world->plan,
                           .provider = world->provider,
                           .secret = world->secret,
                           .migration_uid = "m",
                           .image = "gantry"};
    world->written =
        json_pack("{s:s, s:s, s:[{s:s, s:[{s:s}, {s:s}]}]}", "id", "vm-1", "name", "vm-1", "pipeline", "name",
                  "DiskTransfer", "tasks", "name", "disk 0", "name", "disk 1");
}

static void world_end(World *world)
{
    object_unref(world->plan);
    object_unref(world->provider);
    object_unref(world->secret);
    json_decref(world->written);
    fake_end();
}

/* One pass: each disk is asked for once, on a copy of the written status. killed: it is not written again. */
static guint ask(World *world, gboolean killed)
{
    static const char *const disks[] = {"2000", "2001"};
    json_t *status = json_deep_copy(world->written);
    g_autoptr(VmRun) vm = vm_run_new(&world->run, status);
    json_t *tasks = json_object_get(vm_run_step(vm, "DiskTransfer"), "tasks");
    guint readable = 0;

    for (guint i = 0; i < G_N_ELEMENTS(disks); i++) {
        g_autoptr(GError) error = NULL;
        gboolean noted = FALSE;
        g_autoptr(json_t) member =
            disk_grant_get(vm, json_array_get(tasks, i), disks[i], NULL, &noted, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(member || noted);
        readable += member != NULL;
    }
    g_clear_pointer(&vm, vm_run_free);
    if (!killed) {
        json_decref(world->written);
        world->written = g_steal_pointer(&status);
    }
    json_decref(status);
    return readable;
}

static void give_back(World *world)
{
    g_autoptr(VmRun) vm = vm_run_new(&world->run, world->written);
    g_autoptr(GError) error = NULL;

    while (disk_grant_give_back_all(vm, NULL, &error) == STEP_WAIT)
        ;
    g_assert_no_error(error);
}

static Object *record_of(World *world)
{
    g_autoptr(GPtrArray) all = fake_all(&KUBE_CONFIG_MAP);
    Object *record = NULL;

    for (guint i = 0; i < all->len; i++)
        if (!strcmp(object_label(all->pdata[i], "resource", ""), "sources")) {
            g_assert_null(record);
            record = object_ref(all->pdata[i]);
        }
    return record;
}

static void nothing_is_opened_before_that_is_written_down(void)
{
    World world = {0};

    world_begin(&world);
    g_assert_cmpuint(ask(&world, FALSE), ==, 0);
    g_assert_cmpuint(fake_open_disks(), ==, 0);
    g_assert_cmpuint(ask(&world, FALSE), ==, 2);
    g_assert_cmpuint(fake_open_disks(), ==, 2);
    g_assert_cmpuint(ask(&world, FALSE), ==, 2);
    g_assert_cmpuint(fake_open_disks(), ==, 2);
    give_back(&world);
    g_assert_cmpuint(fake_open_disks(), ==, 0);
    world_end(&world);
}

static void a_killed_controller_leaves_nothing_open(void)
{
    for (guint killed_at = 0; killed_at < 4; killed_at++) {
        World world = {0};

        world_begin(&world);
        for (guint pass = 0; pass <= killed_at; pass++)
            ask(&world, pass == killed_at);
        give_back(&world);
        g_assert_cmpuint(fake_open_disks(), ==, 0);
        world_end(&world);
    }
}

/* Its plan and status are gone: the ConfigMap beside it knows. */
static void the_plan_s_record_says_what_is_open(void)
{
    World world = {0};
    g_autoptr(Object) record = NULL, after = NULL;
    g_auto(GStrv) vms = NULL, none = NULL;
    g_autoptr(json_t) grants = NULL;

    world_begin(&world);
    for (guint pass = 0; pass < 2; pass++)
        ask(&world, FALSE);
    record = record_of(&world);
    vms = source_record_vms(record);
    g_assert_cmpuint(g_strv_length(vms), ==, 1);
    g_assert_cmpstr(vms[0], ==, "vm-1");
    g_assert_false(source_record_ran(record, "vm-1"));
    grants = source_record_grants(record, "vm-1");
    g_assert_cmpuint(json_object_size(grants), ==, 2);
    g_assert_cmpstr(json_string_at(grants, "2001", ""), ==, "vm-1/2001");
    give_back(&world);
    after = record_of(&world);
    none = source_record_vms(after);
    g_assert_cmpuint(g_strv_length(none), ==, 0);
    world_end(&world);
}

static void a_disk_that_stays_locked_is_given_up(void)
{
    World world = {0};
    json_t *task;
    g_autoptr(GError) error = NULL;
    gboolean noted = FALSE;

    world_begin(&world);
    fake_faults.disks_are_locked = TRUE;
    for (guint pass = 0; pass < 2; pass++) {
        g_autoptr(VmRun) vm = vm_run_new(&world.run, world.written);
        task = json_array_get(json_object_get(vm_run_step(vm, "DiskTransfer"), "tasks"), 0);
        g_assert_null(disk_grant_get(vm, task, "2000", NULL, &noted, NULL, &error));
        if (pass == 0) {
            g_assert_no_error(error);
            item_annotate(task, "grantAskedAt", "2026-01-01T00:00:00Z");
        }
    }
    g_assert_error(error, GANTRY_ERROR, ERROR_COPY_FAILED);
    g_assert_nonnull(strstr(error->message, "locked"));
    world_end(&world);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/plan/disk grant/" name, function)
    TEST("nothing is opened before that is written down", nothing_is_opened_before_that_is_written_down);
    TEST("a killed controller leaves nothing open", a_killed_controller_leaves_nothing_open);
    TEST("the plan's record says what is open", the_plan_s_record_says_what_is_open);
    TEST("a disk that stays locked is given up", a_disk_that_stays_locked_is_given_up);
    return g_test_run();
}
