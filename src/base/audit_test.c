/* audit: records of ConfigMaps, in the order in which things were done. */
#include "base/audit.h"
#include <string.h>

static void test_records_are_read_sorted_and_printed(void)
{
    g_autoptr(json_t) map =
        json_pack("{s:{s:s, s:s, s:s, s:s, s:i}}", "data", "b",
                  "{\"at\":\"2026-11-23T03:00:01.000000Z\",\"change\":\"powered on\"}", "a",
                  "{\"at\":\"2026-11-23T03:00:00.500000Z\",\"change\":\"powered off\"}", "broken",
                  "{\"at\":", "other", "{\"kind\":\"something else\"}", "number", 7);
    g_autoptr(json_t) records = json_array(), sorted = NULL;
    g_autofree char *lines = NULL;

    audit_append(records, map);
    audit_append(records, NULL);
    sorted = audit_sorted(records);
    lines = audit_lines(sorted);
    g_assert_cmpuint(json_array_size(sorted), ==, 2);
    g_assert_cmpstr(lines, ==,
                    "{\"at\":\"2026-11-23T03:00:00.500000Z\",\"change\":\"powered off\"}\n"
                    "{\"at\":\"2026-11-23T03:00:01.000000Z\",\"change\":\"powered on\"}\n");
}

/* A journal as changes to it make it. */
static json_t *journal_with(guint rounds)
{
    json_t *map = json_pack("{s:{}}", "data");

    for (guint round = 0; round <= rounds; round++) {
        g_autofree char *key = g_strdup_printf("key-%u", round);
        g_autofree char *at = g_strdup_printf("2026-11-23T%02u:%02u:00.000000Z", round / 60, round % 60);
        g_autofree char *padding = g_strnfill(1000, 'x');
        g_autoptr(json_t) record = json_pack("{s:s, s:s, s:s, s:s}", "at", at, "change", "disk opened",
                                             "plan", "openshift-mtv/p", "by", padding);
        g_autoptr(json_t) changed = NULL;
        if (round)
            json_object_set_new(record, "round", json_integer(round));
        changed = audit_change(map, key, record);
        json_object_update(json_object_get(map, "data"), changed);
        for (guint i = 0; i < round; i++) {
            g_autofree char *old = g_strdup_printf("key-%u", i);
            if (json_is_null(json_object_get(changed, old)))
                json_object_del(json_object_get(map, "data"), old);
        }
    }
    return map;
}

static json_t *records_of(const json_t *map)
{
    g_autoptr(json_t) records = json_array();

    audit_append(records, map);
    return audit_sorted(records);
}

static void test_a_change_that_has_room_is_all_that_is_changed(void)
{
    g_autoptr(json_t) map = journal_with(3), record = json_pack("{s:s, s:s}", "at", "2026", "change", "x");
    g_autoptr(json_t) changed = audit_change(map, "key-1", record), new = audit_change(NULL, "k", record);
    g_autoptr(json_t) records = records_of(map);

    g_assert_cmpuint(json_array_size(records), ==, 4);
    g_assert_cmpuint(json_object_size(changed), ==, 1);
    g_assert_cmpstr(json_string_at(changed, "key-1", ""), ==, "{\"at\":\"2026\",\"change\":\"x\"}");
    g_assert_cmpuint(json_object_size(new), ==, 1);
}

/* What is no repeat and the newest rounds stay; all others are counted. */
static void test_the_oldest_repeats_make_room_and_are_counted(void)
{
    const guint rounds = 1000;
    g_autoptr(json_t) map = journal_with(rounds), records = records_of(map);
    const json_t *left_out = json_array_get(records, 2);
    gsize size = json_array_size(records);
    const char *key;
    json_t *value;
    gsize bytes = 0;

    json_object_foreach (json_object_get(map, "data"), key, value)
        bytes += strlen(key) + json_string_length(value);
    g_assert_cmpuint(bytes, <=, AUDIT_MOST_BYTES);
    g_assert_cmpuint(bytes, >, AUDIT_MOST_BYTES / 2);
    g_assert_cmpint(json_int_at(json_array_get(records, 0), "round", 0), ==, 0);
    g_assert_cmpint(json_int_at(json_array_get(records, 1), "round", 0), ==, 1);
    g_assert_cmpstr(json_string_at(left_out, "change", ""), ==, AUDIT_LEFT_OUT);
    g_assert_cmpint(json_int_at(left_out, "count", 0) + size - 1, ==, rounds + 1);
    g_assert_cmpstr(json_string_at(left_out, "since", ""), ==, "2026-11-23T00:02:00.000000Z");
    g_assert_true(
        g_str_has_suffix(json_string_at(left_out, "detail", ""), " since 2026-11-23T00:02:00.000000Z"));
    g_assert_cmpstr(json_string_at(left_out, "plan", ""), ==, "openshift-mtv/p");
    g_assert_null(json_object_get(left_out, "by"));
    g_assert_cmpint(json_int_at(json_array_get(records, 3), "round", 0), ==, rounds + 4 - size);
    g_assert_cmpint(json_int_at(json_array_get(records, size - 1), "round", 0), ==, rounds);
}

/* A journal that has nothing but what stays otherwise is bounded too. */
static void test_without_repeats_the_oldest_make_room(void)
{
    g_autoptr(json_t) map = json_pack("{s:{}}", "data"), changed = NULL;
    g_autoptr(json_t) record = json_pack("{s:s, s:s}", "at", "2026-11-24T00:00:00Z", "change", "power cut");

    for (guint i = 0; i < 300; i++) {
        g_autofree char *key = g_strdup_printf("key-%u", i), *padding = g_strnfill(1000, 'x');
        g_autofree char *text = g_strdup_printf("{\"at\":\"2026-11-23T00:00:%03uZ\",\"change\":\"power "
                                                "cut\",\"by\":\"%s\"}",
                                                i, padding);
        json_object_set_new(json_object_get(map, "data"), key, json_string(text));
    }
    changed = audit_change(map, "new", record);
    g_assert_true(json_is_null(json_object_get(changed, "key-0")));
    g_assert_null(json_object_get(changed, "key-299"));
    g_assert_cmpuint(json_object_size(changed), <, 200);
    g_assert_nonnull(json_string_at(changed, "left-out", NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/audit/records are read, sorted and printed",
                    test_records_are_read_sorted_and_printed);
    g_test_add_func("/base/audit/a change that has room is all that is changed",
                    test_a_change_that_has_room_is_all_that_is_changed);
    g_test_add_func("/base/audit/the oldest repeats make room and are counted",
                    test_the_oldest_repeats_make_room_and_are_counted);
    g_test_add_func("/base/audit/without repeats the oldest make room",
                    test_without_repeats_the_oldest_make_room);
    return g_test_run();
}
