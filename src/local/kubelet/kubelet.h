/* kubelet: runs the Pods of one machine as processes, and shows them as a kubelet does.
 *
 * Guarantee: at its start it adopts the sandboxes that live on from before and ends those whose Pod is gone,
 * before it starts any. Pods live on when the process that called kubelet_start() is killed; kubelet_stop()
 * ends them, and the next start runs them again. A Pod with POD_RUN_ELSEWHERE among its annotations is left
 * alone: local/kubevirt runs it.
 *
 * In the data directory: pods/UID/state, pods/UID/CONTAINER/N.log, pods/UID/volumes.
 * Threads: start and stop from one thread; the PodsBackend may be called from any thread, from kubelet_new()
 * on.
 */
#pragma once
#include "local/apiserver/pods.h"
#include "local/kubelet/network.h"
#include "local/view.h"

#define POD_RUN_ELSEWHERE "gantry.io/run-by"

typedef struct Kubelet Kubelet;

Kubelet *kubelet_new(const char *data);
void kubelet_free(Kubelet *kubelet);

/* What the API server asks of the kubelet; user_data is the Kubelet. Until kubelet_start() they answer
 * KUBE_UNAVAILABLE. */
extern const PodsBackend kubelet_backend;

/* Asks the view for the kinds it needs; before local_view_start(). network has to outlive it. */
void kubelet_attach(Kubelet *kubelet, LocalView *view, Network *network);

typedef struct {
    const char *api_host; /* what Pods get as KUBERNETES_SERVICE_HOST and _PORT */
    guint api_port;
    const char *ca_pem;
} KubeletOptions;

/* Before local_view_start() tells of Pods. IO: why not. */
gboolean kubelet_start(Kubelet *kubelet, const KubeletOptions *options, GError **error);
/* Ends all Pods: asks, and after most_seconds kills. After local_view_mute(). */
void kubelet_stop(Kubelet *kubelet, guint most_seconds);

/* Where a container's log is: shared with local/kubevirt, whose launcher Pods log there too. */
char *kubelet_log_path(const char *data, const char *pod_uid, const char *container, guint run);
