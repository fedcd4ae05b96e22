/* server: routes requests, and adds to each answer the headers that keep a page safe. */
#include "console/server.h"
#include "base/log.h"
#include "console/connection.h"
#include "console/gather.h"
#include "console/oauth.h"
#include "console/proxy.h"
#include <string.h>

#define COOKIE       "__Host-gantry"
#define OAUTH_COOKIE "__Host-gantry-oauth" /* between the two halves of a sign-in with OAuth */
#define OAUTH        "/login/oauth"
#define CALLBACK     OAUTH "/callback"

struct ConsoleServer {
    HttpServer *http;
    Assets *assets;
    SessionTable *sessions;
    SessionPeers peers;
    OAuth *oauth;    /* or NULL */
    HttpClient *api; /* for tokens that are not a session yet; sends no other */
    GatherPeer gather;
};

enum {
    MOST_TOKEN = 16 << 10,
    MOST_VIEW = 16 << 10,
    MOST_WHY = 500,
    GZIP_FROM = 1400,
    GATHER_TIMEOUT_S = 120
};

static const char *const safety[] = {
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options",
    "nosniff",
    "X-Frame-Options",
    "DENY",
    "Referrer-Policy",
    "no-referrer",
    "Cross-Origin-Opener-Policy",
    "same-origin",
    "Cross-Origin-Resource-Policy",
    "same-origin",
    "Permissions-Policy",
    "camera=(), geolocation=(), microphone=()",
    NULL,
};

/* ---- who asks ---- */

/* The value of one of our cookies, or NULL. */
static char *cookie_value(const HttpExchange *x, const char *name)
{
    g_autofree char *start = g_strconcat(name, "=", NULL);
    const char *header = http_exchange_header(x, "Cookie");
    g_auto(GStrv) cookies = g_strsplit_set(header ? header : "", ";,", -1);

    for (char **cookie = cookies; *cookie; cookie++) {
        g_strstrip(*cookie);
        if (g_str_has_prefix(*cookie, start))
            return g_strdup(*cookie + strlen(start));
    }
    return NULL;
}

static Session *signed_in(ConsoleServer *server, const HttpExchange *x)
{
    g_autofree char *secret = cookie_value(x, COOKIE);
    return secret ? session_find(server->sessions, secret) : NULL;
}

/* A page of another site cannot send our header without being asked about by its browser, which we never
 * allow. */
static gboolean from_our_pages(const HttpExchange *x)
{
    const char *origin = http_exchange_header(x, "Origin");
    const char *host = http_exchange_header(x, "Host");
    const char *site = http_exchange_header(x, "Sec-Fetch-Site");

    if (!http_exchange_header(x, "X-Gantry-Console"))
        return FALSE;
    if (site && strcmp(site, "same-origin"))
        return FALSE;
    return !origin || (host && g_str_has_prefix(origin, "http") && strstr(origin, "://") &&
                       !strcmp(strstr(origin, "://") + 3, host));
}

static gboolean is_read(const HttpExchange *x)
{
    const char *method = http_exchange_method(x);
    return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

/* value "": the browser forgets it. */
static void set_cookie(HttpExchange *x, const char *name, const char *value, const char *how)
{
    g_autofree char *cookie = g_strdup_printf("%s=%s; Path=/; Secure; HttpOnly; %s%s", name, value, how,
                                              *value ? "" : "; Max-Age=0");
    http_exchange_add_header(x, "Set-Cookie", cookie);
}

/* ---- signing in and out ---- */

static gboolean is_token(const char *token)
{
    if (!token || !*token || strlen(token) > MOST_TOKEN)
        return FALSE;
    for (const char *c = token; *c; c++)
        if (!g_ascii_isgraph(*c))
            return FALSE;
    return TRUE;
}

/* Asks the API server with the token; gives its status. */
static guint try_token(ConsoleServer *server, const char *token, GCancellable *cancel, GError **error)
{
    g_autofree char *url = g_strdup_printf("%s/apis/forklift.konveyor.io/v1beta1/namespaces/%s/plans?limit=1",
                                           server->peers.api, server->peers.ns);
    g_autofree char *bearer = g_strconcat("Bearer ", token, NULL);
    const char *headers[] = {"Authorization", bearer, "Accept", "application/json", NULL};
    g_autoptr(HttpReply) reply =
        http_client_send(server->api, "GET", url, headers, NULL, NULL, 8 << 20, cancel, error);

    return reply ? reply->status : 0;
}

/* Who the API server says the token is; "" when it does not say. */
static char *user_of(ConsoleServer *server, const char *token, GCancellable *cancel)
{
    static const char question[] =
        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"SelfSubjectReview\"}";
    g_autofree char *url =
        g_strconcat(server->peers.api, "/apis/authentication.k8s.io/v1/selfsubjectreviews", NULL);
    g_autofree char *bearer = g_strconcat("Bearer ", token, NULL);
    const char *headers[] = {"Authorization", bearer, "Accept", "application/json", NULL};
    g_autoptr(GBytes) body = g_bytes_new_static(question, sizeof question - 1);
    g_autoptr(HttpReply) reply =
        http_client_send(server->api, "POST", url, headers, "application/json", body, 1 << 20, cancel, NULL);
    g_autoptr(json_t) review = NULL;

    if (!reply || reply->status >= 300)
        return g_strdup("");
    review = json_parse(g_bytes_get_data(reply->body, NULL), g_bytes_get_size(reply->body), 1 << 20, "review",
                        NULL);
    return g_strdup(json_string_at(review, "status.userInfo.username", ""));
}

static void reply_session(ConsoleServer *server, HttpExchange *x, const Session *session)
{
    proxy_reply_json(x, 200,
                     json_pack("{ss ss ss}", "user", session_user(session), "namespace", server->peers.ns,
                               "version", GANTRY_VERSION));
}

/* A session for the token, if the API server knows it; the browser gets its cookie. Errors:
 * KUBE_UNAUTHORIZED, KUBE_UNAVAILABLE, and those of session_create(). */
static Session *open_session(ConsoleServer *server, HttpExchange *x, const char *token, GError **error)
{
    GCancellable *cancel = http_exchange_cancellable(x);
    g_autoptr(GError) problem = NULL;
    g_autofree char *user = NULL, *secret = NULL;
    guint status = try_token(server, token, cancel, &problem);
    Session *session;

    if (!status || status >= 500) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE,
                    "The Kubernetes API at %s does not answer (%s).", server->peers.api,
                    problem ? problem->message : "it has an error of its own");
        return NULL;
    }
    if (status == 401) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED,
                            "The Kubernetes API does not know this token.");
        return NULL;
    }
    user = user_of(server, token, cancel);
    session = session_create(server->sessions, token, user, &secret, error);
    if (session)
        set_cookie(x, COOKIE, secret, "SameSite=Strict");
    return session;
}

static guint status_of(const GError *error)
{
    return g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED)  ? 401
           : g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE) ? 502
                                                                          : 503;
}

static void sign_in(ConsoleServer *server, HttpExchange *x, const char *token)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Session) session = open_session(server, x, token, &error);

    if (session)
        reply_session(server, x, session);
    else
        proxy_reply_status(x, status_of(error), error_reason(error), error->message);
}

static void login(ConsoleServer *server, HttpExchange *x)
{
    GBytes *body = http_exchange_body(x);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) json = json_parse(g_bytes_get_data(body, NULL), g_bytes_get_size(body), 2 * MOST_TOKEN,
                                        "the request", &error);
    const char *token = json_string_at(json, "token", NULL);

    if (!json)
        proxy_reply_status(x, 400, "BadRequest", error->message);
    else if (!is_token(token))
        proxy_reply_status(x, 400, "BadRequest",
                           "token: must be one line without blanks, as kubectl prints it.");
    else
        sign_in(server, x, token);
}

static void logout(ConsoleServer *server, HttpExchange *x)
{
    g_autoptr(Session) session = signed_in(server, x);

    if (session)
        session_end(server->sessions, session);
    set_cookie(x, COOKIE, "", "SameSite=Strict");
    proxy_reply_json(x, 200, json_object());
}

/* ---- signing in at the cluster's OAuth server ---- */

static void ways_in(ConsoleServer *server, HttpExchange *x)
{
    gboolean offered = server->oauth && oauth_offered(server->oauth, http_exchange_cancellable(x));

    proxy_reply_json(x, 200, json_pack("{s:b}", "oauth", offered));
}

static void send_to(HttpExchange *x, const char *where)
{
    http_exchange_add_header(x, "Location", where);
    http_exchange_add_header(x, "Cache-Control", "no-store");
    http_exchange_reply(x, 302, NULL, NULL);
}

/* Where the browser is to come back to, by the name that it knows us by; the OAuth server holds it against
 * what the OAuthClient allows. NULL: the request names no host. */
static char *callback_url(const HttpExchange *x)
{
    const char *host = http_exchange_header(x, "Host");

    return host && *host && !strpbrk(host, "/?#@\\ ") ? g_strconcat("https://", host, CALLBACK, NULL) : NULL;
}

/* The page says that it did not work; why is for who runs the console, and may be from anybody. */
static void oauth_failed(HttpExchange *x, const char *page, const char *why)
{
    g_autofree char *some = g_strndup(why, MOST_WHY);

    log_warn("a sign-in with OAuth has failed", "error", some, NULL);
    send_to(x, page);
}

static void oauth_start(ConsoleServer *server, HttpExchange *x)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *back = callback_url(x), *kept = NULL, *to = NULL;

    if (back)
        to = oauth_begin(server->oauth, back, &kept, http_exchange_cancellable(x), &error);
    if (!to) {
        oauth_failed(x, "/?sign-in=failed", error ? error->message : "the request names no host");
        return;
    }
    /* Lax: the OAuth server's page brings the browser back, which is another site. */
    set_cookie(x, OAUTH_COOKIE, kept, "SameSite=Lax; Max-Age=600");
    send_to(x, to);
}

static void oauth_return(ConsoleServer *server, HttpExchange *x)
{
    const char *refused = http_exchange_query(x, "error");
    g_autofree char *back = callback_url(x), *kept = cookie_value(x, OAUTH_COOKIE), *token = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Session) session = NULL;

    set_cookie(x, OAUTH_COOKIE, "", "SameSite=Lax");
    if (refused) {
        oauth_failed(x, strcmp(refused, "access_denied") ? "/?sign-in=failed" : "/?sign-in=denied", refused);
        return;
    }
    if (back)
        token = oauth_finish(server->oauth, back, kept, http_exchange_query(x, "state"),
                             http_exchange_query(x, "code"), http_exchange_cancellable(x), &error);
    if (token && is_token(token))
        session = open_session(server, x, token, &error);
    if (session)
        send_to(x, "/");
    else
        oauth_failed(x, "/?sign-in=failed", error ? error->message : "no host, or no token that is one");
}

/* ---- what needs a session ---- */

static void session_page(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest)
{
    reply_session(server, x, session);
}

static void events(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest)
{
    http_exchange_add_header(x, "Cache-Control", "no-store");
    http_exchange_add_header(x, "X-Accel-Buffering", "no");
    feed_add_viewer(session_feed(session), http_exchange_stream(x, 200, "text/event-stream"));
}

static void change_view(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest)
{
    GBytes *body = http_exchange_body(x);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) json =
        json_parse(g_bytes_get_data(body, NULL), g_bytes_get_size(body), MOST_VIEW, "the request", &error);
    const char *viewer = json_string_at(json, "viewer", ""), *plan = json_string_at(json, "plan", NULL);
    g_auto(RowsView) view = {0};

    if (!json || !rows_view_parse(json, &view, &error)) {
        proxy_reply_status(x, 400, "BadRequest", error->message);
        return;
    }
    feed_change_view(session_feed(session), viewer, plan, &view);
    http_exchange_reply(x, 204, NULL, NULL);
}

static void cluster(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest)
{
    proxy_cluster(&server->peers, x, session, rest);
}

static void inventory(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest)
{
    proxy_inventory(&server->peers, x, session, rest);
}

static void must_gather(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest)
{
    gather_pass_on(&server->gather, x, session, rest);
}

static void certificate(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest)
{
    proxy_certificate(x);
}

static void check_connection(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest)
{
    connection_check(x);
}

static const struct {
    const char *prefix; /* ends with "/": everything below it */
    gboolean changes;   /* other methods than GET are possible */
    void (*serve)(ConsoleServer *server, HttpExchange *x, Session *session, const char *rest);
} routes[] = {
    {"/session", FALSE, session_page},        {"/events", FALSE, events},
    {"/events/view", TRUE, change_view},      {"/cluster-api/", TRUE, cluster},
    {"/inventory-api/", FALSE, inventory},    {"/must-gather-api/", TRUE, must_gather},
    {"/get-certificate", FALSE, certificate}, {"/check-connection", TRUE, check_connection},
};

static gboolean route_matches(const char *prefix, const char *path)
{
    return g_str_has_suffix(prefix, "/") ? g_str_has_prefix(path, prefix) : !strcmp(path, prefix);
}

/* FALSE: no route has this path. */
static gboolean serve_route(ConsoleServer *server, HttpExchange *x)
{
    const char *path = http_exchange_path(x);

    for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
        g_autoptr(Session) session = NULL;

        if (!route_matches(routes[i].prefix, path))
            continue;
        session = signed_in(server, x);
        if (!session && routes[i].serve == session_page)
            http_exchange_reply(x, 204, NULL, NULL);
        else if (!session)
            proxy_reply_status(x, 401, "Unauthorized", "Sign in first.");
        else if (!is_read(x) && !routes[i].changes)
            proxy_reply_status(x, 405, "MethodNotAllowed", "This path can only be read.");
        else
            routes[i].serve(server, x, session, path + strlen(routes[i].prefix) - 1);
        return TRUE;
    }
    return FALSE;
}

static void handle(HttpExchange *x, gpointer data)
{
    ConsoleServer *server = data;
    const char *path = http_exchange_path(x);

    for (const char *const *name = safety; *name; name += 2)
        http_exchange_add_header(x, name[0], name[1]);
    if (!is_read(x) && !from_our_pages(x))
        proxy_reply_status(x, 403, "Forbidden", "Only the console's own pages may change something.");
    else if (!strcmp(path, "/login") && !strcmp(http_exchange_method(x), "POST"))
        login(server, x);
    else if (!strcmp(path, "/logout") && !strcmp(http_exchange_method(x), "POST"))
        logout(server, x);
    else if (!strcmp(path, "/login/ways") && is_read(x))
        ways_in(server, x);
    else if (!strcmp(path, OAUTH) && server->oauth && is_read(x))
        oauth_start(server, x);
    else if (!strcmp(path, CALLBACK) && server->oauth && is_read(x))
        oauth_return(server, x);
    else if (!strcmp(path, "/healthz"))
        http_exchange_reply_text(x, 200, "text/plain; charset=utf-8", "ok\n");
    else if (serve_route(server, x))
        return;
    else if (is_read(x))
        assets_serve(server->assets, x);
    else
        proxy_reply_status(x, 405, "MethodNotAllowed", "This path can only be read.");
}

/* ---- life ---- */

static SessionPeers peers_dup(const SessionPeers *peers)
{
    return (SessionPeers){.api = g_strdup(peers->api),
                          .api_ca_pem = g_strdup(peers->api_ca_pem),
                          .inventory = g_strdup(peers->inventory),
                          .inventory_ca_pem = g_strdup(peers->inventory_ca_pem),
                          .ns = g_strdup(peers->ns)};
}

static void peers_clear(SessionPeers *peers)
{
    g_free((char *)peers->api);
    g_free((char *)peers->api_ca_pem);
    g_free((char *)peers->inventory);
    g_free((char *)peers->inventory_ca_pem);
    g_free((char *)peers->ns);
}

void console_server_stop(ConsoleServer *server)
{
    g_clear_pointer(&server->http, http_server_stop);
    g_clear_pointer(&server->sessions, session_table_free);
    g_clear_pointer(&server->oauth, oauth_free);
    g_clear_pointer(&server->api, http_client_free);
    g_clear_pointer(&server->gather.client, http_client_free);
    g_free((char *)server->gather.url);
    g_clear_pointer(&server->assets, assets_free);
    peers_clear(&server->peers);
    g_free(server);
}

ConsoleServer *console_server_start(const ConsoleOptions *options, GError **error)
{
    g_autoptr(ConsoleServer) server = g_new0(ConsoleServer, 1);
    HttpTrust trust = {.ca_pem = options->peers.api_ca_pem};
    HttpTrust gather_trust = {.ca_pem = options->peers.inventory_ca_pem};
    HttpServerOptions http = {.listen = options->listen,
                              .cert_pem = options->cert_pem,
                              .key_pem = options->key_pem,
                              .output_limit = 16 << 20,
                              .gzip_from = GZIP_FROM,
                              .handler = handle,
                              .user_data = server};

    server->assets = options->assets;
    server->peers = peers_dup(&options->peers);
    server->sessions = session_table_new(&server->peers);
    server->api = http_client_new(&trust, 30, error);
    server->gather.url = g_strdup(options->must_gather);
    server->gather.client = server->api ? http_client_new(&gather_trust, GATHER_TIMEOUT_S, error) : NULL;
    if (!server->gather.client ||
        (options->oauth.client && !(server->oauth = oauth_new(&options->oauth, error))))
        return NULL;
    server->http = http_server_start(&http, error);
    return server->http ? g_steal_pointer(&server) : NULL;
}

guint console_server_port(const ConsoleServer *server)
{
    return http_server_port(server->http);
}
