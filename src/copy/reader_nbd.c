/* reader_nbd: a disk behind an NBD server: tests, and sources that can export one.
 *
 *   "source": {"type": "nbd", "uri": "nbd+unix:///?socket=PATH" | "nbds://HOST/NAME", "generation": TEXT}
 *
 * A connection per thread where the server says that all of them show the same disk (multi-conn), else one.
 * Extents come from the base:allocation context.
 * https://github.com/NetworkBlockDevice/nbd/blob/master/doc/uri.md has the URI.
 */
#include "copy/reader.h"
#include <errno.h>
#include <libnbd.h>
#include <string.h>

#define REQUEST (1 << 20) /* at most so many bytes are read at once, so that a stop is noticed */

typedef struct {
    Reader reader;
    char *uri;
    GAsyncQueue *idle; /* of struct nbd_handle, connected */
    gboolean has_map;
} NbdReader;

static gboolean fail(int code, GError **error)
{
    g_set_error(error, GANTRY_ERROR, code, "NBD: %s", nbd_get_error());
    return FALSE;
}

static struct nbd_handle *connect_nbd(const char *uri, GError **error)
{
    struct nbd_handle *nbd = nbd_create();

    if (nbd && nbd_add_meta_context(nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0 &&
        nbd_connect_uri(nbd, uri) == 0)
        return nbd;
    fail(ERROR_HTTP_UNREACHABLE, error);
    nbd_close(nbd);
    return NULL;
}

static void close_nbd(Reader *reader)
{
    NbdReader *self = (NbdReader *)reader;
    struct nbd_handle *nbd;

    while ((nbd = g_async_queue_try_pop(self->idle))) {
        nbd_shutdown(nbd, 0);
        nbd_close(nbd);
    }
    g_async_queue_unref(self->idle);
    g_free(self->uri);
    g_free(self);
}

static Reader *open_nbd(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *uri = copy_spec_source_text(spec, "uri", 4096, error);
    g_autoptr(Reader) reader = NULL;
    struct nbd_handle *nbd;
    NbdReader *self;
    gint64 size;

    if (!uri)
        return NULL;
    self = g_new0(NbdReader, 1);
    reader = &self->reader;
    reader->type = &reader_nbd;
    self->uri = g_strdup(uri);
    self->idle = g_async_queue_new();
    if (!(nbd = connect_nbd(uri, error)))
        return NULL;
    g_async_queue_push(self->idle, nbd);
    if ((size = nbd_get_size(nbd)) < 0) {
        fail(ERROR_SOURCE_READ, error);
        return NULL;
    }
    reader->size = size;
    self->has_map = nbd_can_meta_context(nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
    reader->parallel = nbd_can_multi_conn(nbd) == 1 ? spec->connections : 1;
    while (g_async_queue_length(self->idle) < (gint)reader->parallel) {
        if (!(nbd = connect_nbd(uri, error)))
            return NULL;
        g_async_queue_push(self->idle, nbd);
    }
    reader->identity = json_pack("{s:s}", "type", "nbd");
    reader->choice =
        g_strdup_printf("nbd: %u connections, %s", reader->parallel, self->has_map ? "with a map" : "no map");
    return g_steal_pointer(&reader);
}

typedef struct {
    GArray *extents;
    guint64 end;
} Map;

static int add_extents(void *user_data, const char *context, uint64_t offset, uint32_t *entries, size_t len,
                       int *error)
{
    Map *map = user_data;

    for (gsize i = 0; i + 1 < len && offset < map->end; i += 2) {
        Extent extent = {offset, MIN(entries[i], map->end - offset), entries[i + 1] & LIBNBD_STATE_ZERO};
        if (!extent.size)
            break;
        g_array_append_val(map->extents, extent);
        offset += extent.size;
    }
    return 0;
}

static gboolean nbd_extents(Reader *reader, guint64 start, guint64 size, GArray *extents,
                            GCancellable *cancel, GError **error)
{
    NbdReader *self = (NbdReader *)reader;
    Map map = {extents, start + size};
    Extent rest = {start, size, FALSE};
    struct nbd_handle *nbd;

    if (!self->has_map) {
        g_array_append_val(extents, rest);
        return TRUE;
    }
    nbd = g_async_queue_pop(self->idle);
    while (rest.start < map.end) {
        guint before = extents->len;
        nbd_extent_callback callback = {.callback = add_extents, .user_data = &map};

        /* an answer may be about less than was asked for; none at all means that it is not known */
        if (nbd_block_status(nbd, map.end - rest.start, rest.start, callback, 0) < 0 ||
            extents->len == before) {
            rest.size = map.end - rest.start;
            g_array_append_val(extents, rest);
            break;
        }
        rest.start = g_array_index(extents, Extent, extents->len - 1).start +
                     g_array_index(extents, Extent, extents->len - 1).size;
    }
    g_async_queue_push(self->idle, nbd);
    return TRUE;
}

/* A connection that broke is replaced by the next read. */
static struct nbd_handle *take_handle(NbdReader *self, GError **error)
{
    struct nbd_handle *nbd = g_async_queue_pop(self->idle), *other;

    if (nbd_aio_is_ready(nbd) == 1)
        return nbd;
    if (!(other = connect_nbd(self->uri, error))) {
        g_async_queue_push(self->idle, nbd);
        return NULL;
    }
    nbd_close(nbd);
    return other;
}

static gboolean read_nbd(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                         GCancellable *cancel, GError **error)
{
    NbdReader *self = (NbdReader *)reader;
    struct nbd_handle *nbd = take_handle(self, error);
    gboolean good = nbd != NULL;

    while (good && *done < size) {
        gsize part = MIN(size - *done, (gsize)REQUEST);

        good =
            !g_cancellable_set_error_if_cancelled(cancel, error) &&
            (nbd_pread(nbd, buffer + *done, part, start + *done, 0) == 0 || fail(ERROR_SOURCE_READ, error));
        if (good)
            *done += part;
    }
    if (nbd)
        g_async_queue_push(self->idle, nbd);
    return good;
}

const ReaderType reader_nbd = {
    .type = "nbd", .open = open_nbd, .extents = nbd_extents, .read = read_nbd, .close = close_nbd};
