/* operator: keeps Gantry installed as its ForkliftController says (Deployment forklift-operator). */
#include "operator/operator.h"
#include "base/log.h"
#include "base/share.h"
#include "cmd/commands.h"
#include "cmd/service.h"
#include "net/http_server.h"
#include <stdio.h>
#include <string.h>

#define PORT 6789

/* ---- probes ---- */

static void answer(HttpExchange *exchange, gpointer operator)
{
    const char *path = http_exchange_path(exchange);
    gboolean ready = strcmp(path, "/readyz") || operator_ready(operator);

    http_exchange_reply_text(exchange, ready ? 200 : 503, "text/plain",
                             ready ? "ok\n" : "not installed yet\n");
}

static HttpServer *serve_probes(Operator *operator, GError ** error)
{
    g_autofree char *listen = g_strdup_printf("%s:%d", service_setting("POD_IP", "127.0.0.1"), PORT);
    HttpServerOptions options = {
        .listen = listen, .body_limit = 1024, .workers = 1, .handler = answer, .user_data = operator};

    return http_server_start(&options, error);
}

/* ---- running ---- */

static gboolean run(GError **error)
{
    GCancellable *told = service_told_to_stop();
    g_autofree char *templates = share_find(error, "deploy/services", NULL),
                    *definitions = templates ? share_find(error, "deploy/crds", NULL) : NULL;
    g_autoptr(KubeClient) kube = definitions ? kube_client_new_default(error) : NULL;
    g_autoptr(Lease) lease = kube ? service_lead(kube, "forklift-operator", told, error) : NULL;
    const Installation installation = {.kube = kube,
                                       .ns = service_setting("POD_NAMESPACE", "openshift-mtv"),
                                       .version = GANTRY_VERSION,
                                       .templates = templates};
    g_autoptr(Operator) operator= NULL;
    g_autoptr(HttpServer) probes = NULL;

    if (!lease || !install_definitions(kube, definitions, told, error) ||
        !install_adopt(&installation, told, error))
        return FALSE;
    operator= operator_start(&installation);
    probes = serve_probes(operator, error);
    if (!probes)
        return FALSE;
    log_info("operator runs", "namespace", installation.ns, "version", GANTRY_VERSION, NULL);
    service_wait();
    return TRUE;
}

int cmd_operator(int argc, char **argv)
{
    g_autoptr(GOptionContext) context =
        g_option_context_new("- install Gantry as its ForkliftController says");
    g_autoptr(GError) error = NULL;

    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "gantry operator: %s; see gantry operator --help\n",
                error ? error->message : "it takes no arguments");
        return 2;
    }
    if (!run(&error) && !g_cancellable_is_cancelled(service_told_to_stop())) {
        fprintf(stderr, "gantry operator: %s. %s\n", error->message, error_remedy(error));
        return 1;
    }
    return 0;
}
