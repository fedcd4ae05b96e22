/* transfer_network: who is heard. */
#include "plan/transfer_network.h"

static const struct {
    const char *what, *plan, *annotation, *setting, *network;
} rows[] = {
    {"nobody says anything", NULL, NULL, NULL, NULL},
    {"the plan's own, with its namespace", "{\"namespace\":\"net\",\"name\":\"fast\"}", NULL, NULL,
     "net/fast"},
    {"the plan's own, in the target namespace", "{\"name\":\"fast\"}", NULL, NULL, "target/fast"},
    {"the plan's before the provider's", "{\"name\":\"fast\"}", "net/slow", "net/other", "target/fast"},
    {"the provider's before the setting's", NULL, "net/slow", "net/other", "net/slow"},
    {"the provider's, in the target namespace", NULL, "slow", NULL, "target/slow"},
    {"the provider's that is the pod network", NULL, "", "net/other", NULL},
    {"the setting's", NULL, NULL, "net/other", "net/other"},
};

static void is_heard(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    json_t *json =
        json_pack("{s:{s:s}, s:{s:s}}", "metadata", "name", "p", "spec", "targetNamespace", "target");
    g_autoptr(Object) provider =
        object_new_take(json_pack("{s:{s:s, s:{s:s*}}}", "metadata", "name", "host", "annotations",
                                  TRANSFER_NETWORK_ANNOTATION, rows[i].annotation));
    g_autoptr(json_t) spec = json_pack("{s:s*}", "controller_transfer_network", rows[i].setting);
    g_autoptr(Settings) settings = settings_parse(spec);
    g_autoptr(Object) plan = NULL;
    g_autofree char *network = NULL;

    if (rows[i].plan)
        json_set_at_new(json, "spec.transferNetwork", json_loads(rows[i].plan, 0, NULL));
    plan = object_new_take(json);
    network = transfer_network_find(plan, provider, settings);
    g_assert_cmpstr(network, ==, rows[i].network);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf("/plan/transfer network/%s", rows[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), is_heard);
    }
    return g_test_run();
}
