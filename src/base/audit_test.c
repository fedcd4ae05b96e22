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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/audit/records are read, sorted and printed",
                    test_records_are_read_sorted_and_printed);
    return g_test_run();
}
