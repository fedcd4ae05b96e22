/* chunk: a disk in pieces of 4 MiB, each with the hash that proves it.
 *
 * The hash is XXH3-128, written as 32 hexadecimal digits, most significant first (as xxhsum prints it). A
 * disk's digest is the XXH3-128 of its chunks' hashes in order, 16 bytes each in that same byte order.
 */
#pragma once
#include <gio/gio.h>

#define CHUNK_SIZE ((gsize)4 << 20)
#define GRANULE    ((gsize)64 << 10) /* zeros are looked for, and left out, in these */

typedef struct {
    guint8 bytes[16];
} Hash;

typedef struct HashStream HashStream; /* a hash in the making */

static inline guint64 chunk_count(guint64 disk_size)
{
    return (disk_size + CHUNK_SIZE - 1) / CHUNK_SIZE;
}
static inline guint64 chunk_start(guint64 chunk)
{
    return chunk * CHUNK_SIZE;
}
/* All are CHUNK_SIZE but the last. */
static inline gsize chunk_size(guint64 disk_size, guint64 chunk)
{
    return MIN((guint64)CHUNK_SIZE, disk_size - chunk_start(chunk));
}

Hash hash_of(gconstpointer data, gsize size);
Hash hash_of_zeros(gsize size); /* at most CHUNK_SIZE; the common size is computed once */
gboolean hash_equal(const Hash *a, const Hash *b);
void hash_text(const Hash *hash, char text[33]);
gboolean hash_parse(const char *text, Hash *hash); /* exactly 32 digits */

gboolean is_zero(gconstpointer data, gsize size);

HashStream *hash_stream_new(void);
void hash_stream_add(HashStream *stream, gconstpointer data, gsize size);
Hash hash_stream_end(HashStream *stream); /* and frees it */
