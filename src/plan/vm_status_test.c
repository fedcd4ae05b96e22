/* vm_status: pipelines, errors, marks. */
#include "plan/vm_status.h"

static json_t *sample(void)
{
    g_autoptr(json_t) spec = json_pack("{s:s, s:s}", "id", "vm-1", "targetName", "web");
    json_t *vm = vm_status_new(spec, "vm-1", "Web");
    json_t *step;

    vm_status_add_step(vm, "Initialize", "Initialize migration.", 1, NULL);
    step = vm_status_add_step(vm, "DiskTransfer", "Transfer disks.", 0, "MB");
    item_add_task(step, "[ds] a.vmdk", 10, "MB");
    item_add_task(step, "[ds] b.vmdk", 30, "MB");
    item_sum_tasks(step);
    return vm;
}

static void the_step_sums_its_tasks(void)
{
    g_autoptr(json_t) vm = sample();
    json_t *step = vm_status_step(vm, "DiskTransfer");

    g_assert_cmpint(json_int_at(step, "progress.total", 0), ==, 40);
    item_set_progress(item_task(step, "[ds] b.vmdk"), 12);
    item_sum_tasks(step);
    g_assert_cmpint(json_int_at(step, "progress.completed", 0), ==, 12);
    g_assert_cmpstr(item_annotation(step, "unit"), ==, "MB");
}

static void an_ended_item_is_full_and_says_when(void)
{
    g_autoptr(json_t) vm = sample();
    json_t *task = item_task(vm_status_step(vm, "DiskTransfer"), "[ds] a.vmdk");

    item_set_pending(task, "Waiting");
    item_end(task);
    g_assert_true(item_started(task));
    g_assert_cmpstr(json_string_at(task, "phase", ""), ==, "Completed");
    g_assert_cmpint(json_int_at(task, "progress.completed", 0), ==, 10);
    g_assert_null(json_at(task, "reason"));
}

static void progress_never_passes_its_total(void)
{
    g_autoptr(json_t) vm = sample();
    json_t *task = item_task(vm_status_step(vm, "DiskTransfer"), "[ds] a.vmdk");

    item_set_progress(task, 99);
    g_assert_cmpint(json_int_at(task, "progress.completed", 0), ==, 9); /* all only when it has ended well */
    item_end(task);
    g_assert_cmpint(json_int_at(task, "progress.completed", 0), ==, 10);
}

static void errors_bubble_to_the_vm_once(void)
{
    g_autoptr(json_t) vm = sample();

    status_add_error(item_task(vm_status_step(vm, "DiskTransfer"), "[ds] a.vmdk"), "CopyDisks", "broken");
    status_add_error(item_task(vm_status_step(vm, "DiskTransfer"), "[ds] b.vmdk"), "CopyDisks", "broken");
    g_assert_true(vm_status_bubble_errors(vm));
    g_assert_true(vm_status_bubble_errors(vm));
    g_assert_cmpuint(json_array_size(json_at(vm, "error.reasons")), ==, 1);
    g_assert_cmpstr(json_string_at(vm, "error.phase", ""), ==, "CopyDisks");
}

static void conditions_replace_their_like(void)
{
    g_autoptr(json_t) vm = sample();

    vm_status_set_condition(vm, "Pending", "Advisory", "Queued", "Place 2", FALSE);
    vm_status_set_condition(vm, "Pending", "Advisory", "Queued", "Place 1", FALSE);
    vm_status_set_condition(vm, "Failed", "Advisory", NULL, "The VM migration has FAILED.", TRUE);
    g_assert_cmpuint(json_array_size(json_at(vm, "conditions")), ==, 2);
    g_assert_true(vm_status_has(vm, "Pending"));
    vm_status_remove_condition(vm, "Pending");
    g_assert_false(vm_status_has(vm, "Pending"));
    g_assert_true(vm_status_has(vm, "Failed"));
}

static void a_mark_stays_until_it_is_removed(void)
{
    g_autoptr(json_t) vm = sample();

    g_assert_null(vm_status_mark(vm, "shutdown-asked"));
    vm_status_set_mark(vm, "shutdown-asked", "now");
    g_assert_cmpstr(vm_status_mark(vm, "shutdown-asked"), ==, "now");
    vm_status_set_mark(vm, "shutdown-asked", NULL);
    g_assert_null(vm_status_mark(vm, "shutdown-asked"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/vm_status/" text, function)
    CASE("the step sums its tasks", the_step_sums_its_tasks);
    CASE("an ended item is full and says when", an_ended_item_is_full_and_says_when);
    CASE("progress never passes its total", progress_never_passes_its_total);
    CASE("errors bubble to the VM once", errors_bubble_to_the_vm_once);
    CASE("conditions replace their like", conditions_replace_their_like);
    CASE("a mark stays until it is removed", a_mark_stays_until_it_is_removed);
    return g_test_run();
}
