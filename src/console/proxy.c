/* proxy: a request's method, path, query and body go on; cookies and other headers do not. */
#include "console/proxy.h"
#include "console/rights.h"
#include <string.h>

enum { CERTIFICATE_TIMEOUT_S = 10 };

#define MOST_REPLY (64 << 20)

void proxy_reply_json(HttpExchange *x, guint status, json_t *json)
{
    g_autoptr(json_t) owned = json;
    char *text = json_text(owned);
    g_autoptr(GBytes) body = g_bytes_new_take(text, strlen(text));

    http_exchange_add_header(x, "Cache-Control", "no-store");
    http_exchange_reply(x, status, "application/json", body);
}

void proxy_reply_status(HttpExchange *x, guint code, const char *reason, const char *message)
{
    proxy_reply_json(x, code,
                     json_pack("{ss ss ss ss ss si}", "kind", "Status", "apiVersion", "v1", "status",
                               "Failure", "reason", reason, "message", message, "code", (int)code));
}

static const char *query_of(const HttpExchange *x)
{
    const char *query = strchr(http_exchange_target(x), '?');
    return query ? query : "";
}

/* What the browser may see of a Secret. */
static GBytes *without_data(GBytes *body)
{
    g_autoptr(json_t) json =
        json_parse(g_bytes_get_data(body, NULL), g_bytes_get_size(body), MOST_REPLY, "the Secret", NULL);
    char *text;

    json_object_del(json, "data");
    json_object_del(json, "stringData");
    if (json_at(json, "metadata.annotations"))
        json_object_del(json_at(json, "metadata"), "annotations");
    json_object_del(json_at(json, "metadata"), "managedFields");
    text = json ? json_text(json) : g_strdup("{}");
    return g_bytes_new_take(text, strlen(text));
}

static void forward(HttpExchange *x, HttpClient *client, const char *url, const char *bearer, gboolean secret)
{
    const char *sent_type = http_exchange_header(x, "Content-Type");
    const char *accept = http_exchange_header(x, "Accept");
    const char *headers[] = {"Authorization", bearer, "Accept", accept ? accept : "application/json", NULL};
    GBytes *body = http_exchange_body(x);
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpReply) reply = http_client_send(
        client, http_exchange_method(x), url, headers, g_bytes_get_size(body) ? sent_type : NULL,
        g_bytes_get_size(body) ? body : NULL, MOST_REPLY, http_exchange_cancellable(x), &error);
    g_autoptr(GBytes) answer = NULL;
    const char *type, *total;

    if (!reply) {
        proxy_reply_status(x, 502, error_reason(error), error->message);
        return;
    }
    type = g_hash_table_lookup(reply->headers, "content-type");
    total = g_hash_table_lookup(reply->headers, "x-total-count"); /* of a page of the inventory */
    answer = secret && reply->status < 300 ? without_data(reply->body) : g_bytes_ref(reply->body);
    http_exchange_add_header(x, "Cache-Control", "no-store");
    if (total)
        http_exchange_add_header(x, "X-Total-Count", total);
    /* Whatever a peer sends, a browser must not run it as a page of ours. */
    http_exchange_reply(
        x, reply->status,
        type && g_str_has_prefix(type, "application/json") ? type : "text/plain; charset=utf-8", answer);
}

void proxy_cluster(const SessionPeers *peers, HttpExchange *x, const Session *session, const char *rest)
{
    g_autofree char *path = rights_path(http_exchange_method(x), rest, peers->ns);
    g_autofree char *url = NULL;

    if (!path || http_exchange_query(x, "watch") || http_exchange_query(x, "follow")) {
        g_autofree char *why =
            g_strdup_printf("The console does not pass on %s %s.", http_exchange_method(x), rest);
        proxy_reply_status(x, 403, "Forbidden", why);
        return;
    }
    url = g_strconcat(peers->api, path, query_of(x), NULL);
    forward(x, session_api(session), url, session_bearer(session), rights_is_secret(rest));
}

/* "//providers", as older consoles ask, is "/providers". */
void proxy_inventory(const SessionPeers *peers, HttpExchange *x, const Session *session, const char *rest)
{
    g_auto(GStrv) parts = g_strsplit(rest, "/", -1);
    g_autoptr(GString) url = g_string_new(peers->inventory);

    for (char **part = parts; *part; part++) {
        if (!strcmp(*part, "..") || !strcmp(*part, ".")) {
            proxy_reply_status(x, 400, "BadRequest", "path: must not contain . or ..");
            return;
        }
        if (**part) {
            g_string_append_c(url, '/');
            g_string_append_uri_escaped(url, *part, NULL, FALSE);
        }
    }
    g_string_append(url, query_of(x));
    forward(x, session_inventory(session), url->str, session_bearer(session), FALSE);
}

void proxy_certificate(HttpExchange *x)
{
    const char *url = http_exchange_query(x, "url");
    g_autofree char *full = url && !strstr(url, "://") ? g_strconcat("https://", url, NULL) : g_strdup(url);
    g_autoptr(GUri) uri = full ? g_uri_parse(full, G_URI_FLAGS_NONE, NULL) : NULL;
    g_autoptr(HttpCertificate) certificate = NULL;
    g_autoptr(GError) error = NULL;

    if (!uri || strcmp(g_uri_get_scheme(uri), "https") || !g_uri_get_host(uri) || !*g_uri_get_host(uri)) {
        proxy_reply_status(x, 400, "BadRequest",
                           "url: must be a host, or an address that begins with https://");
        return;
    }
    certificate = http_peer_certificate(full, CERTIFICATE_TIMEOUT_S, http_exchange_cancellable(x), &error);
    if (!certificate) {
        proxy_reply_status(x, 502, error_reason(error), error->message);
        return;
    }
    proxy_reply_json(x, 200,
                     json_pack("{ss ss ss? ss? ss? ss?}", "fingerprint", certificate->sha1, "sha256",
                               certificate->sha256, "subject", certificate->subject, "issuer",
                               certificate->issuer, "validTo", certificate->not_after, "pem",
                               certificate->pem));
}
