/* table_cache: blocks in a hash table, and a queue from the latest used to the earliest. */
#include "copy/table_cache.h"
#include <string.h>

#define LEAST_BLOCKS 4

typedef struct {
    VmdkFile *file;
    guint64 start;
    gsize size;
    gboolean loading; /* somebody reads it: wait */
    guint8 *bytes;
    GList link; /* in the queue, unless it is loading */
} Block;

struct TableCache {
    GMutex lock;
    GCond loaded;
    GHashTable *blocks; /* set of Block, by file and start */
    GQueue used;
    guint most;
    guint64 fetched;
};

static guint block_hash(gconstpointer data)
{
    const Block *block = data;
    return g_direct_hash(block->file) ^ (guint)(block->start / TABLE_BLOCK * 2654435761u);
}

static gboolean block_equal(gconstpointer a, gconstpointer b)
{
    const Block *left = a, *right = b;
    return left->file == right->file && left->start == right->start;
}

static void block_free(gpointer data)
{
    Block *block = data;
    g_free(block->bytes);
    g_free(block);
}

TableCache *table_cache_new(gsize budget)
{
    TableCache *cache = g_new0(TableCache, 1);

    g_mutex_init(&cache->lock);
    g_cond_init(&cache->loaded);
    cache->blocks = g_hash_table_new_full(block_hash, block_equal, block_free, NULL);
    g_queue_init(&cache->used);
    cache->most = MAX(LEAST_BLOCKS, budget / TABLE_BLOCK);
    return cache;
}

void table_cache_free(TableCache *cache)
{
    if (!cache)
        return;
    g_hash_table_unref(cache->blocks);
    g_mutex_clear(&cache->lock);
    g_cond_clear(&cache->loaded);
    g_free(cache);
}

static void forget(TableCache *cache, Block *block)
{
    if (!block->loading)
        g_queue_unlink(&cache->used, &block->link);
    g_hash_table_remove(cache->blocks, block);
}

/* With the lock held, which it leaves while it reads. */
static Block *load(TableCache *cache, VmdkFile *file, guint64 start, GCancellable *cancel, GError **error)
{
    Block *block = g_new0(Block, 1);
    gsize done = 0;
    gboolean good;

    *block = (Block){file, start, MIN(TABLE_BLOCK, file->size - start), .loading = TRUE};
    block->bytes = g_malloc(block->size);
    block->link.data = block;
    while (g_hash_table_size(cache->blocks) >= cache->most && cache->used.tail)
        forget(cache, cache->used.tail->data);
    g_hash_table_add(cache->blocks, block);
    g_mutex_unlock(&cache->lock);
    good = file->store->type->read(file, start, block->size, block->bytes, &done, cancel, error);
    g_mutex_lock(&cache->lock);
    cache->fetched += done;
    g_cond_broadcast(&cache->loaded);
    if (!good) {
        forget(cache, block);
        return NULL;
    }
    block->loading = FALSE;
    g_queue_push_head_link(&cache->used, &block->link);
    return block;
}

/* With the lock held. The block is good until the lock is left. */
static Block *find(TableCache *cache, VmdkFile *file, guint64 start, GCancellable *cancel, GError **error)
{
    const Block wanted = {.file = file, .start = start};
    Block *block;

    while ((block = g_hash_table_lookup(cache->blocks, &wanted)) && block->loading)
        g_cond_wait(&cache->loaded, &cache->lock);
    if (!block)
        return load(cache, file, start, cancel, error);
    g_queue_unlink(&cache->used, &block->link);
    g_queue_push_head_link(&cache->used, &block->link);
    return block;
}

gboolean table_cache_read(TableCache *cache, VmdkFile *file, guint64 start, gsize size, gpointer into,
                          GCancellable *cancel, GError **error)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&cache->lock);
    guint8 *at = into;

    g_assert(start <= file->size && size <= file->size - start);
    while (size) {
        gsize skip = start % TABLE_BLOCK, part = MIN(size, TABLE_BLOCK - skip);
        const Block *block = find(cache, file, start - skip, cancel, error);

        if (!block)
            return FALSE;
        memcpy(at, block->bytes + skip, part);
        at += part;
        start += part;
        size -= part;
    }
    return TRUE;
}

guint64 table_cache_fetched(TableCache *cache)
{
    g_autoptr(GMutexLocker) lock = g_mutex_locker_new(&cache->lock);
    return cache->fetched;
}
