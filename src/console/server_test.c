/* server_test: the console as a browser's requests see it, in front of a Kubernetes API that is a few lines
 * of C. */
#include "base/json.h"
#include "console/server.h"
#include "net/certificate.h"
#include <glib/gstdio.h>
#include <string.h>

#define NS   "openshift-mtv"
#define BASE "/apis/forklift.konveyor.io/v1beta1/namespaces/" NS "/"

/* ---- the other side ---- */

static const char plan[] =
    "{\"apiVersion\":\"forklift.konveyor.io/v1beta1\",\"kind\":\"Plan\",\"metadata\":{\"name\":\"p\","
    "\"namespace\":\"" NS
    "\",\"uid\":\"u1\",\"resourceVersion\":\"5\"},\"spec\":{\"vms\":[{\"id\":\"vm-1\"}]}}";

static void list(HttpExchange *x, const char *item)
{
    g_autofree char *text = g_strdup_printf(
        "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[%s]}",
        item);
    http_exchange_reply_text(x, 200, "application/json", text);
}

/* Streams of watches, kept so that they stay open. */
static GPtrArray *watches;
static GMutex watches_lock;

/* The cluster's OAuth server. FALSE: the request is none of its. */
static gboolean oauth(HttpExchange *x, const char *path)
{
    g_autofree char *at = g_strconcat("https://", http_exchange_header(x, "Host"), NULL);
    g_autofree char *about =
        g_strdup_printf("{\"authorization_endpoint\":\"%s/authorize\",\"token_endpoint\":\"%s/token\","
                        "\"code_challenge_methods_supported\":[\"S256\"]}",
                        at, at);

    if (!strcmp(path, "/.well-known/oauth-authorization-server"))
        http_exchange_reply_text(x, 200, "application/json", about);
    else if (!strcmp(path, "/token"))
        http_exchange_reply_text(x, 200, "application/json",
                                 "{\"access_token\":\"good\",\"token_type\":\"Bearer\"}");
    else
        return FALSE;
    return TRUE;
}

static void api(HttpExchange *x, gpointer data)
{
    const char *path = http_exchange_path(x), *method = http_exchange_method(x);
    const char *bearer = http_exchange_header(x, "Authorization");

    g_assert_null(http_exchange_header(x, "Cookie"));
    if (oauth(x, path))
        return;
    if (g_strcmp0(bearer, "Bearer good")) {
        http_exchange_reply_text(x, 401, "application/json", "{\"kind\":\"Status\",\"code\":401}");
    } else if (g_str_has_suffix(path, "/selfsubjectreviews")) {
        http_exchange_reply_text(x, 201, "application/json",
                                 "{\"status\":{\"userInfo\":{\"username\":\"anna\"}}}");
    } else if (http_exchange_query(x, "watch")) {
        g_mutex_lock(&watches_lock);
        g_ptr_array_add(watches, http_exchange_stream(x, 200, "application/json"));
        g_mutex_unlock(&watches_lock);
    } else if (g_str_has_suffix(path, "/secrets") && !strcmp(method, "POST")) {
        http_exchange_reply_text(
            x, 201, "application/json",
            "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"data\":{\"password\":\"aHVudGVyMg==\"}}");
    } else if (!strcmp(path, "/must-gather/7/data")) {
        http_exchange_add_header(x, "Content-Disposition", "attachment; filename=\"logs.tar.gz\"");
        http_exchange_reply_text(x, 200, "application/gzip", "archive");
    } else if (!strcmp(path, "/must-gather/8")) {
        http_exchange_reply_text(x, 401, "application/json", "{\"error\":\"no administrator\"}");
    } else if (!strcmp(path, "/must-gather")) {
        http_exchange_reply_text(x, strcmp(method, "POST") ? 200 : 201, "application/json", "[{\"id\":7}]");
    } else if (g_str_has_suffix(path, "/plans")) {
        list(x, plan);
    } else {
        list(x, "");
    }
}

/* ---- the console under test ---- */

typedef struct {
    HttpServer *api;
    ConsoleServer *console;
    HttpClient *client;
    char *url, *dir, *peer, *ca;
} Fixture;

static void write_file(const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void set_up(Fixture *f, gconstpointer unused)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    g_autoptr(Certificate) authority = certificate_new_authority("test", NULL);
    g_autoptr(Certificate) ours = certificate_issue(authority, names, 2, NULL);
    HttpServerOptions peer = {
        .listen = "127.0.0.1:0", .cert_pem = ours->pem, .key_pem = ours->key_pem, .handler = api};
    HttpTrust trust = {.ca_pem = authority->pem};
    ConsoleOptions options = {.listen = "127.0.0.1:0", .cert_pem = ours->pem, .key_pem = ours->key_pem};
    g_autofree char *peer_url = NULL, *assets = NULL, *secret = NULL;
    g_autoptr(GError) error = NULL;

    watches = g_ptr_array_new_with_free_func((GDestroyNotify)http_stream_unref);
    f->api = http_server_start(&peer, &error);
    g_assert_no_error(error);
    peer_url = g_strdup_printf("https://127.0.0.1:%u", http_server_port(f->api));

    f->dir = g_dir_make_tmp("console-XXXXXX", NULL);
    assets = g_build_filename(f->dir, "assets", NULL);
    g_mkdir(assets, 0700);
    write_file(f->dir, "index.html", "<!doctype html><title>t</title>");
    write_file(assets, "app-1a2b.js", "go()");
    write_file(f->dir, "secret", "s\n");
    secret = g_build_filename(f->dir, "secret", NULL);

    options.peers = (SessionPeers){.api = peer_url,
                                   .api_ca_pem = authority->pem,
                                   .inventory = peer_url,
                                   .inventory_ca_pem = authority->pem,
                                   .ns = NS};
    options.must_gather = peer_url;
    options.oauth = (OAuthOptions){.api = peer_url,
                                   .api_ca_pem = authority->pem,
                                   .ca_pem = authority->pem,
                                   .client = "forklift-ui",
                                   .secret_file = secret};
    options.assets = assets_load(f->dir, &error);
    g_assert_no_error(error);
    f->console = console_server_start(&options, &error);
    g_assert_no_error(error);
    f->url = g_strdup_printf("https://127.0.0.1:%u", console_server_port(f->console));
    f->client = http_client_new(&trust, 10, NULL);
    f->peer = g_steal_pointer(&peer_url);
    f->ca = g_strdup(authority->pem);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_autofree char *index = g_build_filename(f->dir, "index.html", NULL);
    g_autofree char *assets = g_build_filename(f->dir, "assets", NULL);
    g_autofree char *js = g_build_filename(assets, "app-1a2b.js", NULL);
    g_autofree char *secret = g_build_filename(f->dir, "secret", NULL);

    http_client_free(f->client);
    g_mutex_lock(&watches_lock);
    g_ptr_array_set_size(watches, 0);
    g_mutex_unlock(&watches_lock);
    console_server_stop(f->console);
    http_server_stop(f->api);
    g_ptr_array_unref(watches);
    g_remove(js);
    g_rmdir(assets);
    g_remove(index);
    g_remove(secret);
    g_rmdir(f->dir);
    g_free(f->dir);
    g_free(f->url);
    g_free(f->peer);
    g_free(f->ca);
}

static HttpReply *ask(Fixture *f, const char *method, const char *path, const char *cookie, const char *body)
{
    const char *headers[] = {"X-Gantry-Console", "1", cookie ? "Cookie" : NULL, cookie, NULL};
    g_autofree char *url = g_strconcat(f->url, path, NULL);
    g_autoptr(GBytes) bytes = body ? g_bytes_new(body, strlen(body)) : NULL;
    g_autoptr(GError) error = NULL;
    HttpReply *reply = http_client_send(f->client, method, url, headers, body ? "application/json" : NULL,
                                        bytes, 1 << 20, NULL, &error);

    g_assert_no_error(error);
    return reply;
}

static gboolean holds(const HttpReply *reply, const char *text)
{
    return g_strstr_len(g_bytes_get_data(reply->body, NULL), (gssize)g_bytes_get_size(reply->body), text) !=
           NULL;
}

/* "name=value" of the session's cookie. */
static char *sign_in(Fixture *f)
{
    g_autoptr(HttpReply) reply = ask(f, "POST", "/login", NULL, "{\"token\":\"good\"}");
    const char *cookie = g_hash_table_lookup(reply->headers, "set-cookie");

    g_assert_cmpuint(reply->status, ==, 200);
    g_assert_true(holds(reply, "\"user\":\"anna\""));
    g_assert_false(holds(reply, "good"));
    g_assert_nonnull(strstr(cookie, "; HttpOnly; SameSite=Strict"));
    g_assert_nonnull(strstr(cookie, "; Secure"));
    return g_strndup(cookie, strcspn(cookie, ";"));
}

/* ---- tests ---- */

static void pages_and_assets_are_kept_as_long_as_they_may(Fixture *f, gconstpointer unused)
{
    g_autoptr(HttpReply) page = ask(f, "GET", "/plans/any", NULL, NULL);
    g_autoptr(HttpReply) asset = ask(f, "GET", "/assets/app-1a2b.js", NULL, NULL);
    g_autoptr(HttpReply) missing = ask(f, "GET", "/assets/none.js", NULL, NULL);
    const char *headers[] = {"If-None-Match", g_hash_table_lookup(page->headers, "etag"), NULL};
    g_autoptr(HttpReply) again =
        http_client_send(f->client, "GET", f->url, headers, NULL, NULL, 1 << 20, NULL, NULL);

    g_assert_cmpuint(page->status, ==, 200);
    g_assert_true(holds(page, "<title>t"));
    g_assert_cmpstr(g_hash_table_lookup(page->headers, "cache-control"), ==, "no-cache");
    g_assert_nonnull(
        strstr(g_hash_table_lookup(page->headers, "content-security-policy"), "frame-ancestors 'none'"));
    g_assert_cmpstr(g_hash_table_lookup(page->headers, "x-content-type-options"), ==, "nosniff");
    g_assert_nonnull(strstr(g_hash_table_lookup(asset->headers, "cache-control"), "immutable"));
    g_assert_cmpuint(missing->status, ==, 404);
    g_assert_cmpuint(again->status, ==, 304);
}

static void a_wrong_token_opens_nothing(Fixture *f, gconstpointer unused)
{
    g_autoptr(HttpReply) wrong = ask(f, "POST", "/login", NULL, "{\"token\":\"bad\"}");
    g_autoptr(HttpReply) blank = ask(f, "POST", "/login", NULL, "{\"token\":\"a b\"}");
    g_autoptr(HttpReply) none = ask(f, "GET", "/session", "__Host-gantry=guess", NULL);

    g_assert_cmpuint(wrong->status, ==, 401);
    g_assert_null(g_hash_table_lookup(wrong->headers, "set-cookie"));
    g_assert_cmpuint(blank->status, ==, 400);
    g_assert_cmpuint(none->status, ==, 204);
}

static void a_session_ends_when_its_owner_says_so(Fixture *f, gconstpointer unused)
{
    g_autofree char *cookie = sign_in(f);
    g_autoptr(HttpReply) before = ask(f, "GET", "/session", cookie, NULL);
    g_autoptr(HttpReply) out = ask(f, "POST", "/logout", cookie, "{}");
    g_autoptr(HttpReply) after = ask(f, "GET", "/session", cookie, NULL);

    g_assert_cmpuint(before->status, ==, 200);
    g_assert_cmpuint(out->status, ==, 200);
    g_assert_cmpuint(after->status, ==, 204);
}

/* The client keeps cookies, as a browser does. */
static void a_browser_signs_in_at_the_clusters_oauth_server(Fixture *f, gconstpointer unused)
{
    g_autoptr(HttpReply) ways = ask(f, "GET", "/login/ways", NULL, NULL);
    g_autoptr(HttpReply) start = ask(f, "GET", "/login/oauth", NULL, NULL);
    const char *to = g_hash_table_lookup(start->headers, "location"),
               *state = to ? strstr(to, "&state=") : NULL;
    const char *kept = g_hash_table_lookup(start->headers, "set-cookie");
    g_autofree char *end = state ? g_strdup_printf("/login/oauth/callback?code=c%.50s", state) : NULL;
    g_autoptr(HttpReply) back = NULL, session = NULL;

    g_assert_true(holds(ways, "\"oauth\":true"));
    g_assert_cmpuint(start->status, ==, 302);
    g_assert_true(g_str_has_prefix(to, f->peer));
    g_assert_nonnull(strstr(to, "%2Flogin%2Foauth%2Fcallback"));
    g_assert_nonnull(strstr(kept, "; Secure; HttpOnly; SameSite=Lax; Max-Age=600"));

    back = ask(f, "GET", end, NULL, NULL);
    g_assert_cmpuint(back->status, ==, 302);
    g_assert_cmpstr(g_hash_table_lookup(back->headers, "location"), ==, "/");
    session = ask(f, "GET", "/session", NULL, NULL);
    g_assert_cmpuint(session->status, ==, 200);
    g_assert_true(holds(session, "\"user\":\"anna\""));
    g_assert_false(holds(session, "good"));
}

static void what_oauth_refuses_opens_nothing(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *query, *page;
    } rows[] = {
        {"error=access_denied&state=x", "/?sign-in=denied"},
        {"error=server_error", "/?sign-in=failed"},
        {"code=c&state=forged", "/?sign-in=failed"},
        {"code=c", "/?sign-in=failed"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/login/oauth/callback?", rows[i].query, NULL);
        g_autoptr(HttpReply) start = ask(f, "GET", "/login/oauth", NULL, NULL);
        g_autoptr(HttpReply) back = ask(f, "GET", path, NULL, NULL);
        g_autoptr(HttpReply) session = ask(f, "GET", "/session", NULL, NULL);

        g_assert_cmpuint(start->status, ==, 302);
        g_assert_cmpuint(back->status, ==, 302);
        g_assert_cmpstr(g_hash_table_lookup(back->headers, "location"), ==, rows[i].page);
        g_assert_cmpuint(session->status, ==, 204);
    }
}

static void requests_of_other_sites_are_refused(Fixture *f, gconstpointer unused)
{
    g_autofree char *cookie = sign_in(f);
    g_autofree char *url = g_strconcat(f->url, "/cluster-api" BASE "plans/p", NULL);
    const char *bare[] = {"Cookie", cookie, NULL};
    const char *elsewhere[] = {"Cookie", cookie, "X-Gantry-Console", "1", "Origin", "https://evil.example",
                               NULL};
    g_autoptr(HttpReply) no_header =
        http_client_send(f->client, "DELETE", url, bare, NULL, NULL, 1 << 20, NULL, NULL);
    g_autoptr(HttpReply) other =
        http_client_send(f->client, "DELETE", url, elsewhere, NULL, NULL, 1 << 20, NULL, NULL);

    g_assert_cmpuint(no_header->status, ==, 403);
    g_assert_cmpuint(other->status, ==, 403);
}

static void the_cluster_is_reached_with_the_sessions_token(Fixture *f, gconstpointer unused)
{
    g_autoptr(HttpReply) stranger = ask(f, "GET", "/cluster-api" BASE "plans", NULL, NULL);
    g_autofree char *cookie = sign_in(f);
    g_autoptr(HttpReply) plans = ask(f, "GET", "/cluster-api" BASE "plans", cookie, NULL);
    g_autoptr(HttpReply) refused =
        ask(f, "GET", "/cluster-api/api/v1/namespaces/" NS "/secrets", cookie, NULL);
    g_autoptr(HttpReply) secret =
        ask(f, "POST", "/cluster-api/api/v1/namespaces/" NS "/secrets", cookie, "{}");

    g_assert_cmpuint(plans->status, ==, 200);
    g_assert_true(holds(plans, "\"items\":[{"));
    g_assert_cmpuint(refused->status, ==, 403);
    g_assert_cmpuint(secret->status, ==, 201);
    g_assert_true(holds(secret, "\"name\":\"s\""));
    g_assert_false(holds(secret, "aHVudGVyMg"));
    g_assert_cmpuint(stranger->status, ==, 401);
}

static void logs_are_gathered_with_the_sessions_token(Fixture *f, gconstpointer unused)
{
    g_autofree char *cookie = sign_in(f);
    static const struct {
        const char *method, *path;
        guint status;
        const char *holds;
    } cases[] = {
        {"GET", "/must-gather-api/must-gather", 200, "\"id\":7"},
        {"POST", "/must-gather-api/must-gather", 201, "\"id\":7"},
        {"GET", "/must-gather-api/must-gather/7/data", 200, "archive"},
        {"GET", "/must-gather-api/must-gather/8", 403, "no administrator"},
        {"GET", "/must-gather-api/", 404, "no such path"},
        {"GET", "/must-gather-api/must-gather/../plans", 404, "no such path"},
        {"DELETE", "/must-gather-api/must-gather/7", 404, "no such path"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(HttpReply) reply =
            ask(f, cases[i].method, cases[i].path, cookie, strcmp(cases[i].method, "POST") ? NULL : "{}");
        g_assert_cmpuint(reply->status, ==, cases[i].status);
        g_assert_true(holds(reply, cases[i].holds));
    }
}

/* What the stream says until event, with it. */
static char *read_until(GDataInputStream *lines, const char *event)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    do {
        g_autofree char *line = g_data_input_stream_read_line(lines, NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_nonnull(line);
        g_string_append_printf(seen, "%s\n", line);
    } while (!strstr(seen->str, event) || !g_str_has_suffix(seen->str, "}\n"));
    return g_string_free(g_steal_pointer(&seen), FALSE);
}

/* The value of "viewer" in what was told first. */
static char *viewer_of(const char *told)
{
    const char *at = strstr(told, "\"viewer\":\"");
    g_assert_nonnull(at);
    at += strlen("\"viewer\":\"");
    return g_strndup(at, strcspn(at, "\""));
}

static void the_stream_tells_all_objects_then_what_is_looked_at(Fixture *f, gconstpointer unused)
{
    g_autofree char *cookie = sign_in(f);
    g_autofree char *url = g_strconcat(f->url, "/events", NULL);
    const char *headers[] = {"Cookie", cookie, NULL};
    g_autoptr(HttpReply) reply = NULL, looked = NULL, changed = NULL, wrong = NULL, gone = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GInputStream) stream = http_client_stream(f->client, "GET", url, headers, &reply, NULL, &error);
    g_autoptr(GDataInputStream) lines = NULL;
    g_autofree char *first = NULL, *viewer = NULL, *look = NULL, *view = NULL, *bad = NULL, *rows = NULL,
                    *after = NULL;

    g_assert_no_error(error);
    g_assert_cmpuint(reply->status, ==, 200);
    lines = g_data_input_stream_new(stream);
    first = read_until(lines, "event: synced");
    g_assert_nonnull(strstr(first, "event: hello"));
    g_assert_nonnull(strstr(first, "event: upsert"));
    viewer = viewer_of(first);
    look = g_strdup_printf("{\"viewer\":\"%s\",\"plan\":\"p\"}", viewer);
    looked = ask(f, "POST", "/events/view", cookie, look);
    g_assert_cmpuint(looked->status, ==, 204);
    rows = read_until(lines, "event: rows");
    g_assert_nonnull(strstr(rows, "\"rows\":[{\"id\":\"vm-1\",\"state\":\"NotStarted\"}]"));

    view = g_strdup_printf("{\"viewer\":\"%s\",\"plan\":\"p\",\"q\":\"nobody\"}", viewer);
    changed = ask(f, "POST", "/events/view", cookie, view);
    g_assert_cmpuint(changed->status, ==, 204);
    after = read_until(lines, "event: rows");
    g_assert_nonnull(strstr(after, "\"rows\":[]"));
    g_assert_nonnull(strstr(after, "\"found\":0"));

    bad = g_strdup_printf("{\"viewer\":\"%s\",\"limit\":1000}", viewer);
    wrong = ask(f, "POST", "/events/view", cookie, bad);
    g_assert_cmpuint(wrong->status, ==, 400);
    g_assert_true(holds(wrong, "limit: must be a number from 0 to 100"));
    gone = ask(f, "POST", "/events/view", cookie, "{\"viewer\":\"x\",\"plan\":\"p\"}");
    g_assert_cmpuint(gone->status, ==, 204); /* its page connects again, and would complain of an error */
}

/* How one try of a provider's connection ends. ca: whether the right one is given; url NULL: of the API. */
static void a_connection_is_tried_before_it_is_saved(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *type, *url, *token;
        gboolean ca;
        guint status;
        const char *says;
    } rows[] = {
        {"openshift", NULL, "good", TRUE, 200, "Kubernetes"},
        {"openshift", NULL, "bad", TRUE, 422, "does not accept the token"},
        {"openshift", NULL, "good", FALSE, 422, "CertificateNotTrusted"},
        {"openshift", "https://127.0.0.1:1", "good", TRUE, 422, "ConnectionFailed"},
        {"openshift", "here", "good", TRUE, 400, "BadInput"},
        {"ovirt", NULL, "", TRUE, 400, "must both be given"},
        {"hyperv", NULL, "", TRUE, 400, "must be vsphere or ovirt"},
    };
    g_autoptr(HttpReply) stranger = ask(f, "POST", "/check-connection", NULL, "{}");
    g_autofree char *cookie = sign_in(f);

    g_assert_cmpuint(stranger->status, ==, 401);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) body =
            json_pack("{ss ss ss ss}", "type", rows[i].type, "url", rows[i].url ? rows[i].url : f->peer,
                      "token", rows[i].token, "ca", rows[i].ca ? f->ca : "");
        g_autofree char *text = json_text(body);
        g_autoptr(HttpReply) reply = ask(f, "POST", "/check-connection", cookie, text);

        g_test_message("%s %s: %.*s", rows[i].type, rows[i].says, (int)g_bytes_get_size(reply->body),
                       (const char *)g_bytes_get_data(reply->body, NULL));
        g_assert_cmpuint(reply->status, ==, rows[i].status);
        g_assert_true(holds(reply, rows[i].says));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, function) g_test_add("/console/server/" name, Fixture, NULL, set_up, function, tear_down)
    CASE("pages and assets are kept as long as they may", pages_and_assets_are_kept_as_long_as_they_may);
    CASE("a wrong token opens nothing", a_wrong_token_opens_nothing);
    CASE("a session ends when its owner says so", a_session_ends_when_its_owner_says_so);
    CASE("a browser signs in at the cluster's OAuth server", a_browser_signs_in_at_the_clusters_oauth_server);
    CASE("what OAuth refuses opens nothing", what_oauth_refuses_opens_nothing);
    CASE("requests of other sites are refused", requests_of_other_sites_are_refused);
    CASE("the cluster is reached with the session's token", the_cluster_is_reached_with_the_sessions_token);
    CASE("logs are gathered with the session's token", logs_are_gathered_with_the_sessions_token);
    CASE("a connection is tried before it is saved", a_connection_is_tried_before_it_is_saved);
    CASE("the stream tells all objects, then what is looked at",
         the_stream_tells_all_objects_then_what_is_looked_at);
    return g_test_run();
}
