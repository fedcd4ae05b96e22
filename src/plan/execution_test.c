/* execution: whole migrations in a world of memory: the good way, each bad way, and kills in between. */
#include "base/audit.h"
#include "plan/execution.h"
#include "plan/fake_world.h"
#include "plan/orphan.h"
#include "plan/provider_access.h"
#include "plan/schedule.h"
#include "plan/target_machine.h"
#include "plan/warm.h"
#include <string.h>

enum { MOST_PASSES = 120 };

typedef struct {
    Object *plan, *provider, *destination, *secret, *network_map, *storage_map;
    GPtrArray *migrations;
    Settings *settings;
    json_t *status;
    Crew *crew;
    GPtrArray *phases; /* of char*: the first VM's, each once */
} World;

static World world_new(const char *plan_spec)
{
    g_autofree char *plan = g_strdup_printf(
        "{\"metadata\":{\"name\":\"plan1\",\"namespace\":\"openshift-mtv\"},\"spec\":%s}", plan_spec);
    World world = {0};

    fake_begin();
    world.plan = fake_add(&KUBE_PLAN, plan);
    world.provider =
        fake_add(&KUBE_PROVIDER,
                 "{\"metadata\":{\"name\":\"vc\",\"namespace\":\"openshift-mtv\"},"
                 "\"spec\":{\"type\":\"vsphere\",\"url\":\"https://vc/sdk\",\"secret\":{\"name\":\"vc\","
                 "\"namespace\":\"openshift-mtv\"}}}");
    world.destination =
        fake_add(&KUBE_PROVIDER, "{\"metadata\":{\"name\":\"host\",\"namespace\":\"openshift-mtv\"},"
                                 "\"spec\":{\"type\":\"openshift\"}}");
    world.secret = fake_add(&KUBE_SECRET, "{\"metadata\":{\"name\":\"vc\",\"namespace\":\"openshift-mtv\"},"
                                          "\"stringData\":{\"user\":\"u\",\"password\":\"p\"}}");
    world.network_map = fake_add(
        &KUBE_NETWORK_MAP, "{\"metadata\":{\"name\":\"n\",\"namespace\":\"openshift-mtv\"},\"spec\":{\"map\":"
                           "[{\"source\":{\"id\":\"network-1\"},\"destination\":{\"type\":\"pod\"}}]}}");
    world.storage_map = fake_add(
        &KUBE_STORAGE_MAP,
        "{\"metadata\":{\"name\":\"s\",\"namespace\":\"openshift-mtv\"},\"spec\":{\"map\":[{\"source\":"
        "{\"id\":\"datastore-1\"},\"destination\":{\"storageClass\":\"standard\"}}]}}");
    object_unref(fake_add(&KUBE_STORAGE_CLASS,
                          "{\"metadata\":{\"name\":\"standard\"},\"provisioner\":\"gantry.io/folder\"}"));
    world.migrations = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    g_ptr_array_add(world.migrations,
                    fake_add(&KUBE_MIGRATION,
                             "{\"metadata\":{\"name\":\"m1\",\"namespace\":\"openshift-mtv\","
                             "\"creationTimestamp\":\"2026-01-01T00:00:00Z\"},\"spec\":{}}"));
    world.settings = settings_parse(NULL);
    world.status = json_object();
    world.crew = crew_new(4, NULL, NULL);
    world.phases = g_ptr_array_new_with_free_func(g_free);
    return world;
}

static void world_clear(World *world)
{
    schedule_forget(object_uid(world->plan));
    crew_free(world->crew);
    object_unref(world->plan);
    object_unref(world->provider);
    object_unref(world->destination);
    object_unref(world->secret);
    object_unref(world->network_map);
    object_unref(world->storage_map);
    g_ptr_array_unref(world->migrations);
    settings_release(world->settings);
    json_decref(world->status);
    g_ptr_array_unref(world->phases);
    fake_end();
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

static Execution execution_of(const World *world)
{
    return (Execution){.run = {.kube = (KubeClient *)world,
                               .target = (KubeClient *)world,
                               .settings = world->settings,
                               .plan = world->plan,
                               .provider = world->provider,
                               .destination = world->destination,
                               .secret = world->secret,
                               .network_map = world->network_map,
                               .storage_map = world->storage_map,
                               .image = "gantry"},
                       .crew = world->crew,
                       .migrations = world->migrations,
                       .ready = TRUE};
}

/* As the plan's reconciler does it: a pass, then its status is written. */
static ExecutionResult pass_over(World *world, json_t *status)
{
    g_autoptr(Conditions) conditions = conditions_begin(json_object_get(status, "conditions"));
    g_autoptr(GError) error = NULL;
    Execution execution = execution_of(world);
    ExecutionResult result = execution_pass(&execution, status, conditions, NULL, &error);

    json_object_set_new(status, "conditions", conditions_end(conditions));
    return result;
}

/* The written status is acted on: every VM that may move does so once. */
static void act(World *world, const json_t *status)
{
    Execution execution = execution_of(world);

    execution_move(&execution, status);
    crew_hurry(world->crew);
}

/* The controller is killed and starts anew: all that it had in memory is gone. */
static void kill_controller(World *world)
{
    Execution execution;

    crew_free(world->crew);
    world->crew = crew_new(4, NULL, NULL);
    schedule_forget(object_uid(world->plan));
    execution = execution_of(world);
    execution_hold_shares(&execution, world->status, NULL);
}

static json_t *vm_at(const World *world, guint index)
{
    return json_array_get(json_at(world->status, "migration.vms"), index);
}

static void note_phase(World *world)
{
    const char *phase = vm_status_phase(vm_at(world, 0));

    if (!world->phases->len || strcmp(world->phases->pdata[world->phases->len - 1], phase))
        g_ptr_array_add(world->phases, g_strdup(phase));
}

/* Half a minute goes by, as far as the VMs know. */
static void let_time_pass(World *world)
{
    size_t i;
    json_t *vm;

    json_array_foreach (json_at(world->status, "migration.vms"), i, vm)
        if (vm_status_mark(vm, "shutdown-asking"))
            vm_status_set_mark(vm, "shutdown-asking", "2026-01-01T00:00:00Z");
}

typedef enum {
    NEVER,
    BEFORE_IT_ACTS, /* the status is written, nothing has followed from it */
    AFTER_IT_ACTS,  /* what the steps did is not written */
    ALWAYS          /* each, one after the other */
} Kill;

/* Passes and ticks until nothing is left to do. */
static void run_with(World *world, Kill kill, guint at)
{
    for (guint i = 0; i < MOST_PASSES; i++) {
        gboolean now = kill == ALWAYS || i == at;
        ExecutionResult result = pass_over(world, world->status);
        if (result == EXECUTION_IDLE)
            return;
        note_phase(world);
        if (now && (kill == BEFORE_IT_ACTS || kill == ALWAYS)) {
            kill_controller(world);
            let_time_pass(world);
        }
        act(world, world->status);
        if (now && (kill == AFTER_IT_ACTS || kill == ALWAYS)) {
            kill_controller(world);
            fake_tick();
            act(world, world->status);
        }
        fake_tick();
    }
    g_assert_not_reached();
}

static void run(World *world)
{
    run_with(world, NEVER, 0);
}

static gboolean plan_has(const World *world, const char *type)
{
    return conditions_find(json_object_get(world->status, "conditions"), type) != NULL;
}

static guint number_of(const KubeResource *resource)
{
    g_autoptr(GPtrArray) all = fake_all(resource);
    return all->len;
}

static const char *reason_of(const World *world, guint index)
{
    return json_string_value(json_array_get(json_at(vm_at(world, index), "error.reasons"), 0));
}

/* Its message ends with what errors.def says is to be done. */
static void expect_failed_by(const World *world, ErrorCode code)
{
    g_autoptr(GError) error = g_error_new_literal(GANTRY_ERROR, code, "");

    g_assert_true(plan_has(world, "Failed"));
    g_assert_true(g_str_has_suffix(reason_of(world, 0), error_remedy(error)));
}

#define ONE_VM  "{\"targetNamespace\":\"target\",\"vms\":[{\"id\":\"vm-1\"}]}"
#define TWO_VMS "{\"targetNamespace\":\"target\",\"vms\":[{\"id\":\"vm-1\"},{\"name\":\"Guest_vm-2\"}]}"

static void expect_two_vms_moved(const World *world)
{
    g_autoptr(GPtrArray) machines = fake_all(&KUBE_VIRTUAL_MACHINE), volumes = fake_all(&KUBE_DATA_VOLUME);

    g_assert_true(plan_has(world, "Succeeded"));
    g_assert_false(plan_has(world, "Executing"));
    g_assert_cmpuint(machines->len, ==, 2);
    g_assert_cmpuint(volumes->len, ==, 4);
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 6);    /* four importers, two conversions */
    g_assert_cmpuint(number_of(&KUBE_SECRET), ==, 1); /* the provider's: credentials of importers are gone */
    g_assert_cmpstr(object_name(machines->pdata[0]), ==, "guest-vm-1");
    g_assert_cmpuint(json_array_size(json_at(object_json(volumes->pdata[0]), "metadata.ownerReferences")), ==,
                     1);
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_OFF);
    g_assert_cmpuint(fake_count("cut", "vm-1"), ==, 0);
    g_assert_true(vm_status_has(vm_at(world, 1), "Succeeded"));
    g_assert_cmpstr(json_string_at(vm_at(world, 0), "restorePowerState", ""), ==, "On");
}

static void expect_sources_told_once(void)
{
    for (const char *const *vm = (const char *const[]){"vm-1", "vm-2", NULL}; *vm; vm++) {
        g_assert_cmpuint(fake_count("ask", *vm), ==, 1);
        g_assert_cmpuint(fake_count("cut", *vm), ==, 0);
        g_assert_cmpuint(fake_count("on", *vm), ==, 0);
    }
}

static void two_vms_move(void)
{
    g_auto(World) world = world_new(TWO_VMS);
    json_t *transfer;

    run(&world);
    expect_two_vms_moved(&world);
    g_assert_cmpuint(fake_count("ask", "vm-1"), ==, 1);
    transfer = vm_status_step(vm_at(&world, 0), "DiskTransfer");
    g_assert_cmpint(json_int_at(transfer, "progress.completed", 0), ==, 12); /* 5 MiB and 512 bytes, twice */
    g_assert_cmpstr(item_annotation(item_task(transfer, "[ds] vm-1/0.vmdk"), "readBack"), ==, "equal");
}

static void the_phases_come_in_the_itinerary_s_order(void)
{
    static const char *const order[] = {
        "StorePowerState",   "PowerOffSource", "WaitForPowerOff",          "PreflightInspection",
        "CreateDataVolumes", "CopyDisks",      "CreateGuestConversionPod", "ConvertGuest",
        "CreateVM",          "Completed"};
    static const char *const pipeline[] = {"Initialize", "PreflightInspection", "DiskTransfer",
                                           "ImageConversion", "VirtualMachineCreation"};
    g_auto(World) world = world_new(ONE_VM);
    const json_t *steps;

    run(&world);
    /* the first look is after the migration began, in Started */
    g_assert_cmpuint(world.phases->len, ==, G_N_ELEMENTS(order) + 1);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        g_assert_cmpstr(world.phases->pdata[i + 1], ==, order[i]);
    steps = json_object_get(vm_at(&world, 0), "pipeline");
    g_assert_cmpuint(json_array_size(steps), ==, G_N_ELEMENTS(pipeline));
    for (guint i = 0; i < G_N_ELEMENTS(pipeline); i++) {
        g_assert_cmpstr(json_string_at(json_array_get(steps, i), "name", ""), ==, pipeline[i]);
        g_assert_cmpstr(json_string_at(json_array_get(steps, i), "phase", ""), ==, "Completed");
    }
}

static void a_controller_that_dies_at_every_pass_makes_nothing_twice(void)
{
    g_auto(World) world = world_new(TWO_VMS);

    run_with(&world, ALWAYS, 0);
    expect_two_vms_moved(&world);
    expect_sources_told_once();
}

/* As many runs as there are passes in one, each killed at another: before it acts, and after. */
static void a_kill_at_any_phase_boundary_ends_in_the_same_state(gconstpointer kill)
{
    guint passes = 0;

    for (guint at = 0; at == 0 || at < passes; at++) {
        g_auto(World) world = world_new(TWO_VMS);
        run_with(&world, GPOINTER_TO_INT(kill), at);
        expect_two_vms_moved(&world);
        expect_sources_told_once();
        passes = MAX(passes, world.phases->len + 4);
    }
    g_assert_cmpuint(passes, >, 12);
}

#define CONCERN(category, label)                                                                             \
    "{\"result\":\"Completed\",\"os\":null,\"concerns\":[{\"category\":\"" category "\",\"label\":\"" label  \
    "\",\"assessment\":\"it says so\"}]}"

static void a_guest_that_cannot_be_converted_is_not_copied(void)
{
    g_auto(World) world = world_new(ONE_VM);

    fake_faults.inspection_message = CONCERN("Critical", "GuestEncrypted");
    run(&world);
    g_assert_true(plan_has(&world, "Failed"));
    expect_failed_by(&world, ERROR_GUEST_NOT_FIT);
    g_assert_nonnull(strstr(reason_of(&world, 0), "GuestEncrypted: it says so"));
    g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 0);
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 0);
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
    g_assert_cmpuint(fake_open_disks(), ==, 0);
}

static void a_warning_of_the_inspection_stays_with_the_vm(void)
{
    static const char *const messages[] = {
        CONCERN("Warning", "Several operating systems"),
        "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"no appliance\"}"};

    for (guint i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_auto(World) world = world_new(ONE_VM);

        fake_faults.inspection_message = messages[i];
        run(&world);
        g_assert_true(plan_has(&world, "Succeeded"));
        g_assert_true(vm_status_has(vm_at(&world, 0), "InspectionHasConcerns"));
    }
}

static void a_guest_is_converted_when_it_lacks_drivers(void)
{
    static const struct {
        const char *message;
        gboolean converted, warned;
    } rows[] = {
        {"{\"result\":\"Completed\",\"os\":{},\"virtio\":false,\"concerns\":[]}", TRUE, FALSE},
        {"{\"result\":\"Completed\",\"os\":{},\"virtio\":true,\"concerns\":[]}", FALSE, FALSE},
        {CONCERN("Critical", "VirtioWinMissing"), FALSE, TRUE},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(World) world = world_new(ONE_VM);
        json_t *vm;

        fake_faults.drivers_are_doubted = TRUE;
        fake_faults.inspection_message = rows[i].message;
        run(&world);
        vm = vm_at(&world, 0);
        g_assert_true(plan_has(&world, "Succeeded"));
        g_assert_cmpint(vm_status_step(vm, "ImageConversion") != NULL, ==, rows[i].converted);
        g_assert_cmpint(vm_status_has(vm, "InspectionHasConcerns"), ==, rows[i].warned);
        if (rows[i].converted)
            g_assert_cmpstr(json_string_at(json_array_get(json_object_get(vm, "pipeline"), 3), "name", ""),
                            ==, "ImageConversion");
        g_assert_cmpuint(number_of(&KUBE_POD), ==, rows[i].converted ? 3 : 2);
    }
}

static void a_plan_may_forbid_the_inspection(void)
{
    g_auto(World) world = world_new("{\"targetNamespace\":\"target\",\"runPreflightInspection\":false,"
                                    "\"vms\":[{\"id\":\"vm-1\"}]}");

    fake_faults.inspection_message = CONCERN("Critical", "GuestEncrypted");
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_null(vm_status_step(vm_at(&world, 0), "PreflightInspection"));
}

static void a_raw_copy_skips_conversion(void)
{
    g_auto(World) world = world_new(
        "{\"targetNamespace\":\"target\",\"skipGuestConversion\":true,\"vms\":[{\"id\":\"vm-1\"}]}");

    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_null(vm_status_step(vm_at(&world, 0), "ImageConversion"));
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 2);
}

static void a_vm_that_was_off_stays_off(void)
{
    g_auto(World) world = world_new(ONE_VM);
    g_autoptr(GPtrArray) machines = NULL;

    fake_set_power("vm-1", POWER_OFF);
    run(&world);
    machines = fake_all(&KUBE_VIRTUAL_MACHINE);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_cmpstr(json_string_at(object_json(machines->pdata[0]), "spec.runStrategy", ""), ==, "Halted");
    g_assert_cmpuint(fake_count("ask", "vm-1"), ==, 0);
}

/* What the journal of changes says was done at the source, in its order, joined by commas. */
static char *changes_at_the_source(void)
{
    g_autoptr(GPtrArray) all = fake_all(&KUBE_CONFIG_MAP);
    g_autoptr(json_t) records = json_array(), sorted = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    const json_t *record;
    size_t i;

    for (guint n = 0; n < all->len; n++)
        if (object_label(all->pdata[n], AUDIT_VM_LABEL, NULL))
            audit_append(records, object_json(all->pdata[n]));
    sorted = audit_sorted(records);
    json_array_foreach (sorted, i, record) {
        const char *change = json_string_at(record, "change", "");
        if (!strstr(change, "disk "))
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", change);
        g_assert_cmpstr(json_string_at(record, "vm", ""), ==, "vm-1");
        g_assert_nonnull(json_string_at(record, "planUid", NULL));
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void a_fatal_copy_fails_the_vm_and_powers_the_source_on_again(void)
{
    g_autofree char *changes = NULL;
    g_auto(World) world = world_new(ONE_VM);

    fake_faults.importer_message = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"no such "
                                   "disk\",\"remedy\":\"Look at the datastore.\"}";
    run(&world);
    g_assert_true(plan_has(&world, "Failed"));
    g_assert_nonnull(strstr(reason_of(&world, 0), "no such disk. Look at the datastore."));
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
    g_assert_cmpuint(number_of(&KUBE_VIRTUAL_MACHINE), ==, 0);
    g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 2); /* a restart goes on with them */
    changes = changes_at_the_source();
    g_assert_cmpstr(changes, ==, "guest asked to shut down, powered on");
}

static void a_copy_that_keeps_dying_is_given_up_after_its_retries(void)
{
    g_auto(World) world = world_new(ONE_VM);

    fake_faults.importer_message = "{\"result\":\"Failed\",\"class\":\"transient\",\"message\":\"reset\"}";
    run(&world);
    g_assert_true(plan_has(&world, "Failed"));
    g_assert_nonnull(strstr(reason_of(&world, 0), "reset"));
}

static void migrate_again(World *world)
{
    g_ptr_array_set_size(world->migrations, 0);
    g_ptr_array_add(world->migrations,
                    fake_add(&KUBE_MIGRATION,
                             "{\"metadata\":{\"name\":\"m2\",\"namespace\":\"openshift-mtv\","
                             "\"creationTimestamp\":\"2026-01-02T00:00:00Z\"},\"spec\":{}}"));
}

static void a_new_migration_takes_up_only_what_is_not_done(void)
{
    g_auto(World) world = world_new(TWO_VMS);

    fake_faults.conversion_message = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"no kernel\"}";
    run(&world);
    g_assert_true(plan_has(&world, "Failed"));
    g_assert_cmpint(fake_power("vm-2"), ==, POWER_ON);

    fake_faults.conversion_message = NULL;
    migrate_again(&world);
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_false(plan_has(&world, "Failed"));
    g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 4); /* the same ones */
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 6);         /* those of the failed run are gone */
    g_assert_cmpuint(json_array_size(json_at(world.status, "migration.history")), ==, 2);
}

static void a_target_that_does_not_start_is_stopped_before_the_source_runs_again(void)
{
    g_auto(World) world = world_new(ONE_VM);
    g_autoptr(GPtrArray) machines = NULL;

    fake_faults.targets_fail = TRUE;
    run(&world);
    machines = fake_all(&KUBE_VIRTUAL_MACHINE);
    expect_failed_by(&world, ERROR_TARGET_NOT_RUNNING);
    g_assert_cmpstr(json_string_at(object_json(machines->pdata[0]), "spec.runStrategy", ""), ==, "Halted");
    g_assert_cmpuint(number_of(&KUBE_VIRTUAL_MACHINE_INSTANCE), ==, 0);
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
}

static void a_guest_without_tools_keeps_running_and_the_remedy_is_named(void)
{
    g_auto(World) world = world_new(ONE_VM);

    fake_faults.guests_cannot_ask = TRUE;
    run(&world);
    expect_failed_by(&world, ERROR_POWER_OFF_FAILED);
    g_assert_nonnull(strstr(reason_of(&world, 0), "controller_power_off_force"));
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
    g_assert_cmpuint(fake_count("cut", "vm-1"), ==, 0);
    g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 0);
}

static void a_stuck_guest_is_cut_only_when_that_is_allowed(void)
{
    g_auto(World) world = world_new(ONE_VM);
    g_autoptr(json_t) spec = json_pack("{s:s}", "controller_power_off_force", "true");

    settings_release(world.settings);
    world.settings = settings_parse(spec);
    fake_faults.guests_cannot_ask = TRUE;
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_cmpuint(fake_count("cut", "vm-1"), ==, 1);
}

static void a_suspended_vm_is_refused(void)
{
    g_auto(World) world = world_new(ONE_VM);

    fake_set_power("vm-1", POWER_SUSPENDED);
    run(&world);
    expect_failed_by(&world, ERROR_SOURCE_SUSPENDED);
    g_assert_nonnull(strstr(reason_of(&world, 0), "suspended"));
}

/* Runs until the first VM copies. */
static void run_to_copy(World *world)
{
    for (guint i = 0; i < MOST_PASSES && strcmp(vm_status_phase(vm_at(world, 0)), "CopyDisks"); i++) {
        pass_over(world, world->status);
        act(world, world->status);
        fake_tick();
    }
    pass_over(world, world->status);
}

static void a_source_that_is_started_meanwhile_gets_no_second_copy(void)
{
    g_auto(World) world = world_new(ONE_VM);

    run_to_copy(&world);
    fake_set_power("vm-1", POWER_ON);
    run(&world);
    expect_failed_by(&world, ERROR_SOURCE_RUNNING);
    g_assert_cmpuint(number_of(&KUBE_VIRTUAL_MACHINE_INSTANCE), ==, 0);
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
}

static void a_deleted_migration_cancels_and_puts_everything_back(void)
{
    g_auto(World) world = world_new(TWO_VMS);

    run_to_copy(&world);
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_OFF);
    g_ptr_array_set_size(world.migrations, 0);
    run(&world);
    g_assert_true(plan_has(&world, "Canceled"));
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 0);
    g_assert_cmpuint(number_of(&KUBE_SECRET), ==, 1);
    g_assert_true(vm_status_has(vm_at(&world, 0), "Canceled"));
    g_assert_null(json_object_get(vm_at(&world, 0), "error"));
}

static void one_vm_is_cancelled_by_name_and_the_other_goes_on(void)
{
    g_auto(World) world = world_new(TWO_VMS);
    json_t *changed;

    run_to_copy(&world);
    changed = json_deep_copy(object_json(world.migrations->pdata[0]));
    json_set_at_new(changed, "spec.cancel", json_pack("[{s:s}]", "name", "Guest_vm-2"));
    g_ptr_array_set_size(world.migrations, 0);
    g_ptr_array_add(world.migrations, object_new_take(changed));
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_true(vm_status_has(vm_at(&world, 0), "Succeeded"));
    g_assert_true(vm_status_has(vm_at(&world, 1), "Canceled"));
    g_assert_cmpint(fake_power("vm-2"), ==, POWER_ON);
}

static void a_source_that_is_away_for_a_while_is_borne(void)
{
    g_auto(World) world = world_new(ONE_VM);

    run_to_copy(&world);
    fake_faults.inventory_is_away = TRUE;
    for (int i = 0; i < 5; i++) {
        pass_over(&world, world.status);
        act(&world, world.status);
    }
    g_assert_null(json_object_get(vm_at(&world, 0), "error"));
    fake_faults.inventory_is_away = FALSE;
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
}

static void a_full_host_makes_a_vm_wait_and_say_why(void)
{
    g_auto(World) world = world_new(TWO_VMS);
    g_autoptr(json_t) spec = json_pack("{s:i}", "controller_max_vm_inflight", 3);
    const json_t *pending;

    settings_release(world.settings);
    world.settings = settings_parse(spec);
    run_to_copy(&world);
    g_assert_false(vm_status_started(vm_at(&world, 1)));
    pending = conditions_find(json_object_get(vm_at(&world, 1), "conditions"), "Pending");
    g_assert_nonnull(strstr(json_string_at(pending, "message", ""), "Host host-1 carries 2 of 3 disks"));
    run(&world);
    g_assert_true(vm_status_has(vm_at(&world, 1), "Succeeded"));
    g_assert_false(vm_status_has(vm_at(&world, 1), "Pending"));
}

static void a_hook_runs_as_a_job_beside_the_plan(void)
{
    g_auto(World) world = world_new(
        "{\"targetNamespace\":\"target\",\"vms\":[{\"id\":\"vm-1\",\"hooks\":[{\"step\":\"PreHook\",\"hook\":"
        "{\"name\":\"h\",\"namespace\":\"openshift-mtv\"}}]}]}");
    g_autoptr(GPtrArray) jobs = NULL;

    object_unref(
        fake_add(&KUBE_HOOK,
                 "{\"metadata\":{\"name\":\"h\",\"namespace\":\"openshift-mtv\"},\"spec\":{\"image\":\"i\","
                 "\"playbook\":\"LS0tCg==\"}}"));
    run(&world);
    jobs = fake_all(&KUBE_JOB);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_cmpuint(jobs->len, ==, 1);
    g_assert_cmpstr(object_namespace(jobs->pdata[0]), ==, "openshift-mtv");
    g_assert_nonnull(vm_status_step(vm_at(&world, 0), "PreHook"));
}

static void a_hook_without_its_account_fails_before_anything_is_shut_down(void)
{
    g_auto(World) world = world_new(
        "{\"targetNamespace\":\"target\",\"vms\":[{\"id\":\"vm-1\",\"hooks\":[{\"step\":\"PreHook\",\"hook\":"
        "{\"name\":\"h\",\"namespace\":\"openshift-mtv\"}}]}]}");

    object_unref(
        fake_add(&KUBE_HOOK,
                 "{\"metadata\":{\"name\":\"h\",\"namespace\":\"openshift-mtv\"},\"spec\":{\"image\":\"i\","
                 "\"serviceAccount\":\"nobody\"}}"));
    run(&world);
    expect_failed_by(&world, ERROR_HOOK_FAILED);
    g_assert_nonnull(strstr(reason_of(&world, 0), "'nobody'"));
    g_assert_cmpuint(fake_count("ask", "vm-1"), ==, 0);
}

static void an_archive_leaves_only_what_has_taken_over(void)
{
    g_auto(World) world = world_new(ONE_VM);
    Execution execution;

    run(&world);
    execution = execution_of(&world);
    g_assert_true(execution_archive(&execution, world.status, NULL, NULL));
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 0);
    g_assert_cmpuint(number_of(&KUBE_PERSISTENT_VOLUME_CLAIM), ==, 0);
    g_assert_cmpuint(number_of(&KUBE_VIRTUAL_MACHINE), ==, 1);
    g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 2);
}

static void an_archive_of_a_failed_run_takes_its_disks(void)
{
    g_auto(World) world = world_new(ONE_VM);
    Execution execution;

    fake_faults.conversion_message = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"no kernel\"}";
    run(&world);
    execution = execution_of(&world);
    g_assert_true(execution_archive(&execution, world.status, NULL, NULL));
    g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 0);
    g_assert_cmpuint(number_of(&KUBE_PERSISTENT_VOLUME_CLAIM), ==, 0);
}

/* ---- warm ---- */

#define WARM_VM "{\"targetNamespace\":\"target\",\"warm\":true,\"vms\":[{\"id\":\"vm-1\"}]}"

/* The user sets the cutover; until then it is only precopied. */
static void set_cutover(World *world)
{
    json_t *migration = json_deep_copy(object_json(world->migrations->pdata[0]));

    json_set_at_new(migration, "spec.cutover", json_string("2026-01-01T00:00:00Z"));
    g_ptr_array_set_size(world->migrations, 0);
    g_ptr_array_add(world->migrations, object_new_take(migration));
}

static void precopy(World *world, guint rounds, gboolean killed)
{
    for (guint i = 0; i < MOST_PASSES && warm_count(vm_at(world, 0)) < rounds; i++) {
        pass_over(world, world->status);
        note_phase(world);
        if (killed)
            kill_controller(world);
        act(world, world->status);
        fake_tick();
        g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
    }
    g_assert_cmpuint(warm_count(vm_at(world, 0)), >=, rounds);
}

static void expect_warm_vm_moved(const World *world)
{
    const json_t *vm = vm_at(world, 0), *precopies = json_at(vm, "warm.precopies"), *precopy;
    size_t i;

    g_assert_true(plan_has(world, "Succeeded"));
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_OFF);
    g_assert_false(fake_has_snapshot("vm-1"));
    g_assert_cmpuint(json_array_size(precopies), ==, fake_snapshots_made("vm-1"));
    json_array_foreach (precopies, i, precopy)
        g_assert_false(warm_is_open(precopy));
    g_assert_cmpuint(number_of(&KUBE_SECRET), ==, 1);
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 3); /* the last round's importers, a conversion */
}

/* How many records of a change the journal has for each round: "1 1 2". */
static char *rounds_of(const char *change)
{
    g_autoptr(GPtrArray) all = fake_all(&KUBE_CONFIG_MAP);
    g_autoptr(json_t) records = json_array();
    g_autoptr(GString) text = g_string_new(NULL);
    guint counts[8] = {0}, rounds = 0;
    const json_t *record;
    size_t i;

    for (guint n = 0; n < all->len; n++)
        if (object_label(all->pdata[n], AUDIT_VM_LABEL, NULL))
            audit_append(records, object_json(all->pdata[n]));
    json_array_foreach (records, i, record)
        if (!strcmp(json_string_at(record, "change", ""), change)) {
            guint round = json_int_at(record, "round", 0);
            g_assert_cmpuint(round, <, G_N_ELEMENTS(counts));
            counts[round]++;
            rounds = MAX(rounds, round);
        }
    for (guint n = 0; n <= rounds; n++)
        g_string_append_printf(text, "%s%u", n ? " " : "", counts[n]);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The spec that the last copier of a disk was given. */
static json_t *last_copy_spec(void)
{
    g_autoptr(GPtrArray) secrets = fake_all(&KUBE_SECRET);

    for (guint i = secrets->len; i-- > 0;) {
        const char *spec = json_string_at(object_json(secrets->pdata[i]), "stringData.spec\\.json", NULL);
        spec = spec ? spec
                    : json_string_value(json_object_get(json_at(object_json(secrets->pdata[i]), "stringData"),
                                                        "spec.json"));
        if (spec)
            return json_loads(spec, 0, NULL);
    }
    return NULL;
}

static void a_running_vm_is_precopied_until_its_cutover(void)
{
    static const char *const order[] = {"CreateInitialSnapshot",
                                        "StoreInitialSnapshotDeltas",
                                        "PreflightInspection",
                                        "CreateDataVolumes",
                                        "CopyDisks",
                                        "CopyingPaused",
                                        "RemovePreviousSnapshot",
                                        "CreateSnapshot",
                                        "StoreSnapshotDeltas",
                                        "AddCheckpoint",
                                        "CopyDisks",
                                        "CopyingPaused"};
    g_auto(World) world = world_new(WARM_VM);

    g_autofree char *opened = NULL, *closed = NULL, *snapshots = NULL;

    world.settings->precopy_interval_min = 0;
    precopy(&world, 2, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(order) && i + 1 < world.phases->len; i++)
        g_assert_cmpstr(world.phases->pdata[i + 1], ==, order[i]);
    set_cutover(&world);
    run(&world);
    expect_warm_vm_moved(&world);
    opened = rounds_of("disk opened for reading");
    closed = rounds_of("disk closed");
    snapshots = rounds_of("snapshot made");
    g_assert_cmpstr(opened, ==, "0 2 2 2 2"); /* two disks in three precopies and the cutover */
    g_assert_cmpstr(closed, ==, opened);
    g_assert_cmpstr(snapshots, ==, "0 1 1 1 1");
    g_assert_cmpstr(json_string_at(vm_status_step(vm_at(&world, 0), "Cutover"), "phase", ""), ==,
                    "Completed");
}

static void a_disk_whose_changes_are_not_tracked_fails_the_vm(void)
{
    g_auto(World) world = world_new(WARM_VM);

    fake_faults.changes_are_off = TRUE;
    run(&world);
    expect_failed_by(&world, ERROR_CHANGES_OFF);
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 0);
}

static void each_round_reads_what_has_changed_since_the_last(void)
{
    g_auto(World) world = world_new(WARM_VM);
    const guint half = ((5 << 20) + 512) / 2;

    world.settings->precopy_interval_min = 0;
    precopy(&world, 1, FALSE);
    for (guint i = 0; i < MOST_PASSES; i++) {
        g_autoptr(json_t) spec = last_copy_spec();
        const json_t *range = json_array_get(json_at(spec, "changes.ranges"), 0);
        if (range) {
            g_assert_cmpstr(json_string_at(spec, "changes.since", ""), ==, "tracker/1");
            g_assert_cmpstr(json_string_at(spec, "source.generation", ""), ==, "tracker/2");
            g_assert_cmpint(json_integer_value(json_array_get(range, 0)), ==, half);
            return;
        }
        pass_over(&world, world.status);
        act(&world, world.status);
        fake_tick();
    }
    g_assert_not_reached();
}

/* Once when its change ids are noted, once when all copiers are started. */
static void a_snapshot_s_disks_are_asked_for_once_a_pass(void)
{
    g_auto(World) world = world_new(WARM_VM);

    world.settings->precopy_interval_min = 0;
    precopy(&world, 2, FALSE);
    g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 2);
    g_assert_cmpuint(fake_snapshot_asked("vm-1"), <=, 2);
}

static void a_precopy_that_fails_is_made_again(void)
{
    g_auto(World) world = world_new(WARM_VM);

    world.settings->precopy_interval_min = 0;
    precopy(&world, 1, FALSE);
    fake_faults.importer_message = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"cut off\"}";
    for (guint i = 0; i < MOST_PASSES && !json_int_at(vm_at(&world, 0), "warm.failures", 0); i++) {
        pass_over(&world, world.status);
        act(&world, world.status);
        fake_tick();
        if (!strcmp(vm_status_phase(vm_at(&world, 0)), "CopyDisks"))
            world.settings->precopy_interval_min = 60; /* then it waits, and says why */
    }
    g_assert_cmpint(json_int_at(vm_at(&world, 0), "warm.consecutiveFailures", 0), ==, 1);
    g_assert_nonnull(strstr(warm_failure(vm_at(&world, 0)), "cut off"));
    pass_over(&world, world.status);
    act(&world, world.status);
    g_assert_nonnull(strstr(json_string_at(vm_status_step(vm_at(&world, 0), "DiskTransfer"), "reason", ""),
                            "the last one failed: "));
    world.settings->precopy_interval_min = 0;
    fake_faults.importer_message = NULL;
    set_cutover(&world);
    run(&world);
    expect_warm_vm_moved(&world);
}

static gboolean says_what_a_cutover_takes(const World *world)
{
    const json_t *step = vm_status_step(vm_at(world, 0), "DiskTransfer");
    return strstr(json_string_at(step, "reason", ""), "; a cutover now would copy for about ") != NULL;
}

static void how_long_a_cutover_would_take_is_said_while_it_waits(void)
{
    static const char *const starts[] = {"2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"};
    g_auto(World) world = world_new(WARM_VM);
    json_t *precopies;

    world.settings->precopy_interval_min = 0;
    precopy(&world, 1, FALSE);
    for (guint i = 0; i < MOST_PASSES && strcmp(vm_status_phase(vm_at(&world, 0)), "CopyDisks"); i++)
        pass_over(&world, world.status);
    world.settings->precopy_interval_min = 60; /* after the second it waits */
    precopy(&world, 2, FALSE);
    precopies = json_at(vm_at(&world, 0), "warm.precopies");
    for (guint i = 0; i < G_N_ELEMENTS(starts); i++)
        json_object_set_new(json_array_get(precopies, i), "start", json_string(starts[i]));
    item_annotate(vm_status_step(vm_at(&world, 0), "DiskTransfer"), "precopy-2", "1000000 bytes in 120 s");
    for (guint i = 0; i < MOST_PASSES && !says_what_a_cutover_takes(&world); i++) {
        pass_over(&world, world.status);
        act(&world, world.status);
        fake_tick();
    }
    g_assert_true(says_what_a_cutover_takes(&world));
    g_assert_cmpuint(warm_count(vm_at(&world, 0)), ==, 2);
}

/* Its copier could be started again for an hour. */
static void a_round_whose_snapshot_somebody_removed_ends_with_its_copier_s_first_failure(void)
{
    g_auto(World) world = world_new(WARM_VM);

    world.settings->precopy_interval_min = 0;
    world.settings->importer_retry = 1000;
    precopy(&world, 1, FALSE);
    for (guint i = 0; i < MOST_PASSES && strcmp(vm_status_phase(vm_at(&world, 0)), "CopyDisks"); i++) {
        pass_over(&world, world.status);
        act(&world, world.status);
    }
    fake_remove_snapshot("vm-1");
    fake_faults.importer_message = "{\"result\":\"Failed\",\"class\":\"transient\",\"message\":\"locked\"}";
    for (guint i = 0; i < 10 && !json_int_at(vm_at(&world, 0), "warm.failures", 0); i++) {
        pass_over(&world, world.status);
        act(&world, world.status);
        fake_tick();
    }
    g_assert_cmpint(json_int_at(vm_at(&world, 0), "warm.failures", 0), ==, 1);
    fake_faults.importer_message = NULL;
    set_cutover(&world);
    run(&world);
    expect_warm_vm_moved(&world);
}

/* Before its change ids are noted, and while it is copied: the source stays off for it. */
static void a_cutover_s_snapshot_that_somebody_removes_is_taken_again(void)
{
    static const char *const phases[] = {"AddFinalCheckpoint", "Finalize"};

    for (guint row = 0; row < G_N_ELEMENTS(phases); row++) {
        g_auto(World) world = world_new(WARM_VM);
        world.settings->precopy_interval_min = 0;
        world.settings->importer_retry = 3;
        precopy(&world, 1, FALSE);
        set_cutover(&world);
        for (guint i = 0; i < MOST_PASSES && strcmp(vm_status_phase(vm_at(&world, 0)), phases[row]); i++) {
            pass_over(&world, world.status);
            act(&world, world.status);
            fake_tick();
        }
        g_assert_cmpstr(vm_status_phase(vm_at(&world, 0)), ==, phases[row]);
        fake_remove_snapshot("vm-1");
        fake_faults.importer_message =
            "{\"result\":\"Failed\",\"class\":\"transient\",\"message\":\"locked\"}";
        for (guint i = 0; i < 10 && !json_int_at(vm_at(&world, 0), "warm.failures", 0); i++) {
            pass_over(&world, world.status);
            act(&world, world.status);
            g_assert_cmpint(fake_power("vm-1"), ==, POWER_OFF);
        }
        g_assert_cmpint(json_int_at(vm_at(&world, 0), "warm.failures", 0), ==, 1);
        g_assert_false(item_ended(vm_status_step(vm_at(&world, 0), "Cutover")));
        fake_faults.importer_message = NULL;
        run(&world);
        expect_warm_vm_moved(&world);
    }
}

static void a_warm_vm_survives_a_controller_that_dies_at_every_pass(void)
{
    g_auto(World) world = world_new(WARM_VM);

    world.settings->precopy_interval_min = 0;
    precopy(&world, 2, TRUE);
    set_cutover(&world);
    run_with(&world, ALWAYS, 0);
    expect_warm_vm_moved(&world);
}

static void a_failed_cutover_powers_the_source_on_and_leaves_no_snapshot(void)
{
    g_auto(World) world = world_new(WARM_VM);

    world.settings->precopy_interval_min = 0;
    precopy(&world, 1, FALSE);
    set_cutover(&world);
    fake_faults.conversion_message = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"no kernel\"}";
    run(&world);
    g_assert_true(plan_has(&world, "Failed"));
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
    g_assert_false(fake_has_snapshot("vm-1"));
    g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 2);
}

static void the_last_snapshot_s_consolidation_is_no_downtime(void)
{
    g_auto(World) world = world_new(WARM_VM);
    const json_t *machine;

    world.settings->precopy_interval_min = 0;
    precopy(&world, 2, FALSE);
    set_cutover(&world);
    for (guint i = 0;
         i < MOST_PASSES && !item_ended(vm_status_step(vm_at(&world, 0), "VirtualMachineCreation")); i++) {
        g_assert_false(vm_status_completed(vm_at(&world, 0)));
        if (fake_power("vm-1") == POWER_OFF && vm_status_mark(vm_at(&world, 0), "taken-over"))
            g_assert_true(fake_has_snapshot("vm-1"));
        pass_over(&world, world.status);
        act(&world, world.status);
        fake_tick();
    }
    run(&world);
    expect_warm_vm_moved(&world);
    machine = vm_status_step(vm_at(&world, 0), "Cutover");
    g_assert_nonnull(item_annotation(machine, "downtimeSeconds"));
}

static void a_new_migration_asks_for_the_changes_since_the_failed_one_s_last_pass(void)
{
    g_auto(World) world = world_new(WARM_VM);
    g_autoptr(json_t) spec = NULL;
    g_autofree char *last = NULL;

    world.settings->precopy_interval_min = 0;
    precopy(&world, 2, FALSE);
    set_cutover(&world);
    fake_faults.conversion_message = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"no kernel\"}";
    run(&world);
    g_assert_true(plan_has(&world, "Failed"));
    last = g_strdup_printf("tracker/%u", fake_snapshots_made("vm-1")); /* the cutover's own */

    fake_faults.conversion_message = NULL;
    migrate_again(&world);
    pass_over(&world, world.status); /* it begins */
    precopy(&world, 1, FALSE);
    spec = last_copy_spec();
    g_assert_cmpstr(json_string_at(spec, "changes.since", ""), ==, last);
    g_assert_cmpuint(json_array_size(json_at(vm_at(&world, 0), "warm.precopies")), ==, 2);
    set_cutover(&world);
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
}

/* Until the target has taken over: it is stopped, the source runs again without our snapshot, and the copied
 * disks stay. */
static void a_cutover_that_fails_anywhere_is_backed_out_of(void)
{
    static const char failed[] = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"it broke\"}";
    static const struct {
        FakeFaults faults;
        const char *reason;
    } rows[] = {
        {{.importer_message = failed}, "it broke"},
        {{.conversion_message = failed}, "it broke"},
        {{.targets_fail = TRUE}, "did not start"},
        {{.targets_hang = TRUE}, "did not start within 0 seconds"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(World) world = world_new(WARM_VM);
        world.settings->precopy_interval_min = 0;
        precopy(&world, 2, FALSE);
        set_cutover(&world);
        fake_faults = rows[i].faults;
        world.settings->target_start_timeout_s = rows[i].faults.targets_hang ? 0 : 600;
        run(&world);
        g_assert_true(plan_has(&world, "Failed"));
        g_assert_nonnull(strstr(reason_of(&world, 0), rows[i].reason));
        g_assert_null(vm_status_mark(vm_at(&world, 0), "taken-over"));
        g_assert_cmpuint(number_of(&KUBE_VIRTUAL_MACHINE_INSTANCE), ==, 0);
        g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
        g_assert_false(fake_has_snapshot("vm-1"));
        g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 2);
    }
}

static void lost_changes_mean_a_whole_disk(void)
{
    g_auto(World) world = world_new(WARM_VM);

    world.settings->precopy_interval_min = 0;
    fake_faults.changes_are_lost = TRUE;
    precopy(&world, 2, FALSE);
    g_autoptr(json_t) spec = last_copy_spec();
    g_assert_null(json_object_get(spec, "changes"));
    set_cutover(&world);
    run(&world);
    expect_warm_vm_moved(&world);
}

/* What the plan says of failures: nothing, to delete, and to delete but not this VM. */
static void a_failed_vm_keeps_its_disks_unless_it_is_to_be_deleted(void)
{
    static const struct {
        const char *spec;
        guint volumes;
    } rows[] = {
        {ONE_VM, 2},
        {"{\"targetNamespace\":\"target\",\"deleteVmOnFailMigration\":true,\"vms\":[{\"id\":\"vm-1\"}]}", 0},
        {"{\"targetNamespace\":\"target\",\"deleteVmOnFailMigration\":true,\"vms\":[{\"id\":\"vm-1\","
         "\"deleteVmOnFailMigration\":false}]}",
         2},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(World) world = world_new(rows[i].spec);
        fake_faults.conversion_message =
            "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"no kernel\"}";
        run(&world);
        g_assert_true(plan_has(&world, "Failed"));
        g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, rows[i].volumes);
        g_assert_cmpint(fake_power("vm-1"), ==, POWER_ON);
    }
}

static Object *record_of_sources(void)
{
    g_autoptr(GPtrArray) all = fake_all(&KUBE_CONFIG_MAP);

    for (guint i = 0; i < all->len; i++)
        if (!strcmp(object_label(all->pdata[i], "resource", ""), "sources"))
            return object_ref(all->pdata[i]);
    return NULL;
}

/* The plan is deleted at pass number at, and so is what is known of it but the record. TRUE: its end had not
 * come before. */
static gboolean delete_plan_at(World *world, guint at)
{
    g_autoptr(Object) record = NULL;
    g_autoptr(json_t) spec = json_pack("{s:i}", "controller_power_off_timeout", 1);
    StepResult result = STEP_WAIT;

    settings_release(world->settings);
    world->settings = settings_parse(spec);

    for (guint i = 0; i < at; i++) {
        if (pass_over(world, world->status) == EXECUTION_IDLE)
            return FALSE;
        act(world, world->status);
        fake_tick();
    }
    crew_forget(world->crew, object_uid(world->plan));
    g_clear_pointer(&record, object_unref);
    record = record_of_sources();
    g_assert_nonnull(record);
    for (guint i = 0; i < 20 && result != STEP_DONE; i++) {
        g_autoptr(GError) error = NULL;
        result = orphan_settle((KubeClient *)world, world->settings, record, NULL, &error);
        g_assert_no_error(error);
        fake_tick();
        if (i > 5)
            g_usleep(G_USEC_PER_SEC / 4); /* noted as asked, and never was: that is waited for */
        g_clear_pointer(&record, object_unref);
        record = record_of_sources();
        g_assert_true(record || result == STEP_DONE);
    }
    g_assert_cmpint(result, ==, STEP_DONE);
    return TRUE;
}

/* Wherever it was: sources run again unless their target has taken over, and nothing else is left. */
#define TWO_VMS_OF_PROVIDERS                                                                                 \
    "\"provider\":{\"source\":{\"name\":\"vc\",\"namespace\":\"openshift-mtv\"},"                            \
    "\"destination\":{\"name\":\"host\",\"namespace\":\"openshift-mtv\"}},\"targetNamespace\":\"target\","   \
    "\"vms\":[{\"id\":\"vm-1\"},{\"name\":\"Guest_vm-2\"}]}"

static void delete_at_any_time(const char *plan_spec, gboolean warm)
{
    gboolean deleted = TRUE;

    for (guint at = 1; deleted; at++) {
        g_auto(World) world = world_new(plan_spec);
        g_autoptr(GPtrArray) machines = NULL;
        g_autoptr(Object) record = NULL;
        if (warm)
            set_cutover(&world);
        deleted = delete_plan_at(&world, at);
        if (!deleted) {
            g_assert_cmpuint(at, >, 12);
            break;
        }
        machines = fake_all(&KUBE_VIRTUAL_MACHINE);
        for (guint i = 0; i < machines->len; i++)
            g_assert_true(target_machine_taken_over(machines->pdata[i]));
        for (guint i = 1; i <= 2; i++) {
            g_autofree char *id = g_strdup_printf("vm-%u", i), *name = g_strdup_printf("guest-vm-%u", i);
            gboolean moved = FALSE;
            for (guint m = 0; m < machines->len; m++)
                moved = moved || !strcmp(object_name(machines->pdata[m]), name);
            g_test_message("deleted at pass %u, %s in %s", at, id, vm_status_phase(vm_at(&world, i - 1)));
            g_assert_cmpint(fake_power(id), ==, moved ? POWER_OFF : POWER_ON);
            g_assert_false(fake_has_snapshot(id));
        }
        g_assert_cmpuint(number_of(&KUBE_DATA_VOLUME), ==, 2 * machines->len);
        g_assert_cmpuint(number_of(&KUBE_POD), ==, 0);
        g_assert_cmpuint(number_of(&KUBE_SECRET), ==, 1); /* the provider's */
        g_assert_cmpuint(number_of(&KUBE_PERSISTENT_VOLUME_CLAIM), ==, 0);
        g_assert_cmpuint(fake_open_disks(), ==, 0);
        record = record_of_sources();
        g_assert_null(record);
    }
}

static void a_plan_that_is_deleted_at_any_time_is_backed_out_of(void)
{
    delete_at_any_time("{" TWO_VMS_OF_PROVIDERS, FALSE);
}

static void a_warm_plan_that_is_deleted_at_any_time_leaves_no_snapshot(void)
{
    delete_at_any_time("{\"warm\":true," TWO_VMS_OF_PROVIDERS, TRUE);
}

/* What Forklift made under this plan, before Gantry had it: its VirtualMachine, and the DataVolume of a disk.
 */
static void add_of_another(const World *world, const char *vm)
{
    g_autofree char *labels =
        g_strdup_printf("{\"plan\":\"%s\",\"plan-name\":\"p\",\"vmID\":\"%s\",\"migration\":\"old\"}",
                        object_uid(world->plan), vm);
    g_autofree char *machine =
        g_strdup_printf("{\"metadata\":{\"name\":\"other-%s\",\"namespace\":\"target\",\"labels\":%s},"
                        "\"spec\":{\"running\":true}}",
                        vm, labels);
    g_autofree char *volume = g_strdup_printf(
        "{\"metadata\":{\"name\":\"a-disk-of-%s\",\"namespace\":\"target\",\"labels\":%s,\"annotations\":{"
        "\"forklift.konveyor.io/disk-source\":\"[ds] %s/0.vmdk\"}}}",
        vm, labels, vm);

    object_unref(fake_add(&KUBE_VIRTUAL_MACHINE, machine));
    object_unref(fake_add(&KUBE_DATA_VOLUME, volume));
}

static void expect_another_untouched(const char *vm)
{
    g_autofree char *name = g_strconcat("other-", vm, NULL), *disk = g_strconcat("a-disk-of-", vm, NULL);
    g_autoptr(Object) machine = kube_get(NULL, &KUBE_VIRTUAL_MACHINE, "target", name, NULL, NULL);
    g_autoptr(Object) volume = kube_get(NULL, &KUBE_DATA_VOLUME, "target", disk, NULL, NULL);

    g_assert_true(json_bool_at(object_json(machine), "spec.running", FALSE));
    g_assert_nonnull(volume);
    g_assert_null(json_at(object_json(volume), "metadata.ownerReferences"));
}

static void what_another_made_under_this_plan_stays(void)
{
    for (guint at = 1;; at++) {
        g_auto(World) world = world_new("{" TWO_VMS_OF_PROVIDERS);
        Execution execution;

        add_of_another(&world, "vm-1"); /* of this run */
        add_of_another(&world, "vm-9"); /* of an earlier one */
        if (!delete_plan_at(&world, at)) {
            g_assert_true(plan_has(&world, "Succeeded"));
            g_assert_cmpuint(at, >, 12);
            break;
        }
        g_test_message("deleted at pass %u", at);
        execution = execution_of(&world);
        g_assert_true(execution_archive(&execution, world.status, NULL, NULL));
        expect_another_untouched("vm-1");
        expect_another_untouched("vm-9");
        if (fake_count("ask", "vm-1")) /* beside a VM that we may not stop it must not run */
            g_assert_cmpint(fake_power("vm-1"), ==, POWER_OFF);
    }
}

/* As after a kill: the one that follows has made another Secret in its place. */
static void an_importer_whose_secret_is_gone_makes_room(void)
{
    g_auto(World) world = world_new("{\"targetNamespace\":\"target\",\"skipGuestConversion\":true,"
                                    "\"runPreflightInspection\":false,\"vms\":[{\"id\":\"vm-1\"}]}");
    g_autoptr(GPtrArray) secrets = NULL;

    for (guint i = 0; i < MOST_PASSES && !number_of(&KUBE_POD); i++) {
        fake_tick();
        pass_over(&world, world.status);
        act(&world, world.status);
    }
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 2);
    secrets = fake_all(&KUBE_SECRET);
    for (guint i = 0; i < secrets->len; i++)
        if (object_label(secrets->pdata[i], "vmID", NULL))
            g_assert_true(
                kube_delete(NULL, &KUBE_SECRET, "target", object_name(secrets->pdata[i]), NULL, NULL, NULL));
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_cmpuint(number_of(&KUBE_POD), ==, 2);
}

static void a_target_that_took_over_unnoticed_is_not_backed_out_of(void)
{
    g_auto(World) world = world_new(ONE_VM);

    for (guint i = 0; i < MOST_PASSES && strcmp(vm_status_phase(vm_at(&world, 0)), "CreateVM"); i++) {
        pass_over(&world, world.status);
        act(&world, world.status);
        fake_tick();
    }
    for (guint i = 0; i < 4; i++) { /* it takes over, and no status of that is written */
        fake_tick();
        act(&world, world.status);
        kill_controller(&world);
    }
    g_ptr_array_set_size(world.migrations, 0); /* and is cancelled */
    run(&world);
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_OFF);
    g_assert_cmpuint(number_of(&KUBE_VIRTUAL_MACHINE_INSTANCE), ==, 1);
}

static void a_copy_without_a_byte_is_said_to_be_stalled(void)
{
    g_auto(World) world = world_new(ONE_VM);
    json_t *step, *task;

    fake_scale(&(FakeScale){.copy_ms = 600000});
    run_to_copy(&world);
    for (guint i = 0; i < 8; i++) {
        act(&world, world.status);
        pass_over(&world, world.status);
        fake_tick();
    }
    step = vm_status_step(vm_at(&world, 0), "DiskTransfer");
    task = json_array_get(json_object_get(step, "tasks"), 0);
    g_assert_cmpstr(item_annotation(task, "bytesPerSecond"), ==, "1000");
    g_assert_nonnull(item_annotation(task, "landedAt"));
    item_annotate(task, "landedAt", "2026-01-01T00:00:00Z");
    kill_controller(&world); /* so that the status with another time is what is gone on from */
    act(&world, world.status);
    pass_over(&world, world.status);
    step = vm_status_step(vm_at(&world, 0), "DiskTransfer");
    task = json_array_get(json_object_get(step, "tasks"), 0);
    g_assert_nonnull(strstr(json_string_at(task, "reason", ""), "Stalled: no byte for"));
    g_assert_nonnull(strstr(json_string_at(step, "reason", ""), "Stalled: no byte for"));
    g_assert_cmpstr(item_annotation(task, "bytesPerSecond"), ==, "0");
    fake_scale(&(FakeScale){0});
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
}

static void a_failed_copy_is_never_complete(void)
{
    g_auto(World) world = world_new(ONE_VM);
    size_t i;
    json_t *step;

    fake_faults.importer_message =
        "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"disk [ds] vm-1/0.vmdk: gone\"}";
    run(&world);
    g_assert_cmpstr(reason_of(&world, 0), !=, "");
    g_assert_null(strstr(reason_of(&world, 0), "disk [ds] vm-1/0.vmdk: disk"));
    json_array_foreach (json_object_get(vm_at(&world, 0), "pipeline"), i, step)
        if (json_at(step, "error"))
            g_assert_cmpint(json_int_at(step, "progress.completed", -1), <,
                            json_int_at(step, "progress.total", -1));
}

static void a_source_that_could_not_be_put_back_is_still_known_to_have_run(void)
{
    g_auto(World) world = world_new(ONE_VM);
    g_autoptr(json_t) spec = json_pack("{s:i}", "controller_retry_timeout", 1);

    settings_release(world.settings);
    world.settings = settings_parse(spec);
    run_to_copy(&world);
    fake_faults.importer_message = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"gone\"}";
    fake_faults.source_is_away = TRUE;
    for (guint i = 0; i < 8; i++) {
        act(&world, world.status);
        fake_tick();
        pass_over(&world, world.status);
    }
    for (guint i = 0; i < 40 && !plan_has(&world, "Failed"); i++) {
        act(&world, world.status);
        pass_over(&world, world.status);
        g_usleep(G_USEC_PER_SEC / 10);
    }
    g_assert_true(plan_has(&world, "Failed"));
    g_assert_cmpint(fake_power("vm-1"), ==, POWER_OFF);
    fake_faults = (FakeFaults){0};
    migrate_again(&world);
    run(&world);
    g_assert_true(plan_has(&world, "Succeeded"));
    g_assert_cmpstr(json_string_at(vm_at(&world, 0), "restorePowerState", ""), ==, "On");
}

int main(int argc, char **argv)
{
    g_setenv("LOG_LEVEL", "0", FALSE);
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/execution/" text, function)
    CASE("two VMs move", two_vms_move);
    CASE("the phases come in the itinerary's order", the_phases_come_in_the_itinerary_s_order);
    CASE("a controller that dies at every pass makes nothing twice",
         a_controller_that_dies_at_every_pass_makes_nothing_twice);
    g_test_add_data_func(
        "/plan/execution/a kill at any phase boundary, before it acts, ends in the same state",
        GINT_TO_POINTER(BEFORE_IT_ACTS), a_kill_at_any_phase_boundary_ends_in_the_same_state);
    g_test_add_data_func(
        "/plan/execution/a kill at any phase boundary, after it acts, ends in the same state",
        GINT_TO_POINTER(AFTER_IT_ACTS), a_kill_at_any_phase_boundary_ends_in_the_same_state);
    CASE("a guest that cannot be converted is not copied", a_guest_that_cannot_be_converted_is_not_copied);
    CASE("a warning of the inspection stays with the VM", a_warning_of_the_inspection_stays_with_the_vm);
    CASE("a guest is converted when it lacks drivers", a_guest_is_converted_when_it_lacks_drivers);
    CASE("a plan may forbid the inspection", a_plan_may_forbid_the_inspection);
    CASE("a raw copy skips conversion", a_raw_copy_skips_conversion);
    CASE("a VM that was off stays off", a_vm_that_was_off_stays_off);
    CASE("a fatal copy fails the VM and powers the source on again",
         a_fatal_copy_fails_the_vm_and_powers_the_source_on_again);
    CASE("a copy that keeps dying is given up after its retries",
         a_copy_that_keeps_dying_is_given_up_after_its_retries);
    CASE("a new migration takes up only what is not done", a_new_migration_takes_up_only_what_is_not_done);
    CASE("a target that does not start is stopped before the source runs again",
         a_target_that_does_not_start_is_stopped_before_the_source_runs_again);
    CASE("a guest without tools keeps running and the remedy is named",
         a_guest_without_tools_keeps_running_and_the_remedy_is_named);
    CASE("a stuck guest is cut only when that is allowed", a_stuck_guest_is_cut_only_when_that_is_allowed);
    CASE("a suspended VM is refused", a_suspended_vm_is_refused);
    CASE("a deleted migration cancels and puts everything back",
         a_deleted_migration_cancels_and_puts_everything_back);
    CASE("one VM is cancelled by name and the other goes on",
         one_vm_is_cancelled_by_name_and_the_other_goes_on);
    CASE("a source that is away for a while is borne", a_source_that_is_away_for_a_while_is_borne);
    CASE("a full host makes a VM wait and say why", a_full_host_makes_a_vm_wait_and_say_why);
    CASE("a hook runs as a Job beside the plan", a_hook_runs_as_a_job_beside_the_plan);
    CASE("a source that is started meanwhile gets no second copy",
         a_source_that_is_started_meanwhile_gets_no_second_copy);
    CASE("a hook without its account fails before anything is shut down",
         a_hook_without_its_account_fails_before_anything_is_shut_down);
    CASE("an archive leaves only what has taken over", an_archive_leaves_only_what_has_taken_over);
    CASE("an archive of a failed run takes its disks", an_archive_of_a_failed_run_takes_its_disks);
    CASE("a warm plan that is deleted at any time leaves no snapshot",
         a_warm_plan_that_is_deleted_at_any_time_leaves_no_snapshot);
    CASE("a running VM is precopied until its cutover", a_running_vm_is_precopied_until_its_cutover);
    CASE("a disk whose changes are not tracked fails the VM",
         a_disk_whose_changes_are_not_tracked_fails_the_vm);
    CASE("each round reads what has changed since the last",
         each_round_reads_what_has_changed_since_the_last);
    CASE("a snapshot's disks are asked for once a pass", a_snapshot_s_disks_are_asked_for_once_a_pass);
    CASE("a precopy that fails is made again", a_precopy_that_fails_is_made_again);
    CASE("how long a cutover would take is said while it waits",
         how_long_a_cutover_would_take_is_said_while_it_waits);
    CASE("a round whose snapshot somebody removed ends with its copier's first failure",
         a_round_whose_snapshot_somebody_removed_ends_with_its_copier_s_first_failure);
    CASE("a cutover's snapshot that somebody removes is taken again",
         a_cutover_s_snapshot_that_somebody_removes_is_taken_again);
    CASE("a warm VM survives a controller that dies at every pass",
         a_warm_vm_survives_a_controller_that_dies_at_every_pass);
    CASE("a failed cutover powers the source on and leaves no snapshot",
         a_failed_cutover_powers_the_source_on_and_leaves_no_snapshot);
    CASE("the last snapshot's consolidation is no downtime",
         the_last_snapshot_s_consolidation_is_no_downtime);
    CASE("a new migration asks for the changes since the failed one's last pass",
         a_new_migration_asks_for_the_changes_since_the_failed_one_s_last_pass);
    CASE("a cutover that fails anywhere is backed out of", a_cutover_that_fails_anywhere_is_backed_out_of);
    CASE("lost changes mean a whole disk", lost_changes_mean_a_whole_disk);
    CASE("a failed VM keeps its disks unless it is to be deleted",
         a_failed_vm_keeps_its_disks_unless_it_is_to_be_deleted);
    CASE("a plan that is deleted at any time is backed out of",
         a_plan_that_is_deleted_at_any_time_is_backed_out_of);
    CASE("what another made under this plan stays", what_another_made_under_this_plan_stays);
    CASE("an importer whose secret is gone makes room", an_importer_whose_secret_is_gone_makes_room);
    CASE("a target that took over unnoticed is not backed out of",
         a_target_that_took_over_unnoticed_is_not_backed_out_of);
    CASE("a copy without a byte is said to be stalled", a_copy_without_a_byte_is_said_to_be_stalled);
    CASE("a failed copy is never complete", a_failed_copy_is_never_complete);
    CASE("a source that could not be put back is still known to have run",
         a_source_that_could_not_be_put_back_is_still_known_to_have_run);
    return g_test_run();
}
