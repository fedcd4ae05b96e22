/* backup: a data directory that is served is not backed up behind its server's back, nor restored into. */
#include "local/apiserver/backup.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

typedef struct {
    char *root, *data, *backup;
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    g_autofree char *keys = NULL, *database = NULL;
    g_autoptr(Store) store = NULL;
    g_autoptr(GError) error = NULL;

    f->root = g_dir_make_tmp("backup-test-XXXXXX", NULL);
    f->data = g_build_filename(f->root, "data", NULL);
    f->backup = g_build_filename(f->root, "backup", NULL);
    keys = g_build_filename(f->data, "pki", NULL);
    database = g_build_filename(f->data, "state.db", NULL);
    g_assert_cmpint(g_mkdir_with_parents(keys, 0700), ==, 0);
    store = store_open(database, 8, &error);
    g_assert_no_error(error);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *one = g_build_filename(path, name, NULL);
        remove_tree(one);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    remove_tree(f->root);
    g_free(f->root);
    g_free(f->data);
    g_free(f->backup);
}

/* As its server does. */
static int serve(const Fixture *f)
{
    g_autofree char *path = g_build_filename(f->data, "lock", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    g_assert_cmpint(flock(fd, LOCK_EX | LOCK_NB), ==, 0);
    return fd;
}

static void a_directory_that_is_served_is_left_alone(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    guint64 revision;
    int server = serve(f);

    g_assert_false(backup_make_offline(f->data, f->backup, &revision, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_DATA_IN_USE);
    g_assert_nonnull(strstr(error->message, f->data));
    g_assert_false(g_file_test(f->backup, G_FILE_TEST_EXISTS));
    g_clear_error(&error);
    close(server);

    g_assert_true(backup_make_offline(f->data, f->backup, &revision, &error));
    g_assert_no_error(error);
}

static void nothing_is_restored_into_a_directory_that_is_served(Fixture *f, gconstpointer unused)
{
    g_autofree char *database = g_build_filename(f->data, "state.db", NULL);
    g_autoptr(GError) error = NULL;
    guint64 revision;
    int server;

    g_assert_true(backup_make_offline(f->data, f->backup, &revision, &error));
    g_assert_cmpint(g_remove(database), ==, 0);
    server = serve(f);
    g_assert_false(backup_restore(f->backup, f->data, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_DATA_IN_USE);
    g_assert_false(g_file_test(database, G_FILE_TEST_EXISTS));
    close(server);

    g_assert_true(backup_restore(f->backup, f->data, NULL));
    g_assert_true(g_file_test(database, G_FILE_TEST_EXISTS));
}

#define TEST(name, function)                                                                                 \
    g_test_add("/local/apiserver/backup/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("a directory that is served is left alone", a_directory_that_is_served_is_left_alone);
    TEST("nothing is restored into a directory that is served",
         nothing_is_restored_into_a_directory_that_is_served);
    return g_test_run();
}
