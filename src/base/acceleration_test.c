/* acceleration_test: the user's word counts first, then what was found out since this machine's boot. */
#include "base/acceleration.h"
#include <glib/gstdio.h>

static void the_user_decides(void)
{
    static const struct {
        const char *word;
        Acceleration means;
    } rows[] = {{"kvm", ACCELERATION_KVM}, {"tcg", ACCELERATION_TCG}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        Acceleration found;

        g_setenv("GANTRY_ACCEL", rows[i].word, TRUE);
        g_assert_true(acceleration_find("/nonexistent", &found, NULL));
        g_assert_cmpint(found, ==, rows[i].means);
    }
    g_unsetenv("GANTRY_ACCEL");
}

static void another_word_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    Acceleration found;

    g_setenv("GANTRY_ACCEL", "warp", TRUE);
    g_assert_false(acceleration_find("/nonexistent", &found, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    g_assert_cmpstr(error->message, ==, "GANTRY_ACCEL=warp: must be auto, kvm or tcg");
    g_unsetenv("GANTRY_ACCEL");
}

static void what_this_boot_found_out_is_kept(void)
{
    g_autofree char *dir = g_dir_make_tmp("acceleration-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "acceleration", NULL), *boot = NULL, *answer = NULL;
    Acceleration found;

    g_assert_true(g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL));
    answer = g_strconcat(g_strstrip(boot), " kvm\n", NULL);
    g_assert_true(g_file_set_contents(path, answer, -1, NULL));
    g_assert_true(acceleration_find(dir, &found, NULL));
    g_assert_cmpint(found, ==, ACCELERATION_KVM);
    g_remove(path);
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_unsetenv("GANTRY_ACCEL");
    g_test_add_func("/base/acceleration/the user decides", the_user_decides);
    g_test_add_func("/base/acceleration/another word is refused", another_word_is_refused);
    g_test_add_func("/base/acceleration/what this boot found out is kept", what_this_boot_found_out_is_kept);
    return g_test_run();
}
