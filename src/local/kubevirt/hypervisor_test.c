/* hypervisor: what libvirt refuses is said in its words. */
#include "local/kubevirt/hypervisor.h"
#include <glib/gstdio.h>

static void nobody(const char *name, gpointer unused) {}

static void remove_all(const char *dir)
{
    g_autoptr(GError) error = NULL;

    g_spawn_sync(NULL, (char *[]){"rm", "-r", (char *)dir, NULL}, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                 NULL, NULL, &error);
    g_assert_no_error(error);
}

static void what_is_no_machine_is_refused_in_libvirts_words(void)
{
    static const char *const rows[] = {"<domain", "<network/>", "<domain type='no-such-type'/>"};
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("gantry-hypervisor-XXXXXX", &error);
    Hypervisor *hypervisor = hypervisor_open(dir, nobody, NULL, &error);
    MachineState state;

    if (g_error_matches(error, GANTRY_ERROR, ERROR_IO)) {
        remove_all(dir);
        g_test_skip("libvirt's directories lie in /run, which takes root");
        return;
    }
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) refused = NULL;
        g_assert_false(hypervisor_start(hypervisor, "one", rows[i], &refused));
        g_assert_error(refused, GANTRY_ERROR, ERROR_HYPERVISOR);
        g_assert_true(g_str_has_prefix(refused->message, "define machine one: "));
        g_assert_true(hypervisor_state(hypervisor, "one", &state, &error));
        g_assert_cmpint(state, ==, MACHINE_ABSENT);
    }
    hypervisor_close(hypervisor);
    remove_all(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/local/kubevirt/hypervisor/what is no machine is refused in libvirt's words",
                    what_is_no_machine_is_refused_in_libvirts_words);
    return g_test_run();
}
