/* http_connection: libsoup 3.2 reads that a peer has hung up between two requests, and then neither closes
 * the socket nor forgets it. So each connection is watched here as well, and closed when its peer has hung up
 * and no request is under way on it. */
#include "net/http_server_parts.h"
#include <glib-unix.h>
#include <poll.h>

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
void http_connection_close_if_hung_up(GSocket *peer)
{
    g_autoptr(GSource) source = NULL;

    if (!g_object_get_data(G_OBJECT(peer), hung_up_key))
        return;
    source = g_idle_source_new();
    g_source_set_callback(source, close_now, g_object_ref(peer), g_object_unref);
    g_source_attach(source, g_main_context_get_thread_default());
}

static void end_watch(gpointer source)
{
    g_source_destroy(source);
    g_source_unref(source);
}

/* The source belongs to the socket, which therefore outlives it. */
void http_connection_watch(GSocket *peer)
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

void http_connection_count(GSocket *peer, int change)
{
    int count = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(peer), exchanges_key)) + change;
    g_object_set_data(G_OBJECT(peer), exchanges_key, GINT_TO_POINTER(count));
}

void http_connection_unwatch(GSocket *peer)
{
    g_object_set_data(G_OBJECT(peer), watch_key, NULL);
}
