/* settings: numbers and booleans as texts, wrong and unknown keys. */
#include "plan/settings.h"

static void texts_count_as_numbers_and_booleans(void)
{
    g_autoptr(json_t) spec =
        json_pack("{s:s, s:s, s:i, s:b}", "controller_max_vm_inflight", "7", "controller_power_off_force",
                  "true", "controller_importer_retry", 5, "feature_ui", 1);
    g_autoptr(Settings) settings = settings_parse(spec);

    g_assert_cmpint(settings->max_vm_inflight, ==, 7);
    g_assert_true(settings->power_off_force);
    g_assert_cmpint(settings->importer_retry, ==, 5);
    g_assert_cmpuint(settings->unknown->len, ==, 0);
    g_assert_cmpuint(settings->wrong->len, ==, 0);
}

static void a_wrong_value_keeps_the_default_and_is_reported(void)
{
    g_autoptr(json_t) spec =
        json_pack("{s:s, s:i}", "controller_max_vm_inflight", "many", "controller_power_off_force", 3);
    g_autoptr(Settings) settings = settings_parse(spec);

    g_assert_cmpint(settings->max_vm_inflight, ==, 20);
    g_assert_false(settings->power_off_force);
    g_assert_cmpuint(settings->wrong->len, ==, 2);
    g_assert_cmpstr(settings->wrong->pdata[0], ==,
                    "controller_max_vm_inflight: must be a number from 1 to 10000");
}

/* The Deployment's environment counts where the ForkliftController does not say. */
static void the_precopy_interval_may_be_the_deployment_s(void)
{
    g_autoptr(json_t) spec = json_pack("{s:i}", "controller_precopy_interval", 7);

    g_setenv("PRECOPY_INTERVAL", "30", TRUE);
    g_autoptr(Settings) deployed = settings_parse(NULL), said = settings_parse(spec);
    g_unsetenv("PRECOPY_INTERVAL");
    g_autoptr(Settings) neither = settings_parse(NULL);
    g_assert_cmpint(deployed->precopy_interval_min, ==, 30);
    g_assert_cmpint(said->precopy_interval_min, ==, 7);
    g_assert_cmpint(neither->precopy_interval_min, ==, 60);
}

static void limits_of_the_schedule_are_settings(void)
{
    g_autoptr(json_t) spec =
        json_pack("{s:s, s:i, s:i, s:i, s:i}", "controller_max_nfc_connections", "40",
                  "controller_max_disks_per_datastore", 8, "controller_max_disks_per_storage_class", 9,
                  "controller_max_vms_per_namespace", 10, "controller_log_level", 3);
    g_autoptr(Settings) settings = settings_parse(spec), defaults = settings_parse(NULL);

    g_assert_cmpint(settings->max_nfc_connections, ==, 40);
    g_assert_cmpint(settings->max_disks_per_datastore, ==, 8);
    g_assert_cmpint(settings->max_disks_per_storage_class, ==, 9);
    g_assert_cmpint(settings->max_vms_per_namespace, ==, 10);
    g_assert_cmpint(settings->log_level, ==, 3);
    g_assert_cmpint(defaults->max_nfc_connections, ==, 10);
    g_assert_cmpint(defaults->max_disks_per_datastore, ==, 0);
}

static void a_bandwidth_is_a_quantity(void)
{
    g_autoptr(json_t) spec = json_pack("{s:s, s:i}", "controller_bandwidth_limit", "50M",
                                       "controller_bandwidth_limit_per_host", 1000),
                      wrong_spec = json_pack("{s:s, s:b}", "controller_bandwidth_limit", "fast",
                                             "controller_bandwidth_limit_per_host", 1);
    g_autoptr(Settings) settings = settings_parse(spec), wrong = settings_parse(wrong_spec);

    g_assert_cmpuint(settings->bandwidth_limit, ==, 50000000);
    g_assert_cmpuint(settings->bandwidth_limit_per_host, ==, 1000);
    g_assert_cmpuint(settings->wrong->len + settings->unknown->len, ==, 0);
    g_assert_cmpuint(wrong->bandwidth_limit, ==, 0);
    g_assert_cmpuint(wrong->wrong->len, ==, 2);
    g_assert_cmpstr(wrong->wrong->pdata[0], ==,
                    "controller_bandwidth_limit: must be bytes per second as \"50M\" or \"100Mi\"");
}

static void conversion_pods_take_no_image_but_gantry_s(void)
{
    g_autoptr(json_t) ours =
        json_pack("{s:s}", "virt_v2v_image_fqin", "registry.local:5000/mirror/gantry:2.3.100");
    g_autoptr(json_t) other =
        json_pack("{s:s}", "virt_v2v_image_fqin", "quay.io/konveyor/forklift-virt-v2v:latest");
    g_autoptr(Settings) taken = settings_parse(ours), refused = settings_parse(other);

    g_assert_cmpstr(taken->conversion_image, ==, "registry.local:5000/mirror/gantry:2.3.100");
    g_assert_cmpuint(taken->wrong->len, ==, 0);
    g_assert_null(refused->conversion_image);
    g_assert_cmpuint(refused->wrong->len, ==, 1);
}

static void an_unknown_key_is_reported(void)
{
    g_autoptr(json_t) spec = json_pack("{s:b, s:s}", "olm_managed", 1, "controller_max_vm_infligth", "3");
    g_autoptr(Settings) settings = settings_parse(spec);

    g_assert_cmpuint(settings->unknown->len, ==, 1);
    g_assert_cmpstr(settings->unknown->pdata[0], ==, "controller_max_vm_infligth");
}

static void published_settings_are_what_others_get(void)
{
    g_autoptr(json_t) spec = json_pack("{s:i}", "controller_hook_retry", 9);
    g_autoptr(Settings) settings = settings_parse(spec), got = NULL;

    settings_publish(settings);
    got = settings_ref();
    g_assert_cmpint(got->hook_retry, ==, 9);
    settings_publish(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/settings/a bandwidth is a quantity", a_bandwidth_is_a_quantity);
#define CASE(text, function) g_test_add_func("/plan/settings/" text, function)
    CASE("texts count as numbers and booleans", texts_count_as_numbers_and_booleans);
    CASE("a wrong value keeps the default and is reported", a_wrong_value_keeps_the_default_and_is_reported);
    CASE("the precopy interval may be the Deployment's", the_precopy_interval_may_be_the_deployment_s);
    CASE("limits of the schedule are settings", limits_of_the_schedule_are_settings);
    CASE("conversion Pods take no image but Gantry's", conversion_pods_take_no_image_but_gantry_s);
    CASE("an unknown key is reported", an_unknown_key_is_reported);
    CASE("published settings are what others get", published_settings_are_what_others_get);
    return g_test_run();
}
