/* rest: checks a request step by step, in the order that clients rely on, and hands it to what serves it. */
#include "inventory/rest.h"
#include "inventory/cluster.h"
#include "inventory/request.h"
#include <string.h>

enum { READY_WAIT_MS = 10000, COMPRESS_FROM = 1024, WORKERS = 24 };

struct Rest {
    HttpServer *server;
    Inventory *inventory;
    Authorizer *authorizer;
    guint ready_wait_ms;
    GPtrArray *origins; /* of GRegex */
};

/* ---- answers ------------------------------------------------------------------------------------------- */

/* A header holds one line of plain text. */
static char *header_text(const char *text)
{
    char *clean = g_strndup(text, 512);
    for (char *at = clean; *at; at++)
        if ((guchar)*at < 0x20 || (guchar)*at > 0x7e)
            *at = ' ';
    return clean;
}

void request_fail(Request *request, guint status, const char *reason)
{
    g_autofree char *text = header_text(reason);

    http_exchange_add_header(request->exchange, "X-Reason", text);
    http_exchange_add_header(request->exchange, "forklift-error-message", text);
    http_exchange_reply(request->exchange, status, NULL, NULL);
}

static void free_text(gpointer text)
{
    free(text);
}

void request_reply(Request *request, json_t *take)
{
    char *text = json_dumps(take, JSON_COMPACT | JSON_ENCODE_ANY);
    g_autoptr(GBytes) body = g_bytes_new_with_free_func(text, strlen(text), free_text, text);

    json_decref(take);
    http_exchange_reply(request->exchange, 200, "application/json; charset=utf-8", body);
}

gboolean request_is_known(Request *request, Stock *stock)
{
    const char *known = http_exchange_header(request->exchange, "If-None-Match");
    g_autofree char *tag = stock_tag(stock);

    http_exchange_add_header(request->exchange, "ETag", tag);
    if (!known || !strstr(known, tag))
        return FALSE;
    http_exchange_reply(request->exchange, 304, NULL, NULL);
    return TRUE;
}

/* ---- parameters ---------------------------------------------------------------------------------------- */

static const char *query_value(gconstpointer exchange, const char *name)
{
    return http_exchange_query(exchange, name);
}

static gboolean read_parameters(Request *request, GError **error)
{
    const char *watch = http_exchange_header(request->exchange, "X-Watch");

    request->watch = watch != NULL;
    request->watch_snapshot = watch && !strcmp(watch, "snapshot");
    return parameters_read(&request->query, query_value, request->exchange, error);
}

/* ---- other origins ------------------------------------------------------------------------------------- */

static gboolean is_own_origin(HttpExchange *exchange, const char *origin)
{
    const char *host = http_exchange_header(exchange, "Host"), *start = strstr(origin, "://");
    return host && start && !g_ascii_strcasecmp(start + 3, host);
}

/* A page from elsewhere may read only where the settings say so. */
static gboolean allow_origin(Rest *rest, HttpExchange *exchange)
{
    const char *origin = http_exchange_header(exchange, "Origin");

    if (!origin || is_own_origin(exchange, origin))
        return TRUE;
    for (guint i = 0; i < rest->origins->len; i++)
        if (g_regex_match(rest->origins->pdata[i], origin, 0, NULL)) {
            http_exchange_add_header(exchange, "Access-Control-Allow-Origin", origin);
            http_exchange_add_header(exchange, "Vary", "Origin");
            return TRUE;
        }
    return FALSE;
}

static gboolean parse_origins(Rest *rest, const char *text, GError **error)
{
    g_auto(GStrv) expressions = g_strsplit_set(text ? text : "", " \t\n", -1);

    rest->origins = g_ptr_array_new_with_free_func((GDestroyNotify)g_regex_unref);
    for (guint i = 0; expressions[i]; i++) {
        GRegex *regex = *expressions[i] ? g_regex_new(expressions[i], G_REGEX_OPTIMIZE, 0, error) : NULL;
        if (regex)
            g_ptr_array_add(rest->origins, regex);
        else if (*expressions[i]) {
            g_prefix_error(error, "CORS_ALLOWED_ORIGINS '%s': ", expressions[i]);
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- routes -------------------------------------------------------------------------------------------- */

static gboolean is_provider_type(const char *type)
{
    static const char *const types[] = {"openshift", "vsphere", "ovirt",  "openstack",
                                        "ova",       "ec2",     "hyperv", NULL};
    return g_strv_contains(types, type);
}

static void add_path(json_t *paths, const char *type, const char *collection, const char *item)
{
    g_autofree char *path = g_strconcat("/providers/", type, "/:provider/", collection, item, NULL);
    json_array_append_new(paths, json_string(path));
}

static void add_collected_paths(json_t *paths, const ProviderType *type)
{
    for (const ProviderKind *kind = type->kinds; kind->kind; kind++) {
        add_path(paths, type->type, kind->collection, "");
        add_path(paths, type->type, kind->collection, "/:id");
    }
    add_path(paths, type->type, "workloads", "/:vm");
    for (const ProviderTree *tree = type->trees; tree->name; tree++)
        add_path(paths, type->type, "tree/", tree->name);
}

static void serve_schema(Request *request)
{
    json_t *paths = json_pack("[s, s, s]", "/providers", "/providers/:type", "/providers/:type/:provider");

    for (const ProviderType *const *type = provider_types(); *type; type++)
        add_collected_paths(paths, *type);
    for (const char *const *collection = cluster_collections(); *collection; collection++) {
        add_path(paths, "openshift", *collection, "");
        add_path(paths, "openshift", *collection, "/:uid");
    }
    add_path(paths, "openshift", "tree/", "namespace");
    request_reply(request, json_pack("{s:s, s:o}", "release", GANTRY_VERSION, "paths", paths));
}

/* An answer of 0: allowed. */
static gboolean authorised(Rest *rest, Request *request, const char *ns, const char *name)
{
    const char *header = http_exchange_header(request->exchange, "Authorization");
    g_autofree char *reason = NULL;
    Access access = {name ? "get" : "list", "forklift.konveyor.io", "providers", ns, name};
    guint status = authorizer_check(rest->authorizer, header, &access, &reason, request->cancel);

    if (status)
        request_fail(request, status, reason);
    return status == 0;
}

static void serve_lists(Rest *rest, Request *request)
{
    const char *type = request->len > 1 ? request->parts[1] : NULL;

    if (type && !is_provider_type(type))
        request_fail(request, 404, "there are no providers of this type");
    else if (type && request->watch)
        request_fail(request, 400, "providers cannot be watched here: watch the Provider objects");
    else if (authorised(rest, request, request->query.ns, NULL))
        rest_providers(request, type);
}

/* Whoever asks for a provider that is not there learns so only with a valid token. */
static void serve_unknown(Rest *rest, Request *request)
{
    const char *header = http_exchange_header(request->exchange, "Authorization");
    g_autofree char *reason = NULL;
    guint status = authorizer_check_token(rest->authorizer, header, &reason, request->cancel);

    request_fail(request, status ? status : 404, status ? reason : "ProviderNotFound");
}

static void serve_provider(Rest *rest, Request *request, Stock *stock)
{
    g_autoptr(Object) provider = stock_provider(stock);

    if (!authorised(rest, request, object_namespace(provider), object_name(provider)))
        return;
    if (strcmp(stock_type(stock), request->parts[1])) {
        request_fail(request, 404, "the provider is of another type");
        return;
    }
    if (!stock_wait_ready(stock, rest->ready_wait_ms, request->cancel)) {
        request_fail(request, 206, "the provider's inventory is not loaded yet");
        return;
    }
    if (request->len == 3)
        rest_provider(request, stock);
    else if (!strcmp(stock_type(stock), "openshift"))
        rest_cluster(request, stock);
    else
        rest_source(request, stock);
}

static void route(Rest *rest, Request *request)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Stock) stock = NULL;

    if (request->len == 1 && !strcmp(request->parts[0], "schema")) {
        serve_schema(request);
        return;
    }
    if (!request->len || strcmp(request->parts[0], "providers")) {
        request_fail(request, 404, "the inventory begins at /providers");
        return;
    }
    if (!read_parameters(request, &problem)) {
        request_fail(request, 400, problem->message);
        return;
    }
    if (request->len < 3) {
        serve_lists(rest, request);
        return;
    }
    stock = inventory_stock(rest->inventory, request->parts[2]);
    if (stock)
        serve_provider(rest, request, stock);
    else
        serve_unknown(rest, request);
}

/* The parts of a path, without empty ones. */
static char **split_path(const char *path, guint *len)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    GPtrArray *kept = g_ptr_array_new();

    for (guint i = 0; parts[i]; i++)
        if (*parts[i])
            g_ptr_array_add(kept, g_strdup(parts[i]));
    *len = kept->len;
    g_ptr_array_add(kept, NULL);
    return (char **)g_ptr_array_free(kept, FALSE);
}

static void handle(HttpExchange *exchange, gpointer user_data)
{
    Rest *rest = user_data;
    Request request = {
        .exchange = exchange, .inventory = rest->inventory, .cancel = http_exchange_cancellable(exchange)};

    request.parts = split_path(http_exchange_path(exchange), &request.len);
    if (strcmp(http_exchange_method(exchange), "GET"))
        request_fail(&request, 405, "the inventory is only read: GET");
    else if (!allow_origin(rest, exchange))
        request_fail(&request, 403, "this origin is not allowed (CORS_ALLOWED_ORIGINS)");
    else
        route(rest, &request);
    g_strfreev(request.parts);
    parameters_clear(&request.query);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

Rest *rest_start(const RestOptions *options, GError **error)
{
    g_autoptr(Rest) rest = g_new0(Rest, 1);
    HttpServerOptions server = {
        .listen = options->listen,
        .cert_pem = options->cert_pem,
        .key_pem = options->key_pem,
        .gzip_from = COMPRESS_FROM,
        .workers = WORKERS,
        .handler = handle,
        .user_data = rest,
    };
    rest->inventory = options->inventory;
    rest->authorizer = options->authorizer;
    rest->ready_wait_ms = options->ready_wait_ms ? options->ready_wait_ms : READY_WAIT_MS;
    if (!parse_origins(rest, options->cors_origins, error) ||
        !(rest->server = http_server_start(&server, error)))
        return NULL;
    return g_steal_pointer(&rest);
}

guint rest_port(const Rest *rest)
{
    return http_server_port(rest->server);
}

void rest_stop(Rest *rest)
{
    g_clear_pointer(&rest->server, http_server_stop);
    g_clear_pointer(&rest->origins, g_ptr_array_unref);
    g_free(rest);
}
