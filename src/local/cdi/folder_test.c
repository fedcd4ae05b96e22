/* folder: room is promised once, disks are blank, and only what was made is deleted. */
#include "local/cdi/folder.h"
#include "local/cdi/cdi.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *dir;
    Object *class;
} Fixture;

static void setup(Fixture *fixture, gconstpointer unused)
{
    fixture->dir = g_dir_make_tmp("gantry-folder-XXXXXX", NULL);
    fixture->class = object_new_take(json_pack("{s:{s:s}, s:s, s:{s:s}}", "metadata", "name", "standard",
                                               "provisioner", CDI_PROVISIONER, "parameters", "path", fixture->dir));
}

static void teardown(Fixture *fixture, gconstpointer unused)
{
    g_assert_cmpint(g_rmdir(fixture->dir), ==, 0);
    object_unref(fixture->class);
    g_free(fixture->dir);
}

static Object *volume_of(const char *class, const char *path, const char *size)
{
    return object_new_take(json_pack("{s:{s:s, s:{s:s}, s:{s:s}}}", "spec", "storageClassName", class, "hostPath",
                                     "path", path, "capacity", "storage", size));
}

static guint64 room(const Fixture *fixture, GPtrArray *volumes)
{
    g_autoptr(GError) error = NULL;
    guint64 bytes = 0;
    g_assert_true(folder_room(fixture->class, volumes, &bytes, &error));
    g_assert_no_error(error);
    return bytes;
}

static void room_that_is_promised_is_not_promised_again(Fixture *fixture, gconstpointer unused)
{
    const guint64 gib = 1ull << 30, slack = 256ull << 20; /* others write to this disk too */
    g_autoptr(GPtrArray) volumes = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    guint64 before = room(fixture, volumes);

    g_ptr_array_add(volumes, volume_of("other", "/nowhere", "2Gi"));
    g_assert_cmpuint(room(fixture, volumes) + slack, >, before);
    g_ptr_array_add(volumes, volume_of("standard", "/nowhere", "2Gi"));
    guint64 after = room(fixture, volumes);
    g_assert_cmpuint(after, <, before - 2 * gib + slack);
    g_ptr_array_add(volumes, volume_of("standard", "/nowhere", "1Ei"));
    g_assert_cmpuint(room(fixture, volumes), ==, 0);
}

static void a_blank_disk_has_its_size_and_takes_no_room(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    struct stat status;

    g_assert_true(folder_make(fixture->class, "pvc-1", &path, &error));
    g_assert_true(folder_make_disk(path, 10 << 20, &error));
    g_autofree char *disk = g_build_filename(path, "disk.img", NULL);
    g_assert_cmpint(stat(disk, &status), ==, 0);
    g_assert_cmpint(status.st_size, ==, 10 << 20);
    g_assert_cmpint(status.st_blocks, ==, 0);

    g_assert_true(g_file_set_contents(disk, "data", 4, NULL));
    g_assert_true(folder_make_disk(path, 10 << 20, &error)); /* what is there stays */
    g_assert_cmpint(stat(disk, &status), ==, 0);
    g_assert_cmpint(status.st_size, ==, 4);

    g_assert_true(folder_delete(path, &error));
    g_assert_true(folder_delete(path, &error)); /* again, after a crash */
    g_assert_no_error(error);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void the_largest_file_is_one_that_can_be_made(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(fixture->dir, "file", NULL);
    guint64 most = 0;
    int fd;

    g_assert_true(folder_largest_file(fixture->class, &most, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(most, >=, (guint64)1 << 40);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    g_assert_cmpint(ftruncate(fd, (off_t)most), ==, 0);
    if (most < G_MAXINT64)
        g_assert_cmpint(ftruncate(fd, (off_t)most + 1), ==, -1);
    close(fd);
    g_unlink(path); /* and what tried it has left nothing: teardown removes the directory */
}

static void what_was_not_made_for_a_claim_is_not_deleted(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(folder_delete(fixture->dir, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    g_assert_true(g_file_test(fixture->dir, G_FILE_TEST_IS_DIR));
}

static void a_folder_is_an_absolute_path(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autoptr(Object) class =
        object_new_take(json_pack("{s:{s:s}, s:s, s:{s:s}}", "metadata", "name", "slow", "provisioner", CDI_PROVISIONER,
                                  "parameters", "path", "disks"));

    g_assert_false(folder_make(class, "pvc-1", &path, &error));
    g_assert_nonnull(strstr(error->message, "parameters.path \"disks\" of StorageClass slow: must be an absolute path"));
}

#define TEST(name, function) g_test_add("/local/cdi/folder/" name, Fixture, NULL, setup, function, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("room that is promised is not promised again", room_that_is_promised_is_not_promised_again);
    TEST("a blank disk has its size and takes no room", a_blank_disk_has_its_size_and_takes_no_room);
    TEST("the largest file is one that can be made", the_largest_file_is_one_that_can_be_made);
    TEST("what was not made for a claim is not deleted", what_was_not_made_for_a_claim_is_not_deleted);
    TEST("a folder is an absolute path", a_folder_is_an_absolute_path);
    return g_test_run();
}
