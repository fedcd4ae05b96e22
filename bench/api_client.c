/* api_client: creates ConfigMaps at a Kubernetes API from several connections at once, and says how fast.
 *
 *   api_client HOST PORT TOKEN_FILE CONNECTIONS SECONDS PREFIX [COUNT]
 *
 * It ends after SECONDS, or with COUNT after so many creates. Each connection is a thread that sends a
 * request, reads the reply whole, and sends the next. Certificates are not verified: it is a stop-watch for a
 * server on this machine. Output: creates, creates/s, p50 and p99 in milliseconds, as JSON.
 */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *host, *prefix;
    char *token;
    guint16 port;
    int number;
    gint64 ends_at;
    guint most;    /* creates of this connection */
    GArray *times; /* microseconds */
} Worker;

static void die(const char *what, GError *error)
{
    fprintf(stderr, "api_client: %s: %s\n", what, error ? error->message : "unexpected reply");
    exit(1);
}

static gboolean accept_any(GTlsConnection *connection, GTlsCertificate *certificate,
                           GTlsCertificateFlags errors, gpointer data)
{
    return TRUE;
}

static void on_event(GSocketClient *client, GSocketClientEvent event, GSocketConnectable *peer,
                     GIOStream *stream, gpointer data)
{
    if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
        g_signal_connect(stream, "accept-certificate", G_CALLBACK(accept_any), NULL);
}

static GIOStream *dial(const Worker *worker)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    GError *error = NULL;
    GSocketConnection *connection;

    g_socket_client_set_tls(client, TRUE);
    g_signal_connect(client, "event", G_CALLBACK(on_event), NULL);
    connection = g_socket_client_connect_to_host(client, worker->host, worker->port, NULL, &error);
    if (!connection)
        die("connect", error);
    return G_IO_STREAM(connection);
}

/* Reads one reply; gives its status. */
static int read_reply(GInputStream *in, char *buffer, gsize limit)
{
    gsize have = 0, want = 0;
    GError *error = NULL;

    while (!want || have < want) {
        gssize size = g_input_stream_read(in, buffer + have, limit - 1 - have, NULL, &error);
        char *end, *length;
        if (size <= 0)
            die("read", error);
        buffer[have += size] = 0;
        if (!want && (end = strstr(buffer, "\r\n\r\n")) && (length = strcasestr(buffer, "content-length:")))
            want = (end + 4 - buffer) + strtoul(length + strlen("content-length:"), NULL, 10);
    }
    return atoi(buffer + strlen("HTTP/1.1 "));
}

static gpointer run(gpointer data)
{
    Worker *worker = data;
    g_autoptr(GIOStream) stream = dial(worker);
    g_autofree char *buffer = g_malloc(1 << 16);

    for (guint i = 0; worker->most ? i < worker->most : g_get_monotonic_time() < worker->ends_at; i++) {
        g_autofree char *body = g_strdup_printf(
            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s-%d-%u\"},"
            "\"data\":{\"key\":\"%0500d\"}}",
            worker->prefix, worker->number, i, 7);
        g_autofree char *request = g_strdup_printf(
            "POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
            "Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: %zu\r\n\r\n%s",
            worker->host, worker->token, strlen(body), body);
        gint64 began = g_get_monotonic_time(), took;
        GError *error = NULL;

        if (!g_output_stream_write_all(g_io_stream_get_output_stream(stream), request, strlen(request), NULL,
                                       NULL, &error))
            die("write", error);
        if (read_reply(g_io_stream_get_input_stream(stream), buffer, 1 << 16) != 201)
            die(buffer, NULL);
        took = g_get_monotonic_time() - began;
        g_array_append_val(worker->times, took);
    }
    return NULL;
}

static gint by_size(gconstpointer a, gconstpointer b)
{
    gint64 one = *(const gint64 *)a, two = *(const gint64 *)b;
    return (one > two) - (one < two);
}

int main(int argc, char **argv)
{
    if (argc != 7 && argc != 8) {
        fprintf(stderr, "usage: api_client HOST PORT TOKEN_FILE CONNECTIONS SECONDS PREFIX [COUNT]\n");
        return 2;
    }
    g_autofree char *token = NULL;
    GError *error = NULL;
    int count = CLAMP(atoi(argv[4]), 1, 256);
    double seconds = atof(argv[5]);
    g_autofree Worker *workers = g_new0(Worker, count);
    g_autofree GThread **threads = g_new0(GThread *, count);
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(gint64));

    if (!g_file_get_contents(argv[3], &token, NULL, &error))
        die("token", error);
    for (int i = 0; i < count; i++) {
        workers[i] = (Worker){.host = argv[1],
                              .prefix = argv[6],
                              .token = g_strstrip(token),
                              .port = atoi(argv[2]),
                              .number = i,
                              .ends_at = g_get_monotonic_time() + seconds * G_USEC_PER_SEC,
                              .most = argc == 8 ? atoi(argv[7]) / count : 0,
                              .times = g_array_new(FALSE, FALSE, sizeof(gint64))};
        threads[i] = g_thread_new("client", run, &workers[i]);
    }
    for (int i = 0; i < count; i++) {
        g_thread_join(threads[i]);
        g_array_append_vals(all, workers[i].times->data, workers[i].times->len);
        g_array_unref(workers[i].times);
    }
    g_array_sort(all, by_size);
    printf("{\"creates\": %u, \"per_second\": %.0f, \"p50_ms\": %.2f, \"p99_ms\": %.2f}\n", all->len,
           all->len / seconds, g_array_index(all, gint64, all->len / 2) / 1000.0,
           g_array_index(all, gint64, all->len * 99 / 100) / 1000.0);
    return 0;
}
