/* upgrade: from which version to which. */
#include "operator/upgrade.h"
#include <string.h>

static const struct {
    const char *installed, *wanted, *complaint; /* NULL: allowed */
} cases[] = {
    {"", "2.3.100", NULL},
    {"2.3.0", "2.3.100", NULL},
    {"2.3.100", "2.3.100", NULL},
    {"2.3.100", "2.4.0", NULL},
    {"2.2.7", "2.4.0", "the next one is 2.3"},
    {"1.9.0", "2.0.0", "the next one is 1.10"},
    {"2.4.0", "2.3.100", "there is no way back; install 2.4"},
    {"3.0.0", "2.3.100", "there is no way back; install 3.0"},
    {"latest", "2.3.100", "'latest'"},
};

static void a_version_is_judged(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);
    g_autoptr(GError) error = NULL;
    gboolean allowed = upgrade_allowed(cases[i].installed, cases[i].wanted, &error);

    g_assert_cmpint(allowed, ==, !cases[i].complaint);
    if (cases[i].complaint) {
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_assert_nonnull(strstr(error->message, cases[i].complaint));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/operator/upgrade/from %s to %s",
                            *cases[i].installed ? cases[i].installed : "nothing", cases[i].wanted);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), a_version_is_judged);
    }
    return g_test_run();
}
