/* client: URLs of the inventory service, and what its answers mean to a controller. */
#include "inventory/client.h"
#include "net/http_client.h"
#include <string.h>

enum {
    TIMEOUT_S = 60,
    MOST_REPLY_SIZE = 512 * 1024 * 1024,
    MOST_CA_SIZE = 1024 * 1024,
    MOST_TOKEN_SIZE = 64 * 1024
};

#define NAMESPACE "openshift-mtv"
#define SERVICE   "forklift-inventory"

static const char token_path[] = "/var/run/secrets/kubernetes.io/serviceaccount/token";

struct InventoryClient {
    char *root; /* "https://forklift-inventory.openshift-mtv.svc:8443" */
    HttpClient *http;
    char *token; /* secret; NULL: the mounted one */
};

/* ---- life ---------------------------------------------------------------------------------------------- */

static const char *setting(const char *name, const char *absent)
{
    const char *value = g_getenv(name);
    return value && *value ? value : absent;
}

static char *read_authority(GError **error)
{
    const char *path = setting("API_TLS_CA", NULL);
    char *pem = NULL;

    if (path && !g_file_get_contents(path, &pem, NULL, error))
        g_prefix_error(error, "API_TLS_CA: ");
    return pem;
}

static InventoryClient *connect_to(const char *root, const HttpTrust *trust, GError **error)
{
    HttpClient *http = http_client_new(trust, TIMEOUT_S, error);
    InventoryClient *client;

    if (!http)
        return NULL;
    client = g_new0(InventoryClient, 1);
    client->http = http;
    client->root = g_strdup(root);
    return client;
}

InventoryClient *inventory_client_new(GError **error)
{
    const char *scheme = setting("INVENTORY_SERVICE_SCHEME", "https");
    g_autoptr(GError) failed = NULL;
    g_autofree char *pem = read_authority(&failed);
    HttpTrust trust = {.ca_pem = pem};
    g_autofree char *root = NULL;

    if (failed) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    root = g_strdup_printf("%s://%s:%s", scheme, setting("API_HOST", "localhost"), setting("API_PORT", "8080"));
    return connect_to(root, strcmp(scheme, "http") ? &trust : NULL, error);
}

InventoryClient *inventory_client_new_at(const char *root, const char *ca_pem, const char *token, GError **error)
{
    HttpTrust trust = {.ca_pem = ca_pem};
    InventoryClient *client = connect_to(root, &trust, error);

    if (client)
        client->token = g_strdup(token);
    return client;
}

InventoryClient *inventory_client_new_of(KubeClient *kube, GCancellable *cancel, GError **error)
{
    g_autoptr(Object) route = kube_get(kube, &KUBE_ROUTE, NAMESPACE, SERVICE, cancel, NULL);
    g_autoptr(Object) ca = kube_get(kube, &KUBE_CONFIG_MAP, NAMESPACE, "gantry-ca", cancel, NULL);
    const char *host = route ? json_string_at(object_json(route), "spec.host", "") : "";
    const char *pem = ca ? json_string_value(json_object_get(json_at(object_json(ca), "data"), "ca.crt")) : NULL;
    g_autofree char *root = g_strconcat("https://", *host ? host : SERVICE "." NAMESPACE ".svc:8443", NULL);
    g_autofree char *token = kube_client_token(kube);
    InventoryClient *client = inventory_client_new_at(root, pem, token, error);

    if (token)
        explicit_bzero(token, strlen(token));
    return client;
}

void inventory_client_free(InventoryClient *client)
{
    http_client_free(client->http);
    g_free(client->root);
    if (client->token)
        explicit_bzero(client->token, strlen(client->token));
    g_free(client->token);
    g_free(client);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

/* The mounted token is replaced before it expires, so it is read for each request. $GANTRY_TOKEN_FILE is for
 * tests. */
static char *authorization(const InventoryClient *client)
{
    g_autofree char *token = NULL;
    gsize size = 0;
    char *header;

    if (client->token)
        return g_strconcat("Bearer ", client->token, NULL);
    if (!g_file_get_contents(setting("GANTRY_TOKEN_FILE", token_path), &token, &size, NULL) ||
        size > MOST_TOKEN_SIZE)
        return NULL;
    header = g_strconcat("Bearer ", g_strstrip(token), NULL);
    explicit_bzero(token, strlen(token));
    return header;
}

static gboolean check_status(const HttpReply *reply, const char *what, GError **error)
{
    const char *reason = g_hash_table_lookup(reply->headers, "x-reason");
    gboolean unknown = reply->status == 404 && !g_strcmp0(reason, "ProviderNotFound");

    if (reply->status == 200)
        return TRUE;
    if (reply->status == 206 || unknown)
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_READY,
                    "the inventory of the provider is not loaded yet (%s)", what);
    else if (reply->status == 404)
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND, "%s is not in the provider's inventory",
                    what);
    else if (reply->status == 400)
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "the inventory: %s", reason ? reason : what);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_UNAVAILABLE, "the inventory answered %u for %s: %s",
                    reply->status, what, reason ? reason : "");
    return FALSE;
}

static json_t *get(InventoryClient *client, const char *path, const char *what, GCancellable *cancel,
                   GError **error)
{
    g_autofree char *url = g_strconcat(client->root, path, NULL), *bearer = authorization(client);
    const char *const headers[] = {bearer ? "Authorization" : NULL, bearer, NULL};
    g_autoptr(GError) failed = NULL;
    g_autoptr(HttpReply) reply =
        http_client_send(client->http, "GET", url, headers, NULL, NULL, MOST_REPLY_SIZE, cancel, &failed);
    const char *text;
    gsize size;

    if (bearer)
        explicit_bzero(bearer, strlen(bearer));
    if (!reply && g_error_matches(failed, GANTRY_ERROR, ERROR_CANCELED)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    if (!reply) {
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_UNAVAILABLE, "the inventory cannot be reached: %s",
                    failed->message);
        return NULL;
    }
    if (!check_status(reply, what, error))
        return NULL;
    text = g_bytes_get_data(reply->body, &size);
    return json_parse(text ? text : "", size, MOST_REPLY_SIZE, url, error);
}

static char *provider_path(const Object *provider)
{
    return g_strdup_printf("/providers/%s/%s", json_string_at(object_json(provider), "spec.type", ""),
                           object_uid(provider));
}

json_t *inventory_get(InventoryClient *client, const Object *provider, const char *collection, const char *id,
                      GCancellable *cancel, GError **error)
{
    g_autofree char *root = provider_path(provider), *escaped = g_uri_escape_string(id, NULL, FALSE);
    g_autofree char *path = g_strconcat(root, "/", collection, "/", escaped, NULL);
    g_autofree char *what = g_strdup_printf("%s '%s'", collection, id);

    return get(client, path, what, cancel, error);
}

json_t *inventory_list(InventoryClient *client, const Object *provider, const char *collection, guint detail,
                       GCancellable *cancel, GError **error)
{
    g_autofree char *root = provider_path(provider);
    g_autofree char *path = g_strdup_printf("%s/%s?detail=%u", root, collection, detail);

    return get(client, path, collection, cancel, error);
}

json_t *inventory_query(InventoryClient *client, const Object *provider, const char *collection, const char *query,
                        GCancellable *cancel, GError **error)
{
    g_autofree char *root = provider_path(provider);
    g_autofree char *path = g_strconcat(root, "/", collection, "?", query, NULL);

    return get(client, path, collection, cancel, error);
}

static json_t *find_by_name(InventoryClient *client, const Object *provider, const char *collection,
                            const char *name, const char *ns, GCancellable *cancel, GError **error)
{
    g_autofree char *root = provider_path(provider), *escaped = g_uri_escape_string(name, NULL, FALSE);
    g_autofree char *escaped_ns = g_uri_escape_string(ns, NULL, FALSE);
    g_autofree char *path = g_strdup_printf("%s/%s?detail=all&name=%s%s%s", root, collection, escaped,
                                            *ns ? "&namespace=" : "", escaped_ns);
    g_autoptr(json_t) found = get(client, path, collection, cancel, error);
    size_t len = json_array_size(found);

    if (!found)
        return NULL;
    if (len == 1)
        return json_incref(json_array_get(found, 0));
    if (len == 0)
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND, "%s: there is none with the name '%s'",
                    collection, name);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_AMBIGUOUS, "%s: the name '%s' fits %zu of them",
                    collection, name, len);
    return NULL;
}

json_t *inventory_find(InventoryClient *client, const Object *provider, const char *collection,
                       const json_t *ref, GCancellable *cancel, GError **error)
{
    const char *id = json_string_at(ref, "id", ""), *name = json_string_at(ref, "name", "");

    if (*id)
        return inventory_get(client, provider, collection, id, cancel, error);
    if (*name)
        return find_by_name(client, provider, collection, name, json_string_at(ref, "namespace", ""), cancel,
                            error);
    g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND, "%s: a reference needs an id or a name",
                collection);
    return NULL;
}
