/* https: libcurl, a handle (and so a connection) per call under way; GnuTLS tells the peer's certificate. */
#include "copy/https.h"
#include "net/certificate.h"
#include <curl/curl.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_S 30
#define STALL_TIMEOUT_S   60
#define BUFFER_SIZE       (256 * 1024)
#define DOCUMENT_LIMIT    (1024 * 1024)

struct Https {
    char *fingerprint; /* NULL: by certificate authorities */
    GChecksumType fingerprint_type;
    gboolean insecure;
    int ca_fd; /* memory file with the CA's PEM, or -1 */
    char *ca_path;
    GMutex lock;
    GPtrArray *idle;  /* of CURL; under lock */
    char *credential; /* a header; under lock */
    HttpsTicket ticket;
    gpointer ticket_data;
    struct curl_slist *connect_to; /* where all connections go instead, or NULL */
};

typedef struct {
    Https *https;
    HttpsReply *reply;
    guint8 *buffer;
    gsize size;
    gboolean ranged, too_large;
    GCancellable *cancel;
    GError *refused; /* by our own check of the certificate */
} Call;

static void start_curl(void)
{
    static gsize started;
    if (g_once_init_enter(&started)) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        g_once_init_leave(&started, 1);
    }
}

static gboolean store_ca(Https *https, const char *pem, GError **error)
{
    gsize size = strlen(pem);

    https->ca_fd = memfd_create("ca", MFD_CLOEXEC);
    if (https->ca_fd < 0 || write(https->ca_fd, pem, size) != (ssize_t)size) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "cannot keep the CA certificate in memory");
        return FALSE;
    }
    https->ca_path = g_strdup_printf("/proc/self/fd/%d", https->ca_fd);
    return TRUE;
}

Https *https_new(const HttpTrust *trust, GError **error)
{
    g_autoptr(Https) https = g_new0(Https, 1);

    start_curl();
    https->ca_fd = -1;
    https->insecure = trust->insecure;
    https->idle = g_ptr_array_new();
    g_mutex_init(&https->lock);
    if (trust->fingerprint && !certificate_parse_fingerprint(trust->fingerprint, &https->fingerprint,
                                                             &https->fingerprint_type, error))
        return NULL;
    if (trust->ca_pem && !store_ca(https, trust->ca_pem, error))
        return NULL;
    return g_steal_pointer(&https);
}

static void wipe(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

void https_free(Https *https)
{
    if (!https)
        return;
    for (guint i = 0; i < https->idle->len; i++)
        curl_easy_cleanup(https->idle->pdata[i]);
    g_ptr_array_unref(https->idle);
    g_mutex_clear(&https->lock);
    if (https->ca_fd >= 0)
        close(https->ca_fd);
    curl_slist_free_all(https->connect_to);
    g_free(https->ca_path);
    g_free(https->fingerprint);
    wipe(https->credential);
    g_free(https);
}

void https_set_credential(Https *https, const char *header)
{
    g_mutex_lock(&https->lock);
    wipe(https->credential);
    https->credential = g_strdup(header);
    g_mutex_unlock(&https->lock);
}

void https_connect_to(Https *https, const char *address)
{
    gboolean bare = strchr(address, ':') && *address != '[';
    g_autofree char *rule = bare ? g_strdup_printf("::[%s]:", address) : g_strdup_printf("::%s:", address);

    curl_slist_free_all(https->connect_to);
    https->connect_to = curl_slist_append(NULL, rule);
}

void https_set_ticket(Https *https, HttpsTicket ticket, gpointer user_data)
{
    https->ticket = ticket;
    https->ticket_data = user_data;
}

/* ---- what comes in ----------------------------------------------------------------------------- */

static gboolean parse_content_range(const char *value, HttpsReply *reply)
{
    char *end;

    if (g_ascii_strncasecmp(value, "bytes ", 6))
        return FALSE;
    reply->start = g_ascii_strtoull(value + 6, &end, 10);
    if (*end++ != '-')
        return FALSE;
    g_ascii_strtoull(end, &end, 10);
    if (*end++ != '/')
        return FALSE;
    reply->total = g_ascii_strtoull(end, NULL, 10);
    return TRUE;
}

static const char *value_of(const char *line, const char *name)
{
    gsize len = strlen(name);
    return g_ascii_strncasecmp(line, name, len) || line[len] != ':'
               ? NULL
               : line + len + 1 + strspn(line + len + 1, " ");
}

static gsize on_header(char *data, gsize one, gsize size, void *user_data)
{
    HttpsReply *reply = ((Call *)user_data)->reply;
    g_autofree char *line = g_strchomp(g_strndup(data, size));
    const char *value;

    if (g_str_has_prefix(line, "HTTP/")) { /* after a 100 Continue the headers begin anew */
        memset(reply, 0, sizeof *reply);
        value = strchr(line, ' ');
        reply->status = value ? (guint)g_ascii_strtoull(value, NULL, 10) : 0;
    } else if ((value = value_of(line, "Content-Range"))) {
        reply->ranged = parse_content_range(value, reply);
    } else if ((value = value_of(line, "ETag"))) {
        g_strlcpy(reply->etag, value, sizeof reply->etag);
    } else if ((value = value_of(line, "Last-Modified"))) {
        g_strlcpy(reply->modified, value, sizeof reply->modified);
    } else if ((value = value_of(line, "Set-Cookie")) && !*reply->cookie) {
        g_strlcpy(reply->cookie, value, MIN(sizeof reply->cookie, strcspn(value, ";") + 1));
    }
    return size;
}

static gsize on_body(char *data, gsize one, gsize size, void *user_data)
{
    Call *call = user_data;

    if (call->ranged && call->reply->status != 206)
        return call->reply->status == 200
                   ? 0
                   : size; /* a whole disk for a range is cut off; error pages pass by */
    if (size > call->size - call->reply->size) {
        call->too_large = TRUE;
        return 0;
    }
    memcpy(call->buffer + call->reply->size, data, size);
    call->reply->size += size;
    return size;
}

static int on_progress(void *user_data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    return g_cancellable_is_cancelled(((Call *)user_data)->cancel);
}

/* ---- whom we talk to --------------------------------------------------------------------------- */

static char *leaf_fingerprint(CURL *curl, GChecksumType type)
{
    const struct curl_tlssessioninfo *info = NULL;
    const gnutls_datum_t *chain;
    guint len = 0;

    if (curl_easy_getinfo(curl, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info ||
        info->backend != CURLSSLBACKEND_GNUTLS || !info->internals)
        return NULL;
    chain = gnutls_certificate_get_peers(info->internals, &len);
    return chain && len ? certificate_fingerprint(chain[0].data, chain[0].size, type) : NULL;
}

typedef struct {
    Call *call;
    CURL *curl;
} Peer;

/* Called when the connection stands and nothing of the request has been sent. */
static int before_request(void *user_data, char *to, char *from, int to_port, int from_port)
{
    Peer *peer = user_data;
    Https *https = peer->call->https;
    g_autofree char *seen = NULL;

    if (!https->fingerprint || https->insecure)
        return CURL_PREREQFUNC_OK;
    seen = leaf_fingerprint(peer->curl, https->fingerprint_type);
    if (!g_strcmp0(seen, https->fingerprint))
        return CURL_PREREQFUNC_OK;
    g_clear_error(&peer->call->refused);
    g_set_error(&peer->call->refused, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE,
                "the certificate of %s port %d has the fingerprint %s, not %s", to, to_port,
                seen ? seen : "(none)", https->fingerprint);
    return CURL_PREREQFUNC_ABORT;
}

/* For a message only: what the peer that failed verification showed cannot be asked of libcurl any more. */
static void set_certificate_error(const char *url, const char *why, GCancellable *cancel, GError **error)
{
    g_autoptr(HttpCertificate) seen = http_peer_certificate(url, CONNECT_TIMEOUT_S, cancel, NULL);

    g_set_error(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE,
                "%s; the SHA-256 fingerprint that was seen is %s", why, seen ? seen->sha256 : "unknown");
}

/* ---- a call ------------------------------------------------------------------------------------ */

/* Adds the credential to the headers. */
static CURL *take_handle(Https *https, struct curl_slist **headers)
{
    CURL *curl;

    g_mutex_lock(&https->lock);
    curl = https->idle->len ? g_ptr_array_steal_index(https->idle, https->idle->len - 1) : NULL;
    if (https->credential)
        *headers = curl_slist_append(*headers, https->credential);
    g_mutex_unlock(&https->lock);
    return curl ? curl : curl_easy_init();
}

/* Wipes the headers. */
static void give_handle_back(Https *https, CURL *curl, struct curl_slist *headers)
{
    for (struct curl_slist *header = headers; header; header = header->next)
        explicit_bzero(header->data, strlen(header->data));
    curl_slist_free_all(headers);
    curl_easy_reset(curl); /* keeps the connection */
    g_mutex_lock(&https->lock);
    g_ptr_array_add(https->idle, curl);
    g_mutex_unlock(&https->lock);
}

static void set_trust(CURL *curl, Peer *peer)
{
    const Https *https = peer->call->https;
    gboolean by_authority = !https->insecure && !https->fingerprint;

    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, (long)by_authority);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, by_authority ? 2L : 0L);
    if (https->ca_path) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, https->ca_path);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, peer);
}

static void set_call(CURL *curl, Call *call, const char *url)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, call->https->connect_to);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call);
}

static gboolean set_result(Call *call, CURLcode code, const char *text, const char *url, GError **error)
{
    if (call->refused) {
        g_propagate_error(error, g_steal_pointer(&call->refused));
        return FALSE;
    }
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && call->ranged && call->reply->status == 200))
        return TRUE;
    if (!text || !*text)
        text = curl_easy_strerror(code);
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "asked to stop");
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        set_certificate_error(url, text, call->cancel, error);
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE, "%s", text);
        break;
    default:
        if (call->too_large)
            g_set_error(error, GANTRY_ERROR, call->ranged ? ERROR_SOURCE_READ : ERROR_HTTP_TOO_LARGE,
                        "the source sent more than the %" G_GSIZE_FORMAT " bytes that were asked for",
                        call->size);
        else
            g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_READ, "%s", text);
    }
    return FALSE;
}

/* Adds the header that this one request needs. */
static gboolean add_ticket(const Call *call, const char *method, const char *url, struct curl_slist **headers,
                           GError **error)
{
    const Https *https = call->https;
    char *header;

    if (!https->ticket)
        return TRUE;
    header = https->ticket(method, url, https->ticket_data, call->cancel, error);
    if (header)
        *headers = curl_slist_append(*headers, header);
    wipe(header);
    return header != NULL;
}

static gboolean perform(Call *call, const char *url, const char *range, const HttpsDocument *document,
                        struct curl_slist *headers, GError **error)
{
    char text[CURL_ERROR_SIZE] = "";
    gboolean good;
    CURL *curl;
    Peer peer;

    memset(call->reply, 0, sizeof *call->reply);
    if (!add_ticket(call, document ? document->method : "GET", url, &headers, error)) {
        curl_slist_free_all(headers);
        return FALSE;
    }
    curl = take_handle(call->https, &headers);
    peer = (Peer){call, curl};
    set_trust(curl, &peer);
    set_call(curl, call, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(curl, CURLOPT_RANGE, range);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (document && document->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)g_bytes_get_size(document->body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, g_bytes_get_data(document->body, NULL)); /* not copied */
    }
    if (document)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, document->method);
    good = set_result(call, curl_easy_perform(curl), text, url, error);
    give_handle_back(call->https, curl, headers);
    return good;
}

gboolean https_get_range(Https *https, const char *url, guint64 start, gsize size, guint8 *buffer,
                         HttpsReply *reply, GCancellable *cancel, GError **error)
{
    Call call = {
        .https = https, .reply = reply, .buffer = buffer, .size = size, .ranged = TRUE, .cancel = cancel};
    g_autofree char *range =
        g_strdup_printf("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT, start, start + size - 1);

    g_assert(size > 0);
    if (g_cancellable_set_error_if_cancelled(cancel, error))
        return FALSE;
    return perform(&call, url, range, NULL, NULL, error);
}

GBytes *https_exchange(Https *https, const char *url, const HttpsDocument *document, HttpsReply *reply,
                       GCancellable *cancel, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(document->limit);
    Call call = {.https = https, .reply = reply, .buffer = buffer, .size = document->limit, .cancel = cancel};
    struct curl_slist *headers = NULL;

    if (document->body) {
        g_autofree char *action = g_strdup_printf("SOAPAction: \"%s\"", document->soap_action);
        headers = curl_slist_append(headers, "Content-Type: text/xml; charset=utf-8");
        headers = curl_slist_append(headers, action);
    }
    if (!perform(&call, url, NULL, document, headers, error))
        return NULL;
    return g_bytes_new_take(g_realloc(g_steal_pointer(&buffer), MAX(reply->size, 1)), reply->size);
}
