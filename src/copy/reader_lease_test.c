/* reader_lease: a lease that ends under the stream is lost, and the next one streams the disk from its
 * beginning. */
#include "copy/reader.h"
#include "copy/vmdk_files_test.h"
#include "source/export.h"
#include <unistd.h>

#define PIECE ((gsize)1 << 20)
#define DISK  (4 * PIECE)

/* In place of the source: how much of the stream the next lease lets through. */
struct SourceExport {
    GInputStream *stream;
    gboolean lost;
};

static struct {
    guint8 *disk;
    GByteArray *file;
    gsize lets_through;
    guint opened, completed;
} source;

Source *__wrap_source_open(const SourceAccess *access, GError **error);
void __wrap_source_close(Source *opened);
SourceExport *__wrap_source_export_open(Source *opened, const char *vm_id, const char *snapshot,
                                        const char *disk_id, GCancellable *cancel, GError **error);
void __wrap_source_export_close(SourceExport *export, gboolean whole);
GInputStream *__wrap_source_export_peek_stream(const SourceExport *export);
void __wrap_source_export_set_percent(SourceExport *export, guint percent);
gboolean __wrap_source_export_check(SourceExport *export, GError **error);

Source *__wrap_source_open(const SourceAccess *access, GError **error)
{
    g_assert_cmpstr(access->user, ==, "u");
    return (Source *)&source;
}

void __wrap_source_close(Source *opened) {}

SourceExport *__wrap_source_export_open(Source *opened, const char *vm_id, const char *snapshot,
                                        const char *disk_id, GCancellable *cancel, GError **error)
{
    SourceExport *export = g_new0(SourceExport, 1);

    export->lost = source.lets_through < source.file->len;
    export->stream = g_memory_input_stream_new_from_data(source.file->data, source.lets_through, NULL);
    source.opened++;
    return export;
}

void __wrap_source_export_close(SourceExport *export, gboolean whole)
{
    if (!export)
        return;
    source.completed += whole;
    g_object_unref(export->stream);
    g_free(export);
}

GInputStream *__wrap_source_export_peek_stream(const SourceExport *export)
{
    return export->stream;
}

void __wrap_source_export_set_percent(SourceExport *export, guint percent) {}

gboolean __wrap_source_export_check(SourceExport *export, GError **error)
{
    if (export->lost)
        g_set_error(error, GANTRY_ERROR, ERROR_LEASE_LOST, "the source gave the lease up: told to");
    return !export->lost;
}

typedef struct {
    char *directory;
    Reader *reader;
} Fixture;

static void write_file(const Fixture *f, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void remove_file(const Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

/* lets_through: of the first lease, in bytes of the stream. */
static void open_disk(Fixture *f, gsize lets_through)
{
    g_autofree char *text = g_strdup_printf(
        "{\"version\":1,\"disk\":{\"plan\":\"p\",\"vm\":\"vm-1\",\"id\":\"2000\",\"name\":\"d\",\"size\":%zu}"
        ","
        "\"source\":{\"type\":\"lease\",\"url\":\"https://vc/sdk\",\"vm\":\"vm-1\",\"generation\":\"1\"},"
        "\"credentials\":\"%s\",\"target\":{\"path\":\"/d\"},\"state\":\"/"
        "s\",\"fence\":{\"uid\":\"u\",\"generation\":1}}",
        DISK, f->directory);
    g_autoptr(GError) error = NULL;
    g_autoptr(CopySpec) spec = copy_spec_parse(text, strlen(text), &error);

    g_assert_no_error(error);
    source.lets_through = lets_through;
    f->reader = reader_open(spec, NULL, &error);
    g_assert_no_error(error);
}

static void set_up(Fixture *f, gconstpointer unused)
{
    f->directory = g_dir_make_tmp("lease-XXXXXX", NULL);
    write_file(f, "user", "u");
    write_file(f, "password", "p");
    source.disk = g_malloc(DISK);
    for (gsize at = 0; at < DISK; at++)
        source.disk[at] = at * 2654435761u >> 24;
    source.file = stream_new(source.disk, DISK);
    source.opened = source.completed = 0;
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    reader_close(f->reader);
    remove_file(f, "user");
    remove_file(f, "password");
    g_assert_cmpint(g_rmdir(f->directory), ==, 0);
    g_free(f->directory);
    g_byte_array_unref(source.file);
    g_free(source.disk);
}

static gboolean read_piece(const Fixture *f, guint number, GError **error)
{
    g_autofree guint8 *seen = g_malloc(PIECE);
    gsize done = 0;

    if (!reader_read(f->reader, number * PIECE, PIECE, seen, &done, NULL, error))
        return FALSE;
    g_assert_cmpuint(done, ==, PIECE);
    g_assert_cmpmem(seen, PIECE, source.disk + number * PIECE, PIECE);
    return TRUE;
}

static void a_lease_that_is_lost_is_asked_for_again(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    open_disk(f, source.file->len / 2);
    g_assert_true(read_piece(f, 0, NULL));
    for (guint i = 1; i < DISK / PIECE && !error; i++)
        read_piece(f, i, &error);
    g_assert_error(error, GANTRY_ERROR, ERROR_LEASE_LOST);
    g_assert_nonnull(strstr(error->message, "the source gave the lease up: told to"));
    g_assert_cmpint(error_class(error), ==, STALE);
    g_clear_error(&error);

    source.lets_through = source.file->len;
    g_assert_true(reader_renew(f->reader, f->reader->session, NULL, &error));
    for (guint i = 0; i < DISK / PIECE; i++)
        g_assert_true(read_piece(f, i, NULL));
    g_assert_cmpuint(source.opened, ==, 2);
    g_clear_pointer(&f->reader, reader_close);
    g_assert_cmpuint(source.completed, ==, 1); /* the second; the first was aborted */
}

static void a_stream_does_not_go_back(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    open_disk(f, source.file->len);
    for (guint i = 0; i < 3; i++)
        g_assert_true(read_piece(f, i, NULL));
    g_assert_false(read_piece(f, 0, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_LEASE_LOST);
    g_assert_true(reader_renew(f->reader, f->reader->session, NULL, NULL));
    g_assert_true(read_piece(f, 0, NULL));
}

#define TEST(name, function)                                                                                 \
    g_test_add("/copy/reader_lease/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("a lease that is lost is asked for again", a_lease_that_is_lost_is_asked_for_again);
    TEST("a stream does not go back", a_stream_does_not_go_back);
    return g_test_run();
}
