/* http_server: libsoup on a thread of its own, handlers on a pool, and a queue of calls from them back to
 * that thread. */
#include "net/http_server_parts.h"
#include <string.h>
#include <unistd.h>

enum { default_body_limit = 3 << 20, default_output_limit = 1 << 20, default_workers = 16 };

/* ---- calls to the server's thread ---- */

typedef struct {
    void (*run)(gpointer data);
    gpointer data;
} Call;

void http_server_unref(HttpServer *server)
{
    if (!g_atomic_int_dec_and_test(&server->refs))
        return;
    g_main_loop_unref(server->loop);
    g_main_context_unref(server->context);
    g_hash_table_unref(server->arrivals);
    g_hash_table_unref(server->live);
    g_hash_table_unref(server->sockets);
    g_clear_object(&server->certificate);
    g_object_unref(server->listening);
    if (server->silence >= 0)
        close(server->silence);
    g_array_unref(server->calls);
    g_mutex_clear(&server->lock);
    g_rec_mutex_clear(&server->after_stop);
    g_cond_clear(&server->accepts_no_more);
    g_free(server);
}

static gboolean run_calls(gpointer data)
{
    HttpServer *server = data;
    GArray *calls;

    g_mutex_lock(&server->lock);
    calls = server->calls;
    server->calls = g_array_new(FALSE, FALSE, sizeof(Call));
    server->woken = FALSE;
    g_mutex_unlock(&server->lock);

    for (guint i = 0; i < calls->len; i++) {
        Call *call = &g_array_index(calls, Call, i);
        call->run(call->data);
    }
    g_array_unref(calls);
    return G_SOURCE_REMOVE;
}

static void wake_thread(HttpServer *server)
{
    GSource *source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run_calls, server, NULL);
    g_source_attach(source, server->context);
    g_source_unref(source);
}

/* The reference is for a call that drops the exchange which kept the server. */
void http_server_call(HttpServer *server, void (*run)(gpointer), gpointer data)
{
    Call call = {run, data};
    gboolean stopped, wake;

    g_atomic_int_inc(&server->refs);
    g_mutex_lock(&server->lock);
    stopped = server->stopped;
    wake = !stopped && !server->woken;
    server->woken = TRUE;
    if (!stopped)
        g_array_append_val(server->calls, call);
    g_mutex_unlock(&server->lock);

    if (stopped) {
        g_rec_mutex_lock(&server->after_stop);
        run(data);
        g_rec_mutex_unlock(&server->after_stop);
    }
    if (wake)
        wake_thread(server);
    http_server_unref(server);
}

/* ---- what comes in ---- */

static void handle(gpointer data, gpointer user_data)
{
    HttpExchange *x = data;
    HttpServer *server = user_data;

    if (!x->path)
        http_exchange_reply_text(x, 400, "text/plain", "the path is not a valid percent-encoded one\n");
    else
        server->handler(x, server->user_data);
    if (x->answer == OPEN)
        http_exchange_reply_text(x, 500, "text/plain", "no answer was made\n");
    g_atomic_int_add(&server->requests, -1);
    http_exchange_unref(x);
}

/* Those who ask for more than the handlers can do are told so at once, and none waits for long. */
static gboolean is_too_much(HttpServer *server, SoupServerMessage *message)
{
    static const char why[] = "too many requests, please try again later\n";

    if (!server->most_requests || (guint)g_atomic_int_get(&server->requests) < server->most_requests)
        return FALSE;
    soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_STATIC, why, strlen(why));
    soup_server_message_set_status(message, 429, "Too Many Requests");
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Retry-After", "1");
    return TRUE;
}

static void message_finished(SoupServerMessage *message, gpointer data)
{
    http_exchange_gone(data);
}

static void on_request(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
                       gpointer data)
{
    HttpServer *server = data;
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    GUri *uri = soup_server_message_get_uri(message);
    HttpExchange *x;

    if (soup_server_message_get_status(message) || server->stopping || is_too_much(server, message))
        return; /* refused while its body came, or now */

    x = g_new0(HttpExchange, 1);
    x->refs = 2; /* the message's and the handler's */
    x->server = server;
    g_atomic_int_inc(&server->refs);
    x->message = g_object_ref(message);
    x->peer = g_object_ref(http_listener_peer(message));
    http_connection_count(x->peer, 1);
    http_connection_watch(x->peer);
    x->path = g_uri_unescape_string(g_uri_get_path(uri), NULL);
    x->target = g_uri_get_query(uri) ? g_strconcat(g_uri_get_path(uri), "?", g_uri_get_query(uri), NULL)
                                     : g_strdup(g_uri_get_path(uri));
    x->body = soup_message_body_flatten(body);
    x->cancel = g_cancellable_new();
    g_hash_table_add(server->live, x);
    g_signal_connect(message, "finished", G_CALLBACK(message_finished), x);
    g_signal_connect(message, "disconnected", G_CALLBACK(message_finished), x);
    soup_server_message_pause(message);
    g_atomic_int_inc(&server->requests);
    g_thread_pool_push(server->workers, x, NULL);
}

/* Who was told to come again, and who asked OPTIONS *, which libsoup answers by itself, may hang up as well.
 * Of a WebSocket there is no end here. */
static void on_end(SoupServer *soup, SoupServerMessage *message, gpointer data)
{
    GSocket *peer = http_listener_peer(message);

    if (!g_socket_is_closed(peer))
        http_connection_watch(peer);
}

static void refuse_large(SoupServerMessage *message)
{
    static const char why[] = "the body is larger than this server accepts\n";

    soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_STATIC, why, strlen(why));
    soup_server_message_set_status(message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, NULL);
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Connection", "close");
}

/* A body without a length is cut off from memory where it passes the limit; what follows of it is read and
 * dropped. */
static void got_chunk(SoupServerMessage *message, GBytes *chunk, gpointer data)
{
    HttpServer *server = data;
    SoupMessageBody *body = soup_server_message_get_request_body(message);

    if (soup_message_body_get_accumulate(body) && (gsize)body->length > server->body_limit) {
        refuse_large(message);
        soup_message_body_set_accumulate(body, FALSE);
        soup_message_body_truncate(body);
    }
}

static void on_head(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
                    gpointer data)
{
    HttpServer *server = data;
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);

    if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH &&
        (guint64)soup_message_headers_get_content_length(headers) > server->body_limit)
        refuse_large(message);
    else
        g_signal_connect(message, "got-chunk", G_CALLBACK(got_chunk), server);
}

static gpointer serve(gpointer data)
{
    HttpServer *server = data;

    g_main_context_push_thread_default(server->context);
    g_main_loop_run(server->loop);
    http_listener_wait(server);
    g_main_context_pop_thread_default(server->context);
    return NULL;
}

static GTlsCertificate *certificate(const char *cert_pem, const char *key_pem, GError **error)
{
    g_autofree char *both = g_strconcat(cert_pem, "\n", key_pem, NULL);
    g_autoptr(GError) why = NULL;
    GTlsCertificate *made = g_tls_certificate_new_from_pem(both, -1, &why);

    if (!made)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "serving certificate: %s", why->message);
    return made;
}

static HttpServer *new_server(const HttpServerOptions *options)
{
    HttpServer *server = g_new0(HttpServer, 1);

    server->refs = 1;
    server->silence = -1;
    server->handler = options->handler;
    server->user_data = options->user_data;
    server->body_limit = options->body_limit ? options->body_limit : default_body_limit;
    server->output_limit = options->output_limit ? options->output_limit : default_output_limit;
    server->gzip_from = options->gzip_from;
    server->most_requests = options->most_requests;
    server->calls = g_array_new(FALSE, FALSE, sizeof(Call));
    server->arrivals = g_hash_table_new(NULL, NULL);
    server->live = g_hash_table_new(NULL, NULL);
    server->sockets = g_hash_table_new(NULL, NULL);
    g_mutex_init(&server->lock);
    g_rec_mutex_init(&server->after_stop);
    g_cond_init(&server->accepts_no_more);
    server->workers =
        g_thread_pool_new(handle, server, options->workers ? options->workers : default_workers, FALSE, NULL);
    g_thread_pool_set_max_unused_threads(MAX(g_thread_pool_get_max_unused_threads(), 8));
    server->context = g_main_context_new();
    server->loop = g_main_loop_new(server->context, FALSE);
    return server;
}

HttpServer *http_server_start(const HttpServerOptions *options, GError **error)
{
    g_autoptr(GTlsCertificate) cert = NULL;
    g_autoptr(GSocket) socket = NULL;
    HttpServer *server;
    guint port = 0;
    gboolean listening;

    if (options->cert_pem && !(cert = certificate(options->cert_pem, options->key_pem, error)))
        return NULL;
    if (!(socket = http_listener_open(options->listen, &port, error)))
        return NULL;

    server = new_server(options);
    server->certificate = g_steal_pointer(&cert);
    server->listening = g_steal_pointer(&socket);
    server->port = port;
    g_main_context_push_thread_default(server->context);
    server->soup = soup_server_new(NULL, NULL);
    soup_server_add_early_handler(server->soup, NULL, on_head, server, NULL);
    soup_server_add_handler(server->soup, NULL, on_request, server, NULL);
    g_signal_connect(server->soup, "request-finished", G_CALLBACK(on_end), NULL);
    listening = http_listener_start(server, error);
    g_main_context_pop_thread_default(server->context);
    server->thread = g_thread_new("http-server", serve, server);
    if (!listening)
        g_clear_pointer(&server, http_server_stop);
    return server;
}

guint http_server_port(const HttpServer *server)
{
    return server->port;
}

typedef struct {
    HttpServer *server;
    GTlsCertificate *cert;
} NewCertificate;

static void use_certificate(gpointer data)
{
    NewCertificate *new = data;
    g_set_object(&new->server->certificate, new->cert);
    g_object_unref(new->cert);
    g_free(new);
}

gboolean http_server_set_certificate(HttpServer *server, const char *cert_pem, const char *key_pem,
                                     GError **error)
{
    GTlsCertificate *cert = certificate(cert_pem, key_pem, error);
    NewCertificate *new;

    if (!cert)
        return FALSE;
    new = g_new(NewCertificate, 1);
    *new = (NewCertificate){server, cert};
    http_server_call(server, use_certificate, new);
    return TRUE;
}

/* First step of the stop: nobody new comes in, and whoever waits in a handler is told. */
static void stop_accepting(gpointer data)
{
    HttpServer *server = data;
    g_autoptr(GList) live = g_hash_table_get_keys(server->live);

    http_listener_stop(server);
    for (GList *i = live; i; i = i->next)
        g_cancellable_cancel(((HttpExchange *)i->data)->cancel);
    g_mutex_lock(&server->lock);
    server->stopping = TRUE;
    g_cond_broadcast(&server->accepts_no_more);
    g_mutex_unlock(&server->lock);
}

/* The workers may only be ended when nothing is given to them any more. */
static void wait_until_none_is_accepted(HttpServer *server)
{
    http_server_call(server, stop_accepting, server);
    g_mutex_lock(&server->lock);
    while (!server->stopping)
        g_cond_wait(&server->accepts_no_more, &server->lock);
    g_mutex_unlock(&server->lock);
}

/* Last step: the handlers are done; what they answered is on its way. */
static void stop_serving(gpointer data)
{
    HttpServer *server = data;
    g_autoptr(GList) sockets = g_hash_table_get_keys(server->sockets);
    g_autoptr(GList) live = NULL;

    soup_server_disconnect(server->soup);
    for (GList *i = sockets; i; i = i->next)
        http_socket_gone(i->data);
    live = g_hash_table_get_keys(server->live);
    for (GList *i = live; i; i = i->next)
        http_exchange_gone(i->data);
    g_main_loop_quit(server->loop);
}

void http_server_stop(HttpServer *server)
{
    if (!server)
        return;
    wait_until_none_is_accepted(server);
    g_thread_pool_free(server->workers, FALSE, TRUE);
    http_server_call(server, stop_serving, server);
    g_thread_join(server->thread);

    g_rec_mutex_lock(&server->after_stop);
    g_mutex_lock(&server->lock);
    server->stopped = TRUE;
    g_mutex_unlock(&server->lock);
    g_main_context_push_thread_default(server->context);
    run_calls(server); /* what came after the thread's last look */
    g_object_unref(server->soup);
    g_main_context_pop_thread_default(server->context);
    g_rec_mutex_unlock(&server->after_stop);
    http_server_unref(server);
}
