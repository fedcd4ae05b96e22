/* console: serves the web console until it is told to stop. */
#include "base/log.h"
#include "base/share.h"
#include "cmd/commands.h"
#include "console/server.h"
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

enum { MOST_PEM = 1 << 20 };

static char *listen_at, *tls_cert, *tls_key, *ui, *api, *api_ca, *inventory, *inventory_ca, *must_gather, *ns,
    *oauth_client, *oauth_secret, *oauth_ca;

static const GOptionEntry entries[] = {
    {"listen", 'l', 0, G_OPTION_ARG_STRING, &listen_at, "where to serve ($POD_IP:8443, else 127.0.0.1:8443)",
     "ADDR:PORT"},
    {"tls-cert", 0, 0, G_OPTION_ARG_FILENAME, &tls_cert, "the server's certificate, its issuers after it",
     "FILE"},
    {"tls-key", 0, 0, G_OPTION_ARG_FILENAME, &tls_key, "its private key; without both it serves plain HTTP",
     "FILE"},
    {"ui", 0, 0, G_OPTION_ARG_FILENAME, &ui, "the built console (found beside the program when not given)",
     "DIR"},
    {"api", 0, 0, G_OPTION_ARG_STRING, &api, "the Kubernetes API (in a Pod: that of its cluster)", "URL"},
    {"api-ca", 0, 0, G_OPTION_ARG_FILENAME, &api_ca, "its CA (in a Pod: the service account's)", "FILE"},
    {"inventory", 0, 0, G_OPTION_ARG_STRING, &inventory, "the inventory service ($INVENTORY_URL)", "URL"},
    {"inventory-ca", 0, 0, G_OPTION_ARG_FILENAME, &inventory_ca, "its CA (the API's when not given)", "FILE"},
    {"must-gather", 0, 0, G_OPTION_ARG_STRING, &must_gather,
     "the must-gather API ($MUST_GATHER_URL); its CA is the inventory's", "URL"},
    {"oauth-client", 0, 0, G_OPTION_ARG_STRING, &oauth_client,
     "sign in at the cluster's OAuth server too, as OpenShift has one, with this OAuthClient", "NAME"},
    {"oauth-secret", 0, 0, G_OPTION_ARG_FILENAME, &oauth_secret,
     "the OAuthClient's secret, read at each sign-in; while the file is not there, only tokens sign in",
     "FILE"},
    {"oauth-ca", 0, 0, G_OPTION_ARG_FILENAME, &oauth_ca, "the OAuth server's CA (the API's when not given)",
     "FILE"},
    {"namespace", 'n', 0, G_OPTION_ARG_STRING, &ns,
     "where plans and providers are ($POD_NAMESPACE, else openshift-mtv)", "NS"},
    {NULL},
};

static const char *or_env(const char *value, const char *variable, const char *absent)
{
    const char *set = g_getenv(variable);
    return value ? value : set && *set ? set : absent;
}

/* TRUE and *text NULL when there is no path. */
static gboolean read_pem(const char *path, char **text, GError **error)
{
    gsize size;

    if (!path)
        return TRUE;
    if (!g_file_get_contents(path, text, &size, error))
        return FALSE;
    if (size > MOST_PEM) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: is larger than a PEM file can be", path);
        return FALSE;
    }
    return TRUE;
}

/* What the options leave open follows from the Pod that we run in. */
static gboolean fill_in(GError **error)
{
    const char *pod = g_getenv("POD_IP"), *host = g_getenv("KUBERNETES_SERVICE_HOST");

    if (!listen_at)
        listen_at = g_strdup_printf("%s:8443", pod && *pod ? pod : "127.0.0.1");
    if (!api && host && *host) {
        const char *port = or_env(NULL, "KUBERNETES_SERVICE_PORT", "443");
        api = g_strdup_printf(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
        if (!api_ca)
            api_ca = g_strdup(SERVICE_ACCOUNT "ca.crt");
    }
    if (!api) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "--api is needed outside a Pod: the Kubernetes API's URL");
        return FALSE;
    }
    if (!tls_cert != !tls_key) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "--tls-cert and --tls-key go together");
        return FALSE;
    }
    if (!oauth_client != !oauth_secret) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "--oauth-client and --oauth-secret go together");
        return FALSE;
    }
    if (!inventory_ca)
        inventory_ca = g_strdup(api_ca);
    if (!oauth_ca)
        oauth_ca = g_strdup(api_ca);
    return TRUE;
}

/* A missing bundle is no reason to fall over: the page says how to build it. */
static Assets *load_assets(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir =
        ui ? g_strdup(ui) : share_find(&error, "ui/dist/index.html", "ui/index.html", NULL);
    g_autofree char *folder = dir && !ui ? g_path_get_dirname(dir) : g_strdup(dir);
    Assets *assets = folder ? assets_load(folder, &error) : NULL;

    if (assets)
        return assets;
    log_warn("the console's pages are not there", "error", error->message, NULL);
    return assets_missing(
        "Build it with 'npm ci && npm run build' in ui/, or name its folder with --ui, and start again.");
}

static gboolean stop(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static gboolean serve(GError **error)
{
    g_autofree char *cert = NULL, *key = NULL, *ca = NULL, *inventory_ca_pem = NULL, *oauth_ca_pem = NULL;
    g_autoptr(ConsoleServer) server = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    ConsoleOptions options;

    if (!fill_in(error) || !read_pem(tls_cert, &cert, error) || !read_pem(tls_key, &key, error) ||
        !read_pem(api_ca, &ca, error) || !read_pem(inventory_ca, &inventory_ca_pem, error) ||
        !read_pem(oauth_ca, &oauth_ca_pem, error))
        return FALSE;
    options = (ConsoleOptions){
        .listen = listen_at,
        .cert_pem = cert,
        .key_pem = key,
        .peers = {.api = api,
                  .api_ca_pem = ca,
                  .inventory =
                      or_env(inventory, "INVENTORY_URL", "https://forklift-inventory.openshift-mtv.svc:8443"),
                  .inventory_ca_pem = inventory_ca_pem,
                  .ns = or_env(ns, "POD_NAMESPACE", "openshift-mtv")},
        .must_gather =
            or_env(must_gather, "MUST_GATHER_URL", "https://forklift-must-gather-api.openshift-mtv.svc:8443"),
        .oauth = {.api = api,
                  .api_ca_pem = ca,
                  .ca_pem = oauth_ca_pem,
                  .client = oauth_client,
                  .secret_file = oauth_secret},
        .assets = load_assets(),
    };
    server = console_server_start(&options, error);
    if (!server)
        return FALSE;
    log_info("the console is served", "listen", listen_at, "api", api, NULL);
    g_unix_signal_add(SIGTERM, stop, loop);
    g_unix_signal_add(SIGINT, stop, loop);
    g_main_loop_run(loop);
    return TRUE;
}

int cmd_console(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("- serve the web console");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "gantry console: %s; 'gantry console --help' lists the options\n",
                error ? error->message : "there are no arguments");
        return 2;
    }
    if (!serve(&error)) {
        fprintf(stderr, "gantry console: %s %s\n", error->message, error_remedy(error));
        return 1;
    }
    return 0;
}
