/* http_socket: a WebSocket; frames wait in a queue until the server's thread takes them. */
#include "net/http_server_parts.h"
#include <glib-unix.h>

/* libsoup gives a peer five seconds to answer a close, and loses its timer when they have passed: ours comes
 * before. */
enum { websocket_limit = 1 << 20, take_wait_ms = 10 * 1000, answer_wait_ms = 4 * 1000 };

typedef struct {
    gboolean binary;
    GBytes *message; /* NULL: close with code and reason */
    guint16 code;
    char *reason;
} Frame;

struct HttpSocket {
    gint refs;
    HttpExchange *exchange;
    char *subprotocol;
    HttpSocketEvents events;
    gpointer user_data;
    SoupWebsocketConnection
        *connection; /* server's thread only; NULL before the handshake and after the end */
    GSocket *link;   /* under the connection */
    GSource *cutter; /* server's thread only: cuts off a peer that does not take or answer the close */
    Frame *ending;   /* server's thread only: the close, which waits until what came before it has left */
    GSource *drain;  /* server's thread only: looks whether libsoup has sent what it was given */
    gsize given;     /* server's thread only: bytes that libsoup may still hold */
    GMutex lock;     /* of the rest */
    GCond room;
    GQueue queue;  /* of Frame not yet given to libsoup */
    gsize waiting; /* bytes in the queue and with libsoup */
    gboolean scheduled, closed;
};

static void frame_free(gpointer data)
{
    Frame *frame = data;
    g_clear_pointer(&frame->message, g_bytes_unref);
    g_free(frame->reason);
    g_free(frame);
}

HttpSocket *http_socket_ref(HttpSocket *socket)
{
    g_atomic_int_inc(&socket->refs);
    return socket;
}

void http_socket_unref(HttpSocket *socket)
{
    if (!g_atomic_int_dec_and_test(&socket->refs))
        return;
    g_queue_clear_full(&socket->queue, frame_free);
    g_clear_pointer(&socket->ending, frame_free);
    g_mutex_clear(&socket->lock);
    g_cond_clear(&socket->room);
    g_clear_object(&socket->link);
    http_exchange_unref(socket->exchange);
    g_free(socket->subprotocol);
    g_free(socket);
}

static void socket_message(SoupWebsocketConnection *connection, int type, GBytes *message, gpointer data)
{
    HttpSocket *socket = data;
    socket->events.message(socket, type == SOUP_WEBSOCKET_DATA_BINARY, message, socket->user_data);
}

static void drain_stop(HttpSocket *socket)
{
    if (!socket->drain)
        return;
    g_source_destroy(socket->drain);
    g_clear_pointer(&socket->drain, g_source_unref);
}

static void cutter_stop(HttpSocket *socket)
{
    if (!socket->cutter)
        return;
    g_source_destroy(socket->cutter);
    g_clear_pointer(&socket->cutter, g_source_unref);
}

/* The end, whether or not the handshake came through. Drops the reference that the connection held. */
void http_socket_gone(HttpSocket *socket)
{
    g_mutex_lock(&socket->lock);
    socket->closed = TRUE;
    g_cond_broadcast(&socket->room);
    g_mutex_unlock(&socket->lock);

    drain_stop(socket);
    cutter_stop(socket);
    if (socket->connection) {
        g_signal_handlers_disconnect_by_data(socket->connection, socket);
        g_clear_object(&socket->connection);
        g_hash_table_remove(socket->exchange->server->sockets, socket);
    }
    socket->events.closed(socket, socket->user_data);
    http_socket_unref(socket);
}

static void socket_closed(SoupWebsocketConnection *connection, gpointer data)
{
    http_socket_gone(data);
}

static gboolean cut_off(gpointer data)
{
    HttpSocket *socket = data;

    g_socket_shutdown(socket->link, TRUE, TRUE, NULL);
    http_socket_gone(socket);
    return G_SOURCE_REMOVE;
}

static void cutter_start(HttpSocket *socket, guint wait_ms)
{
    cutter_stop(socket);
    socket->cutter = g_timeout_source_new(wait_ms);
    g_source_set_priority(socket->cutter, G_PRIORITY_HIGH);
    g_source_set_callback(socket->cutter, cut_off, socket, NULL);
    g_source_attach(socket->cutter, socket->exchange->server->context);
}

/* Whoever began it: from here on libsoup waits for the peer. */
static void socket_closing(SoupWebsocketConnection *connection, gpointer data)
{
    cutter_start(data, answer_wait_ms);
}

static gboolean is_open(const HttpSocket *socket)
{
    return socket->connection &&
           soup_websocket_connection_get_state(socket->connection) == SOUP_WEBSOCKET_STATE_OPEN;
}

static void close_now(HttpSocket *socket)
{
    if (is_open(socket))
        soup_websocket_connection_close(socket->connection, socket->ending->code, socket->ending->reason);
}

static gboolean drained(gint fd, GIOCondition condition, gpointer data)
{
    HttpSocket *socket = data;

    drain_stop(socket);
    g_mutex_lock(&socket->lock);
    socket->waiting -= socket->given;
    socket->given = 0;
    g_cond_broadcast(&socket->room);
    g_mutex_unlock(&socket->lock);
    if (socket->ending)
        close_now(socket);
    return G_SOURCE_REMOVE;
}

/* libsoup does not say when it has sent a frame. But its output goes before a source of low priority: when
 * that one runs because the connection takes more, nothing is left of what was given. */
static void drain_start(HttpSocket *socket)
{
    if (socket->drain || g_socket_is_closed(socket->link))
        return;
    socket->drain = g_unix_fd_source_new(g_socket_get_fd(socket->link), G_IO_OUT);
    g_source_set_priority(socket->drain, G_PRIORITY_LOW);
    g_source_set_callback(socket->drain, G_SOURCE_FUNC(drained), socket, NULL);
    g_source_attach(socket->drain, socket->exchange->server->context);
}

static void give_frame(HttpSocket *socket, Frame *frame)
{
    if (!is_open(socket) || socket->ending)
        return;
    if (!frame->message) {
        socket->ending = g_memdup2(frame, sizeof *frame);
        frame->reason = NULL;
        return;
    }
    socket->given += g_bytes_get_size(frame->message);
    soup_websocket_connection_send_message(
        socket->connection, frame->binary ? SOUP_WEBSOCKET_DATA_BINARY : SOUP_WEBSOCKET_DATA_TEXT,
        frame->message);
}

static void socket_flush(gpointer data)
{
    HttpSocket *socket = data;
    gboolean was_ending = socket->ending != NULL;
    GQueue frames;

    g_mutex_lock(&socket->lock);
    frames = socket->queue;
    g_queue_init(&socket->queue);
    socket->scheduled = FALSE;
    g_mutex_unlock(&socket->lock);

    for (Frame *frame; (frame = g_queue_pop_head(&frames)); frame_free(frame))
        give_frame(socket, frame);
    if (socket->given && socket->connection)
        drain_start(socket);
    if (socket->ending && !was_ending) {
        cutter_start(socket, take_wait_ms);
        if (!socket->given)
            close_now(socket);
    }
    http_socket_unref(socket);
}

/* With the lock held. Frames wait in the queue until there is a connection. */
static void socket_queue(HttpSocket *socket, gboolean binary, GBytes *message, guint16 code,
                         const char *reason)
{
    Frame *frame = g_new(Frame, 1);

    *frame = (Frame){binary, message ? g_bytes_ref(message) : NULL, code, g_strdup(reason)};
    socket->waiting += message ? g_bytes_get_size(message) : 0;
    g_queue_push_tail(&socket->queue, frame);
    if (socket->scheduled)
        return;
    socket->scheduled = TRUE;
    http_server_call(socket->exchange->server, socket_flush, http_socket_ref(socket));
}

gboolean http_socket_send(HttpSocket *socket, gboolean binary, GBytes *message)
{
    gboolean open;

    g_mutex_lock(&socket->lock);
    if ((open = !socket->closed))
        socket_queue(socket, binary, message, 0, NULL);
    g_mutex_unlock(&socket->lock);
    return open;
}

static void wake_socket(GCancellable *cancel, gpointer data)
{
    HttpSocket *socket = data;
    g_mutex_lock(&socket->lock);
    g_cond_broadcast(&socket->room);
    g_mutex_unlock(&socket->lock);
}

gboolean http_socket_send_wait(HttpSocket *socket, gboolean binary, GBytes *message, GCancellable *cancel)
{
    gsize limit = socket->exchange->server->output_limit;
    gulong id = cancel ? g_cancellable_connect(cancel, G_CALLBACK(wake_socket), socket, NULL) : 0;
    gboolean sent;

    g_mutex_lock(&socket->lock);
    while (!socket->closed && socket->waiting && socket->waiting + g_bytes_get_size(message) > limit &&
           !(cancel && g_cancellable_is_cancelled(cancel)))
        g_cond_wait(&socket->room, &socket->lock);
    sent = !socket->closed && !(cancel && g_cancellable_is_cancelled(cancel));
    if (sent)
        socket_queue(socket, binary, message, 0, NULL);
    g_mutex_unlock(&socket->lock);
    if (cancel)
        g_cancellable_disconnect(cancel, id);
    return sent;
}

gsize http_socket_waiting(HttpSocket *socket)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&socket->lock);
    return socket->waiting;
}

void http_socket_close_because(HttpSocket *socket, guint16 code, const char *reason)
{
    g_mutex_lock(&socket->lock);
    if (!socket->closed)
        socket_queue(socket, FALSE, NULL, code, reason);
    g_mutex_unlock(&socket->lock);
}

void http_socket_close(HttpSocket *socket, guint16 code)
{
    http_socket_close_because(socket, code, NULL);
}

/* The 101 is out: the connection is ours now. */
static void socket_upgraded(SoupServerMessage *message, gpointer data)
{
    HttpSocket *socket = data;
    HttpExchange *x = socket->exchange;
    g_autoptr(GIOStream) stream = NULL;

    g_signal_handlers_disconnect_by_data(message, socket);
    http_connection_unwatch(x->peer); /* the WebSocket looks after it from here on */
    socket->link = g_object_ref(x->peer);
    stream = soup_server_message_steal_connection(message);
    socket->connection =
        soup_websocket_connection_new(stream, soup_server_message_get_uri(message),
                                      SOUP_WEBSOCKET_CONNECTION_SERVER, NULL, socket->subprotocol, NULL);
    soup_websocket_connection_set_max_incoming_payload_size(socket->connection, websocket_limit);
    g_signal_connect(socket->connection, "message", G_CALLBACK(socket_message), socket);
    g_signal_connect(socket->connection, "closing", G_CALLBACK(socket_closing), socket);
    g_signal_connect(socket->connection, "closed", G_CALLBACK(socket_closed), socket);
    g_hash_table_add(x->server->sockets, socket);

    g_mutex_lock(&socket->lock);
    socket->scheduled = TRUE;
    g_mutex_unlock(&socket->lock);
    socket_flush(http_socket_ref(socket));
    http_exchange_gone(x);
}

static void socket_refused(SoupServerMessage *message, gpointer data)
{
    g_signal_handlers_disconnect_by_data(message, data);
    http_socket_gone(data);
}

static void socket_start(gpointer data)
{
    HttpSocket *socket = data;
    HttpExchange *x = socket->exchange;
    char *protocols[] = {socket->subprotocol, NULL};

    if (x->gone) {
        http_socket_gone(socket);
        return;
    }
    /* On failure libsoup has set a 4xx, which goes out instead. */
    if (soup_websocket_server_process_handshake(x->message, NULL, socket->subprotocol ? protocols : NULL,
                                                NULL, NULL))
        g_signal_connect(x->message, "wrote-informational", G_CALLBACK(socket_upgraded), socket);
    g_signal_connect(x->message, "finished", G_CALLBACK(socket_refused), socket);
    soup_server_message_unpause(x->message);
}

gboolean http_exchange_wants_websocket(const HttpExchange *x)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(x->message);
    return soup_message_headers_header_equals(headers, "Upgrade", "websocket");
}

gboolean http_exchange_offers_protocol(const HttpExchange *x, const char *subprotocol)
{
    const char *offered = http_exchange_header(x, "Sec-WebSocket-Protocol");
    return offered && soup_header_contains(offered, subprotocol);
}

HttpSocket *http_exchange_websocket(HttpExchange *x, const char *subprotocol, const HttpSocketEvents *events,
                                    gpointer user_data)
{
    HttpSocket *socket = g_new0(HttpSocket, 1);

    g_return_val_if_fail(x->answer == OPEN, NULL);
    x->answer = ANSWERED;
    socket->refs = 2; /* the caller's and the connection's */
    socket->exchange = http_exchange_ref(x);
    socket->subprotocol = g_strdup(subprotocol);
    socket->events = *events;
    socket->user_data = user_data;
    socket->scheduled = TRUE; /* nothing is flushed before the handshake */
    g_mutex_init(&socket->lock);
    g_cond_init(&socket->room);
    http_server_call(x->server, socket_start, socket);
    return socket;
}
