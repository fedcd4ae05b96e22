/* chunk: XXH3-128, and the search for zeros. */
#include "copy/chunk.h"
#include <string.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h> /* the widest vectors that this processor has */
#else
#include <xxhash.h>
#endif

static Hash canonical(XXH128_hash_t hash)
{
    XXH128_canonical_t bytes;
    Hash result;
    XXH128_canonicalFromHash(&bytes, hash);
    memcpy(result.bytes, bytes.digest, sizeof result.bytes);
    return result;
}

Hash hash_of(gconstpointer data, gsize size)
{
    return canonical(XXH3_128bits(data, size));
}

Hash hash_of_zeros(gsize size)
{
    static const guint8 zeros[GRANULE];
    static gsize ready;
    static Hash full;
    HashStream *stream;
    Hash hash;

    if (size == CHUNK_SIZE && g_atomic_pointer_get(&ready))
        return full;
    stream = hash_stream_new();
    for (gsize left = size; left; left -= MIN(left, GRANULE))
        hash_stream_add(stream, zeros, MIN(left, GRANULE));
    hash = hash_stream_end(stream);
    if (size == CHUNK_SIZE && g_once_init_enter(&ready)) {
        full = hash;
        g_once_init_leave(&ready, 1);
    }
    return hash;
}

gboolean hash_equal(const Hash *a, const Hash *b)
{
    return !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

void hash_text(const Hash *hash, char text[33])
{
    for (guint i = 0; i < sizeof hash->bytes; i++) {
        text[2 * i] = "0123456789abcdef"[hash->bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[hash->bytes[i] & 15];
    }
    text[32] = 0;
}

gboolean hash_parse(const char *text, Hash *hash)
{
    for (guint i = 0; i < sizeof hash->bytes; i++) {
        int high = g_ascii_xdigit_value(text[2 * i]),
            low = high < 0 ? -1 : g_ascii_xdigit_value(text[2 * i + 1]);
        if (low < 0)
            return FALSE;
        hash->bytes[i] = high << 4 | low;
    }
    return text[32] == 0;
}

/* A block is zero when its first bytes are and each byte equals the one before: memcmp() does that at full
 * speed. */
gboolean is_zero(gconstpointer data, gsize size)
{
    const guint8 *bytes = data;
    return size == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, size - 1));
}

struct HashStream {
    XXH3_state_t *state;
};

HashStream *hash_stream_new(void)
{
    HashStream *stream = g_new(HashStream, 1);
    stream->state = XXH3_createState();
    XXH3_128bits_reset(stream->state);
    return stream;
}

void hash_stream_add(HashStream *stream, gconstpointer data, gsize size)
{
    XXH3_128bits_update(stream->state, data, size);
}

Hash hash_stream_end(HashStream *stream)
{
    Hash hash = canonical(XXH3_128bits_digest(stream->state));
    XXH3_freeState(stream->state);
    g_free(stream);
    return hash;
}
