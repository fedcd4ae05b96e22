/* controller: runs the reconcilers until it is told to stop. */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/service.h"
#include "controller/admission_service.h"
#include "controller/controllers.h"
#include "controller/leave.h"
#include "controller/metrics.h"
#include <stdio.h>

static char *kubeconfig, *image, *metrics_at, *admission_at;

static const GOptionEntry entries[] = {
    {"kubeconfig", 0, 0, G_OPTION_ARG_FILENAME, &kubeconfig,
     "how to reach the API (in a Pod: its service account; else $KUBECONFIG)", "FILE"},
    {"image", 0, 0, G_OPTION_ARG_STRING, &image,
     "Gantry's image for migration Pods ($GANTRY_IMAGE, else this version's)", "IMAGE"},
    {"metrics", 0, 0, G_OPTION_ARG_STRING, &metrics_at,
     "where to serve /metrics ($POD_IP:2112; outside a Pod nowhere)", "ADDR:PORT"},
    {"admission", 0, 0, G_OPTION_ARG_STRING, &admission_at,
     "where to serve the admission webhook, with $ADMISSION_TLS_CERTIFICATE and _KEY ($POD_IP:8444)",
     "ADDR:PORT"},
    {NULL},
};

/* A port that is taken is no reason to migrate nothing. */
static MetricsServer *serve_metrics(Controllers *controllers)
{
    const char *pod = g_getenv("POD_IP");
    g_autofree char *own = pod && *pod ? g_strdup_printf("%s:2112", pod) : NULL;
    const char *listen = metrics_at ? metrics_at : own;
    g_autoptr(GError) problem = NULL;
    MetricsServer *server = listen ? metrics_serve(controllers, listen, &problem) : NULL;

    if (problem)
        log_warn("metrics are not served", "error", problem->message, NULL);
    return server;
}

/* Without a certificate there is no webhook: on one machine the API server calls the rules itself. */
static AdmissionService *serve_admission(KubeClient *kube)
{
    const char *pod = g_getenv("POD_IP"), *cert = g_getenv("ADMISSION_TLS_CERTIFICATE"),
               *key = g_getenv("ADMISSION_TLS_KEY");
    g_autofree char *own = pod && *pod ? g_strdup_printf("%s:8444", pod) : NULL;
    const char *listen = admission_at ? admission_at : own;
    g_autoptr(GError) problem = NULL;
    AdmissionService *service = NULL;

    if (listen && cert && key)
        service = admission_service_start(kube, listen, cert, key, &problem);
    if (problem)
        log_warn("admission is not served", "error", problem->message, NULL);
    return service;
}

/* The Namespace of the Pod; *out stays NULL outside one. */
static gboolean find_home(KubeClient *kube, Object **out, GCancellable *cancel, GError **error)
{
    const char *ns = service_setting("POD_NAMESPACE", NULL);

    *out = ns ? kube_get(kube, &KUBE_NAMESPACE, NULL, ns, cancel, error) : NULL;
    return *out || !ns;
}

/* Until it is told to stop, or its namespace is being deleted. */
static gboolean control(const ControllerOptions *options, Leave *leave, GCancellable *cancel, GError **error)
{
    g_autoptr(Controllers) controllers = controllers_start(options, cancel, error);
    g_autoptr(MetricsServer) metrics = controllers ? serve_metrics(controllers) : NULL;

    if (!controllers)
        return FALSE;
    service_wait_or(leave ? leave_begun(leave) : NULL);
    log_info("controllers stop", NULL);
    return TRUE;
}

static gboolean run(GCancellable *cancel, GError **error)
{
    g_autoptr(KubeClient) kube =
        kubeconfig ? kube_client_new_kubeconfig(kubeconfig, error) : kube_client_new_default(error);
    g_autoptr(InventoryClient) inventory = kube ? inventory_client_new(error) : NULL;
    g_autoptr(Lease) lease = NULL;
    g_autoptr(AdmissionService) admission = NULL;
    g_autoptr(Object) home = NULL;
    g_autoptr(Leave) leave = NULL;
    ControllerOptions options = {.kube = kube, .inventory = inventory, .image = image};

    if (!inventory || !find_home(kube, &home, cancel, error))
        return FALSE;
    admission = serve_admission(kube);
    lease = service_lead(kube, "forklift-controller", cancel, error);
    if (!lease)
        return FALSE;
    options.home = home;
    leave = home ? leave_watch(kube, object_name(home)) : NULL;
    if (!(leave && leave_is_wanted(leave)) && !control(&options, leave, cancel, error))
        return FALSE;
    if (leave && leave_is_wanted(leave)) {
        service_leaves();
        leave_finish(leave);
        service_wait();
    }
    return TRUE;
}

int cmd_controller(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    GCancellable *told;
    gboolean done;

    g_option_context_set_summary(
        context, "Runs the controllers of all kinds but Provider's, which runs in 'gantry inventory'.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "gantry controller: %s\n", error->message);
        return 2;
    }
    told = service_told_to_stop();
    done = run(told, &error) || g_cancellable_is_cancelled(told);
    if (!done)
        fprintf(stderr, "gantry controller: %s. %s\n", error->message, error_remedy(error));
    g_free(kubeconfig);
    g_free(image);
    g_free(metrics_at);
    g_free(admission_at);
    return done ? 0 : 1;
}
