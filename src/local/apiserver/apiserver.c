/* apiserver: the start and stop of the API server, and the way of a request to the function that serves it.
 */
#include "local/apiserver/apiserver.h"
#include "base/log.h"
#include "local/apiserver/auth.h"
#include "local/apiserver/path.h"
#include "local/apiserver/rbac.h"
#include "local/apiserver/server.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { history = 10000, workers = 32, most_requests = 400, output_limit = 8 << 20, gzip_from = 128 << 10 };

/* ---- routing ---- */

static void request_clear(Request *request)
{
    identity_free(request->user);
    kind_unref(request->kind);
    g_free(request->ns);
    g_free(request->name);
    g_free(request->sub);
    g_free(request->rest);
    g_ptr_array_unref(request->causes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static gboolean refuse(GError **error, guint code, const char *message)
{
    g_set_error_literal(error, HTTP_STATUS_ERROR, code, message);
    return FALSE;
}

/* The verb by which rights to the request are given. */
static const char *verb_of(const Request *request)
{
    static const char *const verbs[][2] = {
        {"POST", "create"}, {"PUT", "update"}, {"PATCH", "patch"}, {"GET", "get"}, {"HEAD", "get"}};
    const char *method = http_exchange_method(request->x);
    gboolean reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");

    if (!strcmp(method, "DELETE"))
        return *request->name ? "delete" : "deletecollection";
    if (reads && !*request->sub && request_flag(request, "watch"))
        return "watch";
    if (reads && !*request->name)
        return "list";
    for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (!strcmp(verbs[i][0], method))
            return verbs[i][1];
    return "";
}

static gboolean authorize(const Request *request, const char *group, const char *plural, GError **error)
{
    Rbac *rbac = request->server->rbac;
    g_autofree char *resource =
        *request->sub ? g_strconcat(plural, "/", request->sub, NULL) : g_strdup(plural);
    const char *type = http_exchange_header(request->x, "Content-Type");
    /* A Namespace is its own. */
    RbacAsk ask = {.verb = verb_of(request),
                   .group = group,
                   .resource = resource,
                   .ns = !strcmp(plural, "namespaces") ? request->name : request->ns,
                   .name = request->name};

    if (!rbac_check(rbac, request->user, &ask, error))
        return FALSE;
    if (strcmp(ask.verb, "patch") != 0 || !type || !g_str_has_prefix(type, "application/apply-patch"))
        return TRUE;
    ask.verb = "create"; /* an applied object is made when it is not there */
    return rbac_check(rbac, request->user, &ask, error);
}

static gboolean parse_path(Request *request, GError **error)
{
    g_auto(ApiPath) path = {0};

    api_path_parse(http_exchange_target(request->x), &path);
    request->ns = g_steal_pointer(&path.ns);
    request->name = g_steal_pointer(&path.name);
    request->sub = g_steal_pointer(&path.sub);
    request->rest = g_steal_pointer(&path.rest);
    request->kind = kinds_find(request->server->kinds, path.group, path.version, path.plural);
    if (!authorize(request, path.group, path.plural, error))
        return FALSE;
    if (!request->kind)
        return refuse(error, 404, "the server could not find the requested resource");
    if (!request->kind->namespaced && *request->ns)
        return refuse(error, 404, "the server could not find the requested resource");
    return TRUE;
}

static gboolean parse_options(Request *request, GError **error)
{
    const char *dry_run = http_exchange_query(request->x, "dryRun");
    gboolean acceptable;

    request->shape = shape_of_accept(http_exchange_header(request->x, "Accept"), &acceptable);
    if (!acceptable && !strcmp(request->sub, ""))
        return refuse(error, 406, "only the following media types are accepted: application/json");
    request->dry_run = dry_run && *dry_run;
    return TRUE;
}

typedef void (*Serve)(Request *request);

static void serve_eviction(Request *request)
{
    g_free(request->sub);
    request->sub = g_strdup("");
    serve_delete(request);
}

/* Subresources with a verb of their own. */
static const struct {
    const char *resource, *sub, *method;
    Serve serve;
} calls[] = {
    {"pods", "log", "GET", serve_pod_log},          {"pods", "exec", "GET", serve_pod_exec},
    {"pods", "exec", "POST", serve_pod_exec},       {"pods", "proxy", NULL, serve_pod_proxy},
    {"pods", "eviction", "POST", serve_eviction},   {"serviceaccounts", "token", "POST", serve_token_request},
    {"pods", "binding", "POST", serve_binding},     {"namespaces", "finalize", "PUT", serve_update}};

static Serve find_call(const Request *request, const char *method)
{
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        if (!strcmp(calls[i].resource, request->kind->resource) && !strcmp(calls[i].sub, request->sub) &&
            (!calls[i].method || !strcmp(calls[i].method, method)))
            return calls[i].serve;
    return NULL;
}

static gboolean is_watch(const Request *request)
{
    return request_flag(request, "watch");
}

/* A watch of one object is one of its collection with a field selector. */
static Serve find_collection(const Request *request, const char *method)
{
    if (!strcmp(method, "GET"))
        return is_watch(request) ? serve_watch : serve_list;
    if (!strcmp(method, "POST"))
        return request->kind->namespaced && !*request->ns ? NULL : serve_create;
    return !strcmp(method, "DELETE") && (!request->kind->namespaced || *request->ns) ? serve_delete_collection
                                                                                     : NULL;
}

static Serve find_item(const Request *request, const char *method)
{
    if (!strcmp(method, "GET"))
        return serve_get;
    if (!strcmp(method, "PUT"))
        return serve_update;
    if (!strcmp(method, "PATCH"))
        return serve_patch;
    return !strcmp(method, "DELETE") && !*request->sub ? serve_delete : NULL;
}

static Serve find_verb(const Request *request, const char *method, gboolean *known)
{
    *known = TRUE;
    if (request->kind->unchecked)
        return !strcmp(method, "POST") ? serve_review : NULL;
    if (!*request->name)
        return find_collection(request, method);
    if (!*request->sub || (!strcmp(request->sub, "status") && request->kind->has_status))
        return find_item(request, method);
    if (!strcmp(request->sub, "scale") && request->kind->replicas_path)
        return strcmp(method, "DELETE") != 0 && strcmp(method, "POST") != 0 ? serve_scale : NULL;
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        if (!strcmp(calls[i].resource, request->kind->resource) && !strcmp(calls[i].sub, request->sub))
            return find_call(request, method);
    *known = FALSE;
    return NULL;
}

static void serve_resource(Request *request)
{
    const char *method = http_exchange_method(request->x);
    g_autoptr(GError) error = NULL;
    gboolean known = TRUE;
    Serve serve = NULL;

    if (parse_path(request, &error) && parse_options(request, &error)) {
        serve = find_verb(request, strcmp(method, "HEAD") ? method : "GET", &known);
        if (!serve)
            refuse(&error, known ? 405 : 404,
                   known ? "the server does not allow this method on the requested resource"
                         : "the server could not find the requested resource");
    }
    if (serve && (request->kind->unchecked || options_check(request, &error)))
        serve(request);
    else
        answer_error(request, error);
}

static gboolean serve_open(Request *request, const char *path)
{
    static const char *const health[] = {"/healthz", "/livez", "/readyz"};

    for (guint i = 0; i < G_N_ELEMENTS(health); i++)
        if (g_str_has_prefix(path, health[i])) {
            answer_text(request, 200, "text/plain; charset=utf-8", "ok");
            return TRUE;
        }
    if (strcmp(path, "/version") != 0)
        return FALSE;
    answer_json(request, 200,
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "major", "1", "minor", "34", "gitVersion",
                          "v1.34.4+gantry-" GANTRY_VERSION, "gitTreeState", "clean", "compiler", "gcc",
                          "platform", "linux/amd64"));
    return TRUE;
}

static gboolean is_api(const char *path, const char *root)
{
    gsize size = strlen(root);
    return g_str_has_prefix(path, root) && (!path[size] || path[size] == '/');
}

/* Number of segments: "/apis/apps/v1" has 3. */
static guint depth(const char *path)
{
    guint count = 0;
    for (; *path; path++)
        count += *path == '/' && path[1] && path[1] != '/';
    return count;
}

static gboolean authorize_path(const Request *request, const char *path, GError **error)
{
    g_autofree char *verb = g_ascii_strdown(http_exchange_method(request->x), -1);
    RbacAsk ask = {.verb = verb, .path = path};

    return rbac_check(request->server->rbac, request->user, &ask, error);
}

static void serve_known(Request *request, const char *path)
{
    gboolean api = is_api(path, "/api"), apis = is_api(path, "/apis");
    gboolean describes = (api && depth(path) <= 2) || (apis && depth(path) <= 3);
    g_autoptr(GError) error = NULL;

    if ((api || apis) && !describes)
        serve_resource(request);
    else if (!authorize_path(request, path, &error))
        answer_error(request, error);
    else if (!strcmp(path, "/gantry/backup") && !strcmp(http_exchange_method(request->x), "POST"))
        serve_backup(request);
    else if (is_api(path, "/openapi"))
        serve_openapi(request, path);
    else if (describes)
        serve_discovery(request, path);
    else {
        g_set_error_literal(&error, HTTP_STATUS_ERROR, 404,
                            "the server could not find the requested resource");
        answer_error(request, error);
    }
}

static void serve(HttpExchange *x, gpointer data)
{
    g_auto(Request) request = {.server = data, .x = x, .causes = schema_causes_new()};
    const char *path = http_exchange_path(x);
    g_autoptr(GError) error = NULL;

    if (serve_open(&request, path))
        return;
    request.user = auth_identify(data, http_exchange_header(x, "Authorization"));
    if (!request.user)
        g_set_error_literal(&error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED, "Unauthorized");
    else if (auth_impersonate(data, x, &request.user, &error)) {
        serve_known(&request, path);
        return;
    }
    answer_error(&request, error);
}

/* ---- the start ---- */

static gboolean lock_directory(ApiServer *server, const char *data, GError **error)
{
    g_autofree char *path = g_build_filename(data, "lock", NULL);

    if (g_mkdir_with_parents(data, 0700) != 0 ||
        (server->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", data, g_strerror(errno));
        return FALSE;
    }
    if (flock(server->lock, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_DATA_IN_USE, "%s is in use by another process", data);
    return FALSE;
}

static void load_definitions(ApiServer *server)
{
    guint64 revision;
    g_autoptr(GPtrArray) records = store_list(server->store, "customresourcedefinitions.apiextensions.k8s.io",
                                              NULL, NULL, NULL, &revision);

    for (guint i = 0; i < records->len; i++) {
        const Record *record = g_ptr_array_index(records, i);
        g_autoptr(json_t) definition = record_json(record);
        g_autoptr(GError) error = NULL;
        if (!kinds_add_definition(server->kinds, definition, &error))
            log_warn("definition left out", "name", record->name, "error", error->message, NULL);
    }
}

gboolean apiserver_write(ApiServer *server, const char *group, const char *version, const char *plural,
                         const char *ns, json_t *object, GError **error)
{
    g_auto(Request)
        request = {.server = server, .causes = schema_causes_new(), .ns = g_strdup(ns), .sub = g_strdup("")};
    g_autoptr(Record) before = NULL;
    g_autoptr(Record) written = NULL;

    request.name = g_strdup(json_string_at(object, "metadata.name", ""));
    request.user = g_new0(Identity, 1);
    request.user->name = g_strdup("system:apiserver");
    request.kind = kinds_find(server->kinds, group, version, plural);
    if ((before = store_get(server->store, request.kind->resource, ns, request.name))) {
        json_decref(object);
        return TRUE;
    }
    return write_object(&request, NULL, object, UNKNOWN_IGNORE, &written, error);
}

static gboolean make_namespaces(ApiServer *server, GError **error)
{
    static const char *const names[] = {"default", "kube-system"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (!apiserver_write(server, "", "v1", "namespaces", "",
                             json_pack("{s:{s:s}}", "metadata", "name", names[i]), error))
            return FALSE;
    return TRUE;
}

static gboolean open_parts(ApiServer *server, const ApiServerOptions *options, GError **error)
{
    g_autofree char *database = g_build_filename(options->data, "state.db", NULL);

    if (!(server->kinds = kinds_new(error)) ||
        !(server->pki = pki_open(options->data, options->listen, error)) ||
        !(server->store = store_open(database, history, error)) ||
        !(server->rbac = rbac_new(server->store, error)))
        return FALSE;
    server->watches = api_watches_new();
    load_definitions(server);
    return make_namespaces(server, error) && rbac_make_roles(server, error);
}

static gboolean listen_on(ApiServer *server, const ApiServerOptions *options, GError **error)
{
    const char *colon = strrchr(options->listen, ':');
    HttpServerOptions http = {.listen = options->listen,
                              .cert_pem = server->pki->serving->pem,
                              .key_pem = server->pki->serving->key_pem,
                              .output_limit = output_limit,
                              .gzip_from = gzip_from,
                              .workers = workers,
                              .most_requests = most_requests,
                              .handler = serve,
                              .user_data = server};

    if (!(server->http = http_server_start(&http, error)))
        return FALSE;
    server->url = g_strdup_printf("https://%.*s:%u", (int)(colon - options->listen), options->listen,
                                  http_server_port(server->http));
    server->kubeconfig = g_build_filename(options->data, "kubeconfig", NULL);
    return pki_write_kubeconfig(server->pki, options->data, server->url, error);
}

ApiServer *apiserver_start(const ApiServerOptions *options, GError **error)
{
    g_autoptr(ApiServer) server = g_new0(ApiServer, 1);

    server->lock = -1;
    if (options->pods)
        server->pods = *options->pods;
    server->pods_data = options->pods_data;
    server->admission = options->admission;
    server->admission_data = options->admission_data;
    if (!lock_directory(server, options->data, error) || !open_parts(server, options, error) ||
        !listen_on(server, options, error))
        return NULL;
    server->upkeep = upkeep_start(server, options->listen);
    return g_steal_pointer(&server);
}

void apiserver_stop(ApiServer *server)
{
    if (!server)
        return;
    upkeep_stop(server->upkeep);
    if (server->watches)
        api_watches_stop(server->watches);
    http_server_stop(server->http);
    api_watches_free(server->watches);
    rbac_free(server->rbac);
    store_close(server->store);
    pki_free(server->pki);
    kinds_free(server->kinds);
    if (server->lock >= 0)
        close(server->lock);
    g_free(server->url);
    g_free(server->kubeconfig);
    g_free(server);
}

guint apiserver_port(const ApiServer *server)
{
    return http_server_port(server->http);
}
const char *apiserver_url(const ApiServer *server)
{
    return server->url;
}
const char *apiserver_kubeconfig(const ApiServer *server)
{
    return server->kubeconfig;
}
const char *apiserver_ca_pem(const ApiServer *server)
{
    return server->pki->ca->pem;
}
const char *apiserver_ca_path(const ApiServer *server)
{
    return server->pki->ca_path;
}
const char *apiserver_ca_key_path(const ApiServer *server)
{
    return server->pki->ca_key_path;
}
