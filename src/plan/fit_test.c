/* fit: a plan of a thousand VMs at each stage, and that nothing which matters is left out. */
#include "plan/fit.h"
#include "plan/vm_status.h"
#include <string.h>

enum { VMS = 1000, DISKS = 2 };
enum { ETCD_BYTES = 3 << 19 };

typedef enum { QUEUED, RUNNING, ENDED } Stage;

static char *disk_name(guint vm, guint disk)
{
    return g_strdup_printf("[production-datastore-07] web-frontend-%04u/web-frontend-%04u_%u.vmdk", vm, vm,
                           disk);
}

static void add_disk(json_t *step, guint vm, guint disk, Stage stage)
{
    static const char *const numbers[] = {"bytesTotal", "bytes", "bytesRead", "bytesReadTwice",
                                          "resumedFrom"};
    g_autofree char *name = disk_name(vm, disk);
    json_t *task = item_add_task(step, name, 102400, "MB");

    if (stage == QUEUED)
        return;
    item_begin(task);
    item_annotate(task, "reader", "https");
    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
        item_annotate(task, numbers[i], "107374182400");
    if (stage != ENDED)
        return;
    item_annotate(task, "hash", "xxh3-128:0123456789abcdef0123456789abcdef");
    item_annotate(task, "readBack", "equal");
    item_end(task);
}

static void add_marks(json_t *vm)
{
    static const char *const marks[] = {"shutdown-asking", "shutdown-asked", "seen-off", "target-created",
                                        "taken-over"};

    for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
        vm_status_set_mark(vm, marks[i], "2026-01-01T00:00:00Z");
    vm_status_set_mark(vm, "shutdown-asker", "00000000-0000-0000-0000-000000000000");
}

/* As queue.c and vm_progress.c leave it. */
static json_t *vm_new_at(guint number, Stage stage)
{
    static const char *const steps[][2] = {{"Initialize", "Initialize migration."},
                                           {"DiskTransfer", "Transfer disks."},
                                           {"ImageConversion", "Convert image to kubevirt."},
                                           {"VirtualMachineCreation", "Create VM."}};
    g_autofree char *id = g_strdup_printf("vm-%u", 10000 + number);
    g_autofree char *name = g_strdup_printf("Web_Frontend_%04u.example.com", number);
    json_t *vm = vm_status_new(NULL, id, name);

    json_object_set_new(vm, "newName", json_sprintf("web-frontend-%04uexamplecom-vm-1", number));
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        json_t *step = vm_status_add_step(vm, steps[i][0], steps[i][1], 1, i == 1 ? "MB" : NULL);
        for (guint d = 0; i == 1 && d < DISKS; d++)
            add_disk(step, number, d, stage);
        if (i == 1)
            item_sum_tasks(step);
        if (stage == ENDED)
            item_end(step);
    }
    if (stage == QUEUED) {
        vm_status_set_condition(vm, "Pending", "Advisory", "Queued",
                                "Place 312 in the queue of its host. 20 of 20 disks are read from host "
                                "esxi-07.datacenter.example.com (controller_max_vm_inflight).",
                                FALSE);
        return vm;
    }
    json_object_set_new(vm, "started", json_string("2026-01-01T00:00:00Z"));
    json_object_set_new(vm, "restorePowerState", json_string("On"));
    add_marks(vm);
    if (stage == ENDED) {
        json_object_set_new(vm, "completed", json_string("2026-01-01T00:00:00Z"));
        json_object_set_new(vm, "phase", json_string(PHASE_COMPLETED));
        vm_status_set_condition(vm, "Succeeded", "Advisory", NULL, "The VM migration has SUCCEEDED.", TRUE);
    }
    return vm;
}

static Object *plan_new(void)
{
    json_t *vms = json_array();

    for (guint i = 0; i < VMS; i++)
        json_array_append_new(vms, json_pack("{s:o}", "id", json_sprintf("vm-%u", 10000 + i)));
    return object_new_take(json_pack("{s:{s:s}, s:{s:s, s:o}}", "metadata", "name", "all", "spec",
                                     "targetNamespace", "t", "vms", vms));
}

static json_t *status_of(guint queued, guint running, guint ended)
{
    json_t *vms = json_array();

    for (guint i = 0; i < queued + running + ended; i++)
        json_array_append_new(vms, vm_new_at(i, i < queued             ? QUEUED
                                                : i < queued + running ? RUNNING
                                                                       : ENDED));
    return json_pack("{s:{s:o}}", "migration", "vms", vms);
}

static gsize bytes_of(const json_t *json)
{
    return json_dumpb(json, NULL, 0, JSON_COMPACT);
}

static json_t *vm_of(const json_t *status, guint index)
{
    return json_array_get(json_object_get(json_object_get(status, "migration"), "vms"), index);
}

static const struct {
    const char *what;
    guint queued, running, ended;
} stages[] = {
    {"at its begin", VMS, 0, 0},
    {"with 400 VMs under way", VMS - 400, 400, 0},
    {"half done", 300, 400, 300},
    {"at its end", 0, 0, VMS},
};

static void a_thousand_vms_fit(gconstpointer data)
{
    guint n = GPOINTER_TO_UINT(data);
    g_autoptr(Object) plan = plan_new();
    g_autoptr(json_t) status = status_of(stages[n].queued, stages[n].running, stages[n].ended), whole = NULL;
    gsize before = bytes_of(status);

    fit_status(status, fit_room(plan));
    whole = json_copy((json_t *)object_json(plan));
    json_object_set(whole, "status", status);
    g_test_message("%s: %zu bytes of status, %zu of the whole object when shortened", stages[n].what, before,
                   bytes_of(whole));
    g_assert_cmpuint(bytes_of(whole), <=, FIT_OBJECT_BYTES);
    g_assert_cmpuint(bytes_of(whole), <, ETCD_BYTES);
}

static void what_fits_is_left_as_it_is(void)
{
    g_autoptr(Object) plan = plan_new();
    g_autoptr(json_t) status = status_of(50, 50, 50), copy = json_deep_copy(status);

    fit_status(status, fit_room(plan));
    g_assert_true(json_equal(status, copy));
}

static void what_was_proved_of_a_disk_stays(void)
{
    g_autoptr(json_t) status = status_of(0, 0, 1);
    g_autofree char *name = disk_name(0, 1);
    json_t *vm = vm_of(status, 0), *step = vm_status_step(vm, "DiskTransfer"), *task;

    fit_status(status, 0);
    task = item_task(step, name);
    g_assert_cmpstr(item_annotation(task, "hash"), ==, "xxh3-128:0123456789abcdef0123456789abcdef");
    g_assert_cmpstr(item_annotation(task, "readBack"), ==, "equal");
    g_assert_cmpstr(item_annotation(task, "bytes"), ==, "107374182400");
    g_assert_cmpstr(item_annotation(step, "unit"), ==, "MB");
    g_assert_cmpstr(json_string_at(task, "phase", ""), ==, "Completed");
    g_assert_cmpint(json_int_at(step, "progress.total", 0), ==, DISKS * 102400);
    g_assert_true(vm_status_has(vm, "Succeeded"));
    g_assert_nonnull(vm_status_mark(vm, "taken-over"));
    g_assert_true(vm_status_completed(vm));
}

static void a_vm_under_way_loses_descriptions_only(void)
{
    g_autoptr(json_t) status = status_of(0, 1, 0), copy = json_deep_copy(status);
    size_t i;
    json_t *step;

    fit_status(status, 0);
    json_array_foreach (json_object_get(vm_of(copy, 0), "pipeline"), i, step)
        g_assert_cmpint(json_object_del(step, "description"), ==, 0);
    g_assert_true(json_equal(status, copy));
}

static void a_vm_that_waits_still_says_how_much_it_has(void)
{
    g_autoptr(json_t) status = status_of(1, 0, 0);
    json_t *step = vm_status_step(vm_of(status, 0), "DiskTransfer");

    fit_status(status, 0);
    g_assert_null(json_object_get(step, "tasks"));
    g_assert_cmpint(json_int_at(step, "progress.total", 0), ==, DISKS * 102400);
    g_assert_true(vm_status_has(vm_of(status, 0), "Pending"));
}

static void the_least_is_enough(void)
{
    g_autoptr(json_t) status = status_of(0, 0, 1), spec = json_pack("{s:s}", "id", "vm-10000");
    g_autoptr(Vm) vm = vm_new();

    vm->id = g_strdup("vm-10000");
    vm->name = g_strdup(vm_status_name(vm_of(status, 0)));
    for (guint i = 0; i < DISKS; i++)
        vm_add_disk(vm)->name = disk_name(0, i);
    fit_status(status, 0);
    g_assert_cmpuint(bytes_of(vm_of(status, 0)), <=, fit_least(spec, vm));
    g_assert_cmpuint(bytes_of(vm_of(status, 0)) * 5 / 4, >, fit_least(spec, vm));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(stages); i++) {
        g_autofree char *path = g_strdup_printf("/plan/fit/a thousand VMs fit %s", stages[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), a_thousand_vms_fit);
    }
    g_test_add_func("/plan/fit/what fits is left as it is", what_fits_is_left_as_it_is);
    g_test_add_func("/plan/fit/what was proved of a disk stays", what_was_proved_of_a_disk_stays);
    g_test_add_func("/plan/fit/a VM under way loses descriptions only",
                    a_vm_under_way_loses_descriptions_only);
    g_test_add_func("/plan/fit/a VM that waits still says how much it has",
                    a_vm_that_waits_still_says_how_much_it_has);
    g_test_add_func("/plan/fit/the least is enough", the_least_is_enough);
    return g_test_run();
}
