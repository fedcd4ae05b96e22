/* forecast: medians of what was, and the schedule played through. */
#include "plan/forecast.h"
#include "base/clock.h"
#include "plan/vm_status.h"
#include <stdlib.h>

#define MEGABYTE 1048576.0

static double seconds_of_step(const json_t *step)
{
    gint64 from = clock_parse(json_string_at(step, "started", NULL));
    gint64 to = clock_parse(json_string_at(step, "completed", NULL));

    /* times are whole seconds: what begins and ends in one took about half of it */
    return from < 0 || to < from ? -1 : to == from ? 0.5 : (double)(to - from) / G_USEC_PER_SEC;
}

static gint compare(gconstpointer a, gconstpointer b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(GArray *values)
{
    g_array_sort(values, compare);
    return values->len ? g_array_index(values, double, values->len / 2) : 0;
}

static void measure_vm(const json_t *vm, GArray *rates, GArray *others)
{
    const json_t *copy = vm_status_step(vm, "DiskTransfer"), *task;
    double copying = seconds_of_step(copy), whole = seconds_of_step(vm), megabytes = 0, rate, other;
    size_t i;

    json_array_foreach (json_at(copy, "tasks"), i, task)
        megabytes += (double)json_int_at(task, "progress.total", 0);
    if (!vm_status_has(vm, "Succeeded") || copying < 0 || whole < copying || megabytes < 1)
        return;
    rate = megabytes * MEGABYTE / copying;
    other = whole - copying;
    g_array_append_val(rates, rate);
    g_array_append_val(others, other);
}

ForecastSpeed forecast_measure(const json_t *plans)
{
    g_autoptr(GArray) rates = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(double));
    const json_t *plan, *vm;
    size_t i, k;

    json_array_foreach (plans, i, plan)
        json_array_foreach (json_at(plan, "status.migration.vms"), k, vm)
            measure_vm(vm, rates, others);
    return (ForecastSpeed){median(rates), median(others), rates->len};
}

static int larger_first(const void *a, const void *b)
{
    guint64 left = ((const ForecastVm *)a)->bytes, right = ((const ForecastVm *)b)->bytes;
    return left > right ? -1 : left < right;
}

/* When each of a host's places is free again, in seconds from the start. */
static double *places_of(GHashTable *hosts, const char *host, guint per_host)
{
    double *places = g_hash_table_lookup(hosts, host ? host : "");

    if (!places) {
        places = g_new0(double, per_host);
        g_hash_table_insert(hosts, (gpointer)(host ? host : ""), places);
    }
    return places;
}

double forecast_plan(ForecastVm *vms, guint count, guint per_host, const ForecastSpeed *speed)
{
    g_autoptr(GHashTable) hosts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    double all = 0;

    if (count)
        qsort(vms, count, sizeof *vms, larger_first);
    for (guint i = 0; i < count; i++) {
        double *places = places_of(hosts, vms[i].host, per_host);
        guint first = 0;
        for (guint k = 1; k < per_host; k++)
            if (places[k] < places[first])
                first = k;
        places[first] +=
            (speed->bytes_per_s > 0 ? (double)vms[i].bytes / speed->bytes_per_s : 0) + speed->seconds;
        vms[i].seconds = places[first];
        all = MAX(all, places[first]);
    }
    return all;
}
