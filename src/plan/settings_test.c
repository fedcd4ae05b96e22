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
#define CASE(text, function) g_test_add_func("/plan/settings/" text, function)
    CASE("texts count as numbers and booleans", texts_count_as_numbers_and_booleans);
    CASE("a wrong value keeps the default and is reported", a_wrong_value_keeps_the_default_and_is_reported);
    CASE("an unknown key is reported", an_unknown_key_is_reported);
    CASE("published settings are what others get", published_settings_are_what_others_get);
    return g_test_run();
}
