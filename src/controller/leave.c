/* leave: an informer of one Namespace, and passes of the sweep until nothing is left. */
#include "controller/leave.h"
#include "base/clock.h"
#include "base/log.h"
#include "controller/sweep.h"
#include "kube/informer.h"

enum { AGAIN_MS = 500 };

struct Leave {
    KubeClient *kube;
    char *ns;
    GCancellable *begun;
    Informer *informer;
};

static void on_change(Object *before, Object *after, gpointer data)
{
    Leave *leave = data;

    if (after && object_deleting(after))
        g_cancellable_cancel(leave->begun);
}

Leave *leave_watch(KubeClient *kube, const char *ns)
{
    Leave *leave = g_new0(Leave, 1);
    g_autofree char *selector = g_strconcat("kubernetes.io/metadata.name=", ns, NULL);

    leave->kube = kube_client_ref(kube);
    leave->ns = g_strdup(ns);
    leave->begun = g_cancellable_new();
    leave->informer = informer_new(kube, &KUBE_NAMESPACE, NULL, selector, on_change, leave);
    return leave;
}

void leave_free(Leave *leave)
{
    if (!leave)
        return;
    informer_free(leave->informer);
    kube_client_unref(leave->kube);
    g_object_unref(leave->begun);
    g_free(leave->ns);
    g_free(leave);
}

GCancellable *leave_begun(Leave *leave)
{
    return leave->begun;
}

gboolean leave_is_wanted(Leave *leave)
{
    g_autoptr(Object) ns = NULL;

    if (g_cancellable_is_cancelled(leave->begun))
        return TRUE;
    ns = kube_get(leave->kube, &KUBE_NAMESPACE, NULL, leave->ns, NULL, NULL);
    return ns && object_deleting(ns);
}

void leave_finish(Leave *leave)
{
    log_info("the namespace is being deleted: what runs is ended, and its sources are put back", "namespace",
             leave->ns, NULL);
    while (!sweep_as_if_no_plan(leave->kube, NULL))
        clock_wait(AGAIN_MS, NULL);
    log_info("nothing of a plan is left", "namespace", leave->ns, NULL);
}
