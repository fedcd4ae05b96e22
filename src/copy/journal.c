/* journal: the file, its records, its lock and token. All numbers are little-endian.
 *
 *   0     head: "GANTRYJ1", u32 length of text, u32 epoch, u64 checksum of the text and both, then the text:
 * JSON
 *         {"chunkSize","disk","diskSize","target","source"}
 *   8192  u64 bytes read from the source (mapped, so that it is kept when the process is killed)
 *   12288 records: hash[16], u32 epoch, u32 state, u64 checksum of these and the record's number
 * A record of another epoch than the head's is STALE; one of the head's epoch with the state BASE too, and
 * is about the content before the head's.
 */
#include "copy/journal.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC       "GANTRYJ1"
#define HEAD_SIZE   8192
#define PAGE        4096
#define RECORDS_AT  (HEAD_SIZE + PAGE)
#define FENCE_LIMIT 4096
#define BASE        CHUNK_STALE /* a state in the file only */
#define BATCH       64          /* records that are read or written at once */

typedef struct {
    char magic[8];
    guint32 text_size, epoch;
    guint64 checksum;
    char text[HEAD_SIZE - 24];
} Head;

typedef struct {
    Hash hash;
    guint32 epoch, state;
    guint64 checksum;
} Record;

G_STATIC_ASSERT(sizeof(Head) == HEAD_SIZE);
G_STATIC_ASSERT(sizeof(Record) == 32);

struct Journal {
    char *path, *fence_path, *fence_uid;
    guint64 fence_generation;
    int fd;
    guint32 epoch;
    gboolean resumed;
    gint lost; /* atomic: a flush failed; the next one's success would say nothing of what was before it */
    guint64 chunks;
    guint64 *read_bytes; /* mapped */
    GMutex lock;
    guint8 *states; /* 2 bits a chunk; under lock, as are the counts */
    guint64 counts[4];
};

static guint64 checksum(gconstpointer data, gsize size, guint64 number)
{
    guint8 all[sizeof number + HEAD_SIZE];
    guint64 low;
    Hash hash;

    memcpy(all, &number, sizeof number);
    memcpy(all + sizeof number, data, size);
    hash = hash_of(all, sizeof number + size);
    memcpy(&low, hash.bytes, sizeof low);
    return low;
}

static gboolean fail(const Journal *journal, const char *what, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "journal %s: %s: %s", journal->path, what, g_strerror(errno));
    return FALSE;
}

static gboolean flush(Journal *journal, GError **error)
{
    if (fdatasync(journal->fd) < 0)
        g_atomic_int_set(&journal->lost, TRUE);
    else if (g_atomic_int_get(&journal->lost))
        errno = EIO;
    else
        return TRUE;
    return fail(journal, "flush", error);
}

static gboolean write_at(const Journal *journal, gconstpointer data, gsize size, guint64 at, GError **error)
{
    ssize_t put = pwrite(journal->fd, data, size, at);

    if (put == (ssize_t)size)
        return TRUE;
    if (put >= 0)
        errno = ENOSPC;
    return fail(journal, "write", error);
}

/* ---- the token --------------------------------------------------------------------------------- */

/* FALSE: there is none, or none that can be read. */
static gboolean read_fence(const Journal *journal, char **uid, guint64 *generation)
{
    g_autoptr(json_t) fence = json_parse_file(journal->fence_path, FENCE_LIMIT, NULL);

    if (!json_string_at(fence, "uid", NULL) || json_int_at(fence, "generation", -1) < 0)
        return FALSE;
    *uid = g_strdup(json_string_at(fence, "uid", NULL));
    *generation = json_int_at(fence, "generation", 0);
    return TRUE;
}

static gboolean write_fence(const Journal *journal, GError **error)
{
    g_autoptr(json_t) fence = json_pack("{s:s,s:I}", "uid", journal->fence_uid, "generation",
                                        (json_int_t)journal->fence_generation);
    g_autofree char *text = json_text(fence);
    return g_file_set_contents_full(journal->fence_path, text, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                    error);
}

static gboolean is_fenced(const Journal *journal, const char *uid, guint64 generation, GError **error)
{
    if (generation <= journal->fence_generation)
        return FALSE;
    g_set_error(error, GANTRY_ERROR, ERROR_FENCED,
                "writer %s of generation %" G_GUINT64_FORMAT
                " has taken over from %s of generation %" G_GUINT64_FORMAT,
                uid, generation, journal->fence_uid, journal->fence_generation);
    return TRUE;
}

gboolean journal_check_fence(Journal *journal, GError **error)
{
    g_autofree char *uid = NULL;
    guint64 generation;

    return !read_fence(journal, &uid, &generation) || !is_fenced(journal, uid, generation, error);
}

static gboolean take_lock(Journal *journal, guint takeover_ms, GCancellable *cancel, GError **error)
{
    g_autofree char *uid = NULL;
    guint64 generation = 0;
    gboolean newer = FALSE;

    if (read_fence(journal, &uid, &generation)) {
        if (is_fenced(journal, uid, generation, error))
            return FALSE;
        newer = generation < journal->fence_generation;
    }
    if (newer && !write_fence(journal, error)) /* the older writer sees this at its next checkpoint */
        return FALSE;
    for (guint waited = 0; flock(journal->fd, LOCK_EX | LOCK_NB) < 0; waited += 100) {
        if (errno != EWOULDBLOCK)
            return fail(journal, "lock", error);
        if (!newer || waited >= takeover_ms) {
            g_set_error(error, GANTRY_ERROR, ERROR_SECOND_WRITER, "writer %s is still copying this disk",
                        uid ? uid : "(unknown)");
            return FALSE;
        }
        if (g_cancellable_set_error_if_cancelled(cancel, error))
            return FALSE;
        g_usleep(100 * 1000);
    }
    return write_fence(journal, error);
}

/* ---- opening ----------------------------------------------------------------------------------- */

static json_t *identity_of(const JournalOptions *options)
{
    return json_pack("{s:I,s:O,s:I,s:O,s:{s:O,s:s}}", "chunkSize", (json_int_t)CHUNK_SIZE, "disk",
                     options->disk, "diskSize", (json_int_t)options->disk_size, "target", options->target,
                     "source", "content", options->content, "generation", options->generation);
}

static guint64 head_checksum(const Head *head)
{
    return checksum(head->text, head->text_size, head->epoch);
}

/* NULL: there is no head, or it is damaged. */
static json_t *read_head(Journal *journal)
{
    g_autofree Head *head = g_new0(Head, 1);

    if (pread(journal->fd, head, sizeof *head, 0) != (ssize_t)sizeof *head || memcmp(head->magic, MAGIC, 8) ||
        head->text_size > sizeof head->text || head->checksum != head_checksum(head))
        return NULL;
    journal->epoch = head->epoch;
    return json_parse(head->text, head->text_size, sizeof head->text, "journal", NULL);
}

static gboolean write_head(Journal *journal, const json_t *identity, GError **error)
{
    g_autofree Head *head = g_new0(Head, 1);
    g_autofree char *text = json_text(identity);
    gsize size = strlen(text);

    if (size > sizeof head->text) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "the identity of the disk's content is over %zu bytes", sizeof head->text);
        return FALSE;
    }
    memcpy(head->magic, MAGIC, 8);
    head->text_size = size;
    head->epoch = journal->epoch;
    memcpy(head->text, text, size);
    head->checksum = head_checksum(head);
    if (!write_at(journal, head, sizeof *head, 0, error))
        return FALSE;
    return flush(journal, error);
}

static gboolean is_same_disk(const json_t *before, const json_t *now)
{
    static const char *const members[] = {"chunkSize", "disk", "diskSize", "target"};

    for (guint i = 0; i < G_N_ELEMENTS(members); i++)
        if (!before || !json_equal(json_object_get(before, members[i]), json_object_get(now, members[i])))
            return FALSE;
    return TRUE;
}

/* Drops all records: of another disk, or of a head that cannot be trusted. */
static gboolean start_over(Journal *journal, const json_t *identity, GError **error)
{
    if (ftruncate(journal->fd, 0) < 0 ||
        ftruncate(journal->fd, RECORDS_AT + journal->chunks * sizeof(Record)) < 0)
        return fail(journal, "create", error);
    journal->epoch = 1;
    return write_head(journal, identity, error);
}

static gboolean map_counter(Journal *journal, GError **error)
{
    journal->read_bytes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, HEAD_SIZE);
    if (journal->read_bytes != MAP_FAILED)
        return TRUE;
    journal->read_bytes = NULL;
    return fail(journal, "map", error);
}

static void set_state(Journal *journal, guint64 chunk, ChunkState state)
{
    guint8 *byte = &journal->states[chunk / 4], shift = chunk % 4 * 2;

    journal->counts[*byte >> shift & 3]--;
    *byte = (*byte & ~(3 << shift)) | state << shift;
    journal->counts[state]++;
}

static guint64 record_checksum(const Record *record, guint64 chunk)
{
    return checksum(record, G_STRUCT_OFFSET(Record, checksum), chunk);
}

static gboolean is_sound(const Record *record, guint64 chunk)
{
    return record->state >= BASE && record->state <= CHUNK_VERIFIED &&
           record->checksum == record_checksum(record, chunk);
}

static ChunkState state_of(const Journal *journal, const Record *record, guint64 chunk)
{
    if (!is_sound(record, chunk))
        return CHUNK_MISSING;
    return record->epoch == journal->epoch && record->state != BASE ? record->state : CHUNK_STALE;
}

static guint64 place_of(guint64 chunk)
{
    return RECORDS_AT + chunk * sizeof(Record);
}

/* Reads up to BATCH records; what the file does not have is zero. */
static gboolean read_records(const Journal *journal, guint64 chunk, gsize len, Record *records,
                             GError **error)
{
    ssize_t got = pread(journal->fd, records, len * sizeof *records, place_of(chunk));

    if (got < 0)
        return fail(journal, "read", error);
    memset((guint8 *)records + got, 0, len * sizeof *records - got);
    return TRUE;
}

static gboolean load_records(Journal *journal, GError **error)
{
    Record records[BATCH];

    for (guint64 chunk = 0; chunk < journal->chunks; chunk += BATCH) {
        gsize len = MIN(BATCH, journal->chunks - chunk);

        if (!read_records(journal, chunk, len, records, error))
            return FALSE;
        for (gsize i = 0; i < len; i++)
            if (records[i].state)
                set_state(journal, chunk + i, state_of(journal, &records[i], chunk + i));
    }
    journal->resumed = journal->counts[CHUNK_MISSING] < journal->chunks;
    return TRUE;
}

/* What a record becomes when the source goes on to its next content; FALSE: it stays as it is. */
static gboolean rebase_record(const Journal *journal, const JournalOptions *options, Record *record,
                              guint64 chunk)
{
    if (!is_sound(record, chunk) || record->epoch != journal->epoch)
        return FALSE;
    if (record->state == BASE) /* of the content before the last: no base any more */
        record->epoch = 0;
    else if (!extent_list_is_zero(options->changes, chunk_start(chunk),
                                  chunk_size(options->disk_size, chunk)))
        record->state = BASE;
    else
        return FALSE;
    record->checksum = record_checksum(record, chunk);
    return TRUE;
}

/* The records of chunks that have changed become bases, durably, before the head says so: cut short, this
 * costs reading them whole. */
static gboolean rebase(Journal *journal, const JournalOptions *options, GError **error)
{
    Record records[BATCH];

    for (guint64 chunk = 0; chunk < journal->chunks; chunk += BATCH) {
        gsize len = MIN(BATCH, journal->chunks - chunk);
        gboolean changed = FALSE;

        if (!read_records(journal, chunk, len, records, error))
            return FALSE;
        for (gsize i = 0; i < len; i++)
            changed = rebase_record(journal, options, &records[i], chunk + i) || changed;
        if (changed && !write_at(journal, records, len * sizeof *records, place_of(chunk), error))
            return FALSE;
    }
    return flush(journal, error);
}

/* The source may have written since. */
static gboolean change_content(Journal *journal, const JournalOptions *options, const json_t *before,
                               const json_t *identity, GError **error)
{
    const char *was = json_string_at(before, "source.generation", NULL);

    if (options->changes && !g_strcmp0(was, options->changes_since)) {
        if (!rebase(journal, options, error))
            return FALSE;
    } else {
        journal->epoch++; /* all records become STALE */
    }
    if (!write_head(journal, identity, error))
        return FALSE;
    *journal->read_bytes = 0;
    return TRUE;
}

static gboolean take_records(Journal *journal, const JournalOptions *options, GError **error)
{
    g_autoptr(json_t) identity = identity_of(options), before = read_head(journal);

    if (!is_same_disk(before, identity)) {
        if (!start_over(journal, identity, error) || !map_counter(journal, error))
            return FALSE;
    } else if (!map_counter(journal, error) || (!json_equal(before, identity) &&
                                                !change_content(journal, options, before, identity, error))) {
        return FALSE;
    }
    return load_records(journal, error);
}

Journal *journal_open(const JournalOptions *options, guint takeover_ms, GCancellable *cancel, GError **error)
{
    g_autoptr(Journal) journal = g_new0(Journal, 1);

    g_mutex_init(&journal->lock);
    journal->path = g_strdup(options->path);
    journal->fence_path = g_strconcat(options->path, ".fence", NULL);
    journal->fence_uid = g_strdup(options->fence_uid);
    journal->fence_generation = options->fence_generation;
    journal->chunks = chunk_count(options->disk_size);
    journal->states = g_malloc0(journal->chunks / 4 + 1);
    journal->counts[CHUNK_MISSING] = journal->chunks;
    journal->fd = open(options->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->fd < 0) {
        fail(journal, "open", error);
        return NULL;
    }
    if (!take_lock(journal, takeover_ms, cancel, error) || !take_records(journal, options, error))
        return NULL;
    return g_steal_pointer(&journal);
}

void journal_close(Journal *journal)
{
    if (!journal)
        return;
    if (journal->read_bytes)
        munmap(journal->read_bytes, PAGE);
    if (journal->fd >= 0)
        close(journal->fd);
    g_mutex_clear(&journal->lock);
    g_free(journal->states);
    g_free(journal->path);
    g_free(journal->fence_path);
    g_free(journal->fence_uid);
    g_free(journal);
}

/* ---- use --------------------------------------------------------------------------------------- */

gboolean journal_resumed(Journal *journal)
{
    return journal->resumed;
}
int journal_fd(const Journal *journal)
{
    return journal->fd;
}

static ChunkState peek(const Journal *journal, guint64 chunk)
{
    return journal->states[chunk / 4] >> chunk % 4 * 2 & 3;
}

ChunkState journal_state(Journal *journal, guint64 chunk)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&journal->lock);
    return peek(journal, chunk);
}

guint64 journal_count(Journal *journal, ChunkState state)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&journal->lock);
    return journal->counts[state];
}

guint64 journal_next(Journal *journal, guint64 from, guint states)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&journal->lock);

    while (from < journal->chunks && !(states >> peek(journal, from) & 1))
        from++;
    return from;
}

guint64 journal_run(Journal *journal, guint64 from, guint64 most, ChunkState state)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&journal->lock);
    guint64 len = 0;

    while (len < most && from + len < journal->chunks && peek(journal, from + len) == state)
        len++;
    return len;
}

gboolean journal_hashes(Journal *journal, guint64 from, gsize len, Hash *hashes, GError **error)
{
    Record records[BATCH];

    for (gsize at = 0; at < len; at += BATCH) {
        gsize part = MIN(BATCH, len - at);

        if (!read_records(journal, from + at, part, records, error))
            return FALSE;
        for (gsize i = 0; i < part; i++) {
            if (!is_sound(&records[i], from + at + i)) {
                errno = EBADMSG;
                return fail(journal, "a record", error);
            }
            hashes[at + i] = records[i].hash;
        }
    }
    return TRUE;
}

gboolean journal_hash(Journal *journal, guint64 chunk, Hash *hash, GError **error)
{
    return journal_hashes(journal, chunk, 1, hash, error);
}

gboolean journal_base(Journal *journal, guint64 chunk, Hash *hash)
{
    Record record;

    if (!read_records(journal, chunk, 1, &record, NULL) || !is_sound(&record, chunk) ||
        record.state != BASE || record.epoch != journal->epoch)
        return FALSE;
    *hash = record.hash;
    return TRUE;
}

static gboolean put_records(Journal *journal, guint64 from, gsize len, const Record *records,
                            ChunkState state, GError **error)
{
    if (!write_at(journal, records, len * sizeof *records, place_of(from), error))
        return FALSE;
    g_mutex_lock(&journal->lock);
    for (gsize i = 0; i < len; i++)
        set_state(journal, from + i, state);
    g_mutex_unlock(&journal->lock);
    return TRUE;
}

gboolean journal_put_run(Journal *journal, guint64 from, guint64 len, const Hash *hash, ChunkState state,
                         GError **error)
{
    Record records[BATCH];

    for (guint64 at = 0; at < len; at += BATCH) {
        gsize part = MIN(BATCH, len - at);

        for (gsize i = 0; i < part; i++) {
            records[i] = (Record){.hash = *hash, .epoch = journal->epoch, .state = state};
            records[i].checksum = record_checksum(&records[i], from + at + i);
        }
        if (!put_records(journal, from + at, part, records, state, error))
            return FALSE;
    }
    return TRUE;
}

gboolean journal_put(Journal *journal, guint64 chunk, const Hash *hash, ChunkState state, GError **error)
{
    return journal_put_run(journal, chunk, 1, hash, state, error);
}

gboolean journal_forget(Journal *journal, guint64 chunk, GError **error)
{
    static const Record none;

    if (!put_records(journal, chunk, 1, &none, CHUNK_MISSING, error))
        return FALSE;
    return flush(journal, error);
}

void journal_add_read(Journal *journal, guint64 bytes)
{
    __atomic_add_fetch(journal->read_bytes, bytes, __ATOMIC_RELAXED);
}

guint64 journal_read_bytes(const Journal *journal)
{
    return __atomic_load_n(journal->read_bytes, __ATOMIC_RELAXED);
}
