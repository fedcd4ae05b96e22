/* target_test: how a target's failures are called. */
#include "copy/target.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static void what_the_storage_says_has_its_error(void)
{
    static const struct {
        int errsv;
        ErrorCode code;
    } rows[] = {{ENOSPC, ERROR_TARGET_FULL},
                {EDQUOT, ERROR_TARGET_FULL},
                {EIO, ERROR_TARGET_IO},
                {EROFS, ERROR_TARGET_IO}};
    const Target target = {.path = (char *)"/data/disk.img"};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        target_set_error(&target, rows[i].errsv, "write", &error);
        g_assert_error(error, GANTRY_ERROR, (int)rows[i].code);
        g_assert_nonnull(strstr(error->message, "/data/disk.img: write"));
    }
}

static void a_disk_that_the_storage_cannot_hold_is_refused_before_it_is_copied(void)
{
    g_autofree char *folder = g_dir_make_tmp("target-test-XXXXXX", NULL),
                    *path = g_build_filename(folder, "disk.img", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(target_open(path, (guint64)1 << 62, FALSE, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_TARGET_TOO_SMALL);
    g_unlink(path);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/target/what the storage says has its error", what_the_storage_says_has_its_error);
    g_test_add_func("/copy/target/a disk that the storage cannot hold is refused before it is copied",
                    a_disk_that_the_storage_cannot_hold_is_refused_before_it_is_copied);
    return g_test_run();
}
