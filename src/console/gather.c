/* gather: three paths, checked and passed on. */
#include "console/gather.h"
#include "console/proxy.h"
#include <string.h>

#define MOST_ARCHIVE (256 << 20)

static GMutex
    one_archive; /* held while one is in memory: the Pod has room for one of the largest, not for many */

/* The path that is asked of the API, or NULL. */
static char *known_path(const char *method, const char *rest)
{
    g_auto(GStrv) parts = g_strsplit(rest, "/", -1);
    guint depth = g_strv_length(parts);
    gboolean get = !strcmp(method, "GET");

    if (depth < 2 || *parts[0] || strcmp(parts[1], "must-gather"))
        return NULL;
    if (depth == 2)
        return get || !strcmp(method, "POST") ? g_strdup("/must-gather") : NULL;
    if (!get || !*parts[2] || parts[2][strspn(parts[2], "0123456789")])
        return NULL;
    if (depth == 3)
        return g_strdup_printf("/must-gather/%s", parts[2]);
    return depth == 4 && !strcmp(parts[3], "data") ? g_strdup_printf("/must-gather/%s/data", parts[2]) : NULL;
}

static void refuse(HttpExchange *x, const HttpReply *reply)
{
    gsize size = g_bytes_get_size(reply->body);
    g_autoptr(json_t) json =
        json_parse(g_bytes_get_data(reply->body, NULL), size, 1 << 20, "the answer", NULL);
    const char *why = json_string_at(json, "error", "the must-gather API says no more than its status");

    if (reply->status == 401)
        proxy_reply_status(x, 403, "Forbidden", why);
    else if (reply->status == 404)
        proxy_reply_status(x, 404, "NotFound", "There is no such gathering any more.");
    else
        proxy_reply_status(x, reply->status, "MustGather", why);
}

static void answer(HttpExchange *x, const HttpReply *reply)
{
    const char *disposition = g_hash_table_lookup(reply->headers, "content-disposition");

    http_exchange_add_header(x, "Cache-Control", "no-store");
    if (disposition)
        http_exchange_add_header(x, "Content-Disposition", disposition);
    http_exchange_reply(x, reply->status, disposition ? "application/gzip" : "application/json", reply->body);
}

static void pass_on(const GatherPeer *peer, HttpExchange *x, const Session *session, const char *path)
{
    const char *headers[] = {"Authorization", session_bearer(session), NULL};
    g_autofree char *url = g_strconcat(peer->url, path, NULL);
    GBytes *body = http_exchange_body(x);
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(GError) error = NULL;

    reply = http_client_send(peer->client, http_exchange_method(x), url, headers,
                             g_bytes_get_size(body) ? "application/json" : NULL,
                             g_bytes_get_size(body) ? body : NULL, MOST_ARCHIVE, http_exchange_cancellable(x),
                             &error);
    if (!reply)
        proxy_reply_status(x, 502, error_reason(error), error->message);
    else if (reply->status >= 300)
        refuse(x, reply);
    else
        answer(x, reply);
}

void gather_pass_on(const GatherPeer *peer, HttpExchange *x, const Session *session, const char *rest)
{
    g_autofree char *path = known_path(http_exchange_method(x), rest);

    if (!path) {
        proxy_reply_status(x, 404, "NotFound", "The must-gather API has no such path.");
    } else if (!g_str_has_suffix(path, "/data")) {
        pass_on(peer, x, session, path);
    } else if (g_mutex_trylock(&one_archive)) {
        pass_on(peer, x, session, path);
        g_mutex_unlock(&one_archive);
    } else {
        proxy_reply_status(x, 429, "TooManyRequests",
                           "Another archive is on its way; try again when it has come.");
    }
}
