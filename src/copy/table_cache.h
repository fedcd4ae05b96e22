/* table_cache: the tables of a chain of disk files, read ahead in blocks and kept within a fixed budget.
 *
 * A block is read once and serves the lookups around it; the block that was used longest ago makes place.
 * Threads: any; one reads a block while others that need it wait. Errors: the store's.
 */
#pragma once
#include "copy/vmdk_store.h"

#define TABLE_BLOCK ((gsize)64 << 10)

typedef struct TableCache TableCache;

TableCache *table_cache_new(gsize budget); /* bytes; at least a few blocks are kept */
void table_cache_free(TableCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TableCache, table_cache_free)

/* Copies [start, start + size) of the file; the caller knows that it lies within. */
gboolean table_cache_read(TableCache *cache, VmdkFile *file, guint64 start, gsize size, gpointer into,
                          GCancellable *cancel, GError **error);

guint64 table_cache_fetched(TableCache *cache); /* bytes that were read so far */
