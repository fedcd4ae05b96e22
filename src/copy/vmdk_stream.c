/* vmdk_stream: markers one by one: a grain, or a table, directory, footer or the end. */
#include "copy/vmdk_stream.h"
#include "copy/vmdk_grains.h"
#include <string.h>
#include <zlib.h>

#define SECTOR        ((guint64)512)
#define MOST_SECTORS  (G_GUINT64_CONSTANT(1) << 41)
#define MOST_GRAIN    2048               /* sectors */
#define MOST_METADATA ((guint64)1 << 20) /* sectors of one table or directory */

enum { MARKER_END, MARKER_TABLE, MARKER_DIRECTORY, MARKER_FOOTER };

struct VmdkStream {
    GInputStream *input;
    guint64 position, size; /* in the stream; of the disk */
    gsize grain;            /* bytes */
    gboolean has_footer;    /* tables come between the grains, and an end marker closes the stream */
    guint64 next;           /* bytes of the disk below which no grain may come any more */
    guint64 grains, entries;
    gboolean ended;
    guint8 *packed, *bytes;
    z_stream zlib;
};

static gboolean damaged(const VmdkStream *stream, GError **error, const char *what)
{
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                "the stream is damaged before its byte %" G_GUINT64_FORMAT ": %s", stream->position, what);
    return FALSE;
}

/* *ended, when not NULL, is set instead of an error where the input ends before the first byte. */
static gboolean take(VmdkStream *stream, gpointer into, gsize size, gboolean *ended, GCancellable *cancel,
                     GError **error)
{
    gsize got = 0;

    if (!g_input_stream_read_all(stream->input, into, size, &got, cancel, error)) {
        stream->position += got;
        return FALSE;
    }
    stream->position += got;
    if (got == size)
        return TRUE;
    if (!got && ended) {
        *ended = TRUE;
        return TRUE;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ, "the stream broke off at its byte %" G_GUINT64_FORMAT,
                stream->position);
    return FALSE;
}

static gboolean skip(VmdkStream *stream, guint64 size, GCancellable *cancel, GError **error)
{
    guint8 page[4096];

    while (size) {
        gsize part = MIN(size, sizeof page);

        if (!take(stream, page, part, NULL, cancel, error))
            return FALSE;
        size -= part;
    }
    return TRUE;
}

/* ---- the header -------------------------------------------------------------------------------- */

static gboolean read_header(VmdkStream *stream, const guint8 *header, guint64 *data_at, GError **error)
{
    const guint64 sectors = vmdk_u64(header + 12), grain = vmdk_u64(header + 20);
    const guint32 flags = vmdk_u32(header + 8);

    if (memcmp(header, "KDMV", 4) || (flags >> 16 & 3) != 3 || (header[77] | header[78] << 8) != 1) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT,
                    "what the source sends is no streamOptimized VMDK with deflated grains");
        return FALSE;
    }
    if (!sectors || sectors > MOST_SECTORS || grain < 8 || grain > MOST_GRAIN || grain & (grain - 1)) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT,
                    "the stream's header says %" G_GUINT64_FORMAT " sectors in grains of %" G_GUINT64_FORMAT
                    "; a grain must be a power of 2 from 8 to 2048",
                    sectors, grain);
        return FALSE;
    }
    *data_at = vmdk_u64(header + 64);
    if (!*data_at || *data_at > MOST_SECTORS) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT,
                    "the stream's header says that data begin at sector %" G_GUINT64_FORMAT, *data_at);
        return FALSE;
    }
    *data_at *= SECTOR;
    stream->size = sectors * SECTOR;
    stream->grain = grain * SECTOR;
    stream->has_footer = vmdk_u64(header + 56) == G_MAXUINT64;
    return TRUE;
}

VmdkStream *vmdk_stream_open(GInputStream *input, GCancellable *cancel, GError **error)
{
    g_autoptr(VmdkStream) stream = g_new0(VmdkStream, 1);
    guint8 header[SECTOR];
    guint64 data_at;

    stream->input = input;
    if (!take(stream, header, sizeof header, NULL, cancel, error) ||
        !read_header(stream, header, &data_at, error) ||
        !skip(stream, data_at - stream->position, cancel, error))
        return NULL;
    stream->packed = g_malloc(2 * stream->grain);
    stream->bytes = g_malloc(stream->grain);
    return g_steal_pointer(&stream);
}

void vmdk_stream_free(VmdkStream *stream)
{
    if (!stream)
        return;
    inflateEnd(&stream->zlib);
    g_free(stream->packed);
    g_free(stream->bytes);
    g_free(stream);
}

guint64 vmdk_stream_size(const VmdkStream *stream)
{
    return stream->size;
}

guint64 vmdk_stream_position(const VmdkStream *stream)
{
    return stream->position;
}

/* ---- markers ----------------------------------------------------------------------------------- */

static gboolean inflate_grain(VmdkStream *stream, gsize packed, gsize wanted, GError **error)
{
    z_stream *zlib = &stream->zlib;
    int result = zlib->state ? inflateReset(zlib) : inflateInit(zlib);

    if (result != Z_OK) {
        g_set_error(error, GANTRY_ERROR, ERROR_INTERNAL, "zlib: %s", zlib->msg ? zlib->msg : "cannot begin");
        return FALSE;
    }
    zlib->next_in = stream->packed;
    zlib->avail_in = packed;
    zlib->next_out = stream->bytes;
    zlib->avail_out = stream->grain;
    result = inflate(zlib, Z_FINISH);
    if (result != Z_STREAM_END || stream->grain - zlib->avail_out < wanted)
        return damaged(stream, error, "a grain does not inflate to its size");
    return TRUE;
}

/* The first 16 bytes of a grain's marker were read; 4 of them are data. */
static gboolean read_grain(VmdkStream *stream, const guint8 *marker, GCancellable *cancel, GError **error)
{
    const guint64 sector = vmdk_u64(marker);
    const guint32 packed = vmdk_u32(marker + 8);
    const gsize padded = ((gsize)packed + 12 + SECTOR - 1) / SECTOR * SECTOR - 16;

    if (sector >= stream->size / SECTOR || sector * SECTOR % stream->grain || sector * SECTOR < stream->next)
        return damaged(stream, error, "a grain is not where one could be");
    if (packed < 4 || packed > 2 * stream->grain - SECTOR)
        return damaged(stream, error, "a grain is packed into more than twice its size, or into nothing");
    memcpy(stream->packed, marker + 12, 4);
    if (!take(stream, stream->packed + 4, padded, NULL, cancel, error))
        return FALSE;
    stream->next = sector * SECTOR + stream->grain;
    stream->grains++;
    return inflate_grain(stream, packed, MIN(stream->grain, stream->size - sector * SECTOR), error);
}

static gboolean read_table(VmdkStream *stream, guint64 sectors, GCancellable *cancel, GError **error)
{
    guint8 sector[SECTOR];

    for (guint64 i = 0; i < sectors; i++) {
        if (!take(stream, sector, sizeof sector, NULL, cancel, error))
            return FALSE;
        for (guint at = 0; at < SECTOR; at += 4)
            stream->entries += vmdk_u32(sector + at) > 1;
    }
    return TRUE;
}

static gboolean check_end(VmdkStream *stream, GError **error)
{
    stream->ended = TRUE;
    if (!stream->has_footer || stream->entries == stream->grains)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                "the stream held %" G_GUINT64_FORMAT " grains, but its tables name %" G_GUINT64_FORMAT,
                stream->grains, stream->entries);
    return FALSE;
}

/* The marker of anything but a grain. */
static gboolean read_metadata(VmdkStream *stream, const guint8 *marker, GCancellable *cancel, GError **error)
{
    const guint64 sectors = vmdk_u64(marker);
    const guint32 type = vmdk_u32(marker + 12);

    if (!skip(stream, SECTOR - 16, cancel, error))
        return FALSE;
    if (type > MARKER_FOOTER || sectors > MOST_METADATA)
        return damaged(stream, error, "a marker is of no known type, or of an impossible size");
    if (type == MARKER_END)
        return check_end(stream, error);
    return type == MARKER_TABLE ? read_table(stream, sectors, cancel, error)
                                : skip(stream, sectors * SECTOR, cancel, error);
}

gboolean vmdk_stream_next(VmdkStream *stream, guint64 *start, const guint8 **bytes, gsize *size,
                          GCancellable *cancel, GError **error)
{
    while (!stream->ended) {
        guint8 marker[16];
        gboolean ended = FALSE;

        /* only a stream whose tables came first may end without a word */
        if (!take(stream, marker, sizeof marker, stream->has_footer ? NULL : &ended, cancel, error))
            return FALSE;
        if (ended) {
            if (!check_end(stream, error))
                return FALSE;
        } else if (vmdk_u32(marker + 8)) {
            if (!read_grain(stream, marker, cancel, error))
                return FALSE;
            *start = stream->next - stream->grain;
            *bytes = stream->bytes;
            *size = MIN(stream->grain, stream->size - *start);
            return TRUE;
        } else if (!read_metadata(stream, marker, cancel, error)) {
            return FALSE;
        }
    }
    *size = 0;
    return TRUE;
}
