/* conditions: what stays, what goes, and when the time moves. */
#include "crd/conditions.h"

static json_t *one(const char *type, const char *message, gboolean durable)
{
    json_t *array = json_pack("[{s:s, s:s, s:s, s:s, s:s}]", "type", type, "status", "True", "category",
                              "Advisory", "message", message, "lastTransitionTime", "2001-01-01T00:00:00Z");
    if (durable)
        json_object_set_new(json_array_get(array, 0), "durable", json_true());
    return array;
}

static void what_was_not_said_again_is_removed(void)
{
    g_autoptr(json_t) found = one("Old", "m", FALSE);
    g_autoptr(Conditions) c = conditions_begin(found);
    g_autoptr(json_t) end = conditions_end(c);
    g_assert_false(conditions_has(c, "Old"));
    g_assert_cmpuint(json_array_size(end), ==, 0);
}

static void a_durable_one_stays_until_removed(void)
{
    g_autoptr(json_t) found = one("Executing", "m", TRUE);
    g_autoptr(Conditions) c = conditions_begin(found);
    g_autoptr(json_t) end = conditions_end(c);
    g_assert_true(conditions_has(c, "Executing"));
    g_assert_cmpuint(json_array_size(end), ==, 1);
    conditions_remove(c, "Executing");
    g_assert_false(conditions_has(c, "Executing"));
}

static void the_time_moves_only_with_a_change(void)
{
    g_autoptr(json_t) found = one("Ready", "m", FALSE);
    g_autoptr(Conditions) same = conditions_begin(found), other = conditions_begin(found);
    conditions_set(same, "Ready", CONDITION_ADVISORY, NULL, "m");
    conditions_set(other, "Ready", CONDITION_ADVISORY, NULL, "changed");
    g_autoptr(json_t) kept = conditions_end(same), moved = conditions_end(other);
    g_assert_cmpstr(json_string_at(json_array_get(kept, 0), "lastTransitionTime", ""), ==,
                    "2001-01-01T00:00:00Z");
    g_assert_cmpstr(json_string_at(json_array_get(moved, 0), "lastTransitionTime", ""), !=,
                    "2001-01-01T00:00:00Z");
}

static void offenders_are_items_of_one_condition(void)
{
    g_autoptr(Conditions) c = conditions_begin(NULL);
    g_assert_false(conditions_blocked(c));
    conditions_add_item(c, "VMNotFound", CONDITION_CRITICAL, "NotFound", "VM not found.", "id:vm-1");
    conditions_add_item(c, "VMNotFound", CONDITION_CRITICAL, "NotFound", "VM not found.", "id:vm-2");
    g_assert_true(conditions_blocked(c));
    g_autoptr(json_t) end = conditions_end(c);
    g_assert_cmpuint(json_array_size(json_at(json_array_get(end, 0), "items")), ==, 2);

    g_autoptr(Conditions) next = conditions_begin(end);
    conditions_add_item(next, "VMNotFound", CONDITION_CRITICAL, "NotFound", "VM not found.", "id:vm-2");
    g_autoptr(json_t) fewer = conditions_end(next);
    g_assert_cmpuint(json_array_size(json_at(json_array_get(fewer, 0), "items")), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/crd/conditions/what was not said again is removed", what_was_not_said_again_is_removed);
    g_test_add_func("/crd/conditions/a durable one stays until removed", a_durable_one_stays_until_removed);
    g_test_add_func("/crd/conditions/the time moves only with a change", the_time_moves_only_with_a_change);
    g_test_add_func("/crd/conditions/offenders are items of one condition",
                    offenders_are_items_of_one_condition);
    return g_test_run();
}
