/* service: turns requests of the data API into questions to the rules. */
#include "policy/service.h"
#include <string.h>

static const char data_root[] = "/v1/data/";
enum { BODY_LIMIT = 8 * 1024 * 1024 };

static void reply_json(HttpExchange *exchange, guint status, json_t *body_take)
{
    g_autoptr(json_t) body = body_take;
    gboolean pretty = http_exchange_query(exchange, "pretty") != NULL;
    char *text = json_dumps(body, pretty ? JSON_INDENT(2) | JSON_SORT_KEYS : JSON_COMPACT | JSON_SORT_KEYS);
    g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(text, strlen(text), free, text);

    http_exchange_reply(exchange, status, "application/json", bytes);
}

static void reply_error(HttpExchange *exchange, guint status, const char *code, const char *message)
{
    reply_json(exchange, status, json_pack("{s:s, s:s}", "code", code, "message", message));
}

/* The input of a POST, a new reference in *input; NULL when the body is empty. */
static gboolean read_input(HttpExchange *exchange, json_t **input, GError **error)
{
    gsize size;
    const char *text = g_bytes_get_data(http_exchange_body(exchange), &size);

    *input = NULL;
    if (!size)
        return TRUE;
    g_autoptr(json_t) body = json_parse(text, size, BODY_LIMIT, "body", error);
    if (!body)
        return FALSE;
    *input = json_incref(json_object_get(body, "input"));
    return TRUE;
}

static void answer_data(HttpExchange *exchange, Rules *rules, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) input = NULL;
    json_t *value = NULL;

    if (!read_input(exchange, &input, &error)) {
        reply_error(exchange, 400, "invalid_parameter", error->message);
        return;
    }
    if (!rules_evaluate(rules, path, input, &value, &error)) {
        reply_error(exchange, 500, "internal_error", error->message);
        return;
    }
    /* Says that rules have changed also where their version has not. */
    g_autofree char *tag = g_strdup_printf("\"%s\"", rules_hash(rules));
    http_exchange_add_header(exchange, "ETag", tag);
    reply_json(exchange, 200, value ? json_pack("{s:o}", "result", value) : json_object());
}

static void handle(HttpExchange *exchange, gpointer user_data)
{
    const char *path = http_exchange_path(exchange), *method = http_exchange_method(exchange);

    if (!strcmp(path, "/health"))
        reply_json(exchange, 200, json_object());
    else if (!g_str_has_prefix(path, data_root))
        reply_error(exchange, 404, "resource_not_found", "only /v1/data/PATH and /health are served");
    else if (strcmp(method, "GET") && strcmp(method, "POST"))
        reply_error(exchange, 405, "method_not_allowed",
                    "GET and POST read a document; rules are files and are not changed here");
    else
        answer_data(exchange, user_data, path + strlen(data_root));
}

HttpServer *validation_service_start(Rules *rules, const char *listen, const char *cert_pem,
                                     const char *key_pem, GError **error)
{
    const HttpServerOptions options = {.listen = listen,
                                       .cert_pem = cert_pem,
                                       .key_pem = key_pem,
                                       .body_limit = BODY_LIMIT,
                                       .workers = 4,
                                       .handler = handle,
                                       .user_data = rules};
    return http_server_start(&options, error);
}
