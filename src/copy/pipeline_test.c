/* pipeline: many threads, one disk; what arrives is what was there, however it ends. */
#include "copy/pipeline.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK   (20 * (guint64)CHUNK_SIZE + 1536)
#define MEMORY (8 * CHUNK_SIZE)

/* A disk whose third chunks are zeros and whose other sectors say where they are and which generation they
 * are of. */
typedef struct {
    Reader reader;
    gint reads;            /* atomic */
    gint flaky;            /* every so many reads fail at first; 0: none */
    gint fatal_from;       /* from this read on they fail for good; 0: never */
    GCancellable *cancel;  /* cancelled at the fifth read; or NULL */
    guint64 changed, size; /* this range is of the next generation */
} FakeDisk;

static void fill_sector(const FakeDisk *disk, guint64 at, guint8 *sector)
{
    gboolean changed = at >= disk->changed && at < disk->changed + disk->size;

    memset(sector, 0, 512);
    if (at / CHUNK_SIZE % 3 == 2 && !changed)
        return;
    memcpy(sector, &at, sizeof at);
    sector[511] = changed ? 2 : 1;
}

static gboolean read_fake(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                          GCancellable *cancel, GError **error)
{
    FakeDisk *disk = (FakeDisk *)reader;
    gint number = g_atomic_int_add(&disk->reads, 1) + 1;

    if (disk->cancel && number == 5)
        g_cancellable_cancel(disk->cancel);
    if (disk->fatal_from && number >= disk->fatal_from) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FORBIDDEN, "told to");
        return FALSE;
    }
    for (; *done < size; *done += 512) {
        if (disk->flaky && number % disk->flaky == 0 && *done >= size / 2) {
            g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ, "told to");
            return FALSE;
        }
        fill_sector(disk, start + *done, buffer + *done);
    }
    return TRUE;
}

static gboolean fake_extents(Reader *reader, guint64 start, guint64 size, GArray *extents,
                             GCancellable *cancel, GError **error)
{
    FakeDisk *disk = (FakeDisk *)reader;

    for (guint64 at = start; at < start + size;) {
        guint64 next = MIN((at / CHUNK_SIZE + 1) * CHUNK_SIZE, start + size);
        gboolean changed = at < disk->changed + disk->size && next > disk->changed;
        Extent extent = {at, next - at, at / CHUNK_SIZE % 3 == 2 && !changed};
        g_array_append_val(extents, extent);
        at = next;
    }
    return TRUE;
}

static gint flush_fails;   /* atomic: the target's next flush */
static gint flush_forgets; /* atomic: each flush loses the target's first block */

/* In place of the C library's. */
int fdatasync(int fd)
{
    static const guint8 block[4096] __attribute__((aligned(4096)));
    struct stat stat;
    gboolean is_target = fstat(fd, &stat) == 0 && (guint64)stat.st_size >= DISK;

    if (is_target && g_atomic_int_compare_and_exchange(&flush_fails, TRUE, FALSE)) {
        errno = EIO;
        return -1;
    }
    if (is_target && g_atomic_int_get(&flush_forgets))
        g_assert_cmpint(pwrite(fd, block, sizeof block, 0), ==, sizeof block);
    return fsync(fd);
}

static const ReaderType fake_type = {.type = "fake", .extents = fake_extents, .read = read_fake};

typedef struct {
    char *directory, *journal, *target;
    FakeDisk disk;
    ExtentList *changes;
} Copying;

static void set_up(Copying *copying, gconstpointer data)
{
    copying->directory = g_dir_make_tmp("pipeline-XXXXXX", NULL);
    copying->journal = g_build_filename(copying->directory, "journal", NULL);
    copying->target = g_build_filename(copying->directory, "disk.img", NULL);
    copying->disk.reader = (Reader){.type = &fake_type, .size = DISK, .parallel = 8};
}

static void tear_down(Copying *copying, gconstpointer data)
{
    g_autofree char *fence = g_strconcat(copying->journal, ".fence", NULL);
    g_unlink(copying->journal);
    g_unlink(fence);
    g_unlink(copying->target);
    g_rmdir(copying->directory);
    extent_list_free(copying->changes);
    g_free(copying->directory);
    g_free(copying->journal);
    g_free(copying->target);
}

static Journal *open_journal(const Copying *copying, const char *generation, GError **error)
{
    g_autoptr(json_t) name = json_string("x");
    const JournalOptions options = {.path = copying->journal,
                                    .disk_size = DISK,
                                    .disk = name,
                                    .target = name,
                                    .content = name,
                                    .generation = generation,
                                    .changes = copying->changes,
                                    .changes_since = "1",
                                    .fence_uid = "u",
                                    .fence_generation = 1};
    return journal_open(&options, 0, NULL, error);
}

static gboolean run(Copying *copying, const char *generation, GCancellable *cancel, GError **error)
{
    g_autoptr(Journal) journal = open_journal(copying, generation, error);
    g_autoptr(Target) target = target_open(copying->target, DISK, FALSE, error);
    g_autoptr(Progress) progress = progress_new(DISK);
    const Pipeline pipeline = {.reader = &copying->disk.reader,
                               .target = target,
                               .journal = journal,
                               .progress = progress,
                               .changes = copying->changes,
                               .memory = MEMORY,
                               .verify = TRUE};
    gboolean good;

    g_assert_nonnull(journal);
    g_assert_nonnull(target);
    if (journal_resumed(journal))
        target->fresh = FALSE;
    good = pipeline_run(&pipeline, cancel, error);
    g_assert_true(!good || journal_count(journal, CHUNK_VERIFIED) == chunk_count(DISK));
    return good;
}

static void assert_arrived(const Copying *copying)
{
    int fd = open(copying->target, O_RDONLY | O_CLOEXEC);
    guint8 sector[512], wanted[512];

    for (guint64 at = 0; at < DISK; at += 512) {
        if (at % CHUNK_SIZE > 8192 && at % CHUNK_SIZE < CHUNK_SIZE - 8192)
            continue; /* both ends of each chunk will do */
        fill_sector(&copying->disk, at, wanted);
        g_assert_cmpint(pread(fd, sector, sizeof sector, at), ==, sizeof sector);
        g_assert_cmpmem(sector, sizeof sector, wanted, sizeof wanted);
    }
    close(fd);
}

static void every_chunk_arrives_and_is_proved(Copying *copying, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    copying->disk.flaky = 7;
    run(copying, "1", NULL, &error);
    g_assert_no_error(error);
    assert_arrived(copying);
}

static void what_has_arrived_is_not_read_again(Copying *copying, gconstpointer data)
{
    g_assert_true(run(copying, "1", NULL, NULL));
    copying->disk.reads = 0;
    g_assert_true(run(copying, "1", NULL, NULL));
    g_assert_cmpint(copying->disk.reads, ==, 0);
}

static void an_error_stops_all_and_the_next_run_goes_on(Copying *copying, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    copying->disk.fatal_from = 6;
    g_assert_false(run(copying, "1", NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SOURCE_FORBIDDEN);
    copying->disk.fatal_from = 0;
    g_assert_true(run(copying, "1", NULL, NULL));
    assert_arrived(copying);
}

static void asked_to_stop_it_stops_and_the_next_run_goes_on(Copying *copying, gconstpointer data)
{
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_autoptr(GError) error = NULL;

    copying->disk.cancel = cancel;
    g_assert_false(run(copying, "1", cancel, &error));
    g_assert_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    copying->disk.cancel = NULL;
    g_assert_true(run(copying, "1", NULL, NULL));
    assert_arrived(copying);
}

static void after_a_flush_that_failed_nothing_counts_as_landed(Copying *copying, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Journal) journal = NULL;

    g_setenv("GANTRY_NO_URING", "1", TRUE);
    flush_fails = TRUE;
    g_assert_false(run(copying, "1", NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_TARGET_IO);
    g_clear_error(&error);
    journal = open_journal(copying, "1", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(journal_count(journal, CHUNK_LANDED) + journal_count(journal, CHUNK_VERIFIED), ==, 0);
    g_clear_pointer(&journal, journal_close);
    g_assert_true(run(copying, "1", NULL, NULL));
    assert_arrived(copying);
    g_unsetenv("GANTRY_NO_URING");
}

static void what_the_storage_lost_is_found_and_written_again(Copying *copying, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    g_setenv("GANTRY_NO_URING", "1", TRUE);
    flush_forgets = TRUE;
    g_assert_false(run(copying, "1", NULL, &error));
    flush_forgets = FALSE;
    g_assert_error(error, GANTRY_ERROR, ERROR_READ_BACK);
    g_assert_nonnull(strstr(error->message, "bytes 0 to "));
    g_assert_true(run(copying, "1", NULL, NULL));
    assert_arrived(copying);
    g_unsetenv("GANTRY_NO_URING");
}

static void of_the_next_generation_only_changes_are_read(Copying *copying, gconstpointer data)
{
    g_assert_true(run(copying, "1", NULL, NULL));
    copying->disk.reads = 0;
    copying->disk.changed =
        5 * CHUNK_SIZE - 4096; /* the end of one chunk and the start of another, of zeros */
    copying->disk.size = 8192;
    copying->changes = extent_list_new();
    extent_list_add(copying->changes, 0, copying->disk.changed, TRUE);
    extent_list_add(copying->changes, copying->disk.changed, 8192, FALSE);
    extent_list_add(copying->changes, copying->disk.changed + 8192, DISK - copying->disk.changed - 8192,
                    TRUE);
    g_assert_true(run(copying, "2", NULL, NULL));
    g_assert_cmpint(copying->disk.reads, ==, 2);
    assert_arrived(copying);
}

#define TEST(name, function) g_test_add("/copy/pipeline/" name, Copying, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("every chunk arrives and is proved", every_chunk_arrives_and_is_proved);
    TEST("what has arrived is not read again", what_has_arrived_is_not_read_again);
    TEST("an error stops all and the next run goes on", an_error_stops_all_and_the_next_run_goes_on);
    TEST("asked to stop it stops and the next run goes on", asked_to_stop_it_stops_and_the_next_run_goes_on);
    TEST("after a flush that failed nothing counts as landed",
         after_a_flush_that_failed_nothing_counts_as_landed);
    TEST("what the storage lost is found and written again",
         what_the_storage_lost_is_found_and_written_again);
    TEST("of the next generation only changes are read", of_the_next_generation_only_changes_are_read);
    return g_test_run();
}
