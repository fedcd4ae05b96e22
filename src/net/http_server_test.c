/* http_server: whole replies, limits, streams with back-pressure, WebSockets, and the stop. */
#include "net/http_server.h"
#include <libsoup/soup.h>
#include <string.h>

typedef struct {
    HttpServer *server;
    SoupSession *session;
    char *base;
    HttpStream *stream; /* of the last /stream */
    gint closed;
    gint full;
} Fixture;

static void stream_closed(gpointer data)
{
    g_atomic_int_inc(&((Fixture *)data)->closed);
}

static void socket_message(HttpSocket *socket, gboolean binary, GBytes *message, gpointer data)
{
    http_socket_send(socket, binary, message);
}

static void socket_closed(HttpSocket *socket, gpointer data)
{
    g_atomic_int_inc(&((Fixture *)data)->closed);
}

/* Sends 60 MB down a WebSocket, waiting for the reader. */
static gpointer flood_socket(gpointer data)
{
    HttpSocket *socket = data;
    g_autoptr(GBytes) piece = g_bytes_new_take(g_malloc0(60000), 60000);

    for (int i = 0; i < 1000; i++)
        g_assert_true(http_socket_send_wait(socket, TRUE, piece, NULL));
    http_socket_close_because(socket, 1008, "that is all");
    http_socket_unref(socket);
    return NULL;
}

static const HttpSocketEvents echo_events = {socket_message, socket_closed};

static void answer(HttpExchange *x, gpointer data)
{
    Fixture *f = data;
    const char *path = http_exchange_path(x);

    if (!strcmp(path, "/echo")) {
        g_autoptr(GPtrArray) all = http_exchange_query_all(x, "v");
        g_autoptr(GString) text = g_string_new(http_exchange_method(x));
        for (guint i = 0; i < all->len; i++)
            g_string_append_printf(text, " %s", (char *)g_ptr_array_index(all, i));
        g_string_append_printf(text, " %" G_GSIZE_FORMAT, g_bytes_get_size(http_exchange_body(x)));
        http_exchange_add_header(x, "X-Seen", http_exchange_header(x, "X-Sent") ? "yes" : "no");
        http_exchange_reply_text(x, 200, "text/plain", text->str);
    } else if (!strcmp(path, "/large")) {
        g_autoptr(GBytes) body = g_bytes_new_take(g_malloc0(100000), 100000);
        http_exchange_reply(x, 200, "text/plain", body);
    } else if (!strcmp(path, "/stream")) {
        g_autoptr(GBytes) first = g_bytes_new_static("first\n", 6);
        f->stream = http_exchange_stream(x, 200, "text/plain");
        http_stream_on_closed(f->stream, stream_closed, f);
        g_assert_cmpint(http_stream_send(f->stream, first), ==, HTTP_SENT);
    } else if (!strcmp(path, "/flood")) {
        g_autoptr(HttpStream) stream = http_exchange_stream(x, 200, "text/plain");
        g_autoptr(GBytes) piece = g_bytes_new_take(g_malloc0(60000), 60000);
        for (int i = 0; i < 1000; i++)
            if (http_stream_send(stream, piece) == HTTP_FULL) {
                f->full++;
                g_assert_true(http_stream_send_wait(stream, piece, http_exchange_cancellable(x)));
            }
    } else if (!strcmp(path, "/ws-flood") && http_exchange_wants_websocket(x)) {
        HttpSocket *socket = http_exchange_websocket(x, NULL, &echo_events, f);
        g_thread_unref(g_thread_new("flood", flood_socket, socket));
    } else if (!strcmp(path, "/ws") && http_exchange_wants_websocket(x)) {
        g_autoptr(HttpSocket) socket = http_exchange_websocket(
            x, http_exchange_offers_protocol(x, "v5.test") ? "v5.test" : NULL, &echo_events, f);
        g_autoptr(GBytes) hello = g_bytes_new_static("hello", 5);
        http_socket_send(socket, FALSE, hello);
    }
}

static void set_up(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    HttpServerOptions options = {.listen = "127.0.0.1:0",
                                 .body_limit = 1000,
                                 .gzip_from = 50000,
                                 .output_limit = 100000,
                                 .handler = answer,
                                 .user_data = f};

    f->server = http_server_start(&options, &error);
    g_assert_no_error(error);
    f->session = soup_session_new();
    f->base = g_strdup_printf("http://127.0.0.1:%u", http_server_port(f->server));
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_clear_pointer(&f->server, http_server_stop);
    g_clear_pointer(&f->stream, http_stream_unref);
    g_object_unref(f->session);
    g_free(f->base);
}

static SoupMessage *request(Fixture *f, const char *method, const char *path, gsize body_size)
{
    g_autofree char *url = g_strconcat(f->base, path, NULL);
    SoupMessage *message = soup_message_new(method, url);

    if (body_size) {
        g_autofree char *zeros = g_malloc0(body_size);
        g_autoptr(GBytes) body = g_bytes_new(zeros, body_size);
        soup_message_set_request_body_from_bytes(message, "text/plain", body);
    }
    return message;
}

static guint status_of(Fixture *f, SoupMessage *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = soup_session_send_and_read(f->session, message, NULL, &error);

    g_assert_no_error(error);
    g_assert_nonnull(body);
    return soup_message_get_status(message);
}

static char *text_of(Fixture *f, SoupMessage *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) body = soup_session_send_and_read(f->session, message, NULL, &error);

    g_assert_no_error(error);
    return g_strndup(g_bytes_get_data(body, NULL), g_bytes_get_size(body));
}

static void whole(Fixture *f, gconstpointer data)
{
    g_autoptr(SoupMessage) message = request(f, "PUT", "/echo?v=a%20b&w=1&v=c+d&v", 7);
    g_autofree char *text = NULL;

    soup_message_headers_append(soup_message_get_request_headers(message), "X-Sent", "1");
    text = text_of(f, message);
    g_assert_cmpstr(text, ==, "PUT a b c d  7");
    g_assert_cmpstr(soup_message_headers_get_one(soup_message_get_response_headers(message), "X-Seen"), ==,
                    "yes");
}

static void no_answer(Fixture *f, gconstpointer data)
{
    g_autoptr(SoupMessage) message = request(f, "GET", "/nothing", 0);

    g_assert_cmpint(status_of(f, message), ==, 500);
}

static void too_large(Fixture *f, gconstpointer data)
{
    g_autoptr(SoupMessage) message = request(f, "POST", "/echo", 1001);
    g_autoptr(SoupMessage) fits = request(f, "POST", "/echo", 1000);

    g_assert_cmpint(status_of(f, message), ==, 413);
    g_assert_cmpint(status_of(f, fits), ==, 200);
}

static void too_large_chunked(Fixture *f, gconstpointer data)
{
    g_autoptr(SoupMessage) message = request(f, "POST", "/echo", 0);
    g_autofree char *zeros = g_malloc0(5000);
    g_autoptr(GInputStream) body = g_memory_input_stream_new_from_data(zeros, 5000, NULL);

    soup_message_set_request_body(message, "text/plain", body, -1);
    g_assert_cmpint(status_of(f, message), ==, 413);
}

static void compressed(Fixture *f, gconstpointer data)
{
    g_autoptr(SoupMessage) message = request(f, "GET", "/large", 0);
    g_autoptr(GBytes) body = NULL;

    body = soup_session_send_and_read(f->session, message, NULL, NULL);
    g_assert_cmpstr(
        soup_message_headers_get_one(soup_message_get_response_headers(message), "Content-Encoding"), ==,
        "gzip");
    g_assert_cmpuint(g_bytes_get_size(body), ==, 100000);
}

/* Reads lines, as libsoup's client must not be asked for one byte of a chunked body at a time. */
static GDataInputStream *open_stream(Fixture *f, const char *path)
{
    g_autoptr(SoupMessage) message = request(f, "GET", path, 0);
    g_autoptr(GInputStream) in = soup_session_send(f->session, message, NULL, NULL);

    g_assert_nonnull(in);
    return g_data_input_stream_new(in);
}

static void expect_line(GDataInputStream *in, const char *expected)
{
    g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, NULL);
    g_assert_cmpstr(line, ==, expected);
}

static void streamed(Fixture *f, gconstpointer data)
{
    g_autoptr(GDataInputStream) in = open_stream(f, "/stream");
    g_autoptr(GBytes) second = g_bytes_new_static("second\n", 7);

    expect_line(in, "first");
    g_assert_cmpint(http_stream_send(f->stream, second), ==, HTTP_SENT);
    expect_line(in, "second");
    g_assert_cmpint(http_stream_send(f->stream, second), ==, HTTP_SENT);
    http_stream_end(f->stream);
    expect_line(in, "second");
    expect_line(in, NULL);
    while (!g_atomic_int_get(&f->closed))
        g_usleep(1000);
    g_assert_cmpint(http_stream_send(f->stream, second), ==, HTTP_CLOSED);
}

static void slow_reader(Fixture *f, gconstpointer data)
{
    g_autoptr(SoupMessage) message = request(f, "GET", "/flood", 0);
    g_autoptr(GInputStream) in = soup_session_send(f->session, message, NULL, NULL);
    g_autofree char *buffer = g_malloc(100000);
    gsize total = 0;

    g_usleep(50000);
    for (gssize size; (size = g_input_stream_read(in, buffer, 100000, NULL, NULL)) > 0;)
        total += size;
    g_assert_cmpuint(total, ==, 60000000);
    g_assert_cmpint(f->full, >, 0);
}

static void peer_goes(Fixture *f, gconstpointer data)
{
    static const char text[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(client, f->base + strlen("http://"), 0, NULL, NULL);
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    char buffer[500];

    g_assert_true(g_output_stream_write_all(out, text, strlen(text), NULL, NULL, NULL));
    g_assert_cmpint(g_input_stream_read(in, buffer, sizeof buffer, NULL, NULL), >, 0);
    g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
    while (!g_atomic_int_get(&f->closed))
        g_usleep(1000);
    g_assert_false(http_stream_is_open(f->stream));
}

static void stops_while_streaming(Fixture *f, gconstpointer data)
{
    g_autoptr(GDataInputStream) in = open_stream(f, "/stream");

    expect_line(in, "first");
    g_clear_pointer(&f->server, http_server_stop);
    g_assert_cmpint(f->closed, ==, 1);
}

static void got_text(SoupWebsocketConnection *connection, int type, GBytes *message, gpointer data)
{
    g_string_append_len(data, g_bytes_get_data(message, NULL), g_bytes_get_size(message));
    g_string_append_c(data, '|');
}

static void connected(GObject *source, GAsyncResult *result, gpointer data)
{
    *(SoupWebsocketConnection **)data =
        soup_session_websocket_connect_finish(SOUP_SESSION(source), result, NULL);
}

static void websocket(Fixture *f, gconstpointer data)
{
    g_autoptr(SoupMessage) message = request(f, "GET", "/ws", 0);
    g_autoptr(SoupWebsocketConnection) connection = NULL;
    g_autoptr(GString) seen = g_string_new(NULL);
    char *protocols[] = {(char *)"v9.other", (char *)"v5.test", NULL};

    soup_session_websocket_connect_async(f->session, message, NULL, protocols, 0, NULL, connected,
                                         &connection);
    while (!connection)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(soup_websocket_connection_get_protocol(connection), ==, "v5.test");
    g_signal_connect(connection, "message", G_CALLBACK(got_text), seen);
    soup_websocket_connection_send_text(connection, "ping");
    while (!strstr(seen->str, "ping"))
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(seen->str, ==, "hello|ping|");
    soup_websocket_connection_close(connection, 1000, NULL);
    while (!g_atomic_int_get(&f->closed))
        g_main_context_iteration(NULL, FALSE);
}

static guint open_files(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    guint count = 0;

    while (g_dir_read_name(dir))
        count++;
    return count;
}

/* One request on a connection of its own; the connection, or NULL when nothing was answered. */
static GSocketConnection *ask(guint port, const char *what)
{
    g_autofree char *request = g_strconcat(what, " HTTP/1.1\r\nHost: localhost\r\n\r\n", NULL);
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(client, "127.0.0.1", port, NULL, NULL);
    char answer[512];

    if (!connection)
        return NULL;
    g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)), request,
                              strlen(request), NULL, NULL, NULL);
    if (g_input_stream_read(g_io_stream_get_input_stream(G_IO_STREAM(connection)), answer, sizeof answer,
                            NULL, NULL) <= 0)
        return NULL;
    return g_steal_pointer(&connection);
}

/* The same, then closed from here; whether anything was answered. */
static gboolean ask_and_hang_up(guint port, const char *what)
{
    g_autoptr(GSocketConnection) connection = ask(port, what);

    return connection != NULL;
}

static void kept(Fixture *f, gconstpointer data)
{
    static const char request[] = "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n";
    g_autoptr(GSocketConnection) connection = ask(http_server_port(f->server), "GET /echo");
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    char answer[512];

    for (int i = 0; i < 3; i++) {
        g_assert_true(g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)),
                                                request, strlen(request), NULL, NULL, NULL));
        g_assert_cmpint(g_input_stream_read(in, answer, sizeof answer, NULL, NULL), >, 0);
    }
}

/* Until no more are open, within a while. */
static void wait_for_files(guint most)
{
    gint64 until = g_get_monotonic_time() + 30 * G_TIME_SPAN_SECOND;

    while (open_files() > most && g_get_monotonic_time() < until)
        g_usleep(10000);
    g_assert_cmpuint(open_files(), <=, most);
}

static void hang_ups(Fixture *f, gconstpointer data)
{
    static const char *const requests[] = {"GET /echo", "OPTIONS *"};
    guint before;

    g_assert_true(ask_and_hang_up(http_server_port(f->server), "GET /echo"));
    before = open_files();
    for (guint k = 0; k < G_N_ELEMENTS(requests); k++)
        for (int i = 0; i < 50; i++)
            g_assert_true(ask_and_hang_up(http_server_port(f->server), requests[k]));
    wait_for_files(before + 5);
}

static gpointer ask_until_refused(gpointer data)
{
    while (ask_and_hang_up(GPOINTER_TO_UINT(data), "GET /echo"))
        ;
    return NULL;
}

/* Each stop meets requests that are on their way to a worker. */
static void stops_while_asked(void)
{
    for (int i = 0; i < 40; i++) {
        HttpServerOptions options = {.listen = "127.0.0.1:0", .handler = answer};
        HttpServer *server = http_server_start(&options, NULL);
        gpointer port = GUINT_TO_POINTER(http_server_port(server));
        GThread *askers[] = {g_thread_new("asks", ask_until_refused, port),
                             g_thread_new("asks", ask_until_refused, port)};

        g_usleep(2000 + i * 50);
        http_server_stop(server);
        for (guint k = 0; k < G_N_ELEMENTS(askers); k++)
            g_thread_join(askers[k]);
    }
}

typedef struct {
    GMutex lock;
    GCond changed;
    gboolean open;
    guint port, waiting, served, refused;
} Gate;

static void wait_at_gate(HttpExchange *x, gpointer data)
{
    Gate *gate = data;

    g_mutex_lock(&gate->lock);
    gate->waiting++;
    g_cond_broadcast(&gate->changed);
    while (!gate->open)
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
    http_exchange_reply_text(x, 200, "text/plain", "served");
}

/* A server with one worker, which waits at the gate. */
static HttpServer *gate_start(Gate *gate, guint most_requests)
{
    HttpServerOptions options = {.listen = "127.0.0.1:0",
                                 .workers = 1,
                                 .most_requests = most_requests,
                                 .handler = wait_at_gate,
                                 .user_data = gate};
    HttpServer *server = http_server_start(&options, NULL);

    gate->port = http_server_port(server);
    return server;
}

static gpointer ask_at_gate(gpointer data)
{
    Gate *gate = data;
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/", gate->port);
    g_autoptr(SoupSession) session = soup_session_new();
    g_autoptr(SoupMessage) message = soup_message_new("GET", url);
    g_autoptr(GBytes) body = soup_session_send_and_read(session, message, NULL, NULL);
    const char *after =
        soup_message_headers_get_one(soup_message_get_response_headers(message), "Retry-After");

    g_assert_nonnull(body);
    g_mutex_lock(&gate->lock);
    if (soup_message_get_status(message) == 200)
        gate->served++;
    else
        gate->refused += soup_message_get_status(message) == 429 && !g_strcmp0(after, "1");
    g_cond_broadcast(&gate->changed);
    g_mutex_unlock(&gate->lock);
    return NULL;
}

/* One is with the only worker, two wait, and whoever is the fourth is told to come again. */
static void more_than_it_can_do(void)
{
    enum { ASKERS = 4 };
    Gate gate = {0};
    g_autoptr(HttpServer) server = gate_start(&gate, 3);
    GThread *askers[ASKERS];

    for (guint i = 0; i < ASKERS; i++)
        askers[i] = g_thread_new("asks", ask_at_gate, &gate);
    g_mutex_lock(&gate.lock);
    while (!gate.refused)
        g_cond_wait(&gate.changed, &gate.lock);
    gate.open = TRUE;
    g_cond_broadcast(&gate.changed);
    g_mutex_unlock(&gate.lock);
    for (guint i = 0; i < ASKERS; i++)
        g_thread_join(askers[i]);
    g_assert_cmpuint(gate.served, ==, 3);
    g_assert_cmpuint(gate.refused, ==, 1);
    ask_at_gate(&gate);
    g_assert_cmpuint(gate.served, ==, 4);
    g_mutex_clear(&gate.lock);
    g_cond_clear(&gate.changed);
}

/* Their connections are not kept when they have gone. */
static void hang_ups_of_refused_peers(void)
{
    Gate gate = {0};
    g_autoptr(HttpServer) server = gate_start(&gate, 1);
    GThread *asker;
    guint before;

    asker = g_thread_new("asks", ask_at_gate, &gate);
    g_mutex_lock(&gate.lock);
    while (!gate.waiting)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);

    before = open_files();
    for (int i = 0; i < 50; i++)
        g_assert_true(ask_and_hang_up(gate.port, "GET /"));
    wait_for_files(before + 5);

    g_mutex_lock(&gate.lock);
    gate.open = TRUE;
    g_cond_broadcast(&gate.changed);
    g_mutex_unlock(&gate.lock);
    g_thread_join(asker);
    g_clear_pointer(&server, http_server_stop);
    g_mutex_clear(&gate.lock);
    g_cond_clear(&gate.changed);
}

static gpointer drop_when_closed(gpointer data)
{
    while (http_stream_is_open(data))
        g_thread_yield();
    http_stream_unref(data);
    return NULL;
}

static void stream_to_a_keeper(HttpExchange *x, gpointer keepers)
{
    HttpStream *stream = http_exchange_stream(x, 200, "text/plain");
    g_autoptr(GBytes) first = g_bytes_new_static("first\n", 6);

    http_stream_send(stream, first);
    g_async_queue_push(keepers, g_thread_new("keeps", drop_when_closed, stream));
}

/* Who holds a stream lets go of it while its server ends: libsoup's objects must not die on both threads. */
static void stops_while_streams_are_dropped(void)
{
    enum { ROUNDS = 40, STREAMS = 6 };

    for (int i = 0; i < ROUNDS; i++) {
        g_autoptr(GAsyncQueue) keepers = g_async_queue_new();
        HttpServerOptions options = {
            .listen = "127.0.0.1:0", .handler = stream_to_a_keeper, .user_data = keepers};
        HttpServer *server = http_server_start(&options, NULL);
        GSocketConnection *readers[STREAMS];

        for (int k = 0; k < STREAMS; k++)
            g_assert_nonnull(readers[k] = ask(http_server_port(server), "GET /echo"));
        http_server_stop(server);
        for (int k = 0; k < STREAMS; k++) {
            g_thread_join(g_async_queue_pop(keepers));
            g_object_unref(readers[k]);
        }
    }
}

static void count_bytes(SoupWebsocketConnection *connection, int type, GBytes *message, gpointer data)
{
    *(gsize *)data += g_bytes_get_size(message);
}

static void websocket_flood(Fixture *f, gconstpointer data)
{
    g_autoptr(SoupMessage) message = request(f, "GET", "/ws-flood", 0);
    g_autoptr(SoupWebsocketConnection) connection = NULL;
    gsize total = 0;

    soup_session_websocket_connect_async(f->session, message, NULL, NULL, 0, NULL, connected, &connection);
    while (!connection)
        g_main_context_iteration(NULL, TRUE);
    g_signal_connect(connection, "message", G_CALLBACK(count_bytes), &total);
    while (soup_websocket_connection_get_state(connection) != SOUP_WEBSOCKET_STATE_CLOSED)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpuint(total, ==, 60000000);
    g_assert_cmpuint(soup_websocket_connection_get_close_code(connection), ==, 1008);
    g_assert_cmpstr(soup_websocket_connection_get_close_data(connection), ==, "that is all");
    while (!g_atomic_int_get(&f->closed))
        g_usleep(1000);
}

/* libsoup's own timer for this leaves memory behind, which a sanitizer would tell. */
static void websocket_without_an_answer(Fixture *f, gconstpointer data)
{
    static const char hello[] =
        "GET /ws-flood HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(client, f->base + strlen("http://"), 0, NULL, NULL);
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    g_autofree char *buffer = g_malloc(1 << 20);
    gsize total = 0;
    gssize got;

    g_assert_true(g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)), hello,
                                            strlen(hello), NULL, NULL, NULL));
    while ((got = g_input_stream_read(in, buffer, 1 << 20, NULL, NULL)) > 0)
        total += got;
    g_assert_cmpuint(total, >, 60000000);
    while (!g_atomic_int_get(&f->closed))
        g_usleep(1000);
}

static void bad_listen(void)
{
    static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:99999", "localhost:1", ":80"};

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        HttpServerOptions options = {.listen = bad[i], .handler = answer};
        g_assert_null(http_server_start(&options, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *, gconstpointer);
    } cases[] = {
        {"a whole request is answered whole", whole},
        {"a handler that says nothing is a 500", no_answer},
        {"a body beyond the limit is a 413", too_large},
        {"a chunked body beyond the limit is a 413", too_large_chunked},
        {"a large reply is compressed", compressed},
        {"a stream goes on after its handler", streamed},
        {"a slow reader holds the sender back", slow_reader},
        {"a stream learns that its peer has gone", peer_goes},
        {"a stop closes the streams", stops_while_streaming},
        {"a WebSocket speaks the agreed subprotocol", websocket},
        {"a slow reader of a WebSocket holds the sender back", websocket_flood},
        {"a peer of a WebSocket that does not answer its close is cut off", websocket_without_an_answer},
        {"a connection is kept for the next request", kept},
        {"a connection that its peer closes is closed here", hang_ups},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/net/http_server/", cases[i].name, NULL);
        g_test_add(path, Fixture, NULL, set_up, cases[i].run, tear_down);
    }
    g_test_add_func("/net/http_server/a stop while requests come in loses none of them", stops_while_asked);
    g_test_add_func("/net/http_server/a stop while streams are dropped on other threads",
                    stops_while_streams_are_dropped);
    g_test_add_func("/net/http_server/a request beyond the most at once is a 429", more_than_it_can_do);
    g_test_add_func("/net/http_server/peers that were refused and hang up are let go",
                    hang_ups_of_refused_peers);
    g_test_add_func("/net/http_server/an address that is none is refused", bad_listen);
    return g_test_run();
}
