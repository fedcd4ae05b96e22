/* pipeline: moves the chunks that the journal lacks from a reader to a target, and proves them.
 *
 *   reader threads: claim a chunk → read → hash → find zeros ─┐
 *   this thread:    write → flush → journal → read back, compare ◄┘ (all asynchronous, in a fixed ring of
 * buffers)
 *
 * Guarantee: when it returns TRUE, every chunk is in the target, durable, and was read back from the storage
 * with the hash of what was read from the source. When it fails or is cancelled, what the journal says is
 * true, and nothing is under way. A full target is waited for: what could not be written is written when
 * there is room again (TARGET_FULL only where the storage says so too late, when it is flushed). Errors: the
 * reader's, TARGET_FULL, TARGET_IO, READ_BACK, FENCED, IO, G_IO_ERROR_CANCELLED.
 */
#pragma once
#include "copy/journal.h"
#include "copy/progress.h"
#include "copy/rate_limit.h"
#include "copy/reader.h"
#include "copy/target.h"

typedef struct {
    Reader *reader;
    Target *target;
    Journal *journal;
    Progress *progress;
    const ExtentList *changes; /* not zero: changed since the journal's bases; or NULL */
    RateLimit *limit;          /* or NULL */
    guint64 memory;            /* bytes for buffers */
    gboolean verify;           /* FALSE only for benchmarks: leaves chunks LANDED */
} Pipeline;

gboolean pipeline_run(const Pipeline *pipeline, GCancellable *cancel, GError **error);
