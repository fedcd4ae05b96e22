/* service: turns requests of the data API into questions to the rules. */
#include "policy/service.h"
#include "base/json.h"
#include <string.h>

static const char data_root[] = "/v1/data", batch_root[] = "/v1/batch/data";
enum { BODY_LIMIT = 8 * 1024 * 1024 };

/* ---- answers ------------------------------------------------------------------------------------------- */

static void reply_text(HttpExchange *exchange, guint status, char *text_take)
{
    g_autoptr(GBytes) bytes = g_bytes_new_take(text_take, strlen(text_take));
    http_exchange_reply(exchange, status, "application/json", bytes);
}

static void reply_json(HttpExchange *exchange, guint status, json_t *body_take)
{
    g_autoptr(json_t) body = body_take;
    g_autofree char *text = json_text(body);
    reply_text(exchange, status, g_strconcat(text, "\n", NULL));
}

static void reply_error(HttpExchange *exchange, guint status, const char *code, const char *message)
{
    reply_json(exchange, status, json_pack("{s:s, s:s}", "code", code, "message", message));
}

static char *indented(const char *text)
{
    g_autoptr(json_t) document = json_loads(text, 0, NULL);
    char *dumped = json_dumps(document, JSON_INDENT(2) | JSON_SORT_KEYS),
         *copy = g_strconcat(dumped, "\n", NULL);

    free(dumped);
    return copy;
}

/* Says that rules have changed also where their version has not. */
static void add_tag(HttpExchange *exchange, const Rules *rules)
{
    g_autofree char *tag = g_strdup_printf("\"%s\"", rules_hash(rules));
    http_exchange_add_header(exchange, "ETag", tag);
}

/* ---- questions ----------------------------------------------------------------------------------------- */

static gboolean bad_body(GError **error, const char *why)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "body contains malformed input document: %s", why);
    return FALSE;
}

/* The body as a value; NULL when it is empty. */
static gboolean read_body(HttpExchange *exchange, const Rules *rules, RegoValue **body, GError **error)
{
    gsize size;
    const char *text = g_bytes_get_data(http_exchange_body(exchange), &size);
    char *why = NULL;

    *body = NULL;
    if (!size)
        return TRUE;
    *body = rules_parse_request(rules, text, size, &why);
    if (!*body)
        bad_body(error, why);
    else if (!rego_value_is_object(*body) && !rego_value_is_null(*body)) {
        g_clear_pointer(body, rego_value_free);
        bad_body(error, "not a JSON object; send {\"input\": …}");
    }
    rego_string_free(why);
    return *body != NULL;
}

/* input of a POST's body, or of a GET's query; NULL when there is none. */
static gboolean read_input(HttpExchange *exchange, const Rules *rules, RegoValue **input, GError **error)
{
    g_autoptr(RegoValue) body = NULL;
    const char *parameter = http_exchange_query(exchange, "input");
    char *why = NULL;

    *input = NULL;
    if (!strcmp(http_exchange_method(exchange), "GET")) {
        if (parameter && !(*input = rego_value_parse(parameter, strlen(parameter), &why)))
            bad_body(error, why);
        rego_string_free(why);
        return !parameter || *input;
    }
    if (!read_body(exchange, rules, &body, error))
        return FALSE;
    *input = body ? rego_value_member(body, "input") : NULL;
    if (*input && rego_value_is_null(*input))
        g_clear_pointer(input, rego_value_free);
    return TRUE;
}

/* {"result": VALUE, "warning": …} as text. */
static char *envelope(const char *value, gboolean warn)
{
    static const char warning[] =
        "\"warning\":{\"code\":\"api_usage_warning\",\"message\":\"'input' key missing from "
        "the request\"}";

    return g_strconcat("{", value ? "\"result\":" : "", value ? value : "", value && warn ? "," : "",
                       warn ? warning : "", "}\n", NULL);
}

static void answer_data(HttpExchange *exchange, Rules *rules, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RegoValue) input = NULL;
    g_autofree char *value = NULL, *text = NULL;
    gboolean is_get = !strcmp(http_exchange_method(exchange), "GET");

    if (!read_input(exchange, rules, &input, &error)) {
        reply_error(exchange, 400, "invalid_parameter", error->message);
        return;
    }
    if (!rules_evaluate(rules, path, input, &value, &error)) {
        reply_error(exchange, 500, "internal_error", error->message);
        return;
    }
    add_tag(exchange, rules);
    text = envelope(value, !is_get && !input);
    reply_text(exchange, 200,
               http_exchange_query(exchange, "pretty") ? indented(text) : g_steal_pointer(&text));
}

/* ---- many at once -------------------------------------------------------------------------------------- */

typedef struct {
    Rules *rules;
    const char *path;
    const RegoValue *common; /* may be NULL */
    GString *out;
    guint good, failed;
} Batch;

static void append_failure(GString *out, const char *message)
{
    g_autoptr(json_t) failure =
        json_pack("{s:s, s:s, s:s}", "code", "internal_error", "http_status_code", "500", "message", message);
    g_autofree char *text = json_text(failure);
    g_string_append(out, text);
}

static void answer_one(const char *name, const RegoValue *input, gpointer user_data)
{
    Batch *batch = user_data;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) key = json_string(name);
    g_autofree char *value = NULL, *quoted = key ? json_text(key) : g_strdup("\"\"");
    g_autoptr(RegoValue) whole = batch->common ? rego_value_merge(batch->common, input) : NULL;
    gboolean good = rules_evaluate(batch->rules, batch->path, whole ? whole : input, &value, &error);

    g_string_append_printf(batch->out, "%s%s:", batch->good + batch->failed ? "," : "", quoted);
    if (good)
        g_string_append_printf(batch->out, "{\"http_status_code\":\"200\"%s%s}", value ? ",\"result\":" : "",
                               value ? value : "");
    else
        append_failure(batch->out, error->message);
    batch->good += good;
    batch->failed += !good;
}

static void answer_batch(HttpExchange *exchange, Rules *rules, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RegoValue) body = NULL;
    g_autoptr(RegoValue) inputs = NULL;
    g_autoptr(RegoValue) common = NULL;
    Batch batch = {.rules = rules, .path = path};

    if (!read_body(exchange, rules, &body, &error)) {
        reply_error(exchange, 400, "invalid_parameter", error->message);
        return;
    }
    inputs = body ? rego_value_member(body, "inputs") : NULL;
    if (!inputs || !rego_value_is_object(inputs)) {
        reply_error(exchange, 400, "invalid_parameter",
                    "inputs: an object of input documents by name is needed");
        return;
    }
    batch.common = common = rego_value_member(body, "common_input");
    batch.out = g_string_new("{\"responses\":{");
    rego_value_each(inputs, answer_one, &batch);
    g_string_append(batch.out, "}}\n");
    add_tag(exchange, rules);
    reply_text(exchange, !batch.failed ? 200 : batch.good ? 207 : 500, g_string_free(batch.out, FALSE));
}

/* ---- routes -------------------------------------------------------------------------------------------- */

static void answer_problems(HttpExchange *exchange, Rules *rules)
{
    g_autoptr(GPtrArray) problems = rules_problems(rules);
    json_t *list = json_array();

    for (guint i = 0; i < problems->len; i++)
        json_array_append_new(list, json_string(problems->pdata[i]));
    reply_json(exchange, 200, json_pack("{s:o}", "problems", list));
}

/* What comes after root in path: "a/b" of "/v1/data/a/b/"; NULL: path is another. */
static char *below(const char *path, const char *root)
{
    const char *rest = path + strlen(root);
    char *copy;

    if (!g_str_has_prefix(path, root) || (*rest && *rest != '/'))
        return NULL;
    copy = g_strdup(rest + strspn(rest, "/"));
    while (g_str_has_suffix(copy, "/"))
        copy[strlen(copy) - 1] = 0;
    return copy;
}

static void answer(HttpExchange *exchange, Rules *rules)
{
    const char *path = http_exchange_path(exchange), *method = http_exchange_method(exchange);
    g_autofree char *data = below(path, data_root), *batch = below(path, batch_root);
    gboolean is_get = !strcmp(method, "GET"), is_post = !strcmp(method, "POST");

    if (!strcmp(path, "/health"))
        reply_json(exchange, 200, json_object());
    else if (is_get && !strcmp(path, "/v1/problems"))
        answer_problems(exchange, rules);
    else if (!data && !batch)
        reply_error(exchange, 404, "resource_not_found",
                    "only /v1/data/PATH, /v1/problems and /health are served");
    else if ((!is_get || batch) && !is_post)
        reply_error(exchange, 405, "method_not_allowed",
                    "GET and POST read a document; rules are files and are not changed here");
    else if (batch)
        answer_batch(exchange, rules, batch);
    else
        answer_data(exchange, rules, data);
}

static void handle(HttpExchange *exchange, gpointer user_data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Rules) rules = rule_watch_get(user_data, &error);

    if (rules)
        answer(exchange, rules);
    else
        reply_error(exchange, 500, "internal_error", error->message);
}

HttpServer *validation_service_start(RuleWatch *watch, const char *listen, const char *cert_pem,
                                     const char *key_pem, GError **error)
{
    const HttpServerOptions options = {.listen = listen,
                                       .cert_pem = cert_pem,
                                       .key_pem = key_pem,
                                       .body_limit = BODY_LIMIT,
                                       .workers = 4,
                                       .handler = handle,
                                       .user_data = watch};
    return http_server_start(&options, error);
}
