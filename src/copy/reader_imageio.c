/* reader_imageio: a disk of oVirt or Red Hat Virtualization, through an image transfer.
 *
 *   "source": {"type": "imageio", "url": "https://host:54322/images/TICKET", "address": TEXT?, "proxyUrl":
 * "https://engine:54323/images/TICKET"?, "generation": TEXT}
 *
 * A disk that is part of an incremental backup knows what has changed since the backup's checkpoint.
 *
 * The protocol is ovirt-imageio's "images" service: OPTIONS says what it can do, /extents where zeros are,
 * GET with a Range reads. The ticket is the URL's last part, and the only secret. The host is asked first (at
 * address, its place in a migration network, where that is given), the proxy when it cannot be reached.
 * Errors also: TICKET_EXPIRED (403: unknown, expired or cancelled; a new transfer is the controller's to
 * make).
 */
#include "copy/extent_list.h"
#include "copy/https.h"
#include <string.h>

#define OPTIONS_LIMIT   (64 * 1024)
#define EXTENTS_LIMIT   (16 * 1024 * 1024) /* of JSON; a disk in more pieces than that is read whole */
#define READERS_DEFAULT 1

typedef struct {
    Reader reader;
    Https *https;
    char *url;
    ExtentList *extents; /* NULL: everything may be data */
} ImageioReader;

static void close_imageio(Reader *reader)
{
    ImageioReader *self = (ImageioReader *)reader;

    https_free(self->https);
    extent_list_free(self->extents);
    g_free(self->url);
    g_free(self);
}

static gboolean check_status(const HttpsReply *reply, guint good, GError **error)
{
    int code = ERROR_SOURCE_READ;

    if (reply->status == good)
        return TRUE;
    if (reply->status == 403)
        code = ERROR_TICKET_EXPIRED;
    else if (reply->status == 404)
        code = ERROR_SOURCE_NOT_FOUND;
    else if (reply->status == 416)
        code = ERROR_SOURCE_CHANGED;
    else if (reply->status == 503 || reply->status == 429)
        code = ERROR_SOURCE_BUSY;
    else if (reply->status == 200)
        code = ERROR_SOURCE_NO_RANGES;
    g_set_error(error, GANTRY_ERROR, code, "the image service answered with status %u%s", reply->status,
                code == ERROR_TICKET_EXPIRED ? ": the transfer's ticket is not valid (any more)" : "");
    return FALSE;
}

/* What the service can do; an empty object for one that is too old to say. */
static json_t *get_options(ImageioReader *self, GCancellable *cancel, GError **error)
{
    const HttpsDocument document = {.method = "OPTIONS", .limit = OPTIONS_LIMIT};
    HttpsReply reply;
    g_autoptr(GBytes) text = https_exchange(self->https, self->url, &document, &reply, cancel, error);

    if (!text)
        return NULL;
    if (reply.status == 204 || reply.status == 405)
        return json_object();
    if (!check_status(&reply, 200, error))
        return NULL;
    return json_parse(g_bytes_get_data(text, NULL), g_bytes_get_size(text), OPTIONS_LIMIT, "imageio options",
                      error);
}

static gboolean has_feature(const json_t *options, const char *name)
{
    const json_t *features = json_at(options, "features");

    for (gsize i = 0; i < json_array_size(features); i++)
        if (!g_strcmp0(json_string_value(json_array_get(features, i)), name))
            return TRUE;
    return FALSE;
}

static gboolean get_size(ImageioReader *self, GCancellable *cancel, GError **error)
{
    guint8 first[512];
    HttpsReply reply;

    if (!https_get_range(self->https, self->url, 0, sizeof first, first, &reply, cancel, error) ||
        !check_status(&reply, 206, error))
        return FALSE;
    self->reader.size = reply.total;
    if (reply.ranged && reply.total)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NO_RANGES,
                "the image service does not say how large the disk is");
    return FALSE;
}

static gboolean get_extents(ImageioReader *self, GCancellable *cancel, GError **error)
{
    const HttpsDocument document = {.method = "GET", .limit = EXTENTS_LIMIT};
    g_autofree char *url = g_strconcat(self->url, "/extents?context=zero", NULL);
    g_autoptr(GError) failed = NULL;
    HttpsReply reply;
    g_autoptr(GBytes) text = https_exchange(self->https, url, &document, &reply, cancel, &failed);

    if (g_error_matches(failed, GANTRY_ERROR, ERROR_HTTP_TOO_LARGE))
        return TRUE;
    if (failed) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    return check_status(&reply, 200, error) &&
           (self->extents = extent_list_parse(g_bytes_get_data(text, NULL), g_bytes_get_size(text),
                                              self->reader.size, error));
}

/* NULL without an error: it does not know (404), or says it in more text than can be taken. */
static ExtentList *imageio_changes(Reader *reader, GCancellable *cancel, GError **error)
{
    ImageioReader *self = (ImageioReader *)reader;
    const HttpsDocument document = {.method = "GET", .limit = EXTENTS_LIMIT};
    g_autofree char *url = g_strconcat(self->url, "/extents?context=dirty", NULL);
    g_autoptr(GError) failed = NULL;
    HttpsReply reply;
    g_autoptr(GBytes) text = https_exchange(self->https, url, &document, &reply, cancel, &failed);

    if (g_error_matches(failed, GANTRY_ERROR, ERROR_HTTP_TOO_LARGE) || (text && reply.status == 404))
        return NULL;
    if (failed) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    return check_status(&reply, 200, error)
               ? extent_list_parse_changes(g_bytes_get_data(text, NULL), g_bytes_get_size(text), reader->size,
                                           error)
               : NULL;
}

/* The host, or else the proxy. */
static json_t *connect_to(ImageioReader *self, const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *proxy = json_string_at(spec->source, "proxyUrl", NULL);
    g_autoptr(GError) failed = NULL;
    json_t *options = get_options(self, cancel, &failed);

    if (options || !proxy || !g_error_matches(failed, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE)) {
        if (failed)
            g_propagate_error(error, g_steal_pointer(&failed));
        self->reader.choice = g_strdup("imageio: the host itself");
        return options;
    }
    g_free(self->url);
    self->url = g_strdup(proxy);
    self->reader.choice =
        g_strdup_printf("imageio: the proxy, as the host cannot be reached (%s)", failed->message);
    return get_options(self, cancel, error);
}

static Reader *open_imageio(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *url = copy_spec_source_text(spec, "url", 4096, error);
    const char *address = json_string_at(spec->source, "address", NULL);
    const HttpTrust trust = {
        .ca_pem = spec->ca_pem, .fingerprint = spec->fingerprint, .insecure = spec->insecure};
    g_autoptr(json_t) options = NULL;
    g_autoptr(Reader) reader = NULL;
    ImageioReader *self;

    if (!url)
        return NULL;
    self = g_new0(ImageioReader, 1);
    reader = &self->reader;
    reader->type = &reader_imageio;
    self->url = g_strdup(url);
    if (!(self->https = https_new(&trust, error)))
        return NULL;
    if (address)
        https_connect_to(self->https, address);
    if (!(options = connect_to(self, spec, cancel, error)) || !get_size(self, cancel, error) ||
        (has_feature(options, "extents") && !get_extents(self, cancel, error)))
        return NULL;
    reader->parallel =
        CLAMP(json_int_at(options, "max_readers", READERS_DEFAULT), 1, (gint64)spec->connections);
    reader->identity = json_pack("{s:s}", "type", "imageio");
    return g_steal_pointer(&reader);
}

static gboolean imageio_extents(Reader *reader, guint64 start, guint64 size, GArray *extents,
                                GCancellable *cancel, GError **error)
{
    ImageioReader *self = (ImageioReader *)reader;
    Extent all = {start, size, FALSE};

    if (self->extents)
        extent_list_find(self->extents, start, size, extents);
    else
        g_array_append_val(extents, all);
    return TRUE;
}

static gboolean read_imageio(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                             GCancellable *cancel, GError **error)
{
    ImageioReader *self = (ImageioReader *)reader;
    guint64 at = start + *done;
    g_autoptr(GError) broken = NULL;
    HttpsReply reply;
    gboolean whole =
        https_get_range(self->https, self->url, at, size - *done, buffer + *done, &reply, cancel, &broken);

    if (whole || reply.size) {
        if (!check_status(&reply, 206, error))
            return FALSE;
        if (!reply.ranged || reply.start != at || reply.total != reader->size) {
            g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                        "the image service sent another range than the one asked for");
            return FALSE;
        }
        *done += reply.size;
    }
    if (broken)
        g_propagate_error(error, g_steal_pointer(&broken));
    else if (*done < size)
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                    "the image service sent fewer bytes than asked for");
    return *done == size;
}

const ReaderType reader_imageio = {.type = "imageio",
                                   .open = open_imageio,
                                   .extents = imageio_extents,
                                   .read = read_imageio,
                                   .changes = imageio_changes,
                                   .close = close_imageio};
