/* reader_https: a flat VMDK on a vSphere datastore, read through the datastore browser of vCenter or an ESXi
 * host.
 *
 * GET /folder/<path>?dcPath=<datacenter>&dsName=<datastore> with byte ranges, as published in the vSphere Web
 * Services SDK Programming Guide ("HTTP access to vSphere server files"). The descriptor names the flat
 * files; each is asked for its size before anything is copied, and every reply is checked against what was
 * seen then.
 */
#include "copy/https.h"
#include "copy/reader.h"
#include "copy/vmdk_descriptor.h"
#include "copy/vsphere_login.h"
#include <string.h>

typedef struct {
    guint64 start, size;   /* in the disk */
    char *url;             /* NULL: reads as zeros */
    guint64 offset, total; /* in the file; the file's size */
    char etag[128], modified[64];
} Piece;

typedef struct {
    Reader reader;
    Https *https;
    VsphereLogin *login;
    char *base, *datacenter, *datastore; /* base: "https://vc:443" */
    Piece *pieces;
    guint n_pieces;
    gint accepted; /* atomic: a request got through since the last login */
} HttpsReader;

static void close_https(Reader *reader)
{
    HttpsReader *self = (HttpsReader *)reader;

    vsphere_login_free(self->login);
    https_free(self->https);
    for (guint i = 0; i < self->n_pieces; i++)
        g_free(self->pieces[i].url);
    g_free(self->pieces);
    g_free(self->base);
    g_free(self->datacenter);
    g_free(self->datastore);
    g_free(self);
}

static char *file_url(const HttpsReader *self, const char *path)
{
    g_autofree char *file = g_uri_escape_string(path, "/", TRUE),
                    *dc = g_uri_escape_string(self->datacenter, NULL, TRUE),
                    *ds = g_uri_escape_string(self->datastore, NULL, TRUE);
    return g_strconcat(self->base, "/folder/", file, "?dcPath=", dc, "&dsName=", ds, NULL);
}

/* What a status means; what names the file. */
static gboolean check_status(const HttpsReply *reply, const char *what, GError **error)
{
    static const struct {
        guint status;
        int code;
        const char *says;
    } meanings[] = {
        {200, ERROR_SOURCE_NO_RANGES,
         "the source sends the whole file instead of the range that was asked for"},
        {401, ERROR_SESSION_EXPIRED, "the session is not accepted (any more)"},
        {403, ERROR_SOURCE_FORBIDDEN, "the account may not read it"},
        {404, ERROR_SOURCE_NOT_FOUND, "there is no such file on the datastore"},
        {410, ERROR_SOURCE_NOT_FOUND, "there is no such file on the datastore"},
        {416, ERROR_SOURCE_CHANGED, "it is shorter than its descriptor says, or than it was"},
        {429, ERROR_SOURCE_BUSY, "the source asks for fewer requests"},
        {503, ERROR_SOURCE_BUSY, "the source is busy"},
    };

    if (reply->status == 206)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (meanings[i].status == reply->status) {
            g_set_error(error, GANTRY_ERROR, meanings[i].code, "%s: %s (status %u)", what, meanings[i].says,
                        reply->status);
            return FALSE;
        }
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ, "%s: the source answered with status %u", what,
                reply->status);
    return FALSE;
}

static gboolean https_renew(Reader *reader, gint session, GCancellable *cancel, GError **error)
{
    HttpsReader *self = (HttpsReader *)reader;
    gboolean accepted = g_atomic_int_get(&self->accepted);

    if (!vsphere_login_renew(self->login, session, accepted, cancel, error))
        return FALSE;
    if (g_atomic_int_compare_and_exchange(&reader->session, session, vsphere_login_count(self->login)))
        g_atomic_int_set(&self->accepted, FALSE);
    return TRUE;
}

/* ---- opening ----------------------------------------------------------------------------------- */

/* While a disk is opened, its session may have to make place for Basic authentication. TRUE: ask again. */
static gboolean login_helps(HttpsReader *self, guint try, GError **failed, GCancellable *cancel,
                            GError **error)
{
    if (try < 2 && g_error_matches(*failed, GANTRY_ERROR, ERROR_SESSION_EXPIRED)) {
        g_clear_error(failed);
        return https_renew(&self->reader, g_atomic_int_get(&self->reader.session), cancel, error);
    }
    g_propagate_error(error, g_steal_pointer(failed));
    return FALSE;
}

static VmdkDescriptor *get_descriptor(HttpsReader *self, const char *path, GCancellable *cancel,
                                      GError **error)
{
    const HttpsDocument document = {.method = "GET", .limit = VMDK_DESCRIPTOR_LIMIT};
    g_autofree char *url = file_url(self, path);

    for (guint try = 0;; try++) {
        g_autoptr(GError) failed = NULL;
        HttpsReply reply;
        g_autoptr(GBytes) text = https_exchange(self->https, url, &document, &reply, cancel, &failed);

        if (text && reply.status == 200) {
            g_atomic_int_set(&self->accepted, TRUE);
            return vmdk_descriptor_parse(g_bytes_get_data(text, NULL), g_bytes_get_size(text), error);
        }
        if (text && check_status(&reply, path, &failed))
            g_set_error(&failed, GANTRY_ERROR, ERROR_SOURCE_READ, "%s: the source answered with a part of it",
                        path);
        if (g_error_matches(failed, GANTRY_ERROR, ERROR_HTTP_TOO_LARGE))
            return vmdk_descriptor_parse("", VMDK_DESCRIPTOR_LIMIT + 1, error); /* says that it is none */
        if (!login_helps(self, try, &failed, cancel, error))
            return NULL;
    }
}

/* The first sector, to learn the file's size, tag and time. */
static gboolean get_first(HttpsReader *self, const char *url, const char *path, HttpsReply *reply,
                          GCancellable *cancel, GError **error)
{
    for (guint try = 0;; try++) {
        g_autoptr(GError) failed = NULL;
        guint8 first[512];

        if (https_get_range(self->https, url, 0, sizeof first, first, reply, cancel, &failed) &&
            check_status(reply, path, &failed))
            return TRUE;
        if (!login_helps(self, try, &failed, cancel, error))
            return FALSE;
    }
}

/* "dir/x.vmdk" + "x-flat.vmdk" = "dir/x-flat.vmdk" */
static char *beside(const char *path, const char *file)
{
    const char *slash = strrchr(path, '/');
    return slash ? g_strdup_printf("%.*s/%s", (int)(slash - path), path, file) : g_strdup(file);
}

static gboolean open_piece(HttpsReader *self, Piece *piece, const char *path, GCancellable *cancel,
                           GError **error)
{
    HttpsReply reply;

    piece->url = file_url(self, path);
    if (!get_first(self, piece->url, path, &reply, cancel, error))
        return FALSE;
    if (!reply.ranged || !reply.total) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NO_RANGES,
                    "%s: the source does not say how large it is", path);
        return FALSE;
    }
    piece->total = reply.total;
    g_strlcpy(piece->etag, reply.etag, sizeof piece->etag);
    g_strlcpy(piece->modified, reply.modified, sizeof piece->modified);
    if (piece->offset > piece->total || piece->size > piece->total - piece->offset) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_DESCRIPTOR,
                    "%s has %" G_GUINT64_FORMAT " bytes, but the descriptor says %" G_GUINT64_FORMAT, path,
                    piece->total, piece->offset + piece->size);
        return FALSE;
    }
    return TRUE;
}

static gboolean check_kind(const VmdkDescriptor *descriptor, GError **error)
{
    for (guint i = 0; i < descriptor->extents->len; i++) {
        const VmdkExtent *extent = descriptor->extents->pdata[i];
        if (extent->kind == VMDK_FLAT || extent->kind == VMDK_ZERO)
            continue;
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT,
                    "the disk is of type %s%s, which is not read over HTTPS",
                    descriptor->create_type ? descriptor->create_type : "(none)",
                    descriptor->parent_cid != VMDK_NO_PARENT ? " (a snapshot)" : "");
        return FALSE;
    }
    if (descriptor->parent_cid == VMDK_NO_PARENT)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT, "the disk depends on a parent disk (%s)",
                descriptor->parent ? descriptor->parent : "not named");
    return FALSE;
}

static gboolean open_pieces(HttpsReader *self, const VmdkDescriptor *descriptor, const char *path,
                            GCancellable *cancel, GError **error)
{
    self->pieces = g_new0(Piece, descriptor->extents->len);
    self->n_pieces = descriptor->extents->len;
    for (guint i = 0; i < self->n_pieces; i++) {
        const VmdkExtent *extent = descriptor->extents->pdata[i];
        Piece *piece = &self->pieces[i];
        g_autofree char *file = extent->file ? beside(path, extent->file) : NULL;

        piece->start = self->reader.size;
        piece->size = extent->size;
        piece->offset = extent->offset;
        self->reader.size += extent->size;
        if (file && !open_piece(self, piece, file, cancel, error))
            return FALSE;
    }
    return TRUE;
}

static json_t *make_identity(const HttpsReader *self, const VmdkDescriptor *descriptor)
{
    json_t *files = json_array();

    for (guint i = 0; i < self->n_pieces; i++)
        if (self->pieces[i].url)
            json_array_append_new(files, json_pack("{s:I,s:s,s:s}", "size", (json_int_t)self->pieces[i].total,
                                                   "etag", self->pieces[i].etag, "modified",
                                                   self->pieces[i].modified));
    return json_pack("{s:s,s:I,s:o}", "type", "https", "cid", (json_int_t)descriptor->cid, "files", files);
}

/* "https://vc:443/sdk" → "https://vc:443" */
static char *base_of(const char *url, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;
    g_autofree char *base = NULL;

    if (!host || !*host || strcmp(g_uri_get_scheme(uri), "https") || g_uri_get_userinfo(uri)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "copy spec: source.url is \"%s\"; it must be https://HOST[:PORT]/sdk, without a user",
                    url);
        return NULL;
    }
    base = g_uri_join(G_URI_FLAGS_NONE, "https", NULL, host, g_uri_get_port(uri), "", NULL, NULL);
    return g_steal_pointer(&base);
}

static gboolean connect_to_source(HttpsReader *self, const CopySpec *spec, GCancellable *cancel,
                                  GError **error)
{
    const char *url = copy_spec_source_text(spec, "url", 2048, error);
    const char *datacenter = url ? copy_spec_source_text(spec, "datacenter", 2048, error) : NULL;
    const char *datastore = datacenter ? copy_spec_source_text(spec, "datastore", 1024, error) : NULL;
    HttpTrust trust = {.ca_pem = spec->ca_pem, .fingerprint = spec->fingerprint, .insecure = spec->insecure};

    if (!datastore || !(self->base = base_of(url, error)) || !(self->https = https_new(&trust, error)))
        return FALSE;
    self->datacenter = g_strdup(datacenter);
    self->datastore = g_strdup(datastore);
    self->login = vsphere_login_new(self->https, url, spec->credentials);
    return !spec->credentials || https_renew(&self->reader, 0, cancel, error);
}

static Reader *open_https(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *path = copy_spec_source_text(spec, "path", 2048, error);
    g_autoptr(VmdkDescriptor) descriptor = NULL;
    g_autoptr(Reader) reader = NULL;
    HttpsReader *self;

    if (!path)
        return NULL;
    self = g_new0(HttpsReader, 1);
    reader = &self->reader;
    reader->type = &reader_https;
    reader->parallel = spec->connections;
    if (!connect_to_source(self, spec, cancel, error) ||
        !(descriptor = get_descriptor(self, path, cancel, error)) || !check_kind(descriptor, error))
        return NULL;
    if (descriptor->size != spec->size) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_DESCRIPTOR,
                    "%s: its descriptor says %" G_GUINT64_FORMAT
                    " bytes, the VM's configuration %" G_GUINT64_FORMAT,
                    path, descriptor->size, spec->size);
        return NULL;
    }
    if (!open_pieces(self, descriptor, path, cancel, error))
        return NULL;
    reader->identity = make_identity(self, descriptor);
    reader->choice = g_strdup_printf(
        "https: %s disk of type %s, %s authentication", self->n_pieces == 1 ? "a flat" : "a split flat",
        descriptor->create_type ? descriptor->create_type : "(none)", vsphere_login_way(self->login));
    return g_steal_pointer(&reader);
}

/* ---- reading ----------------------------------------------------------------------------------- */

static gboolean https_extents(Reader *reader, guint64 start, guint64 size, GArray *extents,
                              GCancellable *cancel, GError **error)
{
    HttpsReader *self = (HttpsReader *)reader;

    for (guint i = 0; i < self->n_pieces && size; i++) {
        const Piece *piece = &self->pieces[i];
        Extent extent = {.start = start, .zero = !piece->url};

        if (start >= piece->start + piece->size)
            continue;
        extent.size = MIN(size, piece->start + piece->size - start);
        g_array_append_val(extents, extent);
        start += extent.size;
        size -= extent.size;
    }
    return TRUE;
}

static gboolean check_reply(const Piece *piece, const HttpsReply *reply, guint64 start, gsize size,
                            GError **error)
{
    if (!check_status(reply, "the disk", error))
        return FALSE;
    if (!reply->ranged || reply->start != start) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                    "the source sent another range than the one asked for");
        return FALSE;
    }
    if (reply->total != piece->total || strcmp(reply->etag, piece->etag) ||
        strcmp(reply->modified, piece->modified)) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_CHANGED,
                    "the disk was written to in the source while it was copied");
        return FALSE;
    }
    if (reply->size != size) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                    "the source sent %" G_GSIZE_FORMAT " of the %" G_GSIZE_FORMAT " bytes asked for",
                    reply->size, size);
        return FALSE;
    }
    return TRUE;
}

/* Bytes of a reply count only when its head was right: a wrong range must not become part of the disk. */
static gboolean read_piece(HttpsReader *self, const Piece *piece, guint64 start, gsize size, guint8 *buffer,
                           gsize *got, GCancellable *cancel, GError **error)
{
    guint64 at = start - piece->start + piece->offset;
    g_autoptr(GError) wrong = NULL;
    HttpsReply reply;
    gboolean whole = https_get_range(self->https, piece->url, at, size, buffer, &reply, cancel, error);

    if (!whole && !reply.size)
        return FALSE;
    if (!check_reply(piece, &reply, at, whole ? size : reply.size, &wrong)) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&wrong));
        return FALSE;
    }
    *got = reply.size;
    g_atomic_int_set(&self->accepted, TRUE);
    return whole;
}

static gboolean read_https(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                           GCancellable *cancel, GError **error)
{
    HttpsReader *self = (HttpsReader *)reader;

    for (guint i = 0; i < self->n_pieces && *done < size; i++) {
        const Piece *piece = &self->pieces[i];
        guint64 at = start + *done;
        gsize part, got = 0;
        gboolean good = TRUE;

        if (at >= piece->start + piece->size)
            continue;
        part = MIN(size - *done, piece->start + piece->size - at);
        if (piece->url) {
            good = read_piece(self, piece, at, part, buffer + *done, &got, cancel, error);
        } else {
            memset(buffer + *done, 0, part);
            got = part;
        }
        *done += got;
        if (!good)
            return FALSE;
    }
    return TRUE;
}

const ReaderType reader_https = {.type = "https",
                                 .open = open_https,
                                 .extents = https_extents,
                                 .read = read_https,
                                 .renew = https_renew,
                                 .close = close_https};
