/* http_server: HTTP and HTTPS for everything that Gantry serves.
 *
 * A request is read whole (up to body_limit), then given to the handler on a worker thread, where it may
 * block. The handler answers once: a whole reply, a stream that goes on after the handler has returned
 * (watches, logs), or a WebSocket (RFC 6455). A handler that returns without an answer gives the peer a 500.
 * Threads: one thread of the server's own does all input and output; every function here may be called from
 * any thread. What the exchange's getters return lives as long as the exchange. Limits: body_limit bytes of
 * body (413 beyond), 100 KiB of headers, most_requests requests at once, output_limit bytes waiting for a
 * slow peer of a stream.
 */
#pragma once
#include "base/errors.h"

typedef struct HttpServer HttpServer;
typedef struct HttpExchange HttpExchange; /* one request and its answer */
typedef struct HttpStream HttpStream;     /* an answer that goes on */
typedef struct HttpSocket HttpSocket;     /* a WebSocket */

typedef void (*HttpHandler)(HttpExchange *exchange, gpointer user_data);

typedef struct {
    const char *listen;   /* "ADDRESS:PORT", "[::1]:6443"; port 0: any that is free */
    const char *cert_pem; /* the certificate, issuers after it; NULL: plain HTTP */
    const char *key_pem;
    gsize body_limit;    /* bytes; 0: 3 MiB */
    gsize output_limit;  /* bytes; 0: 1 MiB */
    gsize gzip_from;     /* whole replies from this many bytes on are compressed for peers that accept it; 0:
                            never */
    guint workers;       /* most handlers at once; 0: 16 */
    guint most_requests; /* under way and waiting for a worker; one more gets 429, to come again in a second;
                            0: no limit */
    HttpHandler handler;
    gpointer user_data;
} HttpServerOptions; /* everything is copied */

/* Errors: BAD_INPUT (listen, cert_pem, key_pem), IO (the address is taken or not ours). */
HttpServer *http_server_start(const HttpServerOptions *options, GError **error);
guint http_server_port(const HttpServer *server);
/* A new certificate for connections from now on. */
gboolean http_server_set_certificate(HttpServer *server, const char *cert_pem, const char *key_pem,
                                     GError **error);
/* Cancels the exchanges, waits for the handlers, ends streams and sockets (their closed callbacks run).
 * References to streams and sockets may be dropped later. */
void http_server_stop(HttpServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpServer, http_server_stop)

/* ---- the request ---- */

const char *http_exchange_method(const HttpExchange *exchange);
const char *http_exchange_path(const HttpExchange *exchange);   /* percent-decoded, no query; "/" at least */
const char *http_exchange_target(const HttpExchange *exchange); /* path and query as they came */
const char *http_exchange_query(const HttpExchange *exchange,
                                const char *name); /* first value, decoded, or NULL */
/* All values of a query parameter that may come several times; borrowed strings, never NULL. */
GPtrArray *http_exchange_query_all(const HttpExchange *exchange, const char *name);
const char *http_exchange_header(const HttpExchange *exchange,
                                 const char *name);             /* several are joined by ", "; or NULL */
GBytes *http_exchange_body(const HttpExchange *exchange);       /* borrowed, never NULL */
const char *http_exchange_remote(const HttpExchange *exchange); /* "127.0.0.1" */
/* Cancelled when the server stops, when the answer is through, and when the peer of a stream has gone. */
GCancellable *http_exchange_cancellable(const HttpExchange *exchange);

/* ---- a whole answer ---- */

/* Before the answer; of a name added twice both are sent. */
void http_exchange_add_header(HttpExchange *exchange, const char *name, const char *value);
void http_exchange_reply(HttpExchange *exchange, guint status, const char *content_type,
                         GBytes *body); /* body may be NULL */
void http_exchange_reply_text(HttpExchange *exchange, guint status, const char *content_type,
                              const char *text);

/* ---- an answer that goes on ---- */

/* Sends status and headers and leaves the body open. The reference is the caller's; dropping the last one
 * ends the body. */
HttpStream *http_exchange_stream(HttpExchange *exchange, guint status, const char *content_type);
HttpStream *http_stream_ref(HttpStream *stream);
void http_stream_unref(HttpStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpStream, http_stream_unref)

typedef enum {
    HTTP_SENT,
    HTTP_FULL,  /* more than output_limit bytes would wait: nothing was queued; wait, or give the peer up */
    HTTP_CLOSED /* the peer has gone or the stream was ended */
} HttpSend;

HttpSend http_stream_send(HttpStream *stream, GBytes *bytes); /* never blocks */
/* As http_stream_send(), but waits for room. FALSE: closed or cancelled. */
gboolean http_stream_send_wait(HttpStream *stream, GBytes *bytes, GCancellable *cancel);
gboolean http_stream_is_open(HttpStream *stream);
void http_stream_end(HttpStream *stream); /* what is queued is still sent */
/* Called once, on the server's thread, when the peer has gone or everything was sent after the end; at once
 * (on the caller's thread) when that has happened already. It must not block. */
void http_stream_on_closed(HttpStream *stream, void (*closed)(gpointer user_data), gpointer user_data);

/* ---- a WebSocket ---- */

gboolean http_exchange_wants_websocket(const HttpExchange *exchange);
/* Whether the peer offers this subprotocol (Sec-WebSocket-Protocol). */
gboolean http_exchange_offers_protocol(const HttpExchange *exchange, const char *subprotocol);

/* Both are called on the server's thread and must not block. closed comes once, last. */
typedef struct {
    void (*message)(HttpSocket *socket, gboolean binary, GBytes *message, gpointer user_data);
    void (*closed)(HttpSocket *socket, gpointer user_data);
} HttpSocketEvents;

/* Upgrades. subprotocol may be NULL. Messages sent before the handshake is through are kept. The reference is
 * the caller's. */
HttpSocket *http_exchange_websocket(HttpExchange *exchange, const char *subprotocol,
                                    const HttpSocketEvents *events, gpointer user_data);
HttpSocket *http_socket_ref(HttpSocket *socket);
void http_socket_unref(HttpSocket *socket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpSocket, http_socket_unref)
/* Never blocks, and queues without a bound: for what a peer asked for piece by piece. FALSE: closed. */
gboolean http_socket_send(HttpSocket *socket, gboolean binary, GBytes *message);
/* Waits while more than output_limit bytes are on their way. FALSE: closed or cancelled. Not from the events
 * above. */
gboolean http_socket_send_wait(HttpSocket *socket, gboolean binary, GBytes *message, GCancellable *cancel);
/* Bytes that were sent and have not left yet: by this a sender that must not wait knows a peer that does not
 * read. */
gsize http_socket_waiting(HttpSocket *socket);
/* After what was sent before. A peer that does not take that within ten seconds, or then does not answer
 * within four, is cut off. */
void http_socket_close(HttpSocket *socket, guint16 code);                             /* 1000: normal */
void http_socket_close_because(HttpSocket *socket, guint16 code, const char *reason); /* at most 123 bytes */
