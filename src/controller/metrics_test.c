/* metrics: a plan's state as text. */
#include "controller/metrics.h"
#include <string.h>

static GPtrArray *one(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);

    g_assert_nonnull(json);
    g_ptr_array_add(list, object_new_take(json));
    return list;
}

static const char plan[] =
    "{\"metadata\":{\"uid\":\"u\",\"name\":\"p\",\"namespace\":\"n\"},\"spec\":{\"provider\":{\"source\":{\"name\":\"v\\\"c\"},"
    "\"destination\":{\"name\":"
    "\"host\"}},\"vms\":[{},{}]},\"status\":{\"conditions\":[{\"type\":\"Executing\",\"status\":\"True\"}],"
    "\"migration\":{\"started\":"
    "\"2026-01-01T00:00:00Z\",\"vms\":[{\"id\":\"vm-1\",\"started\":\"2026-01-01T00:00:00Z\",\"pipeline\":[{"
    "\"name\":\"DiskTransfer\",\"annotations\":{\"secondsLeft\":\"7\"},"
    "\"tasks\":[{\"annotations\":{\"bytes\":\"1000\",\"bytesTotal\":\"4096\",\"bytesPerSecond\":\"10\"}},{\"annotations\":{\"bytes\":"
    "\"24\"}}]}]},"
    "{\"id\":\"vm-2\",\"conditions\":[{\"type\":\"Pending\",\"status\":\"True\"}]}]}}}";

static void expect(const char *text, const char *line)
{
    if (!strstr(text, line))
        g_error("no line '%s' in:\n%s", line, text);
}

static void a_running_plan_shows_in_both_generations_of_names(void)
{
    g_autoptr(GPtrArray) plans = one(plan);
    g_autoptr(GPtrArray) migrations =
        one("{\"metadata\":{\"namespace\":\"n\"},\"spec\":{\"plan\":{\"name\":\"p\"}},\"status\":{\"conditions\":[{\"type\":"
            "\"Running\",\"status\":\"True\"}]}}");
    g_autofree char *text = metrics_text(plans, migrations);

    expect(text, "# TYPE mtv_workload_plans gauge\nmtv_workload_plans{status=\"Executing\"} 1\n");
    expect(text, "mtv_workload_migrations{status=\"Executing\"} 1\n");
    expect(text,
           "mtv_plans_status{status=\"Executing\",provider=\"v\\\"c\",mode=\"Cold\",target=\"Local\"} 1\n");
    expect(text, "mtv_planned_vms_total{provider=\"v\\\"c\",mode=\"Cold\",target=\"Local\"} 2\n");
    expect(text, "mtv_migrations_status_total{status=\"Running\",provider=\"v\\\"c\",mode=\"Cold\",target=\"Local\"} 1\n");
    expect(text, "gantry_vm_copied_bytes{plan=\"u\",plan_name=\"p\",vm=\"vm-1\"} 1024\n");
    expect(text, "gantry_vm_copy_bytes_per_second{plan=\"u\",plan_name=\"p\",vm=\"vm-1\"} 10\n");
    expect(text, "gantry_vm_owed_bytes{plan=\"u\",plan_name=\"p\",vm=\"vm-1\"} 3072\n");
    expect(text, "gantry_vm_copy_seconds_left{plan=\"u\",plan_name=\"p\",vm=\"vm-1\"} 7\n");
    expect(text, "gantry_vms_queued{plan=\"u\",plan_name=\"p\"} 1\n");
    g_assert_null(strstr(text, "mtv_migration_duration_seconds{"));
}

static void durations_are_a_histogram_in_order(void)
{
    g_autoptr(GPtrArray) plans = one(plan);
    g_autoptr(GPtrArray) migrations =
        one("{\"metadata\":{\"namespace\":\"n\"},\"spec\":{\"plan\":{\"name\":\"p\"}},\"status\":{\"started\":"
            "\"2026-01-01T00:00:00Z\",\"completed\":\"2026-01-01T03:00:00Z\"}}");
    g_autofree char *text = metrics_text(plans, migrations);
    const char *two, *five;

    expect(text, "# TYPE mtv_migrations_duration_seconds histogram\nmtv_migrations_duration_seconds_bucket{");
    expect(text, "target=\"Local\",le=\"3600\"} 0\n");
    expect(text, "target=\"Local\",le=\"18000\"} 1\n");
    expect(text, "target=\"Local\",le=\"+Inf\"} 1\n");
    expect(text, "mtv_migrations_duration_seconds_sum{provider=\"v\\\"c\",mode=\"Cold\",target=\"Local\"} 10800\n");
    two = strstr(text, "le=\"7200\"");
    five = strstr(text, "le=\"18000\"");
    g_assert_true(two && five && two < five);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/controller/metrics/a running plan shows in both generations of names",
                    a_running_plan_shows_in_both_generations_of_names);
    g_test_add_func("/controller/metrics/durations are a histogram in order", durations_are_a_histogram_in_order);
    return g_test_run();
}
