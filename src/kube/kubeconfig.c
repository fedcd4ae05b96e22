/* kubeconfig: from YAML to what a connection needs. */
#include "kube/kubeconfig.h"
#include "base/yaml.h"
#include <string.h>

#define MOST_SIZE       (1024 * 1024)
#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

void kubeconfig_free(Kubeconfig *config)
{
    g_free(config->server);
    g_free(config->ca_pem);
    g_free(config->fingerprint);
    wipe(config->token);
    g_free(config->token_file);
    g_free(config->certificate_pem);
    wipe(config->key_pem);
    g_free(config->ns);
    g_free(config);
}

/* The file that is read, for errors and relative names. The functions below are always given an error to set.
 */
typedef struct {
    const json_t *root;
    const char *what, *directory;
} Source;

static gboolean fail(const Source *source, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static gboolean fail(const Source *source, GError **error, const char *format, ...)
{
    va_list arguments;
    g_autofree char *why = NULL;

    va_start(arguments, format);
    why = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, GANTRY_ERROR, ERROR_KUBECONFIG, "%s: %s", source->what, why);
    return FALSE;
}

/* The entry called name of a list {name, MEMBER: {…}} ("clusters", "cluster"). */
static const json_t *find(const Source *source, const char *list, const char *member, const char *name,
                          GError **error)
{
    const json_t *item;
    gsize i;

    json_array_foreach(
        json_object_get(source->root, list), i,
        item) if (!g_strcmp0(json_string_at(item, "name", NULL), name)) return json_object_get(item, member);
    fail(source, error, "%s: there is none called \"%s\"", list, name);
    return NULL;
}

/* The content of a field that is given as base64 (FIELD-data) or as a file name (FIELD). NULL without error:
 * neither. */
static char *content(const Source *source, const json_t *owner, const char *field, GError **error)
{
    g_autofree char *data_field = g_strconcat(field, "-data", NULL);
    const char *data = json_string_value(json_object_get(owner, data_field));
    const char *name = json_string_value(json_object_get(owner, field));
    g_autofree char *path = NULL;
    char *text = NULL;
    gsize size;

    if (data && *data) {
        text = (char *)g_base64_decode(data, &size);
        if (size > 0 && g_utf8_validate(text, size, NULL)) {
            text = g_realloc(text, size + 1);
            text[size] = 0;
            return text;
        }
        g_free(text);
        fail(source, error, "%s: not base64 of a PEM text", data_field);
        return NULL;
    }
    if (!name || !*name)
        return NULL;
    path = g_canonicalize_filename(name, source->directory);
    g_file_get_contents(path, &text, NULL, error);
    g_prefix_error(error, "%s: %s: ", source->what, field);
    return text;
}

static gboolean read_cluster(const Source *source, const json_t *cluster, Kubeconfig *config, GError **error)
{
    const char *server = json_string_at(cluster, "server", "");

    if (!g_str_has_prefix(server, "https://"))
        return fail(source, error, "clusters[].cluster.server: \"%s\": must be https://HOST[:PORT]", server);
    config->server = g_strdup(server);
    while (g_str_has_suffix(config->server, "/"))
        config->server[strlen(config->server) - 1] = 0;
    config->insecure = json_is_true(json_object_get(cluster, "insecure-skip-tls-verify"));
    config->ca_pem = content(source, cluster, "certificate-authority", error);
    return *error == NULL;
}

static gboolean read_user(const Source *source, const json_t *user, Kubeconfig *config, GError **error)
{
    static const char *const refused[] = {"exec", "auth-provider", "username", "password"};
    const char *token = json_string_at(user, "token", ""), *file = json_string_at(user, "tokenFile", "");

    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++)
        if (json_object_get(user, refused[i]))
            return fail(
                source, error,
                "users[].user.%s: not supported; give a token or a client certificate (kubectl create token)",
                refused[i]);
    if (*token)
        config->token = g_strdup(token);
    else if (*file)
        config->token_file = g_canonicalize_filename(file, source->directory);
    config->certificate_pem = content(source, user, "client-certificate", error);
    if (*error)
        return FALSE;
    config->key_pem = content(source, user, "client-key", error);
    if (*error)
        return FALSE;
    if (!config->certificate_pem != !config->key_pem)
        return fail(source, error, "users[].user: client-certificate and client-key belong together");
    return TRUE;
}

/* The named entry must be there and be an object. */
static const json_t *need(const Source *source, const char *list, const char *member, const char *name,
                          GError **error)
{
    const json_t *found = find(source, list, member, name, error);

    if (!found && !*error)
        fail(source, error, "%s[\"%s\"].%s: missing", list, name, member);
    return found;
}

/* Set before anything is read; NULL: the file's own. */
static char *chosen;

void kubeconfig_choose_context(const char *name)
{
    g_free(chosen);
    chosen = g_strdup(name);
}

static gboolean read_context(const Source *source, Kubeconfig *config, GError **error)
{
    const char *current = chosen ? chosen : json_string_at(source->root, "current-context", "");
    const json_t *context, *cluster, *user;
    const char *ns;

    if (!*current)
        return fail(source, error, "current-context: not set (kubectl config use-context NAME)");
    if (!(context = need(source, "contexts", "context", current, error)) ||
        !(cluster = need(source, "clusters", "cluster", json_string_at(context, "cluster", ""), error)) ||
        !(user = need(source, "users", "user", json_string_at(context, "user", ""), error)))
        return FALSE;
    ns = json_string_at(context, "namespace", "");
    config->ns = g_strdup(*ns ? ns : "default");
    return read_cluster(source, cluster, config, error) && read_user(source, user, config, error);
}

Kubeconfig *kubeconfig_parse(const char *text, gsize size, const char *directory, const char *what,
                             GError **error)
{
    g_autoptr(Kubeconfig) config = g_new0(Kubeconfig, 1);
    g_autoptr(json_t) root = NULL;
    g_autoptr(GError) why = NULL;

    root = yaml_parse(text, size, MOST_SIZE, what, &why);
    if (!root) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBECONFIG, "%s", why->message);
        return NULL;
    }
    if (read_context(&(Source){root, what, directory}, config, &why))
        return g_steal_pointer(&config);
    g_propagate_error(error, g_steal_pointer(&why));
    return NULL;
}

Kubeconfig *kubeconfig_read(const char *path, GError **error)
{
    g_autofree char *text = NULL, *directory = g_path_get_dirname(path);
    g_autoptr(GError) why = NULL;
    Kubeconfig *config;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, &why)) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBECONFIG, "%s", why->message);
        return NULL;
    }
    config = kubeconfig_parse(text, size, directory, path, error);
    explicit_bzero(text, size);
    return config;
}

Kubeconfig *kubeconfig_in_cluster(GError **error)
{
    const char *host = g_getenv("KUBERNETES_SERVICE_HOST"), *port = g_getenv("KUBERNETES_SERVICE_PORT");
    g_autoptr(Kubeconfig) config = g_new0(Kubeconfig, 1);
    gboolean v6 = host && strchr(host, ':');

    if (!host || !*host || !port || !*port) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBECONFIG,
                    "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is not a Pod");
        return NULL;
    }
    config->server = g_strdup_printf("https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
    config->token_file = g_strdup(SERVICE_ACCOUNT "/token");
    if (!g_file_get_contents(SERVICE_ACCOUNT "/ca.crt", &config->ca_pem, NULL, error))
        return NULL;
    if (!g_file_get_contents(SERVICE_ACCOUNT "/namespace", &config->ns, NULL, NULL))
        config->ns = g_strdup("default");
    g_strstrip(config->ns);
    return g_steal_pointer(&config);
}
