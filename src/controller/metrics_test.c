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
    "{\"metadata\":{\"uid\":\"u\",\"name\":\"p\"},\"spec\":{\"provider\":{\"source\":{\"name\":\"v\\\"c\"},"
    "\"destination\":{\"name\":"
    "\"host\"}},\"vms\":[{},{}]},\"status\":{\"conditions\":[{\"type\":\"Executing\",\"status\":\"True\"}],"
    "\"migration\":{\"started\":"
    "\"2026-01-01T00:00:00Z\",\"vms\":[{\"id\":\"vm-1\",\"started\":\"2026-01-01T00:00:00Z\",\"pipeline\":[{"
    "\"name\":\"DiskTransfer\","
    "\"tasks\":[{\"annotations\":{\"bytes\":\"1000\",\"bytesPerSecond\":\"10\"}},{\"annotations\":{\"bytes\":"
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
        one("{\"status\":{\"conditions\":[{\"type\":\"Running\",\"status\":\"True\"}]}}");
    g_autofree char *text = metrics_text(plans, migrations);

    expect(text, "# TYPE mtv_workload_plans gauge\nmtv_workload_plans{status=\"Executing\"} 1\n");
    expect(text, "mtv_workload_migrations{status=\"Executing\"} 1\n");
    expect(text,
           "mtv_plans_status{status=\"Executing\",provider=\"v\\\"c\",mode=\"Cold\",target=\"Local\"} 1\n");
    expect(text, "mtv_planned_vms_total{provider=\"v\\\"c\",mode=\"Cold\",target=\"Local\"} 2\n");
    expect(text, "mtv_migrations_status_total{status=\"Running\"} 1\n");
    expect(text, "gantry_vm_copied_bytes{plan=\"u\",plan_name=\"p\",vm=\"vm-1\"} 1024\n");
    expect(text, "gantry_vm_copy_bytes_per_second{plan=\"u\",plan_name=\"p\",vm=\"vm-1\"} 10\n");
    expect(text, "gantry_vms_queued{plan=\"u\",plan_name=\"p\"} 1\n");
    g_assert_null(strstr(text, "mtv_migration_duration_seconds{"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/controller/metrics/a running plan shows in both generations of names",
                    a_running_plan_shows_in_both_generations_of_names);
    return g_test_run();
}
