/* http_client: only the right server is spoken to, and nothing it sends does harm. */
#include "net/certificate.h"
#include "net/http_client.h"
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

#define BIG (256 * 1024)

/* A TLS server on a free loopback port, in a thread of its own. */
typedef struct {
    GThread *thread;
    GMainContext *context;
    GMainLoop *loop;
    SoupServer *server;
    Certificate *ca, *own;
    gboolean plain;
    guint port;
    char *url;
    GMutex lock;
    GCond started;
} Peer;

static void answer(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query,
                   gpointer data)
{
    SoupMessageHeaders *to = soup_server_message_get_response_headers(message);
    SoupMessageHeaders *from = soup_server_message_get_request_headers(message);
    SoupMessageBody *body = soup_server_message_get_request_body(message);

    soup_server_message_set_status(message, 200, NULL);
    if (!strcmp(path, "/echo")) {
        soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_COPY, body->data, body->length);
    } else if (!strcmp(path, "/login")) {
        soup_message_headers_append(to, "Set-Cookie",
                                    "vmware_soap_session=\"abc\"; Path=/; HttpOnly; Secure");
    } else if (!strcmp(path, "/login-again")) {
        soup_message_headers_append(to, "Set-Cookie",
                                    "vmware_soap_session=\"def\"; Path=/; HttpOnly; Secure");
    } else if (!strcmp(path, "/cookie")) {
        const char *cookie = soup_message_headers_get_one(from, "Cookie");
        soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_COPY, cookie ? cookie : "none",
                                         strlen(cookie ? cookie : "none"));
    } else if (!strcmp(path, "/big")) {
        soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_TAKE, g_strnfill(BIG, 'x'), BIG);
    } else if (!strcmp(path, "/redirect")) {
        soup_server_message_set_redirect(message, 302, "/echo");
    } else if (!strcmp(path, "/silent")) {
        soup_server_message_pause(message);
    } else {
        soup_server_message_set_status(message, 404, "No such page");
    }
}

static gpointer serve(gpointer data)
{
    Peer *peer = data;
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string("127.0.0.1", 0);
    g_autofree char *pem = g_strconcat(peer->own->pem, peer->own->key_pem, NULL);
    g_autoptr(GTlsCertificate) certificate = g_tls_certificate_new_from_pem(pem, -1, NULL);
    GSList *uris;

    g_main_context_push_thread_default(peer->context);
    peer->server = soup_server_new("tls-certificate", peer->plain ? NULL : certificate, NULL);
    soup_server_add_handler(peer->server, NULL, answer, peer, NULL);
    g_assert_true(
        soup_server_listen(peer->server, address, peer->plain ? 0 : SOUP_SERVER_LISTEN_HTTPS, NULL));
    uris = soup_server_get_uris(peer->server);
    g_mutex_lock(&peer->lock);
    peer->port = g_uri_get_port(uris->data);
    g_cond_signal(&peer->started);
    g_mutex_unlock(&peer->lock);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    g_main_loop_run(peer->loop);
    soup_server_disconnect(peer->server);
    g_clear_object(&peer->server);
    while (g_main_context_iteration(peer->context, FALSE))
        ;
    g_main_context_pop_thread_default(peer->context);
    return NULL;
}

static Peer *peer_start(gboolean plain)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    Peer *peer = g_new0(Peer, 1);

    peer->plain = plain;
    peer->ca = certificate_new_authority("peer CA", NULL);
    peer->own = certificate_issue(peer->ca, names, 1, NULL);
    peer->context = g_main_context_new();
    peer->loop = g_main_loop_new(peer->context, FALSE);
    g_mutex_init(&peer->lock);
    g_cond_init(&peer->started);
    peer->thread = g_thread_new("peer", serve, peer);
    g_mutex_lock(&peer->lock);
    while (!peer->port)
        g_cond_wait(&peer->started, &peer->lock);
    g_mutex_unlock(&peer->lock);
    peer->url = g_strdup_printf("%s://127.0.0.1:%u", plain ? "http" : "https", peer->port);
    return peer;
}

static gboolean quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void peer_stop(Peer *peer)
{
    g_main_context_invoke(peer->context, quit, peer->loop);
    g_thread_join(peer->thread);
    g_main_loop_unref(peer->loop);
    g_main_context_unref(peer->context);
    certificate_free(peer->ca);
    certificate_free(peer->own);
    g_mutex_clear(&peer->lock);
    g_cond_clear(&peer->started);
    g_free(peer->url);
    g_free(peer);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_stop)

static HttpClient *client_for(const HttpTrust *trust)
{
    g_autoptr(GError) error = NULL;
    HttpClient *client = http_client_new(trust, 30, &error);
    g_assert_no_error(error);
    return client;
}

static HttpReply *fetch(HttpClient *client, const Peer *peer, const char *path, GError **error)
{
    g_autofree char *url = g_strconcat(peer->url, path, NULL);
    return http_client_send(client, "GET", url, NULL, NULL, NULL, 1024, NULL, error);
}

static char *body_text(const HttpReply *reply)
{
    gsize size;
    const char *data = g_bytes_get_data(reply->body, &size);
    return g_strndup(data, size);
}

static void a_server_is_trusted_by_exactly_what_was_given(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    g_autoptr(Certificate) stranger = certificate_new_authority("other CA", NULL);
    g_autofree char *two = g_strconcat("a comment\n", stranger->pem, peer->ca->pem, NULL);
    g_autoptr(HttpCertificate) seen = http_peer_certificate(peer->url, 30, NULL, NULL);
    g_autofree char *wrong = g_strdup(seen->sha256);
    wrong[0] = wrong[0] == 'A' ? 'B' : 'A';
    const struct {
        const char *name;
        HttpTrust trust;
        gboolean accepted;
    } rows[] = {
        {"the CA", {.ca_pem = peer->ca->pem}, TRUE},
        {"one of two CAs", {.ca_pem = two}, TRUE},
        {"the certificate itself as CA", {.ca_pem = peer->own->pem}, TRUE},
        {"another CA", {.ca_pem = stranger->pem}, FALSE},
        {"system trust", {0}, FALSE},
        {"SHA-1", {.fingerprint = seen->sha1}, TRUE},
        {"SHA-256", {.fingerprint = seen->sha256}, TRUE},
        {"another fingerprint", {.fingerprint = wrong}, FALSE},
        {"another fingerprint, though the CA is right",
         {.fingerprint = wrong, .ca_pem = peer->ca->pem},
         FALSE},
        {"the fingerprint, though the CA is another",
         {.fingerprint = seen->sha1, .ca_pem = stranger->pem},
         TRUE},
        {"insecure", {.insecure = TRUE}, TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HttpClient) client = client_for(&rows[i].trust);
        g_autoptr(HttpReply) reply = fetch(client, peer, "/nothing", &error);

        g_test_message("%s", rows[i].name);
        if (rows[i].accepted) {
            g_assert_no_error(error);
            g_assert_cmpuint(reply->status, ==, 404);
            g_assert_cmpstr(reply->reason, ==, "No such page");
        } else {
            g_assert_error(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE);
            g_assert_true(strstr(error->message, seen->sha1) || strstr(error->message, seen->sha256));
        }
    }
}

static void one_clients_trust_is_not_anothers(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust lax = {.insecure = TRUE}, strict = {0};
    g_autoptr(HttpClient) first = client_for(&lax), second = client_for(&strict);
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 3; i++) { /* TLS sessions that could be resumed */
        g_autoptr(HttpClient) another = client_for(&lax);
        g_autoptr(HttpReply) reply = fetch(another, peer, "/echo", NULL),
                             again = fetch(first, peer, "/echo", NULL);
        g_assert_nonnull(reply);
        g_assert_nonnull(again);
    }
    g_assert_null(fetch(second, peer, "/echo", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE);
}

/* Whoever opens connections in this process decides, even when GLib's own store would be content. */
static void what_glib_trusts_does_not_overrule_a_fingerprint(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    g_autofree char *wrong = g_strnfill(64, 'A');
    HttpTrust trust = {.fingerprint = wrong};
    g_autoptr(HttpClient) client = client_for(&trust);
    GTlsBackend *backend = g_tls_backend_get_default();
    g_autoptr(GTlsDatabase) nobody = g_tls_backend_get_default_database(backend), content = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int file = g_file_open_tmp("gantry-ca-XXXXXX", &path, NULL);

    g_assert_true(g_file_set_contents(path, peer->ca->pem, -1, NULL));
    content = g_tls_file_database_new(path, NULL);
    g_tls_backend_set_default_database(backend, content);
    g_assert_null(fetch(client, peer, "/echo", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE);
    g_tls_backend_set_default_database(backend, nobody);
    g_unlink(path);
    g_close(file, NULL);
}

static void a_certificate_for_another_name_is_refused(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autofree char *url = g_strdup_printf("https://localhost:%u/", peer->port);
    g_autoptr(GError) error = NULL;

    g_assert_null(http_client_send(client, "GET", url, NULL, NULL, NULL, 1024, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_HTTP_CERTIFICATE);
    g_assert_nonnull(strstr(error->message, "another name"));
}

static void a_body_goes_out_and_comes_back(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autofree char *url = g_strconcat(peer->url, "/echo", NULL);

    for (int i = 0; i < 3; i++) {
        g_autoptr(GBytes) body = g_bytes_new_static("hello", 5);
        g_autoptr(GError) error = NULL;
        g_autoptr(HttpReply) reply =
            http_client_send(client, "POST", url, NULL, "text/plain", body, 5, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(g_bytes_equal(reply->body, body));
        g_assert_cmpstr(g_hash_table_lookup(reply->headers, "content-type"), ==, "text/plain");
    }
}

static void cookies_are_kept_for_every_thread(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autofree char *stream_url = g_strconcat(peer->url, "/silent", NULL);
    g_autoptr(HttpReply) login = fetch(client, peer, "/login", NULL);
    g_autoptr(HttpReply) reply = fetch(client, peer, "/cookie", NULL);
    g_autofree char *text = body_text(reply);

    g_assert_cmpstr(text, ==, "vmware_soap_session=\"abc\"");
}

static void a_newer_cookie_takes_the_place_of_the_older(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autoptr(HttpReply) login = fetch(client, peer, "/login", NULL);
    g_autoptr(HttpReply) again = fetch(client, peer, "/login-again", NULL);
    g_autoptr(HttpReply) reply = fetch(client, peer, "/cookie", NULL);
    g_autofree char *text = body_text(reply);

    g_assert_cmpstr(text, ==, "vmware_soap_session=\"def\"");
}

static void forgotten_cookies_are_not_sent(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autoptr(HttpReply) login = fetch(client, peer, "/login", NULL);
    g_autoptr(HttpReply) reply = NULL;
    g_autofree char *text = NULL;

    http_client_forget_cookies(client);
    reply = fetch(client, peer, "/cookie", NULL);
    text = body_text(reply);
    g_assert_cmpstr(text, ==, "none");
}

static void a_reply_over_its_limit_is_refused_and_the_client_goes_on(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autoptr(HttpReply) after = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_null(fetch(client, peer, "/big", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_HTTP_TOO_LARGE);
    after = fetch(client, peer, "/echo", NULL);
    g_assert_cmpuint(after->status, ==, 200);
}

static void a_redirection_is_shown_and_not_followed(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autoptr(HttpReply) reply = fetch(client, peer, "/redirect", NULL);

    g_assert_cmpuint(reply->status, ==, 302);
}

static void a_stream_outlives_its_client(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autofree char *url = g_strconcat(peer->url, "/big", NULL);
    g_autofree char *block = g_malloc(BIG);
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(GInputStream) stream = http_client_stream(client, "GET", url, NULL, &reply, NULL, NULL);
    gsize got;

    g_assert_cmpuint(reply->status, ==, 200);
    g_clear_pointer(&client, http_client_free);
    g_assert_true(g_input_stream_read_all(stream, block, BIG, &got, NULL, NULL));
    g_assert_cmpuint(got, ==, BIG);
}

static gpointer cancel_soon(gpointer cancel)
{
    g_usleep(100 * 1000);
    g_cancellable_cancel(cancel);
    return NULL;
}

static void a_waiting_call_can_be_cancelled(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_autofree char *url = g_strconcat(peer->url, "/silent", NULL);
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_new("cancel", cancel_soon, cancel);

    g_assert_null(http_client_send(client, "GET", url, NULL, NULL, NULL, 10, cancel, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_CANCELED);
    g_thread_join(thread);
}

/* What comes from the next who connects: its head, and as much of a body as the head says. */
static char *read_request(GIOStream *stream)
{
    g_autoptr(GDataInputStream) in = g_data_input_stream_new(g_io_stream_get_input_stream(stream));
    g_autoptr(GString) text = g_string_new(NULL);
    char body[16] = "";
    gsize size = 0;

    g_filter_input_stream_set_close_base_stream(G_FILTER_INPUT_STREAM(in), FALSE);
    g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
    for (;;) {
        g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, NULL);

        if (!line || !*line)
            break;
        if (!text->len)
            g_string_append_printf(text, "%.4s", line);
        if (g_str_has_prefix(line, "Content-Length: "))
            size = MIN(strtoul(line + strlen("Content-Length: "), NULL, 10), sizeof body - 1);
    }
    g_input_stream_read_all(G_INPUT_STREAM(in), body, size, NULL, NULL, NULL);
    return g_strdup_printf("%s%s", text->str, body);
}

static void reply_empty(GIOStream *stream)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    g_output_stream_write_all(g_io_stream_get_output_stream(stream), reply, strlen(reply), NULL, NULL, NULL);
}

/* Answers one request, hangs up on the next, and answers the one that comes on a new connection, if any. */
static gpointer hang_up_once(gpointer listener)
{
    g_autoptr(GSocketConnection) first = g_socket_listener_accept(listener, NULL, NULL, NULL), next = NULL;
    g_autofree char *answered = read_request(G_IO_STREAM(first)), *lost = NULL;

    reply_empty(G_IO_STREAM(first));
    lost = read_request(G_IO_STREAM(first));
    g_io_stream_close(G_IO_STREAM(first), NULL, NULL);
    next = g_socket_listener_accept(listener, NULL, NULL, NULL);
    if (!next)
        return NULL;
    g_free(lost);
    lost = read_request(G_IO_STREAM(next));
    reply_empty(G_IO_STREAM(next));
    return g_steal_pointer(&lost);
}

static void a_lost_connection_loses_no_body(void)
{
    g_autoptr(GSocketListener) listener = g_socket_listener_new();
    guint port = g_socket_listener_add_any_inet_port(listener, NULL, NULL);
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/", port), *seen = NULL;
    g_autoptr(GThread) thread = g_thread_new("peer", hang_up_once, listener);
    g_autoptr(HttpClient) client = client_for(NULL);
    g_autoptr(GBytes) body = g_bytes_new_static("body", 4);

    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(HttpReply) reply =
            http_client_send(client, "PUT", url, NULL, "text/plain", body, 100, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(reply->status, ==, 200);
    }
    seen = g_thread_join(g_steal_pointer(&thread));
    g_assert_cmpstr(seen, ==, "PUT body");
}

static void a_silent_server_is_given_up(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = http_client_new(&trust, 1, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(fetch(client, peer, "/silent", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE);
}

static void an_absent_server_is_unreachable(void)
{
    Peer *peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    g_autofree char *url = g_strdup(peer->url);
    g_autoptr(GError) error = NULL;

    peer_stop(peer);
    g_assert_null(http_client_send(client, "GET", url, NULL, NULL, NULL, 10, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE);
    g_assert_true(g_str_has_prefix(error->message, "127.0.0.1:"));
}

static void a_plain_client_speaks_http_only(void)
{
    g_autoptr(Peer) peer = peer_start(TRUE);
    HttpTrust trust = {.insecure = TRUE};
    g_autoptr(HttpClient) plain = client_for(NULL), secure = client_for(&trust);
    g_autoptr(HttpReply) reply = fetch(plain, peer, "/echo", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(reply->status, ==, 200);
    g_assert_null(fetch(secure, peer, "/echo", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
}

static void a_url_that_is_none_is_refused(void)
{
    static const char *const urls[] = {
        "", "vc/sdk", "https://", "https:///sdk", "ftp://vc/", "https://user:pw@vc/", "https://vc:70000/"};
    HttpTrust trust = {0};
    g_autoptr(HttpClient) client = client_for(&trust);

    for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(http_client_send(client, "GET", urls[i], NULL, NULL, NULL, 10, NULL, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    }
}

static void a_trust_that_says_nothing_is_refused(void)
{
    const HttpTrust rows[] = {{.ca_pem = "no PEM"},
                              {.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
                              {.fingerprint = "AA:BB"}};

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(http_client_new(&rows[i], 1, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    }
}

static gpointer ask_often(gpointer data)
{
    gpointer *both = data;

    for (int i = 0; i < 50; i++) {
        g_autoptr(HttpReply) reply = fetch(both[0], both[1], "/echo", NULL);
        g_assert_cmpuint(reply->status, ==, 200);
    }
    return NULL;
}

static void many_threads_share_a_client(void)
{
    g_autoptr(Peer) peer = peer_start(FALSE);
    HttpTrust trust = {.ca_pem = peer->ca->pem};
    g_autoptr(HttpClient) client = client_for(&trust);
    gpointer both[] = {client, peer};
    GThread *threads[6];

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("asker", ask_often, both);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/net/http_client/" name, function)
    TEST("a server is trusted by exactly what was given", a_server_is_trusted_by_exactly_what_was_given);
    TEST("one client's trust is not another's", one_clients_trust_is_not_anothers);
    TEST("what GLib trusts does not overrule a fingerprint",
         what_glib_trusts_does_not_overrule_a_fingerprint);
    TEST("a certificate for another name is refused", a_certificate_for_another_name_is_refused);
    TEST("a body goes out and comes back", a_body_goes_out_and_comes_back);
    TEST("cookies are kept", cookies_are_kept_for_every_thread);
    TEST("a newer cookie takes the place of the older", a_newer_cookie_takes_the_place_of_the_older);
    TEST("forgotten cookies are not sent", forgotten_cookies_are_not_sent);
    TEST("a reply over its limit is refused and the client goes on",
         a_reply_over_its_limit_is_refused_and_the_client_goes_on);
    TEST("a redirection is shown and not followed", a_redirection_is_shown_and_not_followed);
    TEST("a stream outlives its client", a_stream_outlives_its_client);
    TEST("a waiting call can be cancelled", a_waiting_call_can_be_cancelled);
    TEST("a request that is sent again has its body", a_lost_connection_loses_no_body);
    TEST("a silent server is given up", a_silent_server_is_given_up);
    TEST("an absent server is unreachable", an_absent_server_is_unreachable);
    TEST("a plain client speaks http only", a_plain_client_speaks_http_only);
    TEST("a URL that is none is refused", a_url_that_is_none_is_refused);
    TEST("a trust that says nothing is refused", a_trust_that_says_nothing_is_refused);
    TEST("many threads share a client", many_threads_share_a_client);
    return g_test_run();
}
