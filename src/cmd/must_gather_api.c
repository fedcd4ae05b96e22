/* gantry must-gather-api: serves the must-gather API (Deployment forklift-must-gather-api). */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/service.h"
#include "gather/api.h"
#include "gather/command.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTER_CA "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"

static gboolean serve(const char *listen, const char *dir, GError **error)
{
    g_autofree char *cert = NULL, *key = NULL, *ca = NULL;
    g_autoptr(KubeClient) client = kube_client_new_default(error);
    GatherApiOptions options = {
        .listen = listen, .dir = dir, .keep_s = atoll(service_setting("CLEANUP_MAX_AGE", "-1"))};

    g_file_get_contents(CLUSTER_CA, &ca, NULL, NULL); /* outside a Pod: the system's trust */
    if (!client || !gather_timeout_parse(service_setting("TIMEOUT", ""), &options.timeout_s, error) ||
        !service_read_file("API_TLS_CERTIFICATE", &cert, error) ||
        !service_read_file("API_TLS_KEY", &key, error))
        return FALSE;
    options.cert_pem = cert;
    options.key_pem = key;
    options.cluster_ca_pem = ca;
    g_autoptr(GatherApi) api = gather_api_start(client, &options, error);
    if (key)
        explicit_bzero(key, strlen(key));
    if (!api)
        return FALSE;
    log_info("must-gather API ready", "listen", listen, "directory", dir, NULL);
    service_run_until_told();
    return TRUE;
}

int cmd_must_gather_api(int argc, char **argv)
{
    g_autofree char *listen = NULL, *dir = NULL;
    const GOptionEntry entries[] = {
        {"listen", 0, 0, G_OPTION_ARG_STRING, &listen, "Where to serve ($POD_IP:$PORT, port 8443)",
         "ADDR:PORT"},
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &dir, "Records and archives (/var/lib/gantry/must-gather)",
         "DIR"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(context, "Serves the must-gather API.");
    g_option_context_set_description(
        context,
        "Environment: API_TLS_CERTIFICATE and API_TLS_KEY (files, PEM; without them plain HTTP is served),\n"
        "TIMEOUT (of a gathering: 20m), CLEANUP_MAX_AGE (seconds after which archives are removed; -1: "
        "never).");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "gantry must-gather-api: %s; see gantry must-gather-api --help\n",
                error ? error->message : "it takes options only");
        return 2;
    }
    if (!listen)
        listen =
            g_strdup_printf("%s:%s", service_setting("POD_IP", "127.0.0.1"), service_setting("PORT", "8443"));
    if (!dir)
        dir = g_strdup("/var/lib/gantry/must-gather");
    if (!serve(listen, dir, &error)) {
        fprintf(stderr, "gantry must-gather-api: %s. %s\n", error->message, error_remedy(error));
        return 1;
    }
    return 0;
}
