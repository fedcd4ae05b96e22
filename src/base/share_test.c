/* share_test: files that come with the program are found where $GANTRY_SHARE says, else beside the program.
 */
#include "base/share.h"
#include <glib/gstdio.h>

static void the_set_place_wins(void)
{
    g_autofree char *dir = g_dir_make_tmp("share-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(dir, "thing", NULL);
    g_autofree char *found = NULL;

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_setenv("GANTRY_SHARE", dir, TRUE);
    found = share_find(NULL, "other-name", "thing", NULL);
    g_assert_cmpstr(found, ==, file);
    g_unsetenv("GANTRY_SHARE");
    g_remove(file);
    g_rmdir(dir);
}

static void the_source_tree_is_found(void)
{
    g_autofree char *found = share_find(NULL, "src/base/share.h", NULL);
    g_assert_nonnull(found);
}

static void what_is_missing_is_said_with_the_places(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(share_find(&error, "no-such-thing", NULL));
    g_assert_error(error, GANTRY_ERROR, ERROR_IO);
    g_assert_nonnull(g_strstr_len(error->message, -1, "share/gantry/no-such-thing"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/share/the set place wins", the_set_place_wins);
    g_test_add_func("/base/share/the source tree is found", the_source_tree_is_found);
    g_test_add_func("/base/share/what is missing is said with the places",
                    what_is_missing_is_said_with_the_places);
    return g_test_run();
}
