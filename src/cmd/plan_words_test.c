/* plan_words_test: what is said of a VM whose precopies were given up, and of where it stands. */
#include "cmd/plan_words.h"
#include "plan/warm.h"
#include <string.h>

static void copy(json_t *vm, guint rounds)
{
    g_autoptr(json_t) step = json_object();

    for (guint i = 0; i < rounds; i++) {
        warm_begin(vm);
        warm_succeed(vm, step);
    }
}

static void give_up(json_t *vm, const char *why)
{
    g_autoptr(GError) error = g_error_new_literal(GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, why);

    warm_begin(vm);
    warm_fail(vm, error);
}

/* Line i begins with this and ends with that. */
static void assert_line(const json_t *vm, guint i, const char *start, const char *end)
{
    g_autoptr(GPtrArray) lines = vm_failed_precopies(vm);

    g_assert_cmpuint(i, <, lines->len);
    g_assert_true(g_str_has_prefix(lines->pdata[i], start));
    g_assert_true(g_str_has_suffix(lines->pdata[i], end));
}

static guint lines_of(const json_t *vm)
{
    g_autoptr(GPtrArray) lines = vm_failed_precopies(vm);
    return lines->len;
}

static void each_precopy_that_was_given_up_is_told_with_its_number(void)
{
    g_autoptr(json_t) vm = json_pack("{s:s}", "id", "vm-1");

    g_assert_cmpuint(lines_of(vm), ==, 0);
    copy(vm, 2);
    g_assert_cmpuint(lines_of(vm), ==, 0);
    give_up(vm, "its snapshot is gone");
    give_up(vm, "the host is away");
    g_assert_cmpuint(lines_of(vm), ==, 2);
    assert_line(vm, 0, "Precopy 3 was given up at 2", "Z: its snapshot is gone");
    assert_line(vm, 1, "Precopy 4 was given up at 2", "Z: the host is away");
    warm_begin(vm); /* one that runs */
    g_assert_cmpuint(lines_of(vm), <=, 2);
}

static void one_that_was_copied_ends_the_story(void)
{
    g_autoptr(json_t) vm = json_pack("{s:s}", "id", "vm-1");

    give_up(vm, "its snapshot is gone");
    copy(vm, 1);
    g_assert_cmpuint(lines_of(vm), ==, 0);
    give_up(vm, "again");
    g_assert_cmpuint(lines_of(vm), ==, 1);
    assert_line(vm, 0, "Precopy 3 ", ": again");
}

static void numbers_count_those_that_the_status_leaves_out(void)
{
    enum { ROUNDS = 100 };
    g_autoptr(json_t) vm = json_pack("{s:s}", "id", "vm-1");

    copy(vm, ROUNDS);
    give_up(vm, "x");
    assert_line(vm, 0, "Precopy 101 ", ": x");
    for (guint i = 1; i < ROUNDS; i++)
        give_up(vm, "y");
    g_assert_cmpuint(lines_of(vm), <=, WARM_LAST);
    assert_line(vm, lines_of(vm) - 1, "Precopy 200 ", ": y");
}

static void the_step_that_is_worked_on_is_the_last_that_began(void)
{
    static const struct {
        const char *pipeline, *step;
    } rows[] = {
        {"[]", NULL},
        {"[{'name':'Initialize'}]", NULL},
        {"[{'name':'Initialize','started':'2026-11-23T08:00:00Z'},{'name':'DiskTransfer'}]", "Initialize"},
        {"[{'name':'Initialize','started':'2026-11-23T08:00:00Z'},{'name':'DiskTransfer','error':{'reasons':["
         "'x']}},{'name':'VirtualMachineCreation'}]",
         "DiskTransfer"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdelimit(g_strdup_printf("{'pipeline':%s}", rows[i].pipeline), "'", '"');
        g_autoptr(json_t) vm = json_loads(text, 0, NULL);
        g_assert_cmpstr(json_string_at(vm_current_step(vm), "name", NULL), ==, rows[i].step);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cmd/plan_words/each precopy that was given up is told with its number",
                    each_precopy_that_was_given_up_is_told_with_its_number);
    g_test_add_func("/cmd/plan_words/one that was copied ends the story", one_that_was_copied_ends_the_story);
    g_test_add_func("/cmd/plan_words/numbers count those that the status leaves out",
                    numbers_count_those_that_the_status_leaves_out);
    g_test_add_func("/cmd/plan_words/the step that is worked on is the last that began",
                    the_step_that_is_worked_on_is_the_last_that_began);
    return g_test_run();
}
