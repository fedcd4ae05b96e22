/* http_client: libsoup sessions, one per request under way, behind one trust and one set of cookies.
 *
 * A session ("lane") is used by one thread at a time and goes back to a stack when its request is done, so
 * libsoup's own locking is never put to the test and the warmest connection is used first. The sessions trust
 * nobody by themselves: libsoup then asks at every handshake, and accept_certificate() alone decides.
 */
#include "net/http_client.h"
#include "net/certificate.h"
#include "net/trust.h"
#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define READ_SIZE    (64 * 1024)
#define LANE_IDLE_US (60 * G_USEC_PER_SEC) /* longer than a burst, shorter than most servers' idle limit */
#define MOST_COOKIES 64

typedef struct {
    SoupSession *session;
    gint64 idle_since;
} Lane;

struct HttpClient {
    Trust *trust;              /* NULL: plain HTTP only */
    GTlsCertificate *identity; /* shown to servers that ask, or NULL */
    guint timeout_s;

    GMutex lock;
    GQueue lanes;       /* idle ones, the last used first */
    GPtrArray *cookies; /* of SoupCookie */
};

/* libsoup speaks HTTP/2 where it can, but this version's blocking calls do so less reliably than HTTP/1.1. It
 * takes the wish from the environment only, which may be set safely only before threads exist. */
__attribute__((constructor)) static void speak_http1(void)
{
    g_setenv("SOUP_FORCE_HTTP1", "1", TRUE);
}

static void lane_free(Lane *lane)
{
    g_object_unref(lane->session);
    g_free(lane);
}

static Lane *lane_take(HttpClient *client)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&client->lock);
    Lane *lane = g_queue_pop_head(&client->lanes);

    if (lane)
        return lane;
    lane = g_new0(Lane, 1);
    lane->session = soup_session_new_with_options("timeout", client->timeout_s, "idle-timeout", 0,
                                                  "proxy-resolver", NULL, "tls-database", NULL, NULL);
    soup_session_set_tls_database(lane->session, NULL);
    return lane;
}

/* Gives a lane back, and drops those that nobody needed for a while. */
static void lane_give(HttpClient *client, Lane *lane)
{
    gint64 now = g_get_monotonic_time();
    g_autoptr(GPtrArray) stale = g_ptr_array_new_with_free_func((GDestroyNotify)lane_free);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&client->lock);
    Lane *oldest;

    lane->idle_since = now;
    g_queue_push_head(&client->lanes, lane);
    while ((oldest = g_queue_peek_tail(&client->lanes)) && now - oldest->idle_since > LANE_IDLE_US)
        g_ptr_array_add(stale, g_queue_pop_tail(&client->lanes));
}

HttpClient *http_client_new(const HttpTrust *trust, guint timeout_s, GError **error)
{
    g_autoptr(HttpClient) client = g_new0(HttpClient, 1);

    g_mutex_init(&client->lock);
    g_queue_init(&client->lanes);
    client->cookies = g_ptr_array_new_with_free_func((GDestroyNotify)soup_cookie_free);
    client->timeout_s = timeout_s;
    trust_leave_it_to_callers();
    if (trust && !(client->trust = trust_new(trust, error)))
        return NULL;
    return g_steal_pointer(&client);
}

void http_client_free(HttpClient *client)
{
    g_queue_clear_full(&client->lanes, (GDestroyNotify)lane_free);
    g_ptr_array_unref(client->cookies);
    g_clear_pointer(&client->trust, trust_free);
    g_clear_object(&client->identity);
    g_mutex_clear(&client->lock);
    g_free(client);
}

gboolean http_client_use_certificate(HttpClient *client, const char *certificate_pem, const char *key_pem,
                                     GError **error)
{
    g_autofree char *both = g_strconcat(certificate_pem, "\n", key_pem, NULL);
    g_autoptr(GError) why = NULL;

    g_clear_object(&client->identity);
    client->identity = g_tls_certificate_new_from_pem(both, -1, &why);
    explicit_bzero(both, strlen(both));
    if (!client->identity)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "client certificate and key: %s", why->message);
    return client->identity != NULL;
}

/* ---- one request ---- */

typedef struct {
    HttpClient *client;
    SoupMessage *message;
    char *refusal; /* why the certificate was not accepted */
    const char *content_type;
    GBytes *body;           /* borrowed, or NULL */
    gboolean shaking_hands; /* counted in handshakes */
} Call;

static gboolean accept_certificate(SoupMessage *message, GTlsCertificate *certificate,
                                   GTlsCertificateFlags flaws, gpointer data)
{
    Call *call = data;

    g_free(call->refusal);
    call->refusal =
        trust_refuse(call->client->trust, certificate, g_uri_get_host(soup_message_get_uri(message)));
    return call->refusal == NULL;
}

/* GLib resumes TLS sessions across all clients of the process, and a resumed one asks nobody about its
 * certificate: so each connection is held against this client's trust once more before the first byte of a
 * request goes over it. */
static void check_resumed(Call *call, GIOStream *connection)
{
    GTlsCertificate *certificate = G_IS_TLS_CONNECTION(connection)
                                       ? g_tls_connection_get_peer_certificate(G_TLS_CONNECTION(connection))
                                       : NULL;

    g_clear_pointer(&call->refusal, g_free);
    call->refusal = certificate ? trust_refuse(call->client->trust, certificate,
                                               g_uri_get_host(soup_message_get_uri(call->message)))
                                : g_strdup("it showed no certificate");
    if (call->refusal)
        g_io_stream_close(connection, NULL, NULL);
}

/* ---- few handshakes at once ---- */

/* GLib shakes all hands of a process, its clients' and its servers', on the same few threads (ten, and more
 * only after a while). With all of them waiting for a server of this same process nobody gets on. When
 * none has ended for long, those that wait begin all the same: the others may wait for a server that is
 * silent. */
enum { HANDSHAKES = 5, HANDSHAKE_WAIT_US = 2 * G_USEC_PER_SEC };

static GMutex handshakes_lock;
static GCond handshake_ended;
static guint handshakes;
static gint64 handshake_ended_at; /* monotonic */

static void handshake_end(Call *call)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&handshakes_lock);

    if (!call->shaking_hands)
        return;
    call->shaking_hands = FALSE;
    handshakes--;
    handshake_ended_at = g_get_monotonic_time();
    g_cond_signal(&handshake_ended);
}

static void handshake_begin(Call *call)
{
    gint64 began = g_get_monotonic_time();
    g_autoptr(GMutexLocker) locker = NULL;

    handshake_end(call); /* of a connection that libsoup tried before */
    locker = g_mutex_locker_new(&handshakes_lock);
    while (handshakes >= HANDSHAKES) {
        gint64 until = MAX(began, handshake_ended_at) + HANDSHAKE_WAIT_US;
        if (g_get_monotonic_time() >= until)
            break;
        g_cond_wait_until(&handshake_ended, &handshakes_lock, until);
    }
    handshakes++;
    call->shaking_hands = TRUE;
}

/* ---- a connection ---- */

/* A request's last segment must not wait for the answer to its first; and a peer that dies while it owes an
 * answer, however long that may take, is noticed within a minute. */
static void tune_connection(SoupMessage *message, GSocketClientEvent event, GIOStream *connection,
                            gpointer data)
{
    static const struct {
        int level, option, value;
    } options[] = {{IPPROTO_TCP, TCP_NODELAY, 1},
                   {SOL_SOCKET, SO_KEEPALIVE, 1},
                   {IPPROTO_TCP, TCP_KEEPIDLE, 20},
                   {IPPROTO_TCP, TCP_KEEPINTVL, 10},
                   {IPPROTO_TCP, TCP_KEEPCNT, 3}};

    if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
        handshake_begin(data);
    if (event == G_SOCKET_CLIENT_TLS_HANDSHAKED) {
        handshake_end(data);
        check_resumed(data, connection);
    }
    if (event != G_SOCKET_CLIENT_CONNECTED || !G_IS_SOCKET_CONNECTION(connection))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
        g_socket_set_option(g_socket_connection_get_socket(G_SOCKET_CONNECTION(connection)), options[i].level,
                            options[i].option, options[i].value, NULL);
}

/* A kept connection may turn out to be closed before any answer came. libsoup then sends what may be sent
 * twice again on a fresh one, and has dropped the body. */
static void give_body(SoupMessage *message, gpointer data)
{
    Call *call = data;

    if (call->body)
        soup_message_set_request_body_from_bytes(message, call->content_type, call->body);
}

static gboolean call_begin(Call *call, HttpClient *client, const char *method, const char *url,
                           GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL);
    const char *scheme = client->trust ? "https" : "http";

    if (!uri || !g_uri_get_host(uri) || !*g_uri_get_host(uri) || strcmp(g_uri_get_scheme(uri), scheme) ||
        g_uri_get_user(uri)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "URL \"%s\": must be %s://HOST[:PORT]/PATH", url,
                    scheme);
        return FALSE;
    }
    call->client = client;
    call->message = soup_message_new_from_uri(method, uri);
    /* libsoup would make a new connection for each POST and PATCH otherwise. It never sends those again. */
    soup_message_add_flags(call->message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_IDEMPOTENT);
    if (client->identity)
        soup_message_set_tls_client_certificate(call->message, client->identity);
    g_signal_connect(call->message, "accept-certificate", G_CALLBACK(accept_certificate), call);
    g_signal_connect(call->message, "network-event", G_CALLBACK(tune_connection), call);
    g_signal_connect(call->message, "restarted", G_CALLBACK(give_body), call);
    return TRUE;
}

static void call_end(Call *call)
{
    if (call->message)
        g_signal_handlers_disconnect_by_data(call->message, call);
    g_clear_object(&call->message);
    g_free(call->refusal);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Call, call_end)

static void add_cookies(Call *call)
{
    HttpClient *client = call->client;
    g_autoptr(GString) header = g_string_new(NULL);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&client->lock);

    for (guint i = 0; i < client->cookies->len; i++) {
        SoupCookie *cookie = client->cookies->pdata[i];
        g_autofree char *pair = NULL;
        if (!soup_cookie_applies_to_uri(cookie, soup_message_get_uri(call->message)))
            continue;
        pair = soup_cookie_to_cookie_header(cookie);
        g_string_append_printf(header, "%s%s", header->len ? "; " : "", pair);
    }
    if (header->len)
        soup_message_headers_replace(soup_message_get_request_headers(call->message), "Cookie", header->str);
}

/* The same cookie, whatever its value (RFC 6265, 5.3: a newer one takes its place). */
static gboolean is_same_cookie(SoupCookie *a, SoupCookie *b)
{
    return !g_strcmp0(soup_cookie_get_name(a), soup_cookie_get_name(b)) &&
           !g_strcmp0(soup_cookie_get_domain(a), soup_cookie_get_domain(b)) &&
           !g_strcmp0(soup_cookie_get_path(a), soup_cookie_get_path(b));
}

static void keep_cookie(HttpClient *client, SoupCookie *cookie)
{
    for (guint i = 0; i < client->cookies->len; i++)
        if (is_same_cookie(client->cookies->pdata[i], cookie)) {
            g_ptr_array_remove_index(client->cookies, i);
            break;
        }
    if (client->cookies->len == MOST_COOKIES)
        g_ptr_array_remove_index(client->cookies, 0);
    g_ptr_array_add(client->cookies, cookie);
}

static void keep_cookies(Call *call)
{
    GSList *cookies = soup_cookies_from_response(call->message);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&call->client->lock);

    for (GSList *i = cookies; i; i = i->next)
        keep_cookie(call->client, i->data);
    g_slist_free(cookies);
}

void http_client_forget_cookies(HttpClient *client)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&client->lock);
    g_ptr_array_set_size(client->cookies, 0);
}

static void add_headers(Call *call, const char *const *headers, const char *content_type, GBytes *body)
{
    SoupMessageHeaders *to = soup_message_get_request_headers(call->message);

    for (; headers && headers[0]; headers += 2)
        soup_message_headers_replace(to, headers[0], headers[1]);
    call->content_type = content_type;
    call->body = body;
    give_body(call->message, call);
    add_cookies(call);
}

/* Puts libsoup's error into our words; the URL's host stands in front. */
static void set_error(const Call *call, const GError *why, GError **error)
{
    GUri *uri = soup_message_get_uri(call->message);
    int port = g_uri_get_port(uri);
    g_autofree char *server =
        port > 0 ? g_strdup_printf("%s:%d", g_uri_get_host(uri), port) : g_strdup(g_uri_get_host(uri));

    if (g_error_matches(why, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_set_error(error, GANTRY_ERROR, ERROR_CANCELED, "%s: the request was canceled", server);
    else if (call->refusal)
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE, "%s: %s", server, call->refusal);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE, "%s: %s", server, why->message);
}

static GInputStream *send_message(Call *call, Lane *lane, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) why = NULL;
    GInputStream *stream = soup_session_send(lane->session, call->message, cancel, &why);

    handshake_end(call); /* one that failed */
    if (!stream) {
        set_error(call, why, error);
        return NULL;
    }
    keep_cookies(call);
    return stream;
}

static void copy_header(const char *name, const char *value, gpointer headers)
{
    char *lower = g_ascii_strdown(name, -1);
    const char *earlier = g_hash_table_lookup(headers, lower);
    g_hash_table_replace(headers, lower, earlier ? g_strconcat(earlier, ", ", value, NULL) : g_strdup(value));
}

static HttpReply *new_reply(SoupMessage *message, GBytes *body)
{
    HttpReply *reply = g_new0(HttpReply, 1);

    reply->status = soup_message_get_status(message);
    reply->reason = g_strdup(soup_message_get_reason_phrase(message));
    reply->headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    soup_message_headers_foreach(soup_message_get_response_headers(message), copy_header, reply->headers);
    reply->body = body;
    return reply;
}

void http_reply_free(HttpReply *reply)
{
    g_free(reply->reason);
    g_bytes_unref(reply->body);
    g_hash_table_unref(reply->headers);
    g_free(reply);
}

static GBytes *read_body(Call *call, GInputStream *stream, gsize limit, GCancellable *cancel, GError **error)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    g_autoptr(GError) why = NULL;
    g_autofree guint8 *block = g_malloc(READ_SIZE);
    gssize got;

    while ((got = g_input_stream_read(stream, block, READ_SIZE, cancel, &why)) > 0) {
        if ((gsize)got > limit - body->len) {
            g_set_error(error, GANTRY_ERROR, ERROR_HTTP_TOO_LARGE,
                        "%s: the reply is larger than the %" G_GSIZE_FORMAT " bytes accepted here",
                        g_uri_get_host(soup_message_get_uri(call->message)), limit);
            return NULL;
        }
        g_byte_array_append(body, block, got);
    }
    if (got < 0) {
        set_error(call, why, error);
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&body));
}

HttpReply *http_client_send(HttpClient *client, const char *method, const char *url,
                            const char *const *headers, const char *content_type, GBytes *body, gsize limit,
                            GCancellable *cancel, GError **error)
{
    g_auto(Call) call = {0};
    g_autoptr(GInputStream) stream = NULL;
    GBytes *got = NULL;
    Lane *lane;

    if (!call_begin(&call, client, method, url, error))
        return NULL;
    add_headers(&call, headers, content_type, body);
    lane = lane_take(client);
    stream = send_message(&call, lane, cancel, error);
    if (stream)
        got = read_body(&call, stream, limit, cancel, error);
    g_clear_object(&stream);
    if (!got) {
        lane_free(lane); /* with its connection, which may stand in the middle of a body */
        return NULL;
    }
    lane_give(client, lane);
    return new_reply(call.message, got);
}

GInputStream *http_client_stream(HttpClient *client, const char *method, const char *url,
                                 const char *const *headers, HttpReply **reply, GCancellable *cancel,
                                 GError **error)
{
    g_auto(Call) call = {0};
    GInputStream *stream;
    Lane *lane;

    if (!call_begin(&call, client, method, url, error))
        return NULL;
    add_headers(&call, headers, NULL, NULL);
    lane = lane_take(client);
    stream = send_message(&call, lane, cancel, error);
    if (!stream) {
        lane_free(lane);
        return NULL;
    }
    g_object_set_data_full(G_OBJECT(stream), "lane", lane, (GDestroyNotify)lane_free);
    if (reply)
        *reply = new_reply(call.message, g_bytes_new(NULL, 0));
    return stream;
}

/* ---- looking at a certificate ---- */

static gboolean accept_any(GTlsConnection *connection, GTlsCertificate *certificate,
                           GTlsCertificateFlags flaws, gpointer data)
{
    return TRUE;
}

static HttpCertificate *describe(GTlsCertificate *certificate)
{
    HttpCertificate *description = g_new0(HttpCertificate, 1);
    g_autoptr(GDateTime) end = g_tls_certificate_get_not_valid_after(certificate);
    g_autoptr(GByteArray) der = NULL;

    g_object_get(certificate, "certificate", &der, "certificate-pem", &description->pem, NULL);
    description->sha1 = certificate_fingerprint(der->data, der->len, G_CHECKSUM_SHA1);
    description->sha256 = certificate_fingerprint(der->data, der->len, G_CHECKSUM_SHA256);
    description->subject = g_tls_certificate_get_subject_name(certificate);
    description->issuer = g_tls_certificate_get_issuer_name(certificate);
    description->not_after = end ? g_date_time_format(end, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
    return description;
}

HttpCertificate *http_peer_certificate(const char *url, guint timeout_s, GCancellable *cancel, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL);
    g_autoptr(GSocketClient) socket = g_socket_client_new();
    g_autoptr(GSocketConnection) connection = NULL;
    g_autoptr(GSocketConnectable) server = NULL;
    g_autoptr(GIOStream) tls = NULL;
    g_autoptr(GError) why = NULL;

    if (!uri || g_strcmp0(g_uri_get_scheme(uri), "https") || !g_uri_get_host(uri) || !*g_uri_get_host(uri)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "URL \"%s\": must be https://HOST[:PORT]/PATH",
                    url);
        return NULL;
    }
    trust_leave_it_to_callers();
    server = g_network_address_new(g_uri_get_host(uri), g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : 443);
    g_socket_client_set_timeout(socket, timeout_s);
    g_socket_client_set_enable_proxy(socket, FALSE);
    connection = g_socket_client_connect(socket, server, cancel, &why);
    if (connection)
        tls = g_tls_client_connection_new(G_IO_STREAM(connection), server, &why);
    if (tls)
        g_signal_connect(tls, "accept-certificate", G_CALLBACK(accept_any), NULL);
    if (!tls || !g_tls_connection_handshake(G_TLS_CONNECTION(tls), cancel, &why)) {
        g_set_error(error, GANTRY_ERROR,
                    g_error_matches(why, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? ERROR_CANCELED
                                                                           : ERROR_HTTP_UNREACHABLE,
                    "%s: %s", g_uri_get_host(uri), why->message);
        return NULL;
    }
    return describe(g_tls_connection_get_peer_certificate(G_TLS_CONNECTION(tls)));
}

void http_certificate_free(HttpCertificate *certificate)
{
    g_free(certificate->sha1);
    g_free(certificate->sha256);
    g_free(certificate->subject);
    g_free(certificate->issuer);
    g_free(certificate->not_after);
    g_free(certificate->pem);
    g_free(certificate);
}
