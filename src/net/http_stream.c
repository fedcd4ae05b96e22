/* http_stream: an answer that goes on; what is sent waits in a queue until the server's thread takes it. */
#include "net/http_server_parts.h"
#include <glib-unix.h>
#include <poll.h>

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
    http_exchange_unref(stream->exchange);
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

void http_stream_peer_gone(HttpStream *stream)
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
    http_server_call(stream->exchange->server, stream_flush, stream_hold(stream));
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
    GSource *source =
        g_unix_fd_source_new(g_socket_get_fd(stream->exchange->peer), POLLRDHUP | G_IO_HUP | G_IO_ERR);

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
    http_exchange_head(x);
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
    stream->exchange = http_exchange_ref(x);
    g_mutex_init(&stream->lock);
    g_cond_init(&stream->room);
    http_server_call(x->server, stream_start, stream_hold(stream));
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
