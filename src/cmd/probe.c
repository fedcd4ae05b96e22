/* gantry probe HOST:PORT…: whether TCP connections can be made from here (the program of a plan's probe Pod).
 */
#include "cmd/commands.h"
#include "cmd/pod.h"
#include <gio/gio.h>

enum { TIMEOUT_S = 10, MOST = 256, DEFAULT_PORT = 443 };

static gpointer try(gpointer endpoint)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) connection = NULL;
    GError *error = NULL;

    g_socket_client_set_timeout(client, TIMEOUT_S);
    g_socket_client_set_enable_proxy(client, FALSE);
    connection = g_socket_client_connect_to_host(client, endpoint, DEFAULT_PORT, NULL, &error);
    return error;
}

/* All at once: the whole takes as long as the slowest. */
static json_t *try_all(char **endpoints, guint count)
{
    g_autofree GThread **threads = g_new(GThread *, count);
    json_t *unreachable = json_array();

    for (guint i = 0; i < count; i++)
        threads[i] = g_thread_new("probe", try, endpoints[i]);
    for (guint i = 0; i < count; i++) {
        g_autoptr(GError) error = g_thread_join(threads[i]);
        if (error)
            json_array_append_new(
                unreachable, json_pack("{s:s, s:s}", "endpoint", endpoints[i], "message", error->message));
    }
    return json_pack("{s:s, s:o}", "result", "Completed", "unreachable", unreachable);
}

int cmd_probe(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("HOST:PORT…");
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) result = NULL;

    g_option_context_set_summary(context, "Tells which of these TCP connections cannot be made from here.");
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc < 2 || argc > MOST) {
        g_printerr("gantry probe: %s\n", error ? error->message : "between 1 and 255 HOST:PORT are needed");
        return 2;
    }
    result = try_all(argv + 1, argc - 1);
    return pod_end(NULL, result, NULL);
}
