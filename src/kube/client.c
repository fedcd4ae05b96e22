/* client: paths, bodies and Status replies of the Kubernetes API over http_client. */
#include "kube/client.h"
#include "base/clock.h"
#include "kube/kubeconfig.h"
#include "net/http_client.h"
#include <string.h>

#define CALL_TIMEOUT_S   60
#define STREAM_TIMEOUT_S (KUBE_WATCH_SECONDS + 30) /* longer than a watch is asked to last */
#define MOST_REPLY       (64 * 1024 * 1024)
#define MOST_LOG         (16 * 1024 * 1024)
#define MOST_PROXY_REPLY (1024 * 1024)
#define PAGE_SIZE        500
#define MOST_PUT_OFF     5
#define PATIENCE_MS      20000 /* in sum: well below what a Lease lasts, whose holder asks through here too */
#define TOKEN_AGE_US     (60 * G_USEC_PER_SEC) /* kubelet replaces mounted tokens well before they expire */

struct KubeClient {
    gatomicrefcount references;
    Kubeconfig *config;
    HttpClient *calls, *streams; /* differ in their timeouts */

    GMutex lock;
    char *token; /* secret; read from config->token_file at token_read, else constant */
    gint64 token_read;
};

/* ---- life ---- */

static HttpClient *connect_by(const Kubeconfig *config, guint timeout_s, GError **error)
{
    HttpTrust trust = {
        .ca_pem = config->ca_pem, .fingerprint = config->fingerprint, .insecure = config->insecure};
    g_autoptr(HttpClient) http = http_client_new(&trust, timeout_s, error);

    if (!http || (config->certificate_pem &&
                  !http_client_use_certificate(http, config->certificate_pem, config->key_pem, error)))
        return NULL;
    return g_steal_pointer(&http);
}

static KubeClient *new_take(Kubeconfig *config, GError **error)
{
    g_autoptr(KubeClient) client = NULL;

    if (!config)
        return NULL;
    client = g_new0(KubeClient, 1);
    g_atomic_ref_count_init(&client->references);
    g_mutex_init(&client->lock);
    client->config = config;
    client->token = g_strdup(config->token);
    client->calls = connect_by(config, CALL_TIMEOUT_S, error);
    client->streams = client->calls ? connect_by(config, STREAM_TIMEOUT_S, error) : NULL;
    return client->streams ? g_steal_pointer(&client) : NULL;
}

KubeClient *kube_client_new_kubeconfig(const char *path, GError **error)
{
    return new_take(kubeconfig_read(path, error), error);
}

KubeClient *kube_client_new_in_cluster(GError **error)
{
    return new_take(kubeconfig_in_cluster(error), error);
}

/* The first file of $KUBECONFIG that exists, else the one in the home directory. */
static char *default_path(void)
{
    const char *list = g_getenv("KUBECONFIG");
    g_auto(GStrv) paths = g_strsplit(list ? list : "", ":", -1);
    char *first = NULL;

    for (guint i = 0; paths[i]; i++) {
        if (*paths[i] && g_file_test(paths[i], G_FILE_TEST_EXISTS))
            return g_strdup(paths[i]);
        if (*paths[i] && !first)
            first = paths[i];
    }
    return first ? g_strdup(first) : g_build_filename(g_get_home_dir(), ".kube", "config", NULL);
}

KubeClient *kube_client_new_default(GError **error)
{
    g_autofree char *path = NULL;

    if (g_getenv("KUBERNETES_SERVICE_HOST"))
        return kube_client_new_in_cluster(error);
    path = default_path();
    return kube_client_new_kubeconfig(path, error);
}

KubeClient *kube_client_new_token(const char *server, const HttpTrust *trust, const char *token,
                                  GError **error)
{
    Kubeconfig *config = g_new0(Kubeconfig, 1);

    config->server = g_strdup(server);
    config->ca_pem = g_strdup(trust->ca_pem);
    config->fingerprint = g_strdup(trust->fingerprint);
    config->insecure = trust->insecure;
    config->token = g_strdup(token);
    config->ns = g_strdup("default");
    return new_take(config, error);
}

KubeClient *kube_client_ref(KubeClient *client)
{
    g_atomic_ref_count_inc(&client->references);
    return client;
}

void kube_client_unref(KubeClient *client)
{
    if (!g_atomic_ref_count_dec(&client->references))
        return;
    g_clear_pointer(&client->calls, http_client_free);
    g_clear_pointer(&client->streams, http_client_free);
    if (client->token)
        explicit_bzero(client->token, strlen(client->token));
    g_free(client->token);
    kubeconfig_free(client->config);
    g_mutex_clear(&client->lock);
    g_free(client);
}

const char *kube_client_namespace(KubeClient *client)
{
    return client->config->ns;
}
const char *kube_client_server(KubeClient *client)
{
    return client->config->server;
}

/* "Bearer …" or NULL. A mounted token that cannot be read just now stays the one read before. */
static char *authorization(KubeClient *client)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&client->lock);
    gint64 now = g_get_monotonic_time();
    char *read = NULL;

    if (client->config->token_file && (!client->token || now - client->token_read > TOKEN_AGE_US)) {
        if (g_file_get_contents(client->config->token_file, &read, NULL, NULL)) {
            g_free(client->token);
            client->token = g_strstrip(read);
        }
        client->token_read = now;
    }
    return client->token ? g_strconcat("Bearer ", client->token, NULL) : NULL;
}

char *kube_client_token(KubeClient *client)
{
    g_autofree char *header = authorization(client);
    char *token = header ? g_strdup(header + strlen("Bearer ")) : NULL;

    if (header)
        explicit_bzero(header, strlen(header));
    return token;
}

/* ---- errors ---- */

static ErrorCode code_of(guint status, const char *reason)
{
    switch (status) {
    case 401:
        return ERROR_KUBE_UNAUTHORIZED;
    case 403:
        return ERROR_KUBE_FORBIDDEN;
    case 404:
        return ERROR_KUBE_NOT_FOUND;
    case 409:
        return strcmp(reason, "AlreadyExists") ? ERROR_KUBE_CONFLICT : ERROR_KUBE_ALREADY_EXISTS;
    case 410:
        return ERROR_KUBE_GONE;
    case 400:
    case 405:
    case 406:
    case 413:
    case 415:
    case 422:
        return ERROR_KUBE_INVALID;
    }
    return ERROR_KUBE_UNAVAILABLE;
}

void kube_set_status_error(const json_t *status, guint http_status, GError **error)
{
    const char *message = json_string_at(status, "message", "");
    guint code = json_int_at(status, "code", http_status);
    g_autofree char *without = g_strdup_printf("the API server answered with status %u", code);

    g_set_error_literal(error, GANTRY_ERROR, code_of(code, json_string_at(status, "reason", "")),
                        *message ? message : without);
}

static gboolean is_success(const HttpReply *reply, GError **error)
{
    g_autoptr(json_t) status = NULL;
    gsize size;
    const char *text = g_bytes_get_data(reply->body, &size);

    if (reply->status >= 200 && reply->status < 300)
        return TRUE;
    status = size ? json_parse(text, size, MOST_REPLY, "status", NULL) : NULL;
    kube_set_status_error(status, reply->status, error);
    return FALSE;
}

/* A server that does not answer is unavailable; one that is not who it should be stays a certificate error.
 */
static void as_unavailable(GError **error)
{
    if (error && g_error_matches(*error, GANTRY_ERROR, ERROR_HTTP_UNREACHABLE))
        (*error)->code = ERROR_KUBE_UNAVAILABLE;
}

/* ---- requests ---- */

/* What a server that has too much to do made one call wait. */
typedef struct {
    guint times, ms;
} PutOff;

/* TRUE when it has waited as the server asks: it did nothing with the request, so that a write may be sent again
 * like a read. */
static gboolean is_put_off(const HttpReply *reply, PutOff *put_off, GCancellable *cancel)
{
    const char *after = g_hash_table_lookup(reply->headers, "retry-after");
    guint64 seconds;
    guint ms;

    if (reply->status != 429 || !after || put_off->times++ == MOST_PUT_OFF ||
        !g_ascii_string_to_unsigned(after, 10, 0, PATIENCE_MS / 1000, &seconds, NULL))
        return FALSE;
    ms = seconds * 1000 + g_random_int_range(0, 250); /* not all at once again */
    put_off->ms += ms;
    return put_off->ms <= PATIENCE_MS && clock_wait(ms, cancel);
}

static HttpReply *request(KubeClient *client, const char *method, const char *path, const char *accept,
                          const char *content_type, const json_t *body, gsize limit, GCancellable *cancel,
                          GError **error)
{
    g_autofree char *url = g_strconcat(client->config->server, path, NULL), *bearer = authorization(client);
    const char *headers[] = {"Accept", accept, bearer ? "Authorization" : NULL, bearer, NULL};
    char *text = body ? json_text(body) : NULL;
    g_autoptr(GBytes) bytes = text ? g_bytes_new_take(text, strlen(text)) : NULL;
    g_autoptr(HttpReply) reply = NULL;
    PutOff put_off = {0};

    do {
        g_clear_pointer(&reply, http_reply_free);
        reply =
            http_client_send(client->calls, method, url, headers, content_type, bytes, limit, cancel, error);
    } while (reply && is_put_off(reply, &put_off, cancel));
    if (!reply) {
        as_unavailable(error);
        return NULL;
    }
    return is_success(reply, error) ? g_steal_pointer(&reply) : NULL;
}

static json_t *request_json(KubeClient *client, const char *method, const char *path,
                            const char *content_type, const json_t *body, gsize limit, GCancellable *cancel,
                            GError **error)
{
    g_autoptr(HttpReply) reply =
        request(client, method, path, "application/json", content_type, body, limit, cancel, error);
    gsize size;
    const char *text;

    if (!reply)
        return NULL;
    text = g_bytes_get_data(reply->body, &size);
    return json_parse(text ? text : "", size, limit, path, error);
}

static Object *request_object(KubeClient *client, const char *method, const char *path,
                              const char *content_type, const json_t *body, GCancellable *cancel,
                              GError **error)
{
    json_t *json = request_json(client, method, path, content_type, body, MOST_REPLY, cancel, error);

    if (json && !json_is_object(json)) {
        json_decref(json);
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE, "%s: the answer is not an object", path);
        return NULL;
    }
    return json ? object_new_take(json) : NULL;
}

json_t *kube_get_path(KubeClient *client, const char *path, GCancellable *cancel, GError **error)
{
    return request_json(client, "GET", path, NULL, NULL, MOST_REPLY, cancel, error);
}

json_t *kube_post_path(KubeClient *client, const char *path, const json_t *body, GCancellable *cancel,
                       GError **error)
{
    return request_json(client, "POST", path, "application/json", body, MOST_REPLY, cancel, error);
}

GInputStream *kube_stream_path(KubeClient *client, const char *path, GCancellable *cancel, GError **error)
{
    g_autofree char *url = g_strconcat(client->config->server, path, NULL), *bearer = authorization(client);
    const char *headers[] = {"Accept", "application/json", bearer ? "Authorization" : NULL, bearer, NULL};
    g_autoptr(HttpReply) reply = NULL;
    g_autoptr(GInputStream) stream = NULL;
    g_autofree char *text = NULL;
    g_autoptr(json_t) status = NULL;
    PutOff put_off = {0};
    gsize size = 0;

    do {
        g_clear_object(&stream);
        g_clear_pointer(&reply, http_reply_free);
        stream = http_client_stream(client->streams, "GET", url, headers, &reply, cancel, error);
    } while (stream && is_put_off(reply, &put_off, cancel));
    if (!stream) {
        as_unavailable(error);
        return NULL;
    }
    if (reply->status >= 200 && reply->status < 300)
        return g_steal_pointer(&stream);
    text = g_malloc(MOST_PROXY_REPLY);
    g_input_stream_read_all(stream, text, MOST_PROXY_REPLY, &size, cancel, NULL);
    status = json_parse(text, size, MOST_PROXY_REPLY, "status", NULL);
    kube_set_status_error(status, reply->status, error);
    return NULL;
}

/* ---- paths ---- */

static void append_part(GString *path, const char *part)
{
    g_string_append_c(path, '/');
    g_string_append_uri_escaped(path, part, NULL, FALSE);
}

char *kube_path(const KubeResource *resource, const char *ns, const char *name, const char *subresource)
{
    GString *path = g_string_new(*resource->group ? "/apis" : "/api");

    if (*resource->group)
        append_part(path, resource->group);
    append_part(path, resource->version);
    if (resource->namespaced && ns && *ns) {
        append_part(path, "namespaces");
        append_part(path, ns);
    }
    append_part(path, resource->plural);
    if (name)
        append_part(path, name);
    if (subresource)
        append_part(path, subresource);
    return g_string_free(path, FALSE);
}

/* The path of one object, or NULL with BAD_INPUT: an empty name would make it the path of all of them. */
static char *object_path(const KubeResource *resource, const char *ns, const char *name,
                         const char *subresource, GError **error)
{
    if (name && *name && (!resource->namespaced || (ns && *ns)))
        return kube_path(resource, ns, name, subresource);
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s \"%s\": %s is empty", resource->kind,
                name ? name : "", name && *name ? "namespace" : "name");
    return NULL;
}

/* ---- verbs ---- */

Object *kube_get(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                 GCancellable *cancel, GError **error)
{
    g_autofree char *path = object_path(resource, ns, name, NULL, error);
    return path ? request_object(client, "GET", path, NULL, NULL, cancel, error) : NULL;
}

static void append_query(GString *path, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    g_string_append_printf(path, "%c%s=", strchr(path->str, '?') ? '&' : '?', name);
    g_string_append_uri_escaped(path, value, NULL, FALSE);
}

char *kube_list_path(const KubeResource *resource, const char *ns, const char *label_selector,
                     const char *field_selector)
{
    g_autofree char *base = kube_path(resource, ns, NULL, NULL);
    GString *path = g_string_new(base);

    append_query(path, "labelSelector", label_selector);
    append_query(path, "fieldSelector", field_selector);
    return g_string_free(path, FALSE);
}

/* The items of lists come without apiVersion and kind, but readers may rely on them. */
static void add_items(GPtrArray *objects, const json_t *list, const KubeResource *resource)
{
    g_autofree char *api_version = *resource->group
                                       ? g_strconcat(resource->group, "/", resource->version, NULL)
                                       : g_strdup(resource->version);
    json_t *item;
    gsize i;

    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        if (!json_is_object(item))
            continue;
        json_object_set_new(item, "apiVersion", json_string(api_version));
        json_object_set_new(item, "kind", json_string(resource->kind));
        g_ptr_array_add(objects, object_new_take(json_incref(item)));
    }
}

/* Fetches one page; *next is the token of the following one, or NULL. */
static gboolean list_page(KubeClient *client, const KubeResource *resource, const char *base,
                          GPtrArray *objects, char **next, char **version, GCancellable *cancel,
                          GError **error)
{
    g_autoptr(GString) path = g_string_new(base);
    g_autoptr(json_t) list = NULL;
    const char *token;

    append_query(path, "limit", G_STRINGIFY(PAGE_SIZE));
    append_query(path, "continue", *next);
    list = kube_get_path(client, path->str, cancel, error);
    if (!list)
        return FALSE;
    add_items(objects, list, resource);
    token = json_string_at(list, "metadata.continue", "");
    g_free(*next);
    *next = *token ? g_strdup(token) : NULL;
    g_free(*version);
    *version = g_strdup(json_string_at(list, "metadata.resourceVersion", ""));
    return TRUE;
}

GPtrArray *kube_list(KubeClient *client, const KubeResource *resource, const char *ns,
                     const char *label_selector, const char *field_selector, char **resource_version,
                     GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    g_autofree char *base = kube_list_path(resource, ns, label_selector, field_selector);
    g_autofree char *next = NULL, *version = NULL;

    do {
        if (!list_page(client, resource, base, objects, &next, &version, cancel, error))
            return NULL;
    } while (next);
    if (resource_version)
        *resource_version = g_steal_pointer(&version);
    return g_steal_pointer(&objects);
}

/* A copy of body that says what it is and where. */
static json_t *complete(const KubeResource *resource, const char *ns, const json_t *body)
{
    json_t *copy = json_copy((json_t *)body);
    const json_t *given = json_object_get(body, "metadata");
    json_t *metadata = given ? json_copy((json_t *)given) : json_object();

    if (!json_object_get(copy, "apiVersion"))
        json_object_set_new(copy, "apiVersion",
                            *resource->group ? json_sprintf("%s/%s", resource->group, resource->version)
                                             : json_string(resource->version));
    if (!json_object_get(copy, "kind"))
        json_object_set_new(copy, "kind", json_string(resource->kind));
    if (resource->namespaced && ns && !json_object_get(metadata, "namespace"))
        json_object_set_new(metadata, "namespace", json_string(ns));
    json_object_set_new(copy, "metadata", metadata);
    return copy;
}

Object *kube_create(KubeClient *client, const KubeResource *resource, const char *ns, const json_t *body,
                    GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) whole = complete(resource, ns, body);
    g_autofree char *path =
        kube_path(resource, json_string_at(whole, "metadata.namespace", NULL), NULL, NULL);

    return request_object(client, "POST", path, "application/json", whole, cancel, error);
}

static char *path_of(const KubeResource *resource, const json_t *body, const char *subresource,
                     GError **error)
{
    return object_path(resource, json_string_at(body, "metadata.namespace", NULL),
                       json_string_at(body, "metadata.name", NULL), subresource, error);
}

Object *kube_update(KubeClient *client, const KubeResource *resource, const json_t *body,
                    GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) whole = complete(resource, NULL, body);
    g_autofree char *path = path_of(resource, body, NULL, error);

    return path ? request_object(client, "PUT", path, "application/json", whole, cancel, error) : NULL;
}

gboolean kube_update_status(KubeClient *client, const KubeResource *resource, const json_t *body,
                            GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) whole = complete(resource, NULL, body);
    g_autofree char *path = path_of(resource, body, "status", error);
    g_autoptr(HttpReply) reply = NULL;

    if (!path)
        return FALSE;
    reply = request(client, "PUT", path, "application/json", "application/json", whole, MOST_REPLY, cancel,
                    error);
    return reply != NULL;
}

Object *kube_patch(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                   KubePatchType type, const json_t *patch, const char *subresource, GCancellable *cancel,
                   GError **error)
{
    static const char *const types[] = {[KUBE_PATCH_MERGE] = "application/merge-patch+json",
                                        [KUBE_PATCH_STRATEGIC] = "application/strategic-merge-patch+json",
                                        [KUBE_PATCH_JSON] = "application/json-patch+json",
                                        [KUBE_PATCH_APPLY] = "application/apply-patch+yaml"};
    g_autofree char *own = object_path(resource, ns, name, subresource, error);
    g_autofree char *path =
        own && type == KUBE_PATCH_APPLY ? g_strconcat(own, "?fieldManager=gantry&force=true", NULL) : g_strdup(own);

    return path ? request_object(client, "PATCH", path, types[type], patch, cancel, error) : NULL;
}

gboolean kube_finalize_namespace(KubeClient *client, const json_t *body, GCancellable *cancel, GError **error)
{
    g_autofree char *path =
        object_path(&KUBE_NAMESPACE, NULL, json_string_at(body, "metadata.name", ""), "finalize", error);
    g_autoptr(Object) written =
        path ? request_object(client, "PUT", path, "application/json", body, cancel, error) : NULL;

    return written != NULL;
}

static gboolean delete_with(KubeClient *client, const KubeResource *resource, const char *ns,
                            const char *name, const json_t *options, GCancellable *cancel, GError **error)
{
    g_autofree char *path = object_path(resource, ns, name, NULL, error);
    g_autoptr(HttpReply) reply = NULL;

    if (!path)
        return FALSE;
    reply = request(client, "DELETE", path, "application/json", "application/json", options, MOST_REPLY,
                    cancel, error);
    return reply != NULL;
}

static json_t *delete_options(const char *propagation)
{
    json_t *options = json_pack("{s:s,s:s}", "apiVersion", "v1", "kind", "DeleteOptions");

    if (propagation)
        json_object_set_new(options, "propagationPolicy", json_string(propagation));
    return options;
}

gboolean kube_delete(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                     const char *propagation, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) options = delete_options(propagation);

    return delete_with(client, resource, ns, name, options, cancel, error);
}

gboolean kube_delete_as_read(KubeClient *client, const KubeResource *resource, const Object *object,
                             const char *propagation, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) options = delete_options(propagation);
    const char *ns = object_namespace(object);

    json_object_set_new(options, "preconditions",
                        json_pack("{s:s,s:s}", "uid", object_uid(object), "resourceVersion",
                                  object_resource_version(object)));
    return delete_with(client, resource, *ns ? ns : NULL, object_name(object), options, cancel, error);
}

gboolean kube_delete_now(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                         const char *uid, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) options =
        json_pack("{s:s,s:s,s:i,s:{s:s}}", "apiVersion", "v1", "kind", "DeleteOptions", "gracePeriodSeconds",
                  0, "preconditions", "uid", uid);

    return delete_with(client, resource, ns, name, options, cancel, error);
}

char *kube_pod_log(KubeClient *client, const char *ns, const char *pod, const char *container,
                   gint tail_lines, GCancellable *cancel, GError **error)
{
    g_autofree char *base = object_path(&KUBE_POD, ns, pod, "log", error);
    g_autoptr(GString) path = g_string_new(base);
    g_autofree char *lines = tail_lines >= 0 ? g_strdup_printf("%d", tail_lines) : NULL;
    g_autoptr(HttpReply) reply = NULL;
    const char *text;
    gsize size;

    if (!base)
        return NULL;
    append_query(path, "container", container);
    append_query(path, "tailLines", lines);
    reply = request(client, "GET", path->str, "*/*", NULL, NULL, MOST_LOG, cancel, error);
    if (!reply)
        return NULL;
    text = g_bytes_get_data(reply->body, &size);
    return g_strndup(text ? text : "", size);
}

static char *proxy_path(const char *ns, const char *pod, guint port, const char *path, GError **error)
{
    g_autofree char *name = g_strdup_printf("%s:%u", pod, port),
                    *base = object_path(&KUBE_POD, ns, name, "proxy", error);
    return base ? g_strconcat(base, path, NULL) : NULL;
}

json_t *kube_pod_proxy_get(KubeClient *client, const char *ns, const char *pod, guint port, const char *path,
                           GCancellable *cancel, GError **error)
{
    g_autofree char *whole = proxy_path(ns, pod, port, path, error);
    return whole ? request_json(client, "GET", whole, NULL, NULL, MOST_PROXY_REPLY, cancel, error) : NULL;
}

json_t *kube_pod_proxy_put(KubeClient *client, const char *ns, const char *pod, guint port, const char *path,
                           const json_t *body, GCancellable *cancel, GError **error)
{
    g_autofree char *whole = proxy_path(ns, pod, port, path, error);
    return whole ? request_json(client, "PUT", whole, "application/json", body, MOST_PROXY_REPLY, cancel, error)
                 : NULL;
}

Object *kube_create_or_get(KubeClient *client, const KubeResource *resource, const char *ns,
                           const json_t *body, gboolean *created, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) why = NULL;
    Object *object = kube_create(client, resource, ns, body, cancel, &why);

    if (created)
        *created = object != NULL;
    if (object)
        return object;
    if (g_error_matches(why, GANTRY_ERROR, ERROR_KUBE_ALREADY_EXISTS))
        return kube_get(client, resource, json_string_at(body, "metadata.namespace", ns),
                        json_string_at(body, "metadata.name", ""), cancel, error);
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}
