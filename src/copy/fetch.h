/* fetch: a range of a disk, however many tries it takes, and how many are read at once.
 *
 * The error's class decides: transient → wait and go on where it broke; congested → fewer reads at once from
 * now on, then the same; stale → a new session, then the same; fatal → up to the caller. Progress of any kind
 * starts the tries anew.
 *
 * The depth (reads at once) follows the throughput: it begins low and rises as long as more reads bring more
 * bytes a second; then it is tried again from time to time. Threads: all of the reader's; each takes a turn
 * before it reads, and gives it back when it has finished with its range.
 */
#pragma once
#include "copy/progress.h"
#include "copy/rate_limit.h"
#include "copy/reader.h"

typedef struct Fetch Fetch;

/* limit: or NULL. read is called with the bytes of each try, also of those that broke. */
Fetch *fetch_new(Reader *reader, RateLimit *limit, void (*read)(guint64 bytes, gpointer user_data),
                 gpointer user_data);
void fetch_free(Fetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fetch, fetch_free)

/* Waits until there is room for one more read; those who hold a turn must go on for that. */
void fetch_take_turn(Fetch *fetch);
void fetch_give_turn_back(Fetch *fetch);

/* Fills the buffer with [start, start + size); what the reader knows to be zero is not read. *zero: all of it
 * is known to be zero, and the buffer was left alone. The caller has a turn. */
gboolean fetch_range(Fetch *fetch, guint64 start, gsize size, guint8 *buffer, gboolean *zero,
                     GCancellable *cancel, GError **error);

/* How many of the bytes from start on, up to most, the reader knows to be zero without a gap. */
gboolean fetch_zeros(Fetch *fetch, guint64 start, guint64 most, guint64 *zeros, GCancellable *cancel,
                     GError **error);

guint fetch_depth(Fetch *fetch); /* reads at once at present */
