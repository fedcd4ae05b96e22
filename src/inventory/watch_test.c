/* watch: what a client gets that reads, and one that does not. */
#include "inventory/watch.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder, *path;
    Database *database;
    WatchHub *hub;
    HttpServer *server;
    gboolean with_snapshot;
    gint watching; /* atomic */
    GSocketConnection *client;
    GString *read;
} Fixture;

static void ignore(const Row *before, const Row *after, gpointer unused) {}

static void answer(HttpExchange *exchange, gpointer user_data)
{
    Fixture *f = user_data;

    watch_hub_add(f->hub, exchange, "VM", NULL,
                  f->with_snapshot ? database_snapshot(f->database, NULL) : NULL);
    g_atomic_int_set(&f->watching, TRUE);
}

static Row a_vm(const char *id, const char *full)
{
    return (Row){.kind = "VM",
                 .id = id,
                 .name = id,
                 .parent_kind = "",
                 .parent_id = "",
                 .base = "\"id\":1",
                 .brief = "\"disks\":[]",
                 .full = full,
                 .concerns = "[]",
                 .revision = 1};
}

static void set_up(Fixture *f, gconstpointer with_snapshot)
{
    HttpServerOptions options = {.listen = "127.0.0.1:0", .handler = answer, .user_data = f};
    Row row = a_vm("vm-1", "\"memoryMB\":64");

    f->folder = g_dir_make_tmp("gantry-watch-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "uid.db", NULL);
    f->database = database_open(f->path, NULL);
    g_assert_true(database_begin(f->database, NULL) && database_put(f->database, &row, ignore, NULL, NULL) &&
                  database_commit(f->database, NULL));
    f->hub = watch_hub_new(&provider_type_vsphere, "u1");
    f->server = http_server_start(&options, NULL);
    f->with_snapshot = with_snapshot != NULL;
    f->read = g_string_new(NULL);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_clear_object(&f->client);
    watch_hub_free(f->hub);
    http_server_stop(f->server);
    database_close(f->database);
    database_remove(f->path);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
    g_string_free(f->read, TRUE);
}

static void begin_watch(Fixture *f)
{
    static const char hello[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
                                "websocket\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    g_autoptr(GSocketClient) client = g_socket_client_new();
    GOutputStream *out;

    f->client = g_socket_client_connect_to_host(client, "127.0.0.1", http_server_port(f->server), NULL, NULL);
    out = g_io_stream_get_output_stream(G_IO_STREAM(f->client));
    g_assert_true(g_output_stream_write_all(out, hello, strlen(hello), NULL, NULL, NULL));
    while (!g_atomic_int_get(&f->watching))
        g_usleep(1000);
}

static void commit(Fixture *f, gsize size)
{
    g_autofree char *fill = g_strnfill(size, 'x'), *full = g_strdup_printf("\"name2\":\"%s\"", fill);
    g_autoptr(Snapshot) snapshot = database_snapshot(f->database, NULL);
    WatchCommit *changes = watch_commit_new(f->hub, NULL);
    Row before = a_vm("vm-1", "\"memoryMB\":64"), after = a_vm("vm-1", full);

    watch_commit_add(changes, &before, &after);
    watch_commit_send(changes, snapshot);
}

/* FALSE: the server has hung up. */
static gboolean read_some(Fixture *f)
{
    static char buffer[64 * 1024];
    gssize got = g_input_stream_read(g_io_stream_get_input_stream(G_IO_STREAM(f->client)), buffer,
                                     sizeof buffer, NULL, NULL);
    if (got > 0)
        g_string_append_len(f->read, buffer, got);
    return got > 0;
}

static const char *find(Fixture *f, const char *text)
{
    return memmem(f->read->str, f->read->len, text, strlen(text));
}

static void a_snapshot_comes_before_parity_and_changes_after(Fixture *f, gconstpointer unused)
{
    begin_watch(f);
    commit(f, 10);
    while (!find(f, "\"Action\":32"))
        g_assert_true(read_some(f));
    g_assert_true(find(f, "\"Action\":0") < find(f, "\"Action\":16"));
    g_assert_true(find(f, "\"Action\":16") < find(f, "\"Action\":1,"));
    g_assert_true(find(f, "\"Action\":1,") < find(f, "\"Action\":32"));
}

static void one_that_does_not_read_is_given_up(Fixture *f, gconstpointer unused)
{
    begin_watch(f);
    for (int i = 0; i < 200 && watch_hub_wants(f->hub, "VM"); i++)
        commit(f, 1024 * 1024);
    g_assert_false(watch_hub_wants(f->hub, "VM"));

    /* When it reads on it learns why. */
    while (!find(f, "reads too slowly"))
        g_assert_true(read_some(f));
    g_assert_cmpuint(f->read->len, <, 40 * 1024 * 1024);
    g_assert_nonnull(find(f, "\"Action\":2,"));
    g_assert_nonnull(find(f, "\"Action\":4,"));
}

static void one_that_reads_gets_everything(Fixture *f, gconstpointer unused)
{
    begin_watch(f);
    for (int i = 1; i <= 60; i++) {
        gsize size = f->read->len + 1000 * 1000;
        commit(f, 1000 * 1000);
        while (f->read->len < size)
            g_assert_true(read_some(f));
    }
    g_assert_true(watch_hub_wants(f->hub, "VM"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, run, data) g_test_add("/inventory/watch/" name, Fixture, data, set_up, run, tear_down)
    TEST("a snapshot comes before parity, and changes after",
         a_snapshot_comes_before_parity_and_changes_after, "snapshot");
    TEST("one that does not read is given up", one_that_does_not_read_is_given_up, NULL);
    TEST("one that reads gets everything", one_that_reads_gets_everything, NULL);
    return g_test_run();
}
