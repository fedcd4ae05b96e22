/* post_client: posts one body over and over on kept connections, as cheaply as it can, and counts the answers.
 *
 * post_client HOST PORT PATH FILE CONNECTIONS SECONDS prints {"count": N, "wall": SECONDS}.
 */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *host, *request;
    gsize size;
    guint16 port;
    gint64 until;
    guint count;
} Poster;

/* Reads one answer with a Content-Length. */
static void read_answer(GDataInputStream *in)
{
    gsize length = 0;

    for (;;) {
        g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, NULL);
        g_assert(line);
        if (g_str_has_prefix(line, "HTTP/1.1"))
            g_assert(g_str_has_prefix(line, "HTTP/1.1 200"));
        if (!g_ascii_strncasecmp(line, "Content-Length:", 15))
            length = strtoull(line + 15, NULL, 10);
        if (!*g_strstrip(line))
            break;
    }
    while (length) {
        gssize skipped = g_input_stream_skip(G_INPUT_STREAM(in), length, NULL, NULL);
        g_assert(skipped > 0);
        length -= skipped;
    }
}

static gpointer post(gpointer data)
{
    Poster *poster = data;
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(client, poster->host, poster->port, NULL, NULL);
    g_assert(connection);
    g_autoptr(GDataInputStream) in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));

    g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
    for (; g_get_monotonic_time() < poster->until; poster->count++) {
        g_assert(g_output_stream_write_all(out, poster->request, poster->size, NULL, NULL, NULL));
        read_answer(in);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    g_autofree char *body = NULL, *request = NULL;
    gint64 begin = g_get_monotonic_time();
    gsize size;
    guint count = 0;

    if (argc != 7 || !g_file_get_contents(argv[4], &body, &size, NULL)) {
        fprintf(stderr, "usage: post_client HOST PORT PATH FILE CONNECTIONS SECONDS\n");
        return 2;
    }
    request = g_strdup_printf("POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                              argv[3], argv[1], argv[2], size, body);
    int connections = atoi(argv[5]);
    g_autofree Poster *posters = g_new0(Poster, connections);
    g_autofree GThread **threads = g_new0(GThread *, connections);
    for (int i = 0; i < connections; i++) {
        posters[i] = (Poster){argv[1], request, strlen(request), atoi(argv[2]), begin + atoi(argv[6]) * G_TIME_SPAN_SECOND, 0};
        threads[i] = g_thread_new("poster", post, &posters[i]);
    }
    for (int i = 0; i < connections; i++) {
        g_thread_join(threads[i]);
        count += posters[i].count;
    }
    printf("{\"count\": %u, \"wall\": %.3f}\n", count, (g_get_monotonic_time() - begin) / 1e6);
    return 0;
}
