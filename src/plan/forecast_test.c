/* forecast: medians of earlier migrations, and plans played through. */
#include "plan/forecast.h"

#define VM(result, megabytes, copy_start, copy_end, start, end)                                              \
    "{\"started\":\"2026-11-23T10:00:" start "Z\",\"completed\":\"2026-11-23T10:00:" end "Z\","              \
    "\"conditions\":[{\"type\":\"" result                                                                    \
    "\",\"status\":\"True\"}],\"pipeline\":[{\"name\":\"DiskTransfer\","                                     \
    "\"started\":\"2026-11-23T10:00:" copy_start "Z\",\"completed\":\"2026-11-23T10:00:" copy_end "Z\","     \
    "\"tasks\":[{\"progress\":{\"total\":" megabytes "}}]}]}"
#define PLAN(vms) "[{\"status\":{\"migration\":{\"vms\":[" vms "]}}}]"

static void measures(void)
{
    g_autoptr(json_t) plans =
        json_loads(PLAN(VM("Succeeded", "100", "10", "20", "05", "23") "," VM(
                       "Succeeded", "400", "10", "20", "00",
                       "30") "," VM("Succeeded", "200", "10", "20", "00",
                                    "25") "," VM("Failed", "9000", "10", "11", "00",
                                                 "59") "," VM("Succeeded", "0", "10", "11", "00", "59")),
                   0, NULL);
    ForecastSpeed speed = forecast_measure(plans), none = forecast_measure(NULL);

    g_assert_cmpuint(speed.vms, ==, 3);
    g_assert_cmpfloat_with_epsilon(speed.bytes_per_s, 20 * 1048576.0, 1);
    g_assert_cmpfloat_with_epsilon(speed.seconds, 15, 0.001);
    g_assert_cmpuint(none.vms, ==, 0);
}

static void plays_the_schedule(void)
{
    ForecastSpeed speed = {100, 1, 1};
    ForecastVm vms[] = {{"a", 100, 0}, {"a", 300, 0}, {"a", 200, 0}, {"b", 900, 0}};

    g_assert_cmpfloat_with_epsilon(forecast_plan(vms, 4, 2, &speed), 10, 0.001);
    g_assert_cmpuint(vms[0].bytes, ==, 900);
    g_assert_cmpfloat_with_epsilon(vms[1].seconds, 4, 0.001); /* 300 at a's first place */
    g_assert_cmpfloat_with_epsilon(vms[2].seconds, 3, 0.001); /* 200 at its second */
    g_assert_cmpfloat_with_epsilon(vms[3].seconds, 5, 0.001); /* 100 after that */
    g_assert_cmpfloat_with_epsilon(forecast_plan(vms, 4, 1, &speed), 10, 0.001);
    g_assert_cmpfloat(forecast_plan(NULL, 0, 1, &speed), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/forecast/medians of the VMs that succeeded", measures);
    g_test_add_func("/plan/forecast/the largest first, hosts side by side", plays_the_schedule);
    return g_test_run();
}
