/* scripted_server: a table of answers behind net/http_server. */
#include "kube/scripted_server.h"
#include "net/certificate.h"
#include "net/http_server.h"
#include <string.h>

struct ScriptedServer {
    HttpServer *http;
    Certificate *ca, *own;
    char *url;
    guint port;

    GMutex lock;
    GCond watched;
    GHashTable *answers; /* "METHOD PATH" → Answer */
    GPtrArray *watches;  /* of HttpStream */
    GPtrArray *targets;  /* of char *, all so far */
    guint put_off;       /* so many more are */
    const char *retry_after;
    char *last_method, *last_body;
    GHashTable *last_headers;
};

typedef struct {
    guint status;
    char *body;
} Answer;

static void answer_free(Answer *answer)
{
    g_free(answer->body);
    g_free(answer);
}

static void remember(ScriptedServer *server, HttpExchange *exchange)
{
    static const char *const headers[] = {"authorization", "content-type", "accept"};
    gsize size;
    const char *body = g_bytes_get_data(http_exchange_body(exchange), &size);

    g_free(server->last_method);
    server->last_method = g_strdup(http_exchange_method(exchange));
    g_free(server->last_body);
    server->last_body = g_strndup(body ? body : "", size);
    g_ptr_array_add(server->targets, g_strdup(http_exchange_target(exchange)));
    g_hash_table_remove_all(server->last_headers);
    for (gsize i = 0; i < G_N_ELEMENTS(headers); i++)
        g_hash_table_insert(server->last_headers, (gpointer)headers[i],
                            g_strdup(http_exchange_header(exchange, headers[i])));
}

static void handle(HttpExchange *exchange, gpointer data)
{
    ScriptedServer *server = data;
    g_autofree char *key =
        g_strdup_printf("%s %s", http_exchange_method(exchange), http_exchange_path(exchange));
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);
    const Answer *answer = g_hash_table_lookup(server->answers, key);
    g_autofree char *watch_key = g_strconcat("WATCH ", http_exchange_path(exchange), NULL);

    remember(server, exchange);
    if (server->put_off) {
        server->put_off--;
        if (server->retry_after)
            http_exchange_add_header(exchange, "Retry-After", server->retry_after);
        http_exchange_reply_text(exchange, 429, "text/plain", "too many requests");
        return;
    }
    if (!g_strcmp0(http_exchange_query(exchange, "watch"), "true")) {
        const Answer *refusal = g_hash_table_lookup(server->answers, watch_key);
        if (refusal && refusal->status != 200) {
            http_exchange_reply_text(exchange, refusal->status, "application/json", refusal->body);
            return;
        }
        g_ptr_array_add(server->watches, http_exchange_stream(exchange, 200, "application/json"));
        g_cond_broadcast(&server->watched);
        return;
    }
    if (answer)
        http_exchange_reply_text(exchange, answer->status, "application/json", answer->body);
    else
        http_exchange_reply_text(exchange, 404, "text/plain", "no such page");
}

static void listen_on(ScriptedServer *server, guint port)
{
    g_autofree char *address = g_strdup_printf("127.0.0.1:%u", port);
    HttpServerOptions options = {.listen = address,
                                 .cert_pem = server->own->pem,
                                 .key_pem = server->own->key_pem,
                                 .handler = handle,
                                 .user_data = server};
    g_autoptr(GError) error = NULL;

    server->http = http_server_start(&options, &error);
    g_assert_no_error(error);
}

ScriptedServer *scripted_server_start(void)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    ScriptedServer *server = g_new0(ScriptedServer, 1);

    server->ca = certificate_new_authority("scripted CA", NULL);
    server->own = certificate_issue(server->ca, names, 1, NULL);
    server->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)answer_free);
    server->watches = g_ptr_array_new_with_free_func((GDestroyNotify)http_stream_unref);
    server->targets = g_ptr_array_new_with_free_func(g_free);
    server->last_headers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_mutex_init(&server->lock);
    g_cond_init(&server->watched);
    listen_on(server, 0);
    server->port = http_server_port(server->http);
    server->url = g_strdup_printf("https://127.0.0.1:%u", server->port);
    return server;
}

void scripted_server_pause(ScriptedServer *server)
{
    g_clear_pointer(&server->http, http_server_stop);
    scripted_server_end_watches(server);
}

void scripted_server_resume(ScriptedServer *server)
{
    listen_on(server, server->port);
}

void scripted_server_stop(ScriptedServer *server)
{
    scripted_server_pause(server);
    certificate_free(server->ca);
    certificate_free(server->own);
    g_hash_table_unref(server->answers);
    g_ptr_array_unref(server->watches);
    g_ptr_array_unref(server->targets);
    g_hash_table_unref(server->last_headers);
    g_free(server->last_method);
    g_free(server->last_body);
    g_free(server->url);
    g_mutex_clear(&server->lock);
    g_cond_clear(&server->watched);
    g_free(server);
}

const char *scripted_server_url(const ScriptedServer *server)
{
    return server->url;
}
const char *scripted_server_ca(const ScriptedServer *server)
{
    return server->ca->pem;
}

/* JSON is easier to read in C with single quotes. */
static char *unquote(const char *text)
{
    return g_strdelimit(g_strdup(text), "'", '"');
}

void scripted_server_answer(ScriptedServer *server, const char *method, const char *path, guint status,
                            const char *body)
{
    Answer *answer = g_new0(Answer, 1);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);

    answer->status = status;
    answer->body = unquote(body);
    g_hash_table_replace(server->answers, g_strdup_printf("%s %s", method, path), answer);
}

void scripted_server_put_off(ScriptedServer *server, guint requests, const char *retry_after)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);

    server->put_off = requests;
    server->retry_after = retry_after;
}

void scripted_server_wait_watch(ScriptedServer *server)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);

    while (server->watches->len == 0)
        g_assert_true(g_cond_wait_until(&server->watched, &server->lock, deadline));
}

void scripted_server_send(ScriptedServer *server, const char *line)
{
    g_autofree char *text = unquote(line);
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    scripted_server_wait_watch(server);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);
    for (guint i = 0; i < server->watches->len; i++)
        http_stream_send(server->watches->pdata[i], bytes);
}

void scripted_server_end_watches(ScriptedServer *server)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);

    for (guint i = 0; i < server->watches->len; i++)
        http_stream_end(server->watches->pdata[i]);
    g_ptr_array_set_size(server->watches, 0);
}

char *scripted_server_last(ScriptedServer *server)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);
    return g_strdup_printf("%s %s", server->last_method,
                           (char *)server->targets->pdata[server->targets->len - 1]);
}

char *scripted_server_last_body(ScriptedServer *server)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);
    return g_strdup(server->last_body);
}

char *scripted_server_last_header(ScriptedServer *server, const char *name)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);
    return g_strdup(g_hash_table_lookup(server->last_headers, name));
}

guint scripted_server_count(ScriptedServer *server, const char *target_part)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&server->lock);
    guint count = 0;

    for (guint i = 0; i < server->targets->len; i++)
        count += strstr(server->targets->pdata[i], target_part) != NULL;
    return count;
}
