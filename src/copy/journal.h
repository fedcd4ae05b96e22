/* journal: which chunks of a disk are in the target, with what hash; the copy goes on from here after any end
 * of the process.
 *
 * The file has a head (identity of the disk and of what the source held), a counter, and one record of 32
 * bytes per chunk at a fixed place, so that any chunk's hash is found without reading the others, whatever
 * the disk's size. A record carries a checksum over itself and its place: a torn or foreign one counts as
 * absent, and costs one chunk read again.
 *
 * Guarantee: a record says only what is true of the target: it is written after the chunk's data is durable,
 * and removed, durably, before a chunk is overwritten with other data (journal_forget()). When the source may
 * have written since (another identity), records become STALE: each chunk has to be read again, but is
 * written only when its hash differs. Where the source says what it has written since the very content that
 * the records are about (options.changes), only the chunks which that touches become STALE, with that content
 * as their base (journal_base()): what was not written since need not be read. A base is of the content just
 * before the present one; an older record is merely STALE.
 *
 * One writer: the file is locked, and a token beside it (FILE.fence) names the writer. A newer generation
 * takes over: it writes its token, and the older writer, which looks before each checkpoint, stops (FENCED)
 * and leaves the lock. Threads: any, after journal_open(). Errors: SECOND_WRITER, FENCED, IO.
 */
#pragma once
#include "base/json.h"
#include "copy/chunk.h"
#include "copy/extent_list.h"

typedef enum {
    CHUNK_MISSING,
    CHUNK_STALE,   /* the target holds what the source held once: journal_hash() */
    CHUNK_LANDED,  /* in the target, durable */
    CHUNK_VERIFIED /* and read back from there, equal */
} ChunkState;

typedef struct Journal Journal;

typedef struct {
    const char *path;
    guint64 disk_size;
    const json_t *disk;        /* which disk this is; another one's journal is never used */
    const json_t *target;      /* which target it is about; another one's journal is never used */
    const json_t *content;     /* what tells the source's content from any other */
    const char *generation;    /* the same in the spec's words */
    const ExtentList *changes; /* not zero: written since the generation changes_since; or NULL */
    const char *changes_since;
    const char *fence_uid;
    guint64 fence_generation;
} JournalOptions;

/* Waits up to takeover_ms for an older generation to stop. */
Journal *journal_open(const JournalOptions *options, guint takeover_ms, GCancellable *cancel, GError **error);
void journal_close(Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_close)

gboolean journal_resumed(Journal *journal); /* it held records of this disk when it was opened */

ChunkState journal_state(Journal *journal, guint64 chunk);
guint64 journal_count(Journal *journal, ChunkState state); /* chunks */
guint64 journal_next(Journal *journal, guint64 from,
                     guint states); /* states: bits 1 << ChunkState; the chunk count: none */
guint64 journal_run(Journal *journal, guint64 from, guint64 most,
                    ChunkState state); /* chunks in that state from there on */
gboolean journal_hash(Journal *journal, guint64 chunk, Hash *hash,
                      GError **error); /* not of a MISSING chunk */
gboolean journal_hashes(Journal *journal, guint64 from, gsize len, Hash *hashes, GError **error);
/* Whether a STALE chunk's record is about the content that options.changes counts from. */
gboolean journal_base(Journal *journal, guint64 chunk, Hash *hash);

/* The record becomes durable with the next fdatasync() of journal_fd(). state: CHUNK_LANDED or
 * CHUNK_VERIFIED. */
gboolean journal_put(Journal *journal, guint64 chunk, const Hash *hash, ChunkState state, GError **error);
gboolean journal_put_run(Journal *journal, guint64 from, guint64 len, const Hash *hash, ChunkState state,
                         GError **error); /* the same hash for all of them */
/* The chunk is MISSING, durably, when this returns. */
gboolean journal_forget(Journal *journal, guint64 chunk, GError **error);
int journal_fd(const Journal *journal);

/* FENCED when a newer writer has put its token in place. */
gboolean journal_check_fence(Journal *journal, GError **error);

/* Bytes read from the source for the present content, by all processes so far: it survives the process's
 * death at any point. */
void journal_add_read(Journal *journal, guint64 bytes);
guint64 journal_read_bytes(const Journal *journal);
