/* webhook: AdmissionReview in, the rules, AdmissionReview out. */
#include "admission/webhook.h"
#include <string.h>

#define REVIEW_VERSION "admission.k8s.io/v1"

enum { BODY_LIMIT = 4 << 20, UNPROCESSABLE = 422, FORBIDDEN = 403 };

static const json_t *check_review(const json_t *review, GError **error)
{
    const json_t *request = json_object_get(review, "request");

    if (strcmp(json_string_at(review, "apiVersion", ""), REVIEW_VERSION) ||
        strcmp(json_string_at(review, "kind", ""), "AdmissionReview"))
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "apiVersion and kind: must be %s AdmissionReview",
                    REVIEW_VERSION);
    else if (!json_is_object(request) || !*json_string_at(request, "uid", ""))
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "request.uid: must name the request");
    else
        return request;
    return NULL;
}

static json_t *refusal(const GError *problem)
{
    gboolean invalid = g_error_matches(problem, GANTRY_ERROR, ERROR_BAD_INPUT) ||
                       g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_INVALID);

    return json_pack("{s:i, s:s, s:s}", "code", invalid ? UNPROCESSABLE : FORBIDDEN, "reason",
                     invalid ? "Invalid" : "Forbidden", "message", problem->message);
}

/* A JSON patch in base64 for what the rules have changed; NULL: nothing. They change no more than spec. */
static char *patch_of(const json_t *before, const json_t *after)
{
    json_t *spec = json_object_get(after, "spec"), *old = json_object_get(before, "spec");
    g_autoptr(json_t) patch = NULL;
    g_autofree char *text = NULL;

    if (!spec || (old && json_equal(old, spec)))
        return NULL;
    patch = json_pack("[{s:s, s:s, s:O}]", "op", old ? "replace" : "add", "path", "/spec", "value", spec);
    text = json_text(patch);
    return g_base64_encode((guchar *)text, strlen(text));
}

static json_t *object_or_null(const json_t *request, const char *key)
{
    json_t *object = json_object_get(request, key);
    return json_is_object(object) ? object : NULL;
}

static json_t *respond(const json_t *request, gboolean mutate, const WebhookStore *store)
{
    const json_t *before = object_or_null(request, "oldObject"), *sent = object_or_null(request, "object");
    g_autoptr(json_t) object = sent ? json_deep_copy(sent) : NULL;
    g_autoptr(GError) problem = NULL;
    g_autofree char *patch = NULL;
    AdmissionRequest asked = {.operation = json_string_at(request, "operation", ""),
                              .resource = json_string_at(request, "resource.resource", ""),
                              .user = json_string_at(request, "userInfo.username", ""),
                              .before = before,
                              .object = object,
                              .look = store->look,
                              .store = store->store};
    gboolean whole = !*json_string_at(request, "subResource", "") && (object || before);
    gboolean allowed = !whole || admission_review(&asked, &problem);
    json_t *response = json_pack("{s:s, s:b}", "uid", json_string_at(request, "uid", ""), "allowed", allowed);

    if (!allowed)
        json_object_set_new(response, "status", refusal(problem));
    else if (mutate && whole && object && (patch = patch_of(sent, object)))
        json_object_update_new(response, json_pack("{s:s, s:s}", "patchType", "JSONPatch", "patch", patch));
    return response;
}

json_t *webhook_answer(const json_t *review, gboolean mutate, const WebhookStore *store, GError **error)
{
    const json_t *request = check_review(review, error);

    return request ? json_pack("{s:s, s:s, s:o}", "apiVersion", REVIEW_VERSION, "kind", "AdmissionReview",
                               "response", respond(request, mutate, store))
                   : NULL;
}

/* ---- HTTP ---- */

static void answer(HttpExchange *exchange, gpointer user_data)
{
    const char *path = http_exchange_path(exchange);
    gboolean mutate = !strcmp(path, "/mutate");
    gsize size;
    const char *body = g_bytes_get_data(http_exchange_body(exchange), &size);
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) review = NULL, reply = NULL;
    g_autofree char *text = NULL;

    if (!mutate && strcmp(path, "/validate")) {
        http_exchange_reply_text(exchange, 404, "text/plain", "POST /mutate or /validate\n");
        return;
    }
    if (strcmp(http_exchange_method(exchange), "POST")) {
        http_exchange_add_header(exchange, "Allow", "POST");
        http_exchange_reply_text(exchange, 405, "text/plain", "POST an AdmissionReview\n");
        return;
    }
    review = json_parse(body, size, BODY_LIMIT, "AdmissionReview", &problem);
    reply = review ? webhook_answer(review, mutate, user_data, &problem) : NULL;
    if (!reply) {
        http_exchange_reply_text(exchange, 400, "text/plain", problem->message);
        return;
    }
    text = json_text(reply);
    http_exchange_reply_text(exchange, 200, "application/json", text);
}

HttpServer *webhook_start(const char *listen, const char *cert_pem, const char *key_pem,
                          const WebhookStore *store, GError **error)
{
    HttpServerOptions options = {.listen = listen,
                                 .cert_pem = cert_pem,
                                 .key_pem = key_pem,
                                 .body_limit = BODY_LIMIT,
                                 .workers = 4,
                                 .handler = answer,
                                 .user_data = (gpointer)store};
    return http_server_start(&options, error);
}
