/* http_listener: peers that do not go on, and a process without descriptors. */
#include "net/certificate.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include <gio/gio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void answer(HttpExchange *x, gpointer data)
{
    http_exchange_reply_text(x, 200, "text/plain", "here\n");
}

typedef struct {
    Certificate *ca, *own;
    HttpServer *server;
    HttpClient *client;
    char *url;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    HttpServerOptions options = {.listen = "127.0.0.1:0", .handler = answer};
    HttpTrust trust = {0};
    g_autoptr(GError) error = NULL;

    f->ca = certificate_new_authority("listener CA", NULL);
    f->own = certificate_issue(f->ca, names, 1, NULL);
    options.cert_pem = f->own->pem;
    options.key_pem = f->own->key_pem;
    trust.ca_pem = f->ca->pem;
    f->server = http_server_start(&options, &error);
    g_assert_no_error(error);
    f->client = http_client_new(&trust, 30, &error);
    g_assert_no_error(error);
    f->url = g_strdup_printf("https://127.0.0.1:%u/", http_server_port(f->server));
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_clear_pointer(&f->server, http_server_stop);
    http_client_free(f->client);
    certificate_free(f->ca);
    certificate_free(f->own);
    g_free(f->url);
}

static GSocket *new_socket(void)
{
    return g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
}

static void connect_socket(Fixture *f, GSocket *socket)
{
    g_autoptr(GSocketAddress) to =
        g_inet_socket_address_new_from_string("127.0.0.1", http_server_port(f->server));
    g_assert_true(g_socket_connect(socket, to, NULL, NULL));
}

static void expect_answer(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpReply) reply =
        http_client_send(f->client, "GET", f->url, NULL, NULL, NULL, 1000, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(reply->status, ==, 200);
}

static void silent_peers(Fixture *f, gconstpointer data)
{
    g_autoptr(GSocket) first = new_socket(), second = new_socket();
    char byte;

    connect_socket(f, first);
    connect_socket(f, second);
    expect_answer(f);
    g_clear_pointer(&f->server, http_server_stop);
    g_assert_cmpint(g_socket_receive(first, &byte, 1, NULL, NULL), <=, 0);
}

static void no_tls(Fixture *f, gconstpointer data)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    g_autoptr(GSocket) socket = new_socket();
    char bytes[100];
    gssize got;

    connect_socket(f, socket);
    g_assert_cmpint(g_socket_send(socket, text, strlen(text), NULL, NULL), ==, strlen(text));
    while ((got = g_socket_receive(socket, bytes, sizeof bytes, NULL, NULL)) > 0)
        g_assert_cmpint(*bytes, !=, 'H'); /* an alert of TLS, not an answer of HTTP */
    expect_answer(f);
}

static void hang_up_in_the_handshake(Fixture *f, gconstpointer data)
{
    for (int i = 0; i < 100; i++) {
        g_autoptr(GSocket) socket = new_socket();

        connect_socket(f, socket);
        g_socket_send(socket, "\x16\x03\x01", i % 4, NULL, NULL);
    }
    expect_answer(f);
}

enum { MANY = 48 };

static gpointer ask_with_a_client_of_its_own(gpointer data)
{
    const Fixture *f = data;
    HttpTrust trust = {.ca_pem = f->ca->pem};
    g_autoptr(HttpClient) client = http_client_new(&trust, 60, NULL);
    g_autoptr(HttpReply) reply = http_client_send(client, "GET", f->url, NULL, NULL, NULL, 1000, NULL, NULL);

    return GUINT_TO_POINTER(reply ? reply->status : 0);
}

/* More than GLib has threads for handshakes, whose other halves are done in the same process; and peers that
 * say nothing take none of those threads. */
static void many_of_this_process(Fixture *f, gconstpointer data)
{
    GThread *threads[MANY];
    GSocket *silent[MANY];

    for (guint i = 0; i < MANY; i++) {
        silent[i] = new_socket();
        connect_socket(f, silent[i]);
    }
    for (guint i = 0; i < MANY; i++)
        threads[i] = g_thread_new("client", ask_with_a_client_of_its_own, f);
    for (guint i = 0; i < MANY; i++)
        g_assert_cmpuint(GPOINTER_TO_UINT(g_thread_join(threads[i])), ==, 200);
    for (guint i = 0; i < MANY; i++)
        g_object_unref(silent[i]);
}

/* The kernel takes the connection in, and the server cannot. */
static void no_descriptor(Fixture *f, gconstpointer data)
{
    g_autoptr(GSocket) socket = new_socket();
    struct rlimit before, none;
    int next = dup(STDERR_FILENO);

    g_assert_cmpint(next, >, 0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)next;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    connect_socket(f, socket);
    g_usleep(100 * 1000);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
    expect_answer(f);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *, gconstpointer);
    } cases[] = {
        {"peers that begin no handshake hold up neither the others nor the stop", silent_peers},
        {"many clients of the server's own process come in at once", many_of_this_process},
        {"a peer that speaks no TLS is turned away", no_tls},
        {"peers that hang up in the handshake do no harm", hang_up_in_the_handshake},
        {"without a free descriptor it waits and takes in again", no_descriptor},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/net/http_listener/", cases[i].name, NULL);
        g_test_add(path, Fixture, NULL, set_up, cases[i].run, tear_down);
    }
    return g_test_run();
}
