/* journal: records hold what they said, for whom they were written, and nothing else. */
#include "copy/journal.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define DISK (10 * (guint64)CHUNK_SIZE + 512)

typedef struct {
    char *directory, *path;
} Place;

static void set_up(Place *place, gconstpointer data)
{
    place->directory = g_dir_make_tmp("journal-XXXXXX", NULL);
    place->path = g_build_filename(place->directory, "1.journal", NULL);
}

static void tear_down(Place *place, gconstpointer data)
{
    g_autofree char *fence = g_strconcat(place->path, ".fence", NULL);
    g_unlink(place->path);
    g_unlink(fence);
    g_rmdir(place->directory);
    g_free(place->directory);
    g_free(place->path);
}

static Journal *open_as(const Place *place, const char *source, const char *uid, guint64 generation,
                        GError **error)
{
    g_autoptr(json_t) disk = json_string("disk"), target = json_string("target"),
                      content = json_string(source);
    const JournalOptions options = {.path = place->path,
                                    .disk_size = DISK,
                                    .disk = disk,
                                    .target = target,
                                    .content = content,
                                    .generation = source,
                                    .fence_uid = uid,
                                    .fence_generation = generation};
    return journal_open(&options, 300, NULL, error);
}

static Journal *open_journal(const Place *place, const char *source)
{
    g_autoptr(GError) error = NULL;
    Journal *journal = open_as(place, source, "a", 1, &error);
    g_assert_no_error(error);
    return journal;
}

/* The source has gone on from the content since to source, and changed two bytes' sectors meanwhile. */
static Journal *open_changed(const Place *place, const char *since, const char *source, guint64 changed)
{
    g_autoptr(json_t) disk = json_string("disk"), target = json_string("target"),
                      content = json_string(source);
    g_autoptr(ExtentList) changes = extent_list_new();
    g_autoptr(GError) error = NULL;
    const JournalOptions options = {.path = place->path,
                                    .disk_size = DISK,
                                    .disk = disk,
                                    .target = target,
                                    .content = content,
                                    .generation = source,
                                    .changes = changes,
                                    .changes_since = since,
                                    .fence_uid = "a",
                                    .fence_generation = 1};
    Journal *journal;

    if (changed)
        extent_list_add(changes, 0, changed, TRUE);
    extent_list_add(changes, changed, 512, FALSE);
    extent_list_add(changes, changed + 512, DISK - changed - 512, TRUE);
    journal = journal_open(&options, 300, NULL, &error);
    g_assert_no_error(error);
    return journal;
}

static void put_all(Journal *journal)
{
    Hash hash = hash_of("x", 1);
    g_assert_true(journal_put_run(journal, 0, 11, &hash, CHUNK_VERIFIED, NULL));
}

static void of_a_content_that_went_on_only_what_changed_is_stale(Place *place, gconstpointer data)
{
    Journal *journal = open_journal(place, "one");
    Hash hash;

    put_all(journal);
    journal_close(journal);
    for (guint again = 0; again < 2; again++) { /* also when it is opened so once more */
        journal = open_changed(place, "one", "two", 5 * CHUNK_SIZE);
        g_assert_cmpuint(journal_count(journal, CHUNK_STALE), ==, 1);
        g_assert_cmpuint(journal_count(journal, CHUNK_VERIFIED), ==, 10);
        g_assert_cmpuint(journal_run(journal, 0, 100, CHUNK_VERIFIED), ==, 5);
        g_assert_true(journal_base(journal, 5, &hash));
        g_assert_false(journal_base(journal, 4, &hash));
        journal_close(journal);
    }
}

static void a_base_of_the_content_before_the_last_is_none(Place *place, gconstpointer data)
{
    Journal *journal = open_journal(place, "one");
    Hash hash;

    put_all(journal);
    journal_close(journal);
    journal_close(open_changed(place, "one", "two", 5 * CHUNK_SIZE)); /* chunk 5 was never copied */
    journal = open_changed(place, "two", "three", 7 * CHUNK_SIZE);
    g_assert_cmpint(journal_state(journal, 5), ==, CHUNK_STALE);
    g_assert_false(journal_base(journal, 5, &hash));
    g_assert_true(journal_base(journal, 7, &hash));
    g_assert_cmpuint(journal_count(journal, CHUNK_VERIFIED), ==, 9);
    journal_close(journal);
}

static void changes_since_another_content_make_all_stale(Place *place, gconstpointer data)
{
    Journal *journal = open_journal(place, "one");
    Hash hash;

    put_all(journal);
    journal_close(journal);
    journal = open_changed(place, "zero", "two", 5 * CHUNK_SIZE);
    g_assert_cmpuint(journal_count(journal, CHUNK_STALE), ==, 11);
    g_assert_false(journal_base(journal, 5, &hash));
    journal_close(journal);
}

static void records_are_there_after_reopening(Place *place, gconstpointer data)
{
    Hash hash = hash_of("x", 1), back;
    Journal *journal = open_journal(place, "one");

    g_assert_false(journal_resumed(journal));
    g_assert_cmpuint(journal_count(journal, CHUNK_MISSING), ==, 11);
    g_assert_true(journal_put(journal, 3, &hash, CHUNK_LANDED, NULL));
    g_assert_true(journal_put(journal, 10, &hash, CHUNK_VERIFIED, NULL));
    journal_add_read(journal, 4711);
    journal_close(journal);

    journal = open_journal(place, "one");
    g_assert_true(journal_resumed(journal));
    g_assert_cmpint(journal_state(journal, 3), ==, CHUNK_LANDED);
    g_assert_cmpint(journal_state(journal, 10), ==, CHUNK_VERIFIED);
    g_assert_cmpuint(journal_next(journal, 0, 1 << CHUNK_VERIFIED), ==, 10);
    g_assert_cmpuint(journal_next(journal, 0, 1 << CHUNK_STALE), ==, 11);
    g_assert_cmpuint(journal_read_bytes(journal), ==, 4711);
    g_assert_true(journal_hash(journal, 3, &back, NULL));
    g_assert_true(hash_equal(&hash, &back));
    journal_close(journal);
}

static void another_content_makes_them_stale_not_lost(Place *place, gconstpointer data)
{
    Hash hash = hash_of("x", 1);
    Journal *journal = open_journal(place, "one");

    journal_put(journal, 3, &hash, CHUNK_VERIFIED, NULL);
    journal_add_read(journal, 1);
    journal_close(journal);

    journal = open_journal(place, "two");
    g_assert_cmpint(journal_state(journal, 3), ==, CHUNK_STALE);
    g_assert_cmpuint(journal_read_bytes(journal), ==, 0);
    g_assert_true(journal_put(journal, 4, &hash, CHUNK_LANDED, NULL));
    journal_close(journal);

    journal = open_journal(place, "two");
    g_assert_cmpint(journal_state(journal, 3), ==, CHUNK_STALE);
    g_assert_cmpint(journal_state(journal, 4), ==, CHUNK_LANDED);
    journal_close(journal);

    journal = open_journal(place, "one"); /* back again is another content all the same */
    g_assert_cmpint(journal_state(journal, 3), ==, CHUNK_STALE);
    g_assert_cmpint(journal_state(journal, 4), ==, CHUNK_STALE);
    journal_close(journal);
}

static void what_is_forgotten_stays_forgotten(Place *place, gconstpointer data)
{
    Hash hash = hash_of("x", 1);
    Journal *journal = open_journal(place, "one");

    journal_put(journal, 3, &hash, CHUNK_VERIFIED, NULL);
    g_assert_true(journal_forget(journal, 3, NULL));
    journal_close(journal);
    journal = open_journal(place, "one");
    g_assert_cmpint(journal_state(journal, 3), ==, CHUNK_MISSING);
    journal_close(journal);
}

static void a_torn_record_is_ignored(Place *place, gconstpointer data)
{
    Hash hash = hash_of("x", 1);
    Journal *journal = open_journal(place, "one");
    int fd;

    journal_put(journal, 3, &hash, CHUNK_VERIFIED, NULL);
    journal_put(journal, 4, &hash, CHUNK_VERIFIED, NULL);
    journal_close(journal);
    for (guint byte = 0; byte < 32; byte++) {
        guint8 before, after;

        fd = open(place->path, O_RDWR);
        g_assert_cmpint(pread(fd, &before, 1, 12288 + 3 * 32 + byte), ==, 1);
        after = before ^ 0x55;
        g_assert_cmpint(pwrite(fd, &after, 1, 12288 + 3 * 32 + byte), ==, 1);
        journal = open_journal(place, "one");
        g_assert_cmpint(journal_state(journal, 3), ==, CHUNK_MISSING);
        g_assert_cmpint(journal_state(journal, 4), ==, CHUNK_VERIFIED);
        journal_close(journal);
        g_assert_cmpint(pwrite(fd, &before, 1, 12288 + 3 * 32 + byte), ==, 1);
        close(fd);
    }
}

static void a_record_in_another_s_place_is_ignored(Place *place, gconstpointer data)
{
    Hash hash = hash_of("x", 1);
    Journal *journal = open_journal(place, "one");
    guint8 record[32];
    int fd;

    journal_put(journal, 3, &hash, CHUNK_VERIFIED, NULL);
    journal_close(journal);
    fd = open(place->path, O_RDWR);
    g_assert_cmpint(pread(fd, record, 32, 12288 + 3 * 32), ==, 32);
    g_assert_cmpint(pwrite(fd, record, 32, 12288 + 5 * 32), ==, 32);
    close(fd);
    journal = open_journal(place, "one");
    g_assert_cmpint(journal_state(journal, 5), ==, CHUNK_MISSING);
    journal_close(journal);
}

static void one_writer_at_a_time(Place *place, gconstpointer data)
{
    g_autoptr(Journal) first = open_journal(place, "one");
    g_autoptr(GError) error = NULL;

    g_assert_null(open_as(place, "one", "b", 1, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SECOND_WRITER);
    g_clear_error(&error);

    g_assert_null(open_as(place, "one", "c", 2, &error)); /* waits, but the first does not look */
    g_assert_error(error, GANTRY_ERROR, ERROR_SECOND_WRITER);
    g_clear_error(&error);

    g_assert_false(journal_check_fence(first, &error)); /* now it does */
    g_assert_error(error, GANTRY_ERROR, ERROR_FENCED);
    g_clear_error(&error);
    g_clear_pointer(&first, journal_close);

    g_assert_null(open_as(place, "one", "a", 1, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_FENCED);
}

#define TEST(name, function) g_test_add("/copy/journal/" name, Place, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("records are there after reopening", records_are_there_after_reopening);
    TEST("another content makes them stale, not lost", another_content_makes_them_stale_not_lost);
    TEST("of a content that went on only what changed is stale",
         of_a_content_that_went_on_only_what_changed_is_stale);
    TEST("a base of the content before the last is none", a_base_of_the_content_before_the_last_is_none);
    TEST("changes since another content make all stale", changes_since_another_content_make_all_stale);
    TEST("what is forgotten stays forgotten", what_is_forgotten_stays_forgotten);
    TEST("a torn record is ignored", a_torn_record_is_ignored);
    TEST("a record in another's place is ignored", a_record_in_another_s_place_is_ignored);
    TEST("one writer at a time", one_writer_at_a_time);
    return g_test_run();
}
