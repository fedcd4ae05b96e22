/* copy: one disk, from its spec to its manifest.
 *
 * Guarantee: TRUE means that the target holds the source's bytes, read back from its storage, and that the
 * manifest says so. It may be run again after any end of an earlier run; what is known to be in the target is
 * not read again. Threads: a CopyReport is filled by the caller's thread. Errors: those of reader.h,
 * target.h, journal.h and pipeline.h.
 */
#pragma once
#include "copy/chunk.h"
#include "copy/progress.h"
#include "copy/rate_limit.h"
#include "copy/spec.h"

typedef struct {
    guint64 size;
    guint64 bytes_read, bytes_written; /* by this run */
    guint64 bytes_read_in_all;         /* by all runs over the present content */
    guint64 bytes_read_twice; /* by all runs over the present content, beyond the disk's size or its data */
    guint64 resumed_from;     /* bytes that were in the target when this run began */
    Hash digest;
    double seconds;
    char *reader; /* which was chosen, and why */
} CopyReport;
void copy_report_clear(CopyReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CopyReport, copy_report_clear)

/* report is filled as far as things went, also on failure. limit may be changed meanwhile. verify FALSE is for
 * benchmarks: no read-back, no manifest. */
gboolean copy_run(const CopySpec *spec, RateLimit *limit, Progress *progress, gboolean verify,
                  CopyReport *report, GCancellable *cancel, GError **error);

/* The document of the termination message: of a report, or of the error that ended the run. */
json_t *copy_result_json(const CopyReport *report, const GError *error);
