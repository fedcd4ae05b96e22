/* machine: the parts of a node, in the order in which they start. */
#include "local/machine.h"
#include "base/share.h"
#include "local/cdi/cdi.h"
#include "local/kubelet/proxy.h"
#include "local/kubevirt/kubevirt.h"
#include "local/manifests.h"
#include <errno.h>
#include <string.h>

#define NODE "localhost"

enum { STOP_SECONDS = 8, LOOK_MS = 100, SERVED_TRIES = 300 };

struct Machine {
    Kubelet *kubelet; /* not owned */
    char *api_host, *ca_pem;
    guint api_port;
    LocalView *view;
    Network *network;
    LocalCdi *cdi;
    Proxy *proxy;
    LocalKubevirt *kubevirt;
    gboolean running;
};

Machine *machine_new(const MachineOptions *options, GError **error)
{
    g_autoptr(Machine) machine = g_new0(Machine, 1);

    machine->kubelet = options->kubelet;
    machine->api_host = g_strdup(options->api_host);
    machine->api_port = options->api_port;
    machine->ca_pem = g_strdup(options->ca_pem);
    if (!(machine->network = network_open(options->data, options->pods, error)))
        return NULL;
    machine->view = local_view_new(options->client);
    kubelet_attach(machine->kubelet, machine->view, machine->network);
    machine->cdi = cdi_new(machine->view);
    machine->proxy = proxy_new(machine->view, machine->network, options->pods ? NULL : options->api_host,
                               options->api_port);
    machine->kubevirt = kubevirt_new(machine->view, options->data, NODE, error);
    return machine->kubevirt ? g_steal_pointer(&machine) : NULL;
}

LocalView *machine_view(Machine *machine)
{
    return machine->view;
}

static gboolean make_storage_class(KubeClient *client, const char *data, GCancellable *cancel, GError **error)
{
    g_autofree char *path = g_build_filename(data, "storage", "standard", NULL);
    g_autoptr(json_t) manifest =
        json_pack("{s:s,s:s,s:{s:s,s:{s:s,s:s}},s:s,s:s,s:s,s:{s:s}}", "apiVersion", "storage.k8s.io/v1",
                  "kind", "StorageClass", "metadata", "name", "standard", "annotations",
                  "storageclass.kubernetes.io/is-default-class", "true", CDI_OVERHEAD, "0", "provisioner",
                  CDI_PROVISIONER, "reclaimPolicy", "Delete", "volumeBindingMode", "Immediate", "parameters",
                  "path", path);

    if (g_mkdir_with_parents(path, 0700) < 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", path, g_strerror(errno));
        return FALSE;
    }
    return manifest_apply(client, manifest, cancel, error);
}

/* A real API server serves a kind some time after its definition was stored. */
static gboolean wait_served(KubeClient *client, const KubeResource *kind, GCancellable *cancel,
                            GError **error)
{
    for (guint tries = 0;; tries++) {
        g_autoptr(GError) problem = NULL;
        g_autoptr(GPtrArray) all = kube_list(client, kind, NULL, NULL, NULL, NULL, cancel, &problem);
        if (all)
            return TRUE;
        if (tries == SERVED_TRIES || g_cancellable_is_cancelled(cancel) ||
            !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s.%s: ", kind->plural,
                                       kind->group);
            return FALSE;
        }
        g_usleep(LOOK_MS * 1000);
    }
}

gboolean machine_prepare(KubeClient *client, const char *data, GCancellable *cancel, GError **error)
{
    static const KubeResource *const watched[] = {&KUBE_DATA_VOLUME, &KUBE_VIRTUAL_MACHINE,
                                                  &KUBE_VIRTUAL_MACHINE_INSTANCE,
                                                  &KUBE_NETWORK_ATTACHMENT_DEFINITION};
    g_autofree char *kinds = share_find(error, "deploy/node-crds", NULL);

    if (!kinds || !manifests_apply(client, kinds, cancel, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(watched); i++)
        if (!wait_served(client, watched[i], cancel, error))
            return FALSE;
    return make_storage_class(client, data, cancel, error);
}

gboolean machine_start(Machine *machine, GCancellable *cancel, GError **error)
{
    const KubeletOptions kubelet = {machine->api_host, machine->api_port, machine->ca_pem};

    if (!kubelet_start(machine->kubelet, &kubelet, error))
        return FALSE;
    machine->running = TRUE;
    if (local_view_start(machine->view, cancel))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_CANCELED, "the start was canceled");
    return FALSE;
}

void machine_end(Machine *machine)
{
    local_view_mute(machine->view);
    if (machine->running)
        kubelet_stop(machine->kubelet, STOP_SECONDS);
    machine->running = FALSE;
    g_clear_pointer(&machine->kubevirt, kubevirt_free);
    g_clear_pointer(&machine->proxy, proxy_free);
    g_clear_pointer(&machine->cdi, cdi_free);
    local_view_end(machine->view); /* before its server: a watch that breaks is a warning */
}

void machine_free(Machine *machine)
{
    if (machine->view)
        machine_end(machine);
    g_clear_pointer(&machine->view, local_view_free);
    g_clear_pointer(&machine->network, network_free);
    g_free(machine->api_host);
    g_free(machine->ca_pem);
    g_free(machine);
}
