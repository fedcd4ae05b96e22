/* vddk: the reader against a library of ours that holds it to the rules and loses its session. Its path is
 * in VDDK_DUMMY. */
#include "copy/reader.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MIB  ((gsize)1 << 20)
#define SIZE (9 * MIB + 512 * 3)

static char *folder, *disk;

static CopySpec *make_spec(const char *library, const char *fingerprint)
{
    g_autoptr(GError) error = NULL;
    g_autofree char
        *trust = fingerprint ? g_strdup_printf("\"fingerprint\":\"%s\"", fingerprint) : g_strdup(""),
        *text = g_strdup_printf(
            "{\"version\":1,\"disk\":{\"plan\":\"p\",\"vm\":\"vm-1\",\"id\":\"2000\",\"name\":\"[a] b.vmdk\","
            "\"size\":%" G_GSIZE_FORMAT "},\"source\":{\"type\":\"vddk\",\"url\":\"https://vc/sdk\","
            "\"vm\":\"vm-1\",\"file\":\"[a] b.vmdk\",\"library\":\"%s\",\"generation\":\"1\"},"
            "\"trust\":{%s},\"credentials\":\"%s\",\"target\":{\"path\":\"/t\"},\"state\":\"/s\","
            "\"fence\":{\"uid\":\"u\",\"generation\":1}}",
            SIZE, library, trust, folder);
    CopySpec *spec = copy_spec_parse(text, strlen(text), &error);

    g_assert_no_error(error);
    return spec;
}

static Reader *open_disk(GError **error)
{
    g_autoptr(CopySpec) spec = make_spec(folder, "AA:BB");
    return reader_open(spec, NULL, error);
}

static void set_password(const char *password)
{
    g_autofree char *path = g_build_filename(folder, "password", NULL);
    g_assert_true(g_file_set_contents(path, password, -1, NULL));
}

static void what_is_on_the_disk_is_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Reader) reader = open_disk(&error);
    g_autofree guint8 *bytes = g_malloc(SIZE);
    g_autofree char *wanted = NULL;
    gsize done = 0, size;

    g_assert_no_error(error);
    g_assert_cmpstr(reader->choice, ==, "vddk: transport file, asynchronous reads, with a map");
    g_assert_true(reader_read(reader, 0, SIZE, bytes, &done, NULL, &error));
    g_assert_true(g_file_get_contents(disk, &wanted, &size, NULL));
    g_assert_cmpmem(bytes, done, wanted, size);
}

static void what_is_not_allocated_is_zeros_and_the_odd_end_is_data(void)
{
    static const guint64 starts[] = {0, 512, 65536, 3 * MIB + 1024, SIZE - 512};
    g_autoptr(GError) error = NULL;
    g_autoptr(Reader) reader = open_disk(&error);
    g_autoptr(GArray) extents = g_array_new(FALSE, FALSE, sizeof(Extent));
    guint64 zeros = 0;

    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(starts); i++) {
        guint64 at = starts[i];

        g_assert_true(reader_extents(reader, at, SIZE - at, extents, NULL, &error));
        for (guint j = 0; j < extents->len; j++) {
            const Extent *extent = &g_array_index(extents, Extent, j);
            g_assert_cmpuint(extent->start, ==, at);
            at += extent->size;
            if (extent->zero && !i)
                zeros += extent->size;
        }
        g_assert_cmpuint(at, ==, SIZE);
        g_assert_false(g_array_index(extents, Extent, extents->len - 1).zero);
    }
    g_assert_cmpuint(zeros, ==, 7 * MIB);
}

static void a_session_that_is_lost_is_renewed(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Reader) reader = NULL;
    g_autofree guint8 *bytes = g_malloc(SIZE);
    gsize done = 0;

    g_setenv("DUMMY_LOSE_AFTER", "2", TRUE);
    reader = open_disk(&error);
    g_assert_no_error(error);
    g_assert_false(reader_read(reader, 0, SIZE, bytes, &done, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SESSION_EXPIRED);
    g_assert_cmpuint(done, >, 0);
    g_clear_error(&error);
    g_assert_true(reader_renew(reader, 0, NULL, &error));
    g_assert_true(reader_read(reader, 0, SIZE, bytes, &done, NULL, &error));
    g_assert_cmpuint(done, ==, SIZE);
    g_unsetenv("DUMMY_LOSE_AFTER");
}

static void a_wrong_password_is_final(void)
{
    g_autoptr(GError) error = NULL;

    set_password("wrong");
    g_assert_null(open_disk(&error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SOURCE_LOGIN);
    set_password("secret");
}

static void without_a_fingerprint_it_is_not_used(void)
{
    g_autoptr(CopySpec) spec = make_spec(folder, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(reader_open(spec, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_VDDK_LIBRARY);
}

static void a_folder_without_the_library_is_named(void)
{
    g_test_trap_subprocess("/copy/vddk/subprocess/nowhere", 0, 0);
    g_test_trap_assert_passed();
}

static void look_nowhere(void)
{
    g_autoptr(CopySpec) spec = make_spec("/nowhere", "AA:BB");
    g_autoptr(GError) error = NULL;

    g_assert_null(reader_open(spec, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_VDDK_LIBRARY);
    g_assert_nonnull(strstr(error->message, "/nowhere"));
}

static void make_folder(const char *library)
{
    g_autofree char *lib64 = NULL, *link = NULL, *user = NULL;
    g_autofree guint8 *data = g_malloc(2 * MIB);
    int fd;

    folder = g_dir_make_tmp("vddk-XXXXXX", NULL);
    lib64 = g_build_filename(folder, "lib64", NULL);
    link = g_build_filename(lib64, "libvixDiskLib.so.8", NULL);
    user = g_build_filename(folder, "user", NULL);
    disk = g_build_filename(folder, "disk.raw", NULL);
    g_assert_cmpint(g_mkdir(lib64, 0700), ==, 0);
    g_assert_cmpint(symlink(library, link), ==, 0);
    g_assert_true(g_file_set_contents(user, "me", -1, NULL));
    set_password("secret");
    memset(data, 'x', 2 * MIB);
    fd = open(disk, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, SIZE), ==, 0);
    g_assert_cmpint(pwrite(fd, data, MIB, 0), ==, MIB);
    g_assert_cmpint(pwrite(fd, data, MIB, 4 * MIB), ==, MIB);
    close(fd);
    g_setenv("DUMMY_FILE", disk, TRUE);
}

static void remove_folder(void)
{
    static const char *const names[] = {
        "lib64/libvixDiskLib.so.8", "lib64", "user", "password", "disk.raw", "most", ""};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_remove(path);
    }
    g_free(folder);
    g_free(disk);
}

/* All of the disk by four threads at once, each a part after the other, as often as it takes. */
typedef struct {
    Reader *reader;
    guint8 *bytes;
    gint next;
} Reading;

static gpointer read_parts(gpointer user_data)
{
    Reading *reading = user_data;
    gsize part = 64 * 1024, start;

    while ((start = g_atomic_int_add(&reading->next, 1) * part) < SIZE) {
        gsize done = 0, size = MIN(part, SIZE - start);
        gboolean good = FALSE;

        for (guint try = 0; !good && try < 200; try++) {
            g_autoptr(GError) error = NULL;
            gint session = g_atomic_int_get(&reading->reader->session);

            good = reader_read(reading->reader, start, size, reading->bytes + start, &done, NULL, &error);
            if (!good && error_class(error) == STALE)
                g_assert_true(reader_renew(reading->reader, session, NULL, NULL));
            else if (!good)
                g_assert_cmpint(error_class(error), ==, CONGESTED);
        }
        g_assert_true(good);
    }
    return NULL;
}

/* Gives how many reads were under way at once. */
static guint read_by_four(Reader *reader)
{
    g_autofree guint8 *bytes = g_malloc0(SIZE);
    g_autofree char *most = g_build_filename(folder, "most", NULL), *text = NULL, *wanted = NULL;
    Reading reading = {reader, bytes, 0};
    GThread *threads[4];
    gsize size;

    g_setenv("DUMMY_MOST", most, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("test", read_parts, &reading);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_true(g_file_get_contents(disk, &wanted, &size, NULL));
    g_assert_cmpmem(bytes, SIZE, wanted, size);
    reader_close(reader);
    g_assert_true(g_file_get_contents(most, &text, NULL, NULL));
    g_unsetenv("DUMMY_MOST");
    return (guint)g_ascii_strtoull(text, NULL, 10);
}

static void many_reads_are_under_way_and_end_in_any_order(void)
{
    g_autoptr(GError) error = NULL;
    Reader *reader;

    g_setenv("DUMMY_DELAY_MS", "3", TRUE);
    reader = open_disk(&error);
    g_assert_no_error(error);
    g_assert_cmpuint(reader->parallel, ==, 8);
    g_assert_cmpuint(read_by_four(reader), >, 1);
    g_unsetenv("DUMMY_DELAY_MS");
}

static void errors_and_lost_sessions_under_many_reads_harm_nothing(void)
{
    g_autoptr(GError) error = NULL;
    Reader *reader;

    g_setenv("DUMMY_DELAY_MS", "1", TRUE);
    g_setenv("DUMMY_LOSE_EVERY", "15", TRUE);
    g_setenv("DUMMY_FAIL_EVERY", "9", TRUE);
    g_setenv("DUMMY_SEED", "7", TRUE);
    reader = open_disk(&error);
    g_assert_no_error(error);
    read_by_four(reader);
    g_unsetenv("DUMMY_DELAY_MS");
    g_unsetenv("DUMMY_LOSE_EVERY");
    g_unsetenv("DUMMY_FAIL_EVERY");
}

static void a_host_without_memory_is_congested(void)
{
    g_autoptr(GError) error = NULL;
    Reader *reader = open_disk(&error);
    g_autofree guint8 *bytes = g_malloc(MIB);
    gsize done = 0;

    g_assert_no_error(error);
    g_setenv("DUMMY_ROOM", "65536", TRUE);
    g_assert_false(reader_read(reader, 0, MIB, bytes, &done, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SOURCE_BUSY);
    g_assert_cmpint(error_class(error), ==, CONGESTED);
    g_unsetenv("DUMMY_ROOM");
    reader_close(reader);
}

static void a_disk_that_has_another_size_after_the_session_was_lost_is_not_gone_on_with(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Reader) reader = open_disk(&error);

    g_assert_no_error(error);
    g_assert_cmpint(truncate(disk, SIZE + 512), ==, 0);
    g_assert_false(reader_renew(reader, 0, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SOURCE_CHANGED);
    g_assert_cmpint(truncate(disk, SIZE), ==, 0);
}

static void an_old_library_reads_one_at_a_time(void)
{
    g_test_trap_subprocess("/copy/vddk/subprocess/old", 0, 0);
    g_test_trap_assert_passed();
}

static void read_with_the_old(void)
{
    g_autofree char *link = g_build_filename(folder, "lib64/libvixDiskLib.so.8", NULL);
    g_autoptr(GError) error = NULL;
    Reader *reader;

    g_remove(link);
    g_assert_cmpint(symlink(g_getenv("VDDK_DUMMY_OLD"), link), ==, 0);
    reader = open_disk(&error);
    g_assert_no_error(error);
    g_assert_cmpstr(reader->choice, ==, "vddk: transport file, one read at a time, with a map");
    g_assert_cmpuint(reader->parallel, ==, 1);
    read_by_four(reader);
}

int main(int argc, char **argv)
{
    g_autofree char *library = g_strdup(g_getenv("VDDK_DUMMY"));
    int result;

    g_test_init(&argc, &argv, NULL);
    g_assert_nonnull(library);
    make_folder(library);
    g_test_add_func("/copy/vddk/subprocess/nowhere", look_nowhere);
    g_test_add_func("/copy/vddk/a folder without the library is named",
                    a_folder_without_the_library_is_named);
    g_test_add_func("/copy/vddk/subprocess/old", read_with_the_old);
    g_test_add_func("/copy/vddk/an old library reads one at a time", an_old_library_reads_one_at_a_time);
    g_test_add_func("/copy/vddk/many reads are under way and end in any order",
                    many_reads_are_under_way_and_end_in_any_order);
    g_test_add_func("/copy/vddk/errors and lost sessions under many reads harm nothing",
                    errors_and_lost_sessions_under_many_reads_harm_nothing);
    g_test_add_func("/copy/vddk/a host without memory is congested", a_host_without_memory_is_congested);
    g_test_add_func("/copy/vddk/a disk that has another size after the session was lost is not gone on with",
                    a_disk_that_has_another_size_after_the_session_was_lost_is_not_gone_on_with);
    g_test_add_func("/copy/vddk/what is on the disk is read", what_is_on_the_disk_is_read);
    g_test_add_func("/copy/vddk/what is not allocated is zeros and the odd end is data",
                    what_is_not_allocated_is_zeros_and_the_odd_end_is_data);
    g_test_add_func("/copy/vddk/a session that is lost is renewed", a_session_that_is_lost_is_renewed);
    g_test_add_func("/copy/vddk/a wrong password is final", a_wrong_password_is_final);
    g_test_add_func("/copy/vddk/without a fingerprint it is not used", without_a_fingerprint_it_is_not_used);
    result = g_test_run();
    remove_folder();
    return result;
}
