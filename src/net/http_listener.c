/* http_listener: who comes in, and TLS with them, before libsoup gets the connection. libsoup 3.2's own
 * listener loses a GSocket for each connection, is deaf for good after one accept() that fails, and frees the
 * connection of a handshake that it does not wait for. */
#include "base/log.h"
#include "net/http_server_parts.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HANDSHAKE_S = 30, PAUSE_MS = 250 };

static const char peer_key[] = "gantry-peer";

/* A peer whose TLS handshake is awaited or under way. All here is of the server's thread only. */
typedef struct {
    HttpServer *server;
    GSocket *peer;
    GIOStream *tls;
    GCancellable *cancel;
    GSource *deadline;
} Arrival;

/* ---- the listening socket ---- */

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
GSocket *http_listener_open(const char *listen, guint *port, GError **error)
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

/* ---- to libsoup ---- */

/* An address of our own carries the socket: a GSocket keeps the one that it gives out. */
static GSocketAddress *address_with_peer(GSocket *peer)
{
    g_autoptr(GSocketAddress) seen = g_socket_get_remote_address(peer, NULL);
    GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS(seen);
    GSocketAddress *address;

    if (!inet)
        return NULL;
    address = g_inet_socket_address_new(g_inet_socket_address_get_address(inet),
                                        g_inet_socket_address_get_port(inet));
    g_object_set_data_full(G_OBJECT(address), peer_key, g_object_ref(peer), g_object_unref);
    return address;
}

GSocket *http_listener_peer(SoupServerMessage *message)
{
    return g_object_get_data(G_OBJECT(soup_server_message_get_remote_address(message)), peer_key);
}

/* A peer that is gone already has no address. */
static void hand_over(HttpServer *server, GSocket *peer, GIOStream *stream)
{
    g_autoptr(GSocketAddress) local = g_socket_get_local_address(peer, NULL);
    g_autoptr(GSocketAddress) remote = address_with_peer(peer);

    if (local && remote)
        soup_server_accept_iostream(server->soup, stream, local, remote, NULL);
}

/* ---- TLS ---- */

static void arrival_free(Arrival *arrival)
{
    g_hash_table_remove(arrival->server->arrivals, arrival);
    g_source_destroy(arrival->deadline);
    g_source_unref(arrival->deadline);
    g_object_unref(arrival->cancel);
    g_object_unref(arrival->tls);
    g_object_unref(arrival->peer);
    g_free(arrival);
}

static void shaken(GObject *tls, GAsyncResult *result, gpointer data)
{
    Arrival *arrival = data;

    if (g_tls_connection_handshake_finish(G_TLS_CONNECTION(tls), result, NULL) && !arrival->server->stopping)
        hand_over(arrival->server, arrival->peer, G_IO_STREAM(tls));
    else
        g_socket_close(arrival->peer, NULL);
    arrival_free(arrival);
}

static gboolean too_late(gpointer cancel)
{
    g_cancellable_cancel(cancel);
    return G_SOURCE_REMOVE;
}

/* A handshake takes one of GLib's few threads until it ends. Nobody gets one who has not said anything. */
static gboolean peer_speaks(GSocket *peer, GIOCondition condition, gpointer data)
{
    Arrival *arrival = data;

    g_tls_connection_handshake_async(G_TLS_CONNECTION(arrival->tls), G_PRIORITY_DEFAULT, arrival->cancel,
                                     shaken, arrival);
    return G_SOURCE_REMOVE;
}

static void begin_when_peer_speaks(Arrival *arrival)
{
    g_autoptr(GSource) source = g_socket_create_source(arrival->peer, G_IO_IN, arrival->cancel);

    g_source_set_callback(source, G_SOURCE_FUNC(peer_speaks), arrival, NULL);
    g_source_attach(source, arrival->server->context);
}

static void shake_hands(HttpServer *server, GSocket *peer, GIOStream *plain)
{
    static const char *const protocols[] = {"http/1.1", "http/1.0", NULL};
    g_autoptr(GIOStream) tls = g_tls_server_connection_new(plain, server->certificate, NULL);
    Arrival *arrival;

    if (!tls)
        return;
    g_tls_connection_set_advertised_protocols(G_TLS_CONNECTION(tls), protocols);
    g_tls_connection_set_require_close_notify(G_TLS_CONNECTION(tls), FALSE);
    arrival = g_new(Arrival, 1);
    *arrival = (Arrival){server, g_object_ref(peer), g_steal_pointer(&tls), g_cancellable_new(),
                         g_timeout_source_new_seconds(HANDSHAKE_S)};
    g_hash_table_add(server->arrivals, arrival);
    g_source_set_callback(arrival->deadline, too_late, arrival->cancel, NULL);
    g_source_attach(arrival->deadline, server->context);
    begin_when_peer_speaks(arrival);
}

/* ---- who comes ---- */

static void take_in(HttpServer *server, GSocket *peer)
{
    g_autoptr(GSocketConnection) plain = g_socket_connection_factory_create_connection(peer);

    if (server->certificate)
        shake_hands(server, peer, G_IO_STREAM(plain));
    else
        hand_over(server, peer, G_IO_STREAM(plain));
}

static gboolean somebody_comes(GSocket *listening, GIOCondition condition, gpointer data);

static void stop_accepting(HttpServer *server)
{
    g_source_destroy(server->accepting);
    g_clear_pointer(&server->accepting, g_source_unref);
}

static void accept_from_now(HttpServer *server)
{
    server->accepting = g_socket_create_source(server->listening, G_IO_IN, NULL);
    g_source_set_callback(server->accepting, G_SOURCE_FUNC(somebody_comes), server, NULL);
    g_source_attach(server->accepting, server->context);
}

static gboolean pause_is_over(gpointer server)
{
    stop_accepting(server);
    accept_from_now(server);
    return G_SOURCE_REMOVE;
}

static void accept_later(HttpServer *server)
{
    stop_accepting(server);
    server->accepting = g_timeout_source_new(PAUSE_MS);
    g_source_set_callback(server->accepting, pause_is_over, server, NULL);
    g_source_attach(server->accepting, server->context);
}

/* Without a free descriptor it would be called again and again. */
static gboolean somebody_comes(GSocket *listening, GIOCondition condition, gpointer data)
{
    HttpServer *server = data;
    g_autoptr(GError) why = NULL;
    g_autoptr(GSocket) peer = g_socket_accept(listening, NULL, &why);

    if (peer) {
        take_in(server, peer);
    } else if (!g_error_matches(why, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
        log_warn("a connection was not accepted", "error", why->message, NULL);
        accept_later(server);
    }
    return G_SOURCE_CONTINUE;
}

/* libsoup keeps a connection after an answer only while it listens itself. So it gets one end of a pair on
 * whose other end nobody speaks. */
static gboolean listen_to_nobody(HttpServer *server, GError **error)
{
    g_autoptr(GSocket) socket = NULL;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno), "socketpair: %s", g_strerror(errno));
        return FALSE;
    }
    server->silence = ends[1];
    socket = g_socket_new_from_fd(ends[0], error);
    if (!socket)
        close(ends[0]);
    return socket && soup_server_listen_socket(server->soup, socket, 0, error);
}

gboolean http_listener_start(HttpServer *server, GError **error)
{
    g_autoptr(GError) why = NULL;

    g_socket_set_blocking(server->listening, FALSE);
    accept_from_now(server);
    if (!listen_to_nobody(server, &why))
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "listen: %s", why->message);
    return !why;
}

void http_listener_stop(HttpServer *server)
{
    g_autoptr(GList) arrivals = g_hash_table_get_keys(server->arrivals);

    stop_accepting(server);
    g_socket_close(server->listening, NULL);
    for (GList *i = arrivals; i; i = i->next)
        g_cancellable_cancel(((Arrival *)i->data)->cancel);
}

void http_listener_wait(HttpServer *server)
{
    while (g_hash_table_size(server->arrivals))
        g_main_context_iteration(server->context, TRUE);
}
