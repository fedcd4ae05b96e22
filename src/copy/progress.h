/* progress: how far a copy is, counted by its threads and shown to whoever asks.
 *
 * Threads: any.
 */
#pragma once
#include "base/json.h"

typedef struct Progress Progress;

typedef enum {
    PROGRESS_READ,
    PROGRESS_DONE,
    PROGRESS_WRITTEN,
    PROGRESS_VERIFIED,
    PROGRESS_COUNTERS
} ProgressCounter;

Progress *progress_new(guint64 total_bytes);
void progress_free(Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Progress, progress_free)

void progress_set_phase(Progress *progress, const char *phase); /* a static text */
/* What it waits for, in words for the user; NULL: nothing. A static text. */
void progress_set_waiting(Progress *progress, const char *waiting);
void progress_add(Progress *progress, ProgressCounter counter, guint64 bytes);
guint64 progress_get(Progress *progress, ProgressCounter counter);

/* {"phase","bytesTotal","bytesDone","bytesRead","bytesWritten","bytesVerified","bytesPerSecond","waitingFor"?};
 * the rate is that of the last seconds in which it was asked for. */
json_t *progress_json(Progress *progress);
/* Prometheus text; owner_uid labels the metric that CDI's importers have. */
char *progress_metrics(Progress *progress, const char *owner_uid);
