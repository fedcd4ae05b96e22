/* datastore: requests for files and ranges, and what their replies mean. */
#include "copy/datastore.h"
#include "copy/https.h"
#include "copy/vsphere_login.h"
#include <string.h>

struct Datastore {
    VmdkStore store;
    Https *https;
    VsphereLogin *login;
    char *base, *datacenter; /* base: "https://vc:443" */
    gint *session;           /* atomic: counts logins */
    gint accepted;           /* atomic: a request got through since the last login */
};

typedef struct {
    VmdkFile file;
    char *url, etag[128], modified[64];
} DatastoreFile;

static const VmdkStoreType datastore_type;

VmdkStore *datastore_files(Datastore *datastore)
{
    return &datastore->store;
}

const char *datastore_login_way(Datastore *datastore)
{
    return vsphere_login_way(datastore->login);
}

/* ---- opening ----------------------------------------------------------------------------------- */

void datastore_close(Datastore *datastore)
{
    if (!datastore)
        return;
    vsphere_login_free(datastore->login);
    https_free(datastore->https);
    g_free(datastore->base);
    g_free(datastore->datacenter);
    g_free(datastore);
}

/* "https://vc:443/sdk" → "https://vc:443" */
static char *base_of(const char *url, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;

    if (!host || !*host || strcmp(g_uri_get_scheme(uri), "https") || g_uri_get_userinfo(uri)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "copy spec: source.url is \"%s\"; it must be https://HOST[:PORT]/sdk, without a user",
                    url);
        return NULL;
    }
    return g_uri_join(G_URI_FLAGS_NONE, "https", NULL, host, g_uri_get_port(uri), "", NULL, NULL);
}

Datastore *datastore_open(const CopySpec *spec, gint *session, GCancellable *cancel, GError **error)
{
    const char *url = copy_spec_source_text(spec, "url", 2048, error);
    const char *datacenter = url ? copy_spec_source_text(spec, "datacenter", 2048, error) : NULL;
    HttpTrust trust = {.ca_pem = spec->ca_pem, .fingerprint = spec->fingerprint, .insecure = spec->insecure};
    g_autoptr(Datastore) datastore = g_new0(Datastore, 1);

    datastore->store.type = &datastore_type;
    datastore->session = session;
    if (!datacenter || !(datastore->base = base_of(url, error)) ||
        !(datastore->https = https_new(&trust, error)))
        return NULL;
    datastore->datacenter = g_strdup(datacenter);
    datastore->login = json_object_get(spec->source, "ticket")
                           ? vsphere_login_new_ticket(datastore->https, spec, url, error)
                           : vsphere_login_new(datastore->https, url, spec->credentials);
    if (!datastore->login)
        return NULL;
    if (spec->credentials && !datastore_renew(datastore, 0, cancel, error))
        return NULL;
    return g_steal_pointer(&datastore);
}

gboolean datastore_renew(Datastore *datastore, gint session, GCancellable *cancel, GError **error)
{
    gboolean accepted = g_atomic_int_get(&datastore->accepted);

    if (!vsphere_login_renew(datastore->login, session, accepted, cancel, error))
        return FALSE;
    if (g_atomic_int_compare_and_exchange(datastore->session, session, vsphere_login_count(datastore->login)))
        g_atomic_int_set(&datastore->accepted, FALSE);
    return TRUE;
}

/* ---- names ------------------------------------------------------------------------------------- */

/* "[datastore] dir/x.vmdk"; *path is where the rest begins. */
static char *datastore_of(const char *name, const char **path, GError **error)
{
    const char *end = *name == '[' ? strstr(name, "] ") : NULL;

    if (!end || end == name + 1 || !end[2]) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "copy spec: the disk file '%s' does not read '[datastore] path'", name);
        return NULL;
    }
    *path = end + 2;
    return g_strndup(name + 1, end - name - 1);
}

static char *url_of(const Datastore *datastore, const char *name, GError **error)
{
    const char *path = NULL;
    g_autofree char *store = datastore_of(name, &path, error);
    g_autofree char *file = store ? g_uri_escape_string(path, "/", TRUE) : NULL,
                    *dc = g_uri_escape_string(datastore->datacenter, NULL, TRUE),
                    *ds = store ? g_uri_escape_string(store, NULL, TRUE) : NULL;

    return store ? g_strconcat(datastore->base, "/folder/", file, "?dcPath=", dc, "&dsName=", ds, NULL)
                 : NULL;
}

/* "[ds] dir/x.vmdk" + "x-flat.vmdk" → "[ds] dir/x-flat.vmdk";
 * "/vmfs/volumes/other/dir/y.vmdk" → "[other] dir/y.vmdk" */
static char *resolve(VmdkStore *store, const char *name, const char *mentioned, GError **error)
{
    static const char volumes[] = "/vmfs/volumes/";
    const char *slash = strrchr(name, '/'), *rest;

    if (*mentioned != '/') {
        const char *folder_end = slash ? slash + 1 : strstr(name, "] ") + 2;
        return g_strdup_printf("%.*s%s", (int)(folder_end - name), name, mentioned);
    }
    rest = g_str_has_prefix(mentioned, volumes) ? strchr(mentioned + strlen(volumes), '/') : NULL;
    if (!rest || !rest[1]) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_CHAIN, "%s names the file %s, which is on no datastore",
                    name, mentioned);
        return NULL;
    }
    mentioned += strlen(volumes);
    return g_strdup_printf("[%.*s] %s", (int)(rest - mentioned), mentioned, rest + 1);
}

/* ---- replies ----------------------------------------------------------------------------------- */

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

static GBytes *get_file(VmdkStore *store, const char *name, gsize limit, GCancellable *cancel, GError **error)
{
    Datastore *datastore = (Datastore *)store;
    const HttpsDocument document = {.method = "GET", .limit = limit};
    g_autofree char *url = url_of(datastore, name, error);
    HttpsReply reply;
    g_autoptr(GBytes) text =
        url ? https_exchange(datastore->https, url, &document, &reply, cancel, error) : NULL;

    if (!text)
        return NULL;
    if (reply.status == 200) {
        g_atomic_int_set(&datastore->accepted, TRUE);
        return g_steal_pointer(&text);
    }
    if (check_status(&reply, name, error))
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ, "%s: the source answered with a part of it",
                    name);
    return NULL;
}

/* ---- files ------------------------------------------------------------------------------------- */

static void close_file(VmdkFile *file)
{
    g_free(((DatastoreFile *)file)->url);
    g_free(file->name);
    g_free(file);
}

static VmdkFile *open_file(VmdkStore *store, const char *name, GCancellable *cancel, GError **error)
{
    DatastoreFile *self = g_new0(DatastoreFile, 1);
    g_autoptr(VmdkFile) file = &self->file;
    Datastore *datastore = (Datastore *)store;
    HttpsReply reply;
    guint8 first[512]; /* to learn the file's size, tag and time */

    file->store = store;
    file->name = g_strdup(name);
    if (!(self->url = url_of(datastore, name, error)) ||
        !https_get_range(datastore->https, self->url, 0, sizeof first, first, &reply, cancel, error) ||
        !check_status(&reply, name, error))
        return NULL;
    g_atomic_int_set(&datastore->accepted, TRUE);
    if (!reply.ranged || !reply.total) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NO_RANGES,
                    "%s: the source does not say how large it is", name);
        return NULL;
    }
    file->size = reply.total;
    g_strlcpy(self->etag, reply.etag, sizeof self->etag);
    g_strlcpy(self->modified, reply.modified, sizeof self->modified);
    return g_steal_pointer(&file);
}

static json_t *identity(const VmdkFile *file)
{
    const DatastoreFile *self = (const DatastoreFile *)file;
    return json_pack("{s:I,s:s,s:s}", "size", (json_int_t)file->size, "etag", self->etag, "modified",
                     self->modified);
}

static gboolean check_reply(const DatastoreFile *file, const HttpsReply *reply, guint64 start, gsize size,
                            GError **error)
{
    if (!check_status(reply, file->file.name, error))
        return FALSE;
    if (!reply->ranged || reply->start != start) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                    "%s: the source sent another range than the one asked for", file->file.name);
        return FALSE;
    }
    if (reply->total != file->file.size || strcmp(reply->etag, file->etag) ||
        strcmp(reply->modified, file->modified)) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_CHANGED,
                    "%s: the disk was written to in the source while it was copied", file->file.name);
        return FALSE;
    }
    if (reply->size != size) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ,
                    "%s: the source sent %" G_GSIZE_FORMAT " of the %" G_GSIZE_FORMAT " bytes asked for",
                    file->file.name, reply->size, size);
        return FALSE;
    }
    return TRUE;
}

/* Bytes of a reply count only when its head was right: a wrong range must not become part of the disk. */
static gboolean read_file(VmdkFile *file, guint64 start, gsize size, guint8 *buffer, gsize *done,
                          GCancellable *cancel, GError **error)
{
    DatastoreFile *self = (DatastoreFile *)file;
    Datastore *datastore = (Datastore *)file->store;
    guint64 at = start + *done;
    gsize part = size - *done;
    g_autoptr(GError) wrong = NULL;
    HttpsReply reply;
    gboolean whole =
        https_get_range(datastore->https, self->url, at, part, buffer + *done, &reply, cancel, error);

    if (!whole && !reply.size)
        return FALSE;
    if (!check_reply(self, &reply, at, whole ? part : reply.size, &wrong)) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&wrong));
        return FALSE;
    }
    *done += reply.size;
    g_atomic_int_set(&datastore->accepted, TRUE);
    return whole;
}

static const VmdkStoreType datastore_type = {.get = get_file,
                                             .open = open_file,
                                             .read = read_file,
                                             .close = close_file,
                                             .resolve = resolve,
                                             .identity = identity};
