/* warm_test: what is due when, and what each pass leaves for the next. */
#include "base/clock.h"
#include "plan/vm_status.h"
#include "plan/warm.h"

#define AT(text) clock_parse("2026-11-23T" text "Z")

static void the_vms_own_cutover_comes_first(void)
{
    static const struct {
        const char *spec, *at;
    } rows[] = {
        {"{}", NULL},
        {"{\"cutover\":\"2026-11-23T10:00:00Z\"}", "2026-11-23T10:00:00Z"},
        {"{\"cutover\":\"2021-04-04T01:23:45.678+09:00\"}", "2021-04-03T16:23:45.678Z"},
        {"{\"plan\":{\"cutover\":\"2026-11-23T11:00:00Z\"}}", "2026-11-23T11:00:00Z"},
        {"{\"cutover\":\"2026-11-23T10:00:00Z\",\"vmCutover\":[{\"id\":\"vm-2\",\"cutover\":\"2026-11-23T08:"
         "00:00Z\"},"
         "{\"id\":\"vm-1\",\"cutover\":\"2026-11-23T12:00:00Z\"}]}",
         "2026-11-23T12:00:00Z"},
        {"{\"vmCutover\":[{\"id\":\"vm-2\",\"cutover\":\"2026-11-23T08:00:00Z\"}]}", NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) spec = json_loads(rows[i].spec, 0, NULL);
        g_assert_cmpint(warm_cutover_at(spec, "vm-1"), ==, rows[i].at ? clock_parse(rows[i].at) : -1);
    }
}

static json_t *vm_after(const char *precopies)
{
    g_autofree char *text =
        g_strdup_printf("{\"id\":\"vm-1\",\"warm\":{\"successes\":2,\"precopies\":[%s]}}", precopies);
    json_t *vm = json_loads(text, 0, NULL);

    g_assert_nonnull(vm);
    return vm;
}

static void a_precopy_is_due_an_interval_after_the_last(void)
{
    g_autoptr(json_t) vm = vm_after("{\"start\":\"2026-11-23T08:00:00Z\",\"end\":\"2026-11-23T09:00:00Z\"}");
    g_autoptr(json_t) none = json_object(), cutover = json_pack("{s:s}", "cutover", "2026-11-23T09:30:00Z");

    g_assert_cmpint(warm_next(vm, none, 3600, AT("09:59:59")), ==, WARM_WAIT);
    g_assert_cmpstr(json_string_at(vm, "warm.nextPrecopyAt", ""), ==, "2026-11-23T10:00:00Z");
    g_assert_cmpint(warm_next(vm, none, 3600, AT("10:00:00")), ==, WARM_PRECOPY);
    /* changed while it waits */
    g_assert_cmpint(warm_next(vm, none, 300, AT("09:04:00")), ==, WARM_WAIT);
    g_assert_cmpstr(json_string_at(vm, "warm.nextPrecopyAt", ""), ==, "2026-11-23T09:05:00Z");
    g_assert_cmpint(warm_next(vm, cutover, 3600, AT("09:29:59")), ==, WARM_WAIT);
    g_assert_cmpint(warm_next(vm, cutover, 3600, AT("09:30:00")), ==, WARM_CUTOVER);
    g_assert_null(json_at(vm, "warm.nextPrecopyAt"));
}

static void what_failed_is_no_base(void)
{
    g_autoptr(json_t) vm = json_pack("{s:s}", "id", "vm-1"), step = json_object();
    g_autoptr(GError) why = g_error_new_literal(GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, "its snapshot is gone");
    json_t *precopy = warm_begin(vm);

    g_assert_true(warm_is_open(precopy));
    g_assert_null(warm_base(vm));
    warm_set_snapshot(precopy, "snapshot-1");
    warm_set_delta(precopy, "2000", "a/1");
    warm_set_delta(precopy, "2000", "a/2");
    g_assert_null(warm_base(vm));
    warm_succeed(vm, step);
    g_assert_cmpstr(warm_delta(warm_base(vm), "2000"), ==, "a/2");
    g_assert_null(warm_delta(warm_base(vm), "2001"));

    warm_set_delta(warm_begin(vm), "2000", "a/3");
    warm_fail(vm, why);
    g_assert_cmpstr(warm_failure(vm), ==, "its snapshot is gone");
    g_assert_cmpstr(warm_delta(warm_base(vm), "2000"), ==, "a/2");
    g_assert_cmpint(json_int_at(vm, "warm.failures", 0), ==, 1);
    g_assert_cmpint(json_int_at(vm, "warm.consecutiveFailures", 0), ==, 1);

    warm_set_delta(warm_begin(vm), "2000", "a/4");
    g_assert_null(warm_failure(vm));
    warm_succeed(vm, step);
    g_assert_cmpstr(warm_delta(warm_base(vm), "2000"), ==, "a/4");
    g_assert_cmpint(json_int_at(vm, "warm.consecutiveFailures", 0), ==, 0);
    g_assert_cmpuint(warm_count(vm), ==, 2);
}

/* One round, copied or given up. */
static void go_round(json_t *vm, json_t *step, gboolean copied)
{
    g_autoptr(GError) why = g_error_new(GANTRY_ERROR, ERROR_IO, "x");
    json_t *precopy = warm_begin(vm);

    warm_set_delta(precopy, "2000", "52 aa/1");
    if (copied)
        warm_succeed(vm, step);
    else
        warm_fail(vm, why);
}

static void months_of_rounds_take_no_more_room(void)
{
    enum { ROUNDS = 500 };
    g_autoptr(json_t) vm = vm_after(""), step = json_object();
    const json_t *first;

    json_object_set_new(json_object_get(vm, "warm"), "successes", json_integer(0));
    go_round(vm, step, TRUE);
    first = json_array_get(json_at(vm, "warm.precopies"), 0);
    for (guint i = 1; i < ROUNDS; i++) {
        g_assert_cmpuint(warm_number(vm), ==, i);
        go_round(vm, step, TRUE);
    }
    g_assert_cmpuint(json_array_size(json_at(vm, "warm.precopies")), ==, WARM_FIRST + WARM_LAST);
    g_assert_true(json_array_get(json_at(vm, "warm.precopies"), 0) == first);
    g_assert_cmpint(json_int_at(vm, "warm.leftOut", 0), ==, ROUNDS - WARM_FIRST - WARM_LAST);
    g_assert_true(warm_base(vm) == warm_last(vm));
    g_assert_cmpuint(json_object_size(json_object_get(step, "annotations")), ==, WARM_FIRST + WARM_LAST);
    g_assert_nonnull(item_annotation(step, "precopy-4"));
    g_assert_null(item_annotation(step, "precopy-5"));
    g_assert_null(item_annotation(step, "precopy-480"));
    g_assert_nonnull(item_annotation(step, "precopy-481"));
}

static void what_the_next_round_starts_from_outlives_any_number_of_failures(void)
{
    g_autoptr(json_t) vm = vm_after(""), step = json_object();
    const json_t *base;

    for (guint i = 0; i < 10; i++)
        go_round(vm, step, TRUE);
    base = warm_base(vm);
    for (guint i = 0; i < 100; i++)
        go_round(vm, step, FALSE);
    g_assert_true(warm_base(vm) == base);
    g_assert_cmpuint(warm_number(vm), ==, 110);
    g_assert_cmpuint(json_array_size(json_at(vm, "warm.precopies")), ==, WARM_FIRST + WARM_LAST);
}

static void the_downtime_is_foretold_from_the_last_pass(void)
{
    g_autoptr(json_t) vm =
        vm_after("{\"start\":\"2026-11-23T08:00:00Z\",\"end\":\"2026-11-23T08:30:00Z\",\"deltas\":[{}]},"
                 "{\"start\":\"2026-11-23T09:00:00Z\",\"end\":\"2026-11-23T09:02:00Z\",\"deltas\":[{}]}");
    g_autoptr(json_t) step = json_object();

    g_assert_cmpint(warm_forecast_s(vm, step, AT("09:30:00")), ==, -1);
    item_annotate(step, "precopy-2", "1000000 bytes in 120 s");
    /* half an hour's changes after an hour's changes took two minutes */
    g_assert_cmpint(warm_forecast_s(vm, step, AT("09:30:00")), ==, 61);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/warm/the VM's own cutover comes first", the_vms_own_cutover_comes_first);
    g_test_add_func("/plan/warm/a precopy is due an interval after the last",
                    a_precopy_is_due_an_interval_after_the_last);
    g_test_add_func("/plan/warm/what failed is no base", what_failed_is_no_base);
    g_test_add_func("/plan/warm/months of rounds take no more room", months_of_rounds_take_no_more_room);
    g_test_add_func("/plan/warm/what the next round starts from outlives any number of failures",
                    what_the_next_round_starts_from_outlives_any_number_of_failures);
    g_test_add_func("/plan/warm/the downtime is foretold from the last pass",
                    the_downtime_is_foretold_from_the_last_pass);
    return g_test_run();
}
