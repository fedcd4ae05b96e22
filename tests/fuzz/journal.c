/* Any bytes in place of a journal: it opens, and holds no record that it cannot give; then it can be written
 * to. */
#include "copy/journal.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define DISK (3 * (guint64)CHUNK_SIZE + 512)

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

static Journal *open_journal(const char *path, const ExtentList *changes, GError **error)
{
    g_autoptr(json_t) name = json_string("x");
    const JournalOptions options = {.path = path,
                                    .disk_size = DISK,
                                    .disk = name,
                                    .target = name,
                                    .content = name,
                                    .generation = changes ? "2" : "1",
                                    .changes = changes,
                                    .changes_since = "1",
                                    .fence_uid = "u",
                                    .fence_generation = 1};
    return journal_open(&options, 0, NULL, error);
}

static void use(Journal *journal)
{
    Hash hash;

    for (guint64 chunk = 0; chunk < 4; chunk++) {
        ChunkState state = journal_state(journal, chunk);
        if (state != CHUNK_MISSING)
            g_assert_true(journal_hash(journal, chunk, &hash, NULL));
        g_assert_true(!journal_base(journal, chunk, &hash) || state == CHUNK_STALE);
    }
    hash = hash_of_zeros(512);
    g_assert_true(journal_put(journal, 3, &hash, CHUNK_LANDED, NULL));
    g_assert_cmpint(journal_state(journal, 3), ==, CHUNK_LANDED);
}

/* The first byte says whether the source goes on with changes. */
int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    static char path[] = "/tmp/fuzz-journal-XXXXXX";
    static int fd = -1;
    g_autoptr(ExtentList) changes = NULL;
    g_autoptr(Journal) journal = NULL;
    g_autoptr(GError) error = NULL;

    if (fd < 0)
        fd = g_mkstemp(path);
    if (!size || ftruncate(fd, 0) < 0 || pwrite(fd, data + 1, size - 1, 0) != (ssize_t)size - 1)
        return 0;
    if (data[0] & 1) {
        changes = extent_list_new();
        extent_list_add(changes, 0, 512, FALSE);
        extent_list_add(changes, 512, DISK - 512, TRUE);
    }
    journal = open_journal(path, changes, &error);
    g_assert_no_error(error);
    use(journal);
    return 0;
}
