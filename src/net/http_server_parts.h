/* http_server_parts: what the files of the HTTP server know of each other; nobody else includes it.
 *
 * http_server.c       its life, its thread, what comes in
 * http_listener.c     who comes in, and TLS with them
 * http_connection.c   notices a peer that hung up between two requests
 * http_exchange.c     a request, and a whole answer to it
 * http_stream.c       an answer that goes on
 * http_socket.c       a WebSocket
 */
#pragma once
#include "net/http_server.h"
#include <libsoup/soup.h>

struct HttpServer {
    gint refs; /* the owner's, and one for each exchange */
    HttpHandler handler;
    gpointer user_data;
    gsize body_limit, output_limit, gzip_from;
    guint most_requests;
    gint requests; /* atomic: that handlers have or will get */
    guint port;
    GThread *thread;
    GThreadPool *workers;
    GMainContext *context;
    GMainLoop *loop;
    SoupServer *soup; /* touched on the server's thread only, as all up to the lock */
    GSocket *listening;
    int silence;                  /* the other end of what libsoup listens to; -1 when there is none */
    GTlsCertificate *certificate; /* or NULL: plain HTTP */
    GSource *accepting;           /* what waits for the next connection */
    GHashTable *arrivals;         /* those whose TLS handshake is under way */
    GHashTable *live;             /* HttpExchange whose message has not finished */
    GHashTable *sockets;          /* HttpSocket with a connection */
    GMutex lock;                  /* of all below */
    GArray *calls;                /* of Call: what other threads want done on the server's thread */
    gboolean woken;
    gboolean stopped;  /* that thread is no more: calls are run where they are made, under after_stop */
    gboolean stopping; /* written on the server's thread only, which may read it without the lock */
    GCond accepts_no_more;
    GRecMutex after_stop; /* then one call at a time: libsoup's objects refer to each other; before lock */
};

typedef enum { OPEN, ANSWERED } Answer;

struct HttpExchange {
    gint refs;
    HttpServer *server;
    SoupServerMessage *message;
    GSocket *peer; /* the connection */
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

/* Runs it on the server's thread, where libsoup's objects live; calls keep their order. */
void http_server_call(HttpServer *server, void (*run)(gpointer), gpointer data);
void http_server_unref(HttpServer *server);

HttpExchange *http_exchange_ref(HttpExchange *x);
void http_exchange_unref(HttpExchange *x);

/* On the server's thread only: */

void http_exchange_head(HttpExchange *x);       /* status and headers of the answer, to libsoup */
void http_exchange_gone(HttpExchange *x);       /* the message is through, or its peer went away */
void http_stream_peer_gone(HttpStream *stream); /* ends the reference that the message held */
void http_socket_gone(HttpSocket *socket);      /* ends the reference that the connection held */

GSocket *http_listener_open(const char *listen, guint *port, GError **error);
gboolean http_listener_start(HttpServer *server, GError **error);
void http_listener_stop(HttpServer *server); /* nobody comes in any more; handshakes are broken off */
void http_listener_wait(HttpServer *server); /* after the stop, until the last handshake has ended */
GSocket *http_listener_peer(SoupServerMessage *message); /* borrowed */

void http_connection_watch(GSocket *peer);
void http_connection_unwatch(GSocket *peer);
void http_connection_count(GSocket *peer, int change); /* of the requests under way on it */
void http_connection_close_if_hung_up(GSocket *peer);
