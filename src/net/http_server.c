/* http_server: libsoup on a thread of its own, handlers on a pool, and a queue of calls from them back to
 * that thread. */
#include "net/http_server.h"
#include <glib-unix.h>
#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

enum {
    default_body_limit = 3 << 20,
    default_output_limit = 1 << 20,
    default_workers = 16,
    websocket_limit = 1 << 20,
    close_wait_s = 10
};

struct HttpServer {
    gint refs; /* the owner's, and one for each exchange */
    HttpHandler handler;
    gpointer user_data;
    gsize body_limit, output_limit, gzip_from;
    guint port;
    GThread *thread;
    GThreadPool *workers;
    GMainContext *context;
    GMainLoop *loop;
    SoupServer *soup;    /* touched on the server's thread only */
    GHashTable *live;    /* HttpExchange whose message has not finished; server's thread only */
    GHashTable *sockets; /* HttpSocket with a connection; server's thread only */
    GMutex lock;         /* of all below */
    GArray *calls;       /* of Call: what other threads want done on the server's thread */
    gboolean woken;
    gboolean stopped;  /* that thread is no more: calls are run where they are made */
    gboolean stopping; /* written on the server's thread only, which may read it without the lock */
    GCond accepts_no_more;
};

typedef struct {
    void (*run)(gpointer data);
    gpointer data;
} Call;

typedef enum { OPEN, ANSWERED } Answer;

struct HttpExchange {
    gint refs;
    HttpServer *server;
    SoupServerMessage *message;
    GSocket *peer; /* the connection, or NULL */
    gboolean gone; /* the message has finished; server's thread only */
    Answer answer; /* the handler's thread only */
    char *path, *target;
    GHashTable *query; /* name → GPtrArray of values; made when first asked for */
    GBytes *body;
    GCancellable *cancel;
    GPtrArray *reply_headers; /* name, value, name … */
    guint status;
    char *content_type;
    GBytes *reply;
    HttpStream *stream; /* borrowed: set while it streams; server's thread only */
};

static void server_unref(HttpServer *server)
{
    if (!g_atomic_int_dec_and_test(&server->refs))
        return;
    g_main_loop_unref(server->loop);
    g_main_context_unref(server->context);
    g_hash_table_unref(server->live);
    g_hash_table_unref(server->sockets);
    g_array_unref(server->calls);
    g_mutex_clear(&server->lock);
    g_cond_clear(&server->accepts_no_more);
    g_free(server);
}

/* ---- calls to the server's thread ---- */

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

/* Calls keep their order. */
static void on_server_thread(HttpServer *server, void (*run)(gpointer), gpointer data)
{
    Call call = {run, data};
    gboolean stopped, wake;

    g_mutex_lock(&server->lock);
    stopped = server->stopped;
    wake = !stopped && !server->woken;
    server->woken = TRUE;
    if (!stopped)
        g_array_append_val(server->calls, call);
    g_mutex_unlock(&server->lock);

    if (stopped)
        run(data);
    if (wake) {
        GSource *source = g_idle_source_new();
        g_source_set_priority(source, G_PRIORITY_DEFAULT);
        g_source_set_callback(source, run_calls, server, NULL);
        g_source_attach(source, server->context);
        g_source_unref(source);
    }
}

/* ---- the exchange ---- */

static void exchange_free(gpointer data)
{
    HttpExchange *x = data;

    g_object_unref(x->message);
    g_clear_object(&x->peer);
    g_clear_pointer(&x->query, g_hash_table_unref);
    g_clear_pointer(&x->body, g_bytes_unref);
    g_clear_pointer(&x->reply, g_bytes_unref);
    g_clear_pointer(&x->reply_headers, g_ptr_array_unref);
    g_clear_object(&x->cancel);
    g_free(x->content_type);
    g_free(x->path);
    g_free(x->target);
    server_unref(x->server);
    g_free(x);
}

static HttpExchange *exchange_ref(HttpExchange *x)
{
    g_atomic_int_inc(&x->refs);
    return x;
}

/* libsoup's objects die on the server's thread. */
static void exchange_unref(HttpExchange *x)
{
    if (!g_atomic_int_dec_and_test(&x->refs))
        return;
    if (g_main_context_is_owner(x->server->context))
        exchange_free(x);
    else
        on_server_thread(x->server, exchange_free, x);
}

/* ---- connections ----
 * libsoup 3.2 reads that a peer has hung up between two requests, and then neither closes the socket nor
 * forgets it. So each connection is watched here as well, and closed when its peer has hung up and no request
 * is under way on it. */

static const char watch_key[] = "gantry-watch", exchanges_key[] = "gantry-exchanges",
                  hung_up_key[] = "gantry-hung-up";

static void close_when_done(GSocket *peer)
{
    if (g_object_get_data(G_OBJECT(peer), hung_up_key) && !g_object_get_data(G_OBJECT(peer), exchanges_key))
        g_socket_close(peer, NULL);
}

static gboolean peer_hung_up(gint fd, GIOCondition condition, gpointer peer)
{
    g_object_set_data(peer, hung_up_key, GINT_TO_POINTER(TRUE));
    close_when_done(peer);
    return G_SOURCE_REMOVE;
}

static gboolean close_now(gpointer peer)
{
    close_when_done(peer);
    return G_SOURCE_REMOVE;
}

/* Not from within libsoup's own handling of the connection, which would go on with a closed socket. */
static void close_soon(GSocket *peer)
{
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_callback(source, close_now, g_object_ref(peer), g_object_unref);
    g_source_attach(source, g_main_context_get_thread_default());
}

static void end_watch(gpointer source)
{
    g_source_destroy(source);
    g_source_unref(source);
}

/* The source belongs to the socket, which therefore outlives it. */
static void watch_peer(GSocket *peer)
{
    GSource *source;

    if (g_object_get_data(G_OBJECT(peer), watch_key))
        return;
    source = g_unix_fd_source_new(g_socket_get_fd(peer), POLLRDHUP | G_IO_HUP | G_IO_ERR);
    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_set_callback(source, G_SOURCE_FUNC(peer_hung_up), peer, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    g_object_set_data_full(G_OBJECT(peer), watch_key, source, end_watch);
}

static void count_exchange(GSocket *peer, int change)
{
    int count = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(peer), exchanges_key)) + change;
    g_object_set_data(G_OBJECT(peer), exchanges_key, GINT_TO_POINTER(count));
}

static void stream_peer_gone(HttpStream *stream);

/* The message is through, or its peer went away. */
static void exchange_gone(HttpExchange *x)
{
    if (x->gone)
        return;
    x->gone = TRUE;
    g_signal_handlers_disconnect_by_data(x->message, x);
    g_hash_table_remove(x->server->live, x);
    if (x->peer) {
        count_exchange(x->peer, -1);
        if (g_object_get_data(G_OBJECT(x->peer), hung_up_key))
            close_soon(x->peer);
    }
    if (x->stream)
        stream_peer_gone(x->stream);
    g_cancellable_cancel(x->cancel);
    exchange_unref(x);
}

const char *http_exchange_method(const HttpExchange *x)
{
    return soup_server_message_get_method(x->message);
}
const char *http_exchange_path(const HttpExchange *x)
{
    return x->path;
}
const char *http_exchange_target(const HttpExchange *x)
{
    return x->target;
}
GBytes *http_exchange_body(const HttpExchange *x)
{
    return x->body;
}
GCancellable *http_exchange_cancellable(const HttpExchange *x)
{
    return x->cancel;
}

const char *http_exchange_remote(const HttpExchange *x)
{
    const char *host = soup_server_message_get_remote_host(x->message);
    return host ? host : "";
}

static char *query_decode(const char *text, gsize size)
{
    g_autofree char *copy = g_strndup(text, size);
    char *plain;

    for (char *c = copy; *c; c++)
        if (*c == '+')
            *c = ' ';
    plain = g_uri_unescape_string(copy, NULL);
    return plain ? plain : g_steal_pointer(&copy);
}

static GHashTable *query_parse(const char *target)
{
    GHashTable *query =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    const char *at = strchr(target, '?');

    while (at && *++at) {
        gsize size = strcspn(at, "&");
        gsize name_size = strcspn(at, "=&");
        char *name = query_decode(at, name_size);
        GPtrArray *values = g_hash_table_lookup(query, name);

        if (!values) {
            values = g_ptr_array_new_with_free_func(g_free);
            g_hash_table_insert(query, name, values);
        } else {
            g_free(name);
        }
        g_ptr_array_add(values, name_size < size ? query_decode(at + name_size + 1, size - name_size - 1)
                                                 : g_strdup(""));
        at = at[size] ? at + size : NULL;
    }
    return query;
}

static GPtrArray *query_values(const HttpExchange *exchange, const char *name)
{
    HttpExchange *x = (HttpExchange *)exchange;
    if (!x->query)
        x->query = query_parse(x->target);
    return g_hash_table_lookup(x->query, name);
}

const char *http_exchange_query(const HttpExchange *x, const char *name)
{
    GPtrArray *values = query_values(x, name);
    return values ? g_ptr_array_index(values, 0) : NULL;
}

GPtrArray *http_exchange_query_all(const HttpExchange *x, const char *name)
{
    GPtrArray *values = query_values(x, name);
    GPtrArray *copy = g_ptr_array_new();

    for (guint i = 0; values && i < values->len; i++)
        g_ptr_array_add(copy, g_ptr_array_index(values, i));
    return copy;
}

const char *http_exchange_header(const HttpExchange *x, const char *name)
{
    return soup_message_headers_get_list(soup_server_message_get_request_headers(x->message), name);
}

void http_exchange_add_header(HttpExchange *x, const char *name, const char *value)
{
    if (!x->reply_headers)
        x->reply_headers = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(x->reply_headers, g_strdup(name));
    g_ptr_array_add(x->reply_headers, g_strdup(value));
}

/* ---- a whole answer ---- */

static GBytes *gzip(GBytes *plain)
{
    g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) out = g_converter_output_stream_new(memory, G_CONVERTER(compressor));

    g_output_stream_write_all(out, g_bytes_get_data(plain, NULL), g_bytes_get_size(plain), NULL, NULL, NULL);
    g_output_stream_close(out, NULL, NULL);
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

static gboolean accepts_gzip(const HttpExchange *x)
{
    const char *accept = http_exchange_header(x, "Accept-Encoding");
    const char *at = accept ? strstr(accept, "gzip") : NULL;
    return at && !g_str_has_prefix(at, "gzip;q=0,") && strcmp(at, "gzip;q=0") != 0;
}

static void answer_head(HttpExchange *x)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(x->message);

    soup_server_message_set_status(x->message, x->status, NULL);
    if (x->content_type)
        soup_message_headers_replace(headers, "Content-Type", x->content_type);
    for (guint i = 0; x->reply_headers && i < x->reply_headers->len; i += 2)
        soup_message_headers_append(headers, g_ptr_array_index(x->reply_headers, i),
                                    g_ptr_array_index(x->reply_headers, i + 1));
}

static void answer_whole(gpointer data)
{
    HttpExchange *x = data;

    if (!x->gone) {
        answer_head(x);
        if (x->reply && g_bytes_get_size(x->reply) > 0)
            soup_message_body_append_bytes(soup_server_message_get_response_body(x->message), x->reply);
        soup_server_message_unpause(x->message);
    }
    exchange_unref(x);
}

void http_exchange_reply(HttpExchange *x, guint status, const char *content_type, GBytes *body)
{
    g_return_if_fail(x->answer == OPEN);
    x->answer = ANSWERED;
    x->status = status;
    x->content_type = g_strdup(content_type);
    if (body && x->server->gzip_from && g_bytes_get_size(body) >= x->server->gzip_from && accepts_gzip(x)) {
        x->reply = gzip(body);
        http_exchange_add_header(x, "Content-Encoding", "gzip");
        http_exchange_add_header(x, "Vary", "Accept-Encoding");
    } else if (body) {
        x->reply = g_bytes_ref(body);
    }
    on_server_thread(x->server, answer_whole, exchange_ref(x));
}

void http_exchange_reply_text(HttpExchange *x, guint status, const char *content_type, const char *text)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    http_exchange_reply(x, status, content_type, body);
}

/* ---- an answer that goes on ---- */

struct HttpStream {
    gint refs;   /* memory: owners together one, the message one, a scheduled flush one */
    gint owners; /* callers who may still send; the body is ended when none is left */
    HttpExchange *exchange;
    GSource *hang_up; /* server's thread only */
    GMutex lock;      /* of everything below */
    GCond room;
    GQueue queue;  /* of GBytes not yet given to libsoup */
    GQueue sizes;  /* of gsize as pointer, of the chunks that libsoup holds */
    gsize waiting; /* bytes in both */
    gboolean scheduled, ended, closed;
    void (*on_closed)(gpointer);
    gpointer on_closed_data;
};

HttpStream *http_stream_ref(HttpStream *stream)
{
    g_atomic_int_inc(&stream->owners);
    return stream;
}

static HttpStream *stream_hold(HttpStream *stream)
{
    g_atomic_int_inc(&stream->refs);
    return stream;
}

static void stream_drop(HttpStream *stream)
{
    if (!g_atomic_int_dec_and_test(&stream->refs))
        return;
    g_queue_clear_full(&stream->queue, (GDestroyNotify)g_bytes_unref);
    g_queue_clear(&stream->sizes);
    g_mutex_clear(&stream->lock);
    g_cond_clear(&stream->room);
    exchange_unref(stream->exchange);
    g_free(stream);
}

static void stream_closed(HttpStream *stream)
{
    void (*closed)(gpointer);
    gpointer data;

    g_mutex_lock(&stream->lock);
    stream->closed = TRUE;
    closed = stream->on_closed;
    data = stream->on_closed_data;
    stream->on_closed = NULL;
    g_cond_broadcast(&stream->room);
    g_mutex_unlock(&stream->lock);
    if (closed)
        closed(data);
}

/* The server's own reference, held while the message lives, ends here. */
static void stream_peer_gone(HttpStream *stream)
{
    g_signal_handlers_disconnect_by_data(stream->exchange->message, stream);
    stream->exchange->stream = NULL;
    g_source_destroy(stream->hang_up);
    g_source_unref(stream->hang_up);
    stream_closed(stream);
    stream_drop(stream);
}

static void stream_wrote_chunk(SoupServerMessage *message, gpointer data)
{
    HttpStream *stream = data;

    g_mutex_lock(&stream->lock);
    if (!g_queue_is_empty(&stream->sizes))
        stream->waiting -= GPOINTER_TO_SIZE(g_queue_pop_head(&stream->sizes));
    g_cond_broadcast(&stream->room);
    g_mutex_unlock(&stream->lock);
}

/* Hands what is queued to libsoup. */
static void stream_flush(gpointer data)
{
    HttpStream *stream = data;
    HttpExchange *x = stream->exchange;
    SoupMessageBody *body = soup_server_message_get_response_body(x->message);
    gboolean ended;

    g_mutex_lock(&stream->lock);
    stream->scheduled = FALSE;
    ended = stream->ended;
    for (GBytes *bytes; (bytes = g_queue_pop_head(&stream->queue));) {
        if (!x->gone && g_bytes_get_size(bytes) > 0) {
            soup_message_body_append_bytes(body, bytes);
            g_queue_push_tail(&stream->sizes, GSIZE_TO_POINTER(g_bytes_get_size(bytes)));
        }
        g_bytes_unref(bytes);
    }
    g_mutex_unlock(&stream->lock);

    if (!x->gone) {
        if (ended)
            soup_message_body_complete(body);
        soup_server_message_unpause(x->message);
    }
    stream_drop(stream);
}

/* With the lock held. */
static void stream_schedule(HttpStream *stream)
{
    if (stream->scheduled || stream->closed)
        return;
    stream->scheduled = TRUE;
    on_server_thread(stream->exchange->server, stream_flush, stream_hold(stream));
}

/* libsoup does not look at a connection on which it has nothing to write. */
static gboolean stream_hang_up(gint fd, GIOCondition condition, gpointer data)
{
    HttpStream *stream = data;
    SoupServerMessage *message = stream->exchange->message;

    stream_closed(stream);
    soup_message_body_complete(soup_server_message_get_response_body(message));
    soup_server_message_unpause(message);
    return G_SOURCE_REMOVE;
}

static GSource *hang_up_source(HttpStream *stream)
{
    GSocket *socket = soup_server_message_get_socket(stream->exchange->message);
    GSource *source = g_unix_fd_source_new(g_socket_get_fd(socket), POLLRDHUP | G_IO_HUP | G_IO_ERR);

    g_source_set_callback(source, G_SOURCE_FUNC(stream_hang_up), stream, NULL);
    g_source_attach(source, stream->exchange->server->context);
    return source;
}

static void stream_start(gpointer data)
{
    HttpStream *stream = data;
    HttpExchange *x = stream->exchange;

    if (x->gone) {
        stream_closed(stream);
        stream_drop(stream);
        return;
    }
    answer_head(x);
    soup_message_headers_set_encoding(soup_server_message_get_response_headers(x->message),
                                      SOUP_ENCODING_CHUNKED);
    soup_message_body_set_accumulate(soup_server_message_get_response_body(x->message), FALSE);
    soup_message_body_truncate(soup_server_message_get_request_body(x->message));
    g_clear_pointer(&x->reply_headers, g_ptr_array_unref);
    stream->hang_up = hang_up_source(stream);
    x->stream = stream; /* this call's reference becomes the message's */
    g_signal_connect(x->message, "wrote-chunk", G_CALLBACK(stream_wrote_chunk), stream);
    soup_server_message_unpause(x->message);
}

HttpStream *http_exchange_stream(HttpExchange *x, guint status, const char *content_type)
{
    HttpStream *stream = g_new0(HttpStream, 1);

    g_return_val_if_fail(x->answer == OPEN, NULL);
    x->answer = ANSWERED;
    x->status = status;
    x->content_type = g_strdup(content_type);
    stream->refs = stream->owners = 1;
    stream->exchange = exchange_ref(x);
    g_mutex_init(&stream->lock);
    g_cond_init(&stream->room);
    on_server_thread(x->server, stream_start, stream_hold(stream));
    return stream;
}

/* With the lock held. One piece larger than the limit goes through when nothing waits. */
static HttpSend stream_queue(HttpStream *stream, GBytes *bytes)
{
    gsize size = g_bytes_get_size(bytes);

    if (stream->closed || stream->ended)
        return HTTP_CLOSED;
    if (size == 0)
        return HTTP_SENT; /* an empty chunk would end the body */
    if (stream->waiting && stream->waiting + size > stream->exchange->server->output_limit)
        return HTTP_FULL;
    g_queue_push_tail(&stream->queue, g_bytes_ref(bytes));
    stream->waiting += size;
    stream_schedule(stream);
    return HTTP_SENT;
}

HttpSend http_stream_send(HttpStream *stream, GBytes *bytes)
{
    HttpSend sent;

    g_mutex_lock(&stream->lock);
    sent = stream_queue(stream, bytes);
    g_mutex_unlock(&stream->lock);
    return sent;
}

static void wake_stream(GCancellable *cancel, gpointer data)
{
    HttpStream *stream = data;
    g_mutex_lock(&stream->lock);
    g_cond_broadcast(&stream->room);
    g_mutex_unlock(&stream->lock);
}

gboolean http_stream_send_wait(HttpStream *stream, GBytes *bytes, GCancellable *cancel)
{
    HttpSend sent;
    gulong id = cancel ? g_cancellable_connect(cancel, G_CALLBACK(wake_stream), stream, NULL) : 0;

    g_mutex_lock(&stream->lock);
    while ((sent = stream_queue(stream, bytes)) == HTTP_FULL &&
           !(cancel && g_cancellable_is_cancelled(cancel)))
        g_cond_wait(&stream->room, &stream->lock);
    g_mutex_unlock(&stream->lock);
    if (cancel)
        g_cancellable_disconnect(cancel, id);
    return sent == HTTP_SENT;
}

gboolean http_stream_is_open(HttpStream *stream)
{
    gboolean open;
    g_mutex_lock(&stream->lock);
    open = !stream->closed && !stream->ended;
    g_mutex_unlock(&stream->lock);
    return open;
}

void http_stream_end(HttpStream *stream)
{
    g_mutex_lock(&stream->lock);
    if (!stream->ended) {
        stream->ended = TRUE;
        stream_schedule(stream);
    }
    g_cond_broadcast(&stream->room);
    g_mutex_unlock(&stream->lock);
}

void http_stream_unref(HttpStream *stream)
{
    if (!g_atomic_int_dec_and_test(&stream->owners))
        return;
    http_stream_end(stream);
    stream_drop(stream);
}

void http_stream_on_closed(HttpStream *stream, void (*closed)(gpointer user_data), gpointer user_data)
{
    gboolean already;

    g_mutex_lock(&stream->lock);
    already = stream->closed;
    if (!already) {
        stream->on_closed = closed;
        stream->on_closed_data = user_data;
    }
    g_mutex_unlock(&stream->lock);
    if (already)
        closed(user_data);
}

/* ---- a WebSocket ---- */

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
    GSource *cutter; /* server's thread only: cuts off a peer that does not take the close */
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
    g_mutex_clear(&socket->lock);
    g_cond_clear(&socket->room);
    g_clear_object(&socket->link);
    exchange_unref(socket->exchange);
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

static gboolean drained(gint fd, GIOCondition condition, gpointer data)
{
    HttpSocket *socket = data;

    drain_stop(socket);
    g_mutex_lock(&socket->lock);
    socket->waiting -= socket->given;
    socket->given = 0;
    g_cond_broadcast(&socket->room);
    g_mutex_unlock(&socket->lock);
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

static void cutter_stop(HttpSocket *socket)
{
    if (!socket->cutter)
        return;
    g_source_destroy(socket->cutter);
    g_clear_pointer(&socket->cutter, g_source_unref);
}

static gboolean cut_off(gpointer data)
{
    HttpSocket *socket = data;

    g_socket_shutdown(socket->link, TRUE, TRUE, NULL);
    cutter_stop(socket);
    return G_SOURCE_REMOVE;
}

static void cutter_start(HttpSocket *socket)
{
    if (socket->cutter || g_socket_is_closed(socket->link))
        return;
    socket->cutter = g_timeout_source_new_seconds(close_wait_s);
    g_source_set_callback(socket->cutter, cut_off, socket, NULL);
    g_source_attach(socket->cutter, socket->exchange->server->context);
}

/* The end, whether or not the handshake came through. Drops the reference that the connection held. */
static void socket_gone(HttpSocket *socket)
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
    socket_gone(data);
}

static void socket_flush(gpointer data)
{
    HttpSocket *socket = data;
    GQueue frames;

    g_mutex_lock(&socket->lock);
    frames = socket->queue;
    g_queue_init(&socket->queue);
    socket->scheduled = FALSE;
    g_mutex_unlock(&socket->lock);

    for (Frame *frame; (frame = g_queue_pop_head(&frames)); frame_free(frame)) {
        if (!socket->connection ||
            soup_websocket_connection_get_state(socket->connection) != SOUP_WEBSOCKET_STATE_OPEN)
            continue;
        if (frame->message)
            socket->given += g_bytes_get_size(frame->message);
        if (frame->message)
            soup_websocket_connection_send_message(
                socket->connection, frame->binary ? SOUP_WEBSOCKET_DATA_BINARY : SOUP_WEBSOCKET_DATA_TEXT,
                frame->message);
        else {
            soup_websocket_connection_close(socket->connection, frame->code, frame->reason);
            cutter_start(socket);
        }
    }
    if (socket->given && socket->connection)
        drain_start(socket);
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
    on_server_thread(socket->exchange->server, socket_flush, http_socket_ref(socket));
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
    if (x->peer)
        g_object_set_data(G_OBJECT(x->peer), watch_key, NULL); /* the WebSocket looks after it from here on */
    socket->link = g_object_ref(soup_server_message_get_socket(message));
    stream = soup_server_message_steal_connection(message);
    socket->connection =
        soup_websocket_connection_new(stream, soup_server_message_get_uri(message),
                                      SOUP_WEBSOCKET_CONNECTION_SERVER, NULL, socket->subprotocol, NULL);
    soup_websocket_connection_set_max_incoming_payload_size(socket->connection, websocket_limit);
    g_signal_connect(socket->connection, "message", G_CALLBACK(socket_message), socket);
    g_signal_connect(socket->connection, "closed", G_CALLBACK(socket_closed), socket);
    g_hash_table_add(x->server->sockets, socket);

    g_mutex_lock(&socket->lock);
    socket->scheduled = TRUE;
    g_mutex_unlock(&socket->lock);
    socket_flush(http_socket_ref(socket));
    exchange_gone(x);
}

static void socket_refused(SoupServerMessage *message, gpointer data)
{
    g_signal_handlers_disconnect_by_data(message, data);
    socket_gone(data);
}

static void socket_start(gpointer data)
{
    HttpSocket *socket = data;
    HttpExchange *x = socket->exchange;
    char *protocols[] = {socket->subprotocol, NULL};

    if (x->gone) {
        socket_gone(socket);
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
    socket->exchange = exchange_ref(x);
    socket->subprotocol = g_strdup(subprotocol);
    socket->events = *events;
    socket->user_data = user_data;
    socket->scheduled = TRUE; /* nothing is flushed before the handshake */
    g_mutex_init(&socket->lock);
    g_cond_init(&socket->room);
    on_server_thread(x->server, socket_start, socket);
    return socket;
}

/* ---- the server ---- */

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
    exchange_unref(x);
}

static void message_finished(SoupServerMessage *message, gpointer data)
{
    exchange_gone(data);
}

static void on_request(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query,
                       gpointer data)
{
    HttpServer *server = data;
    SoupMessageBody *body = soup_server_message_get_request_body(message);
    GUri *uri = soup_server_message_get_uri(message);
    HttpExchange *x;

    if (soup_server_message_get_status(message) || server->stopping)
        return; /* refused while its body came */

    x = g_new0(HttpExchange, 1);
    x->refs = 2; /* the message's and the handler's */
    x->server = server;
    g_atomic_int_inc(&server->refs);
    x->message = g_object_ref(message);
    if (soup_server_message_get_socket(message)) {
        x->peer = g_object_ref(soup_server_message_get_socket(message));
        count_exchange(x->peer, 1);
        watch_peer(x->peer);
    }
    x->path = g_uri_unescape_string(g_uri_get_path(uri), NULL);
    x->target = g_uri_get_query(uri) ? g_strconcat(g_uri_get_path(uri), "?", g_uri_get_query(uri), NULL)
                                     : g_strdup(g_uri_get_path(uri));
    x->body = soup_message_body_flatten(body);
    x->cancel = g_cancellable_new();
    g_hash_table_add(server->live, x);
    g_signal_connect(message, "finished", G_CALLBACK(message_finished), x);
    g_signal_connect(message, "disconnected", G_CALLBACK(message_finished), x);
    soup_server_message_pause(message);
    g_thread_pool_push(server->workers, x, NULL);
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
    g_main_context_pop_thread_default(server->context);
    return NULL;
}

/* "127.0.0.1:6443" or "[::1]:6443". */
static GSocketAddress *listen_address(const char *listen, GError **error)
{
    const char *colon = listen ? strrchr(listen, ':') : NULL;
    g_autofree char *host = NULL;
    g_autoptr(GInetAddress) address = NULL;
    guint64 port;

    if (colon && g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &port, NULL)) {
        host = *listen == '[' && colon[-1] == ']' ? g_strndup(listen + 1, colon - listen - 2)
                                                  : g_strndup(listen, colon - listen);
        address = g_inet_address_new_from_string(host);
    }
    if (!address) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "listen: '%s' is not an address and port such as 127.0.0.1:6443", listen ? listen : "");
        return NULL;
    }
    return g_inet_socket_address_new(address, port);
}

/* With TCP_NODELAY, which the accepted sockets inherit: a TLS 1.3 client waits 40 ms on its first request
 * without it. */
static GSocket *listening_socket(const char *listen, guint *port, GError **error)
{
    g_autoptr(GSocketAddress) address = listen_address(listen, error);
    g_autoptr(GSocketAddress) bound = NULL;
    g_autoptr(GSocket) socket = NULL;
    g_autoptr(GError) why = NULL;

    if (!address)
        return NULL;
    socket =
        g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &why);
    if (socket) {
        g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
        g_socket_set_listen_backlog(socket, 1024);
    }
    if (!socket || !g_socket_bind(socket, address, TRUE, &why) || !g_socket_listen(socket, &why)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "listen: %s: %s", listen, why->message);
        return NULL;
    }
    bound = g_socket_get_local_address(socket, NULL);
    *port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
    return g_steal_pointer(&socket);
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

HttpServer *http_server_start(const HttpServerOptions *options, GError **error)
{
    g_autoptr(GTlsCertificate) cert = NULL;
    g_autoptr(GSocket) socket = NULL;
    g_autoptr(GError) why = NULL;
    HttpServer *server;
    guint port = 0;
    gboolean listening;

    if (options->cert_pem && !(cert = certificate(options->cert_pem, options->key_pem, error)))
        return NULL;
    if (!(socket = listening_socket(options->listen, &port, error)))
        return NULL;

    server = g_new0(HttpServer, 1);
    server->refs = 1;
    server->handler = options->handler;
    server->user_data = options->user_data;
    server->body_limit = options->body_limit ? options->body_limit : default_body_limit;
    server->output_limit = options->output_limit ? options->output_limit : default_output_limit;
    server->gzip_from = options->gzip_from;
    server->port = port;
    server->calls = g_array_new(FALSE, FALSE, sizeof(Call));
    server->live = g_hash_table_new(NULL, NULL);
    server->sockets = g_hash_table_new(NULL, NULL);
    g_mutex_init(&server->lock);
    g_cond_init(&server->accepts_no_more);
    server->workers =
        g_thread_pool_new(handle, server, options->workers ? options->workers : default_workers, FALSE, NULL);
    g_thread_pool_set_max_unused_threads(MAX(g_thread_pool_get_max_unused_threads(), 8));

    server->context = g_main_context_new();
    server->loop = g_main_loop_new(server->context, FALSE);
    g_main_context_push_thread_default(server->context);
    server->soup = soup_server_new("tls-certificate", cert, NULL);
    soup_server_add_early_handler(server->soup, NULL, on_head, server, NULL);
    soup_server_add_handler(server->soup, NULL, on_request, server, NULL);
    listening = soup_server_listen_socket(server->soup, socket, cert ? SOUP_SERVER_LISTEN_HTTPS : 0, &why);
    g_main_context_pop_thread_default(server->context);
    server->thread = g_thread_new("http-server", serve, server);

    if (!listening) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "listen: %s: %s", options->listen, why->message);
        http_server_stop(server);
        return NULL;
    }
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
    soup_server_set_tls_certificate(new->server->soup, new->cert);
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
    on_server_thread(server, use_certificate, new);
    return TRUE;
}

/* First step of the stop: nobody new comes in, and whoever waits in a handler is told. */
static void stop_accepting(gpointer data)
{
    HttpServer *server = data;
    g_autoptr(GList) live = g_hash_table_get_keys(server->live);

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
    on_server_thread(server, stop_accepting, server);
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
        socket_gone(i->data);
    live = g_hash_table_get_keys(server->live);
    for (GList *i = live; i; i = i->next)
        exchange_gone(i->data);
    g_main_loop_quit(server->loop);
}

void http_server_stop(HttpServer *server)
{
    if (!server)
        return;
    wait_until_none_is_accepted(server);
    g_thread_pool_free(server->workers, FALSE, TRUE);
    on_server_thread(server, stop_serving, server);
    g_thread_join(server->thread);

    g_mutex_lock(&server->lock);
    server->stopped = TRUE;
    g_mutex_unlock(&server->lock);
    g_main_context_push_thread_default(server->context);
    run_calls(server); /* what came after the thread's last look */
    g_object_unref(server->soup);
    g_main_context_pop_thread_default(server->context);
    server_unref(server);
}
