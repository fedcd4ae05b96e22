/* tarball_test: an archive is whole or not there, and every reader of tar knows it. */
#include "gather/tarball.h"
#include <glib/gstdio.h>

static char *output_of(const char *program, const char *option, const char *path)
{
    const char *argv[] = {program, option, path, NULL};
    char *output = NULL;

    g_assert_true(
        g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, NULL, NULL));
    return output;
}

static void files_come_out_as_they_went_in(void)
{
    g_autofree char *dir = g_dir_make_tmp("archive-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a.tar.gz", NULL), *names = NULL, *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Tarball) tarball = tarball_new(path, &error);

    g_assert_no_error(error);
    g_assert_true(tarball_add(tarball, "top/one.txt", "first\n", &error));
    g_assert_true(tarball_add(tarball, "top/none.txt", "", &error));
    g_assert_true(tarball_add(tarball, "top/deep/two.txt", "second\n", &error));
    g_assert_cmpuint(tarball_count(tarball), ==, 2);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_true(tarball_close(tarball, &error));
    names = output_of("tar", "-tzf", path);
    g_assert_cmpstr(names, ==, "top/one.txt\ntop/deep/two.txt\n");
    text = output_of("tar", "-xzOf", path);
    g_assert_cmpstr(text, ==, "first\nsecond\n");
    g_unlink(path);
    g_rmdir(dir);
}

static void an_unfinished_archive_leaves_nothing(void)
{
    g_autofree char *dir = g_dir_make_tmp("archive-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a.tar.gz", NULL);
    Tarball *tarball = tarball_new(path, NULL);

    g_assert_true(tarball_add(tarball, "one.txt", "first\n", NULL));
    tarball_free(tarball);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void a_path_that_cannot_be_written_is_named(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(tarball_new("/nonexistent/a.tar.gz", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_IO);
    g_assert_nonnull(g_strstr_len(error->message, -1, "/nonexistent/a.tar.gz"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gather/tarball/files come out as they went in", files_come_out_as_they_went_in);
    g_test_add_func("/gather/tarball/an unfinished archive leaves nothing",
                    an_unfinished_archive_leaves_nothing);
    g_test_add_func("/gather/tarball/a path that cannot be written is named",
                    a_path_that_cannot_be_written_is_named);
    return g_test_run();
}
