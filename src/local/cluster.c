/* cluster: the parts of `gantry up`, in the order in which they start. */
#include "local/cluster.h"
#include "admission/admission.h"
#include "base/log.h"
#include "base/share.h"
#include "kube/selector.h"
#include "local/controllers/controllers.h"
#include "local/machine.h"
#include "local/manifests.h"
#include <string.h>

#define NAMESPACE "openshift-mtv"

enum { LOOK_MS = 200 };

struct LocalCluster {
    char *data, *host;
    ApiServer *api;
    KubeClient *client;
    Kubelet *kubelet; /* before the API server, which asks it */
    Machine *machine;
    LocalControllers *controllers;
};

/* The rules for Gantry's own kinds, in the API server's own process. */
static gboolean review(AdmissionReview *review, gpointer user_data, GError **error)
{
    AdmissionRequest request = {.operation = review->operation,
                                .resource = review->resource,
                                .user = review->user,
                                .before = review->before,
                                .object = review->object,
                                .look = review->look,
                                .store = review->store};

    return *review->subresource || admission_review(&request, error);
}

static const Admission admission[] = {{"forklift.konveyor.io", "*", review}, {NULL, NULL, NULL}};

/* --- what every cluster of ours has --- */

static gboolean apply_share(LocalCluster *cluster, const char *name, GCancellable *cancel, GError **error)
{
    g_autofree char *directory = share_find(error, name, NULL);
    return directory && manifests_apply(cluster->client, directory, cancel, error);
}

static gboolean make(LocalCluster *cluster, json_t *manifest, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) owned = manifest;
    return manifest_apply(cluster->client, owned, cancel, error);
}

static gboolean make_namespace(LocalCluster *cluster, const char *name, GCancellable *cancel, GError **error)
{
    return make(
        cluster,
        json_pack("{s:s,s:s,s:{s:s}}", "apiVersion", "v1", "kind", "Namespace", "metadata", "name", name),
        cancel, error);
}

static gboolean make_own_kinds(LocalCluster *cluster, GCancellable *cancel, GError **error)
{
    return make(cluster,
                json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:b}}", "apiVersion", "forklift.konveyor.io/v1beta1",
                          "kind", "ForkliftController", "metadata", "name", "forklift-controller",
                          "namespace", NAMESPACE, "spec", "olm_managed", 1),
                cancel, error) &&
           make(cluster,
                json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s,s:s,s:{}}}", "apiVersion",
                          "forklift.konveyor.io/v1beta1", "kind", "Provider", "metadata", "name", "host",
                          "namespace", NAMESPACE, "spec", "type", "openshift", "url", "", "secret"),
                cancel, error);
}

/* Before the parts look: the kinds that they watch have to be there. */
static gboolean prepare(LocalCluster *cluster, GCancellable *cancel, GError **error)
{
    return apply_share(cluster, "deploy/crds", cancel, error) &&
           apply_share(cluster, "deploy/local-crds", cancel, error) &&
           make_namespace(cluster, "default", cancel, error) &&
           machine_prepare(cluster->client, cluster->data, cancel, error) &&
           make_namespace(cluster, NAMESPACE, cancel, error);
}

/* --- start --- */

static gboolean start_api(LocalCluster *cluster, const LocalClusterOptions *options, GError **error)
{
    ApiServerOptions api = {.data = cluster->data,
                            .listen = options->listen,
                            .pods = &kubelet_backend,
                            .pods_data = cluster->kubelet,
                            .admission = admission};
    char *colon;

    cluster->api = apiserver_start(&api, error);
    if (!cluster->api)
        return FALSE;
    cluster->host = g_strdup(options->listen);
    colon = strrchr(cluster->host, ':');
    if (colon)
        *colon = '\0';
    cluster->client = kube_client_new_kubeconfig(apiserver_kubeconfig(cluster->api), error);
    return cluster->client != NULL;
}

static gboolean start_parts(LocalCluster *cluster, GCancellable *cancel, GError **error)
{
    LocalControllersOptions controllers = {apiserver_ca_path(cluster->api),
                                           apiserver_ca_key_path(cluster->api), cluster->host};
    MachineOptions machine = {.client = cluster->client,
                              .kubelet = cluster->kubelet,
                              .data = cluster->data,
                              .api_host = cluster->host,
                              .api_port = apiserver_port(cluster->api),
                              .ca_pem = apiserver_ca_pem(cluster->api)};

    return (cluster->machine = machine_new(&machine, error)) &&
           (cluster->controllers =
                local_controllers_new(machine_view(cluster->machine), &controllers, error)) &&
           machine_start(cluster->machine, cancel, error);
}

LocalCluster *local_cluster_start(const LocalClusterOptions *options, GCancellable *cancel, GError **error)
{
    g_autoptr(LocalCluster) cluster = g_new0(LocalCluster, 1);

    cluster->data = g_canonicalize_filename(options->data, NULL);
    cluster->kubelet = kubelet_new(cluster->data);
    if (!start_api(cluster, options, error) || !prepare(cluster, cancel, error) ||
        !start_parts(cluster, cancel, error) || !make_own_kinds(cluster, cancel, error))
        return NULL;
    if (!options->bare && !apply_share(cluster, "deploy/operator", cancel, error))
        return NULL;
    return g_steal_pointer(&cluster);
}

/* --- readiness --- */

/* Why a Deployment's Pods are not ready, as far as their statuses say: "pod forklift-ui-…: CrashLoopBackOff:
 * …". */
static char *why_not(LocalCluster *cluster, const Object *deployment)
{
    g_autoptr(Selector) selector =
        selector_from_json(json_at(object_json(deployment), "spec.selector"), NULL);
    g_autoptr(GPtrArray) pods = local_view_list(machine_view(cluster->machine), &KUBE_POD, NAMESPACE, NULL);

    for (guint i = 0; selector && i < pods->len; i++) {
        const json_t *pod = object_json(pods->pdata[i]), *status;
        gsize j;
        if (!selector_matches(selector, pod))
            continue;
        json_array_foreach (json_at(pod, "status.containerStatuses"), j, status) {
            if (json_bool_at(status, "ready", FALSE))
                continue;
            return g_strdup_printf("container %s of pod %s: %s %s", json_string_at(status, "name", ""),
                                   object_name(pods->pdata[i]),
                                   json_string_at(status, "state.waiting.reason", "does not answer yet"),
                                   json_string_at(status, "lastState.terminated.message",
                                                  json_string_at(status, "state.waiting.message", "")));
        }
    }
    return g_strdup("it has no pod yet");
}

static gboolean is_available(const Object *deployment)
{
    const json_t *json = object_json(deployment);
    gint64 wanted = json_int_at(json, "spec.replicas", 1);

    return json_int_at(json, "status.observedGeneration", 0) >= object_generation(deployment) &&
           json_int_at(json, "status.availableReplicas", 0) >= wanted &&
           json_int_at(json, "status.updatedReplicas", 0) >= wanted;
}

/* *missing gets the first of our Deployments that is not available, or NULL. Asks the API, as the view may
 * not know them yet. The operator is available once it has made the others. */
static gboolean find_unavailable(LocalCluster *cluster, Object **missing, GCancellable *cancel,
                                 GError **error)
{
    g_autoptr(GPtrArray) deployments =
        kube_list(cluster->client, &KUBE_DEPLOYMENT, NAMESPACE, "app=forklift", NULL, NULL, cancel, error);

    *missing = NULL;
    for (guint i = 0; deployments && !*missing && i < deployments->len; i++)
        if (!is_available(deployments->pdata[i]))
            *missing = object_ref(deployments->pdata[i]);
    return deployments != NULL;
}

gboolean local_cluster_wait(LocalCluster *cluster, guint most_seconds, GCancellable *cancel, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)most_seconds * G_USEC_PER_SEC;

    for (;;) {
        g_autoptr(Object) missing = NULL;
        if (!find_unavailable(cluster, &missing, cancel, error))
            return FALSE;
        if (!missing)
            return TRUE;
        if (g_cancellable_is_cancelled(cancel)) {
            g_set_error(error, GANTRY_ERROR, ERROR_CANCELED, "the start was canceled");
            return FALSE;
        }
        if (g_get_monotonic_time() > deadline) {
            g_autofree char *why = why_not(cluster, missing);
            g_set_error(error, GANTRY_ERROR, ERROR_NOT_READY,
                        "deployment %s is not available after %u seconds: %s (logs are in %s/pods)",
                        object_name(missing), most_seconds, why, cluster->data);
            return FALSE;
        }
        g_usleep(LOOK_MS * 1000);
    }
}

/* --- stop --- */

void local_cluster_stop(LocalCluster *cluster)
{
    if (cluster->machine)
        machine_end(cluster->machine); /* the Pods still have an API to say goodbye to */
    g_clear_pointer(&cluster->controllers, local_controllers_free);
    g_clear_pointer(&cluster->api, apiserver_stop); /* asks the kubelet until it is gone */
    kubelet_free(cluster->kubelet);
    g_clear_pointer(&cluster->machine, machine_free);
    g_clear_pointer(&cluster->client, kube_client_unref);
    g_free(cluster->data);
    g_free(cluster->host);
    g_free(cluster);
}

const ApiServer *local_cluster_api(const LocalCluster *cluster)
{
    return cluster->api;
}
const char *local_cluster_host(const LocalCluster *cluster)
{
    return cluster->host;
}
