/* fetch: a range of a disk, however many tries it takes.
 *
 * The error's class decides: transient → wait and go on where it broke; congested → fewer reads at once from
 * now on, then the same; stale → a new session, then the same; fatal → up to the caller. Progress of any kind
 * starts the tries anew. Threads: all of the reader's; they share the depth.
 */
#pragma once
#include "copy/progress.h"
#include "copy/reader.h"

typedef struct Fetch Fetch;

/* read is called with the bytes of each try, also of those that broke. */
Fetch *fetch_new(Reader *reader, void (*read)(guint64 bytes, gpointer user_data), gpointer user_data);
void fetch_free(Fetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fetch, fetch_free)

/* Fills the buffer with [start, start + size); what the reader knows to be zero is not read. *zero: all of it
 * is known to be zero, and the buffer was left alone. */
gboolean fetch_range(Fetch *fetch, guint64 start, gsize size, guint8 *buffer, gboolean *zero,
                     GCancellable *cancel, GError **error);

guint fetch_depth(Fetch *fetch); /* reads at once at present */
