/* node: a machine's parts on the API that a kubeconfig names. */
#include "local/node.h"
#include "kube/kubeconfig.h"
#include "local/machine.h"

enum { HTTPS = 443 };

struct LocalNode {
    KubeClient *client;
    Kubelet *kubelet;
    Machine *machine;
};

/* Where Pods find the API, and by whose certificate they know it. */
static gboolean find_api(const Kubeconfig *config, MachineOptions *options, char **host, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(config->server, G_URI_FLAGS_NONE, error);

    if (!uri)
        return FALSE;
    if (!config->ca_pem) {
        g_set_error(
            error, GANTRY_ERROR, ERROR_KUBECONFIG,
            "clusters[].cluster.certificate-authority is not there: Pods could not know the API server");
        return FALSE;
    }
    *host = g_strdup(g_uri_get_host(uri));
    options->api_host = *host;
    options->api_port = g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : HTTPS;
    options->ca_pem = config->ca_pem;
    return TRUE;
}

LocalNode *local_node_start(const LocalNodeOptions *options, GCancellable *cancel, GError **error)
{
    g_autoptr(LocalNode) node = g_new0(LocalNode, 1);
    g_autoptr(Kubeconfig) config = kubeconfig_read(options->kubeconfig, error);
    g_autofree char *data = g_canonicalize_filename(options->data, NULL), *host = NULL;
    MachineOptions machine = {.data = data, .pods = options->pods};

    node->kubelet = kubelet_new(data);
    if (!config || !find_api(config, &machine, &host, error) ||
        !(node->client = kube_client_new_kubeconfig(options->kubeconfig, error)))
        return NULL;
    machine.client = node->client;
    machine.kubelet = node->kubelet;
    if (!machine_prepare(node->client, data, cancel, error) ||
        !(node->machine = machine_new(&machine, error)) || !machine_start(node->machine, cancel, error))
        return NULL;
    return g_steal_pointer(&node);
}

const char *local_node_server(LocalNode *node)
{
    return kube_client_server(node->client);
}

void local_node_stop(LocalNode *node)
{
    if (node->machine)
        machine_end(node->machine);
    kubelet_free(node->kubelet);
    g_clear_pointer(&node->machine, machine_free);
    g_clear_pointer(&node->client, kube_client_unref);
    g_free(node);
}
