/* http_exchange: a request, and a whole answer to it. */
#include "net/http_server_parts.h"
#include <string.h>

static void exchange_free(gpointer data)
{
    HttpExchange *x = data;

    g_object_unref(x->message);
    g_object_unref(x->peer);
    g_clear_pointer(&x->query, g_hash_table_unref);
    g_clear_pointer(&x->body, g_bytes_unref);
    g_clear_pointer(&x->reply, g_bytes_unref);
    g_clear_pointer(&x->reply_headers, g_ptr_array_unref);
    g_clear_object(&x->cancel);
    g_free(x->content_type);
    g_free(x->path);
    g_free(x->target);
    http_server_unref(x->server);
    g_free(x);
}

HttpExchange *http_exchange_ref(HttpExchange *x)
{
    g_atomic_int_inc(&x->refs);
    return x;
}

/* libsoup's objects die on the server's thread. */
void http_exchange_unref(HttpExchange *x)
{
    if (!g_atomic_int_dec_and_test(&x->refs))
        return;
    if (g_main_context_is_owner(x->server->context))
        exchange_free(x);
    else
        http_server_call(x->server, exchange_free, x);
}

void http_exchange_gone(HttpExchange *x)
{
    if (x->gone)
        return;
    x->gone = TRUE;
    g_signal_handlers_disconnect_by_data(x->message, x);
    g_hash_table_remove(x->server->live, x);
    http_connection_count(x->peer, -1);
    http_connection_close_if_hung_up(x->peer);
    if (x->stream)
        http_stream_peer_gone(x->stream);
    g_cancellable_cancel(x->cancel);
    http_exchange_unref(x);
}

/* ---- the request ---- */

const char *http_exchange_method(const HttpExchange *x)
{
    return soup_server_message_get_method(x->message);
}
const char *http_exchange_path(const HttpExchange *x)
{
    return x->path;
}
const char *http_exchange_target(const HttpExchange *x)
{
    return x->target;
}
GBytes *http_exchange_body(const HttpExchange *x)
{
    return x->body;
}
GCancellable *http_exchange_cancellable(const HttpExchange *x)
{
    return x->cancel;
}

const char *http_exchange_remote(const HttpExchange *x)
{
    const char *host = soup_server_message_get_remote_host(x->message);
    return host ? host : "";
}

static char *query_decode(const char *text, gsize size)
{
    g_autofree char *copy = g_strndup(text, size);
    char *plain;

    for (char *c = copy; *c; c++)
        if (*c == '+')
            *c = ' ';
    plain = g_uri_unescape_string(copy, NULL);
    return plain ? plain : g_steal_pointer(&copy);
}

static GHashTable *query_parse(const char *target)
{
    GHashTable *query =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    const char *at = strchr(target, '?');

    while (at && *++at) {
        gsize size = strcspn(at, "&");
        gsize name_size = strcspn(at, "=&");
        char *name = query_decode(at, name_size);
        GPtrArray *values = g_hash_table_lookup(query, name);

        if (!values) {
            values = g_ptr_array_new_with_free_func(g_free);
            g_hash_table_insert(query, name, values);
        } else {
            g_free(name);
        }
        g_ptr_array_add(values, name_size < size ? query_decode(at + name_size + 1, size - name_size - 1)
                                                 : g_strdup(""));
        at = at[size] ? at + size : NULL;
    }
    return query;
}

static GPtrArray *query_values(const HttpExchange *exchange, const char *name)
{
    HttpExchange *x = (HttpExchange *)exchange;
    if (!x->query)
        x->query = query_parse(x->target);
    return g_hash_table_lookup(x->query, name);
}

const char *http_exchange_query(const HttpExchange *x, const char *name)
{
    GPtrArray *values = query_values(x, name);
    return values ? g_ptr_array_index(values, 0) : NULL;
}

GPtrArray *http_exchange_query_all(const HttpExchange *x, const char *name)
{
    GPtrArray *values = query_values(x, name);
    GPtrArray *copy = g_ptr_array_new();

    for (guint i = 0; values && i < values->len; i++)
        g_ptr_array_add(copy, g_ptr_array_index(values, i));
    return copy;
}

const char *http_exchange_header(const HttpExchange *x, const char *name)
{
    return soup_message_headers_get_list(soup_server_message_get_request_headers(x->message), name);
}

void http_exchange_add_header(HttpExchange *x, const char *name, const char *value)
{
    if (!x->reply_headers)
        x->reply_headers = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(x->reply_headers, g_strdup(name));
    g_ptr_array_add(x->reply_headers, g_strdup(value));
}

/* ---- a whole answer ---- */

static GBytes *gzip(GBytes *plain)
{
    g_autoptr(GZlibCompressor) compressor = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1);
    g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
    g_autoptr(GOutputStream) out = g_converter_output_stream_new(memory, G_CONVERTER(compressor));

    g_output_stream_write_all(out, g_bytes_get_data(plain, NULL), g_bytes_get_size(plain), NULL, NULL, NULL);
    g_output_stream_close(out, NULL, NULL);
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}

static gboolean accepts_gzip(const HttpExchange *x)
{
    const char *accept = http_exchange_header(x, "Accept-Encoding");
    const char *at = accept ? strstr(accept, "gzip") : NULL;
    return at && !g_str_has_prefix(at, "gzip;q=0,") && strcmp(at, "gzip;q=0") != 0;
}

void http_exchange_head(HttpExchange *x)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(x->message);

    soup_server_message_set_status(x->message, x->status, NULL);
    if (x->content_type)
        soup_message_headers_replace(headers, "Content-Type", x->content_type);
    for (guint i = 0; x->reply_headers && i < x->reply_headers->len; i += 2)
        soup_message_headers_append(headers, g_ptr_array_index(x->reply_headers, i),
                                    g_ptr_array_index(x->reply_headers, i + 1));
}

static void answer_whole(gpointer data)
{
    HttpExchange *x = data;

    if (!x->gone) {
        http_exchange_head(x);
        if (x->reply && g_bytes_get_size(x->reply) > 0)
            soup_message_body_append_bytes(soup_server_message_get_response_body(x->message), x->reply);
        soup_server_message_unpause(x->message);
    }
    http_exchange_unref(x);
}

void http_exchange_reply(HttpExchange *x, guint status, const char *content_type, GBytes *body)
{
    g_return_if_fail(x->answer == OPEN);
    x->answer = ANSWERED;
    x->status = status;
    x->content_type = g_strdup(content_type);
    if (body && x->server->gzip_from && g_bytes_get_size(body) >= x->server->gzip_from && accepts_gzip(x)) {
        x->reply = gzip(body);
        http_exchange_add_header(x, "Content-Encoding", "gzip");
        http_exchange_add_header(x, "Vary", "Accept-Encoding");
    } else if (body) {
        x->reply = g_bytes_ref(body);
    }
    http_server_call(x->server, answer_whole, http_exchange_ref(x));
}

void http_exchange_reply_text(HttpExchange *x, guint status, const char *content_type, const char *text)
{
    g_autoptr(GBytes) body = g_bytes_new(text, strlen(text));
    http_exchange_reply(x, status, content_type, body);
}
