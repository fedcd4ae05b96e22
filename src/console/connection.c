/* connection: a vCenter or Manager is logged in to, a cluster is asked for one thing that only an account of
 * it is told. */
#include "console/connection.h"
#include "console/proxy.h"
#include "source/source.h"
#include <string.h>

enum { MOST_BODY = 1 << 20, MOST_ANSWER = 8 << 20, TIMEOUT_S = 30, MOST_AT_ONCE = 4 };

static gint under_way; /* atomic: an address that does not answer must not cost the console all its workers */

/* "" and absent are the same. */
static const char *text_or_null(const json_t *json, const char *field)
{
    const char *text = json_string_at(json, field, "");
    return *text ? text : NULL;
}

static char *try_source(const json_t *json, const HttpTrust *trust, GCancellable *cancel, GError **error)
{
    SourceAccess access = {.type = json_string_at(json, "type", ""),
                           .url = json_string_at(json, "url", ""),
                           .user = json_string_at(json, "user", ""),
                           .password = json_string_at(json, "password", ""),
                           .trust = *trust};
    g_autoptr(Source) source = source_open(&access, error);
    g_autoptr(json_t) about = source ? source_about(source, cancel, error) : NULL;

    return about ? g_strdup(json_string_at(about, "product", "")) : NULL;
}

static char *try_cluster(const json_t *json, const HttpTrust *trust, GCancellable *cancel, GError **error)
{
    g_autoptr(HttpClient) client = http_client_new(trust, TIMEOUT_S, error);
    g_autofree char *bearer = g_strconcat("Bearer ", json_string_at(json, "token", ""), NULL);
    g_autofree char *base = g_strdup(json_string_at(json, "url", "")), *url = NULL;
    const char *headers[] = {"Authorization", bearer, "Accept", "application/json", NULL};
    g_autoptr(HttpReply) reply = NULL;

    while (g_str_has_suffix(base, "/"))
        base[strlen(base) - 1] = '\0';
    url = g_strconcat(base, "/api/v1/namespaces?limit=1", NULL);
    if (client)
        reply = http_client_send(client, "GET", url, headers, NULL, NULL, MOST_ANSWER, cancel, error);
    explicit_bzero(bearer, strlen(bearer));
    if (!reply)
        return NULL;
    if (reply->status == 401)
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED, "%s does not accept the token", base);
    else if (reply->status == 403)
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN,
                    "the token's account may not list namespaces of %s", base);
    else if (reply->status != 200)
        g_set_error(error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE, "%s is no Kubernetes API: it answers %u %s",
                    base, reply->status, reply->reason);
    else
        return g_strdup("Kubernetes");
    return NULL;
}

/* The credentials were the caller's to send and are nobody's to keep. */
static void wipe(json_t *json)
{
    for (const char *const *field = (const char *const[]){"password", "token", NULL}; *field; field++) {
        const char *text = json_string_at(json, *field, "");
        explicit_bzero((char *)text, strlen(text));
    }
}

static void check(HttpExchange *x)
{
    GCancellable *cancel = http_exchange_cancellable(x);
    GBytes *body = http_exchange_body(x);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) json =
        json_parse(g_bytes_get_data(body, NULL), g_bytes_get_size(body), MOST_BODY, "the request", &error);
    HttpTrust trust = {.ca_pem = text_or_null(json, "ca"), .fingerprint = text_or_null(json, "fingerprint")};
    g_autofree char *product = NULL, *why = NULL;

    if (!json) {
        proxy_reply_status(x, 400, "BadRequest", error->message);
        return;
    }
    product = !strcmp(json_string_at(json, "type", ""), "openshift")
                  ? try_cluster(json, &trust, cancel, &error)
                  : try_source(json, &trust, cancel, &error);
    wipe(json);
    if (product) {
        proxy_reply_json(x, 200, json_pack("{ss}", "product", product));
        return;
    }
    why = g_strdup_printf("%s. %s", error->message, error_remedy(error));
    proxy_reply_status(x, g_error_matches(error, GANTRY_ERROR, ERROR_BAD_INPUT) ? 400 : 422,
                       error_reason(error), why);
}

void connection_check(HttpExchange *x)
{
    if (g_atomic_int_add(&under_way, 1) < MOST_AT_ONCE)
        check(x);
    else
        proxy_reply_status(x, 429, "TooManyRequests", "Other connections are being tried; try again soon.");
    g_atomic_int_add(&under_way, -1);
}
