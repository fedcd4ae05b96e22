/* launcher: the Pod object and its status. */
#include "local/kubevirt/launcher.h"
#include "base/clock.h"
#include "local/kubelet/kubelet.h"
#include <string.h>

#define CREATED_BY "kubevirt.io/created-by"

Object *launcher_find(LocalView *view, const Object *instance)
{
    g_autofree char *selector = g_strdup_printf(CREATED_BY "=%s", object_uid(instance));
    g_autoptr(GPtrArray) pods = local_view_list(view, &KUBE_POD, object_namespace(instance), selector);
    return pods->len ? object_ref(pods->pdata[0]) : NULL;
}

static json_t *manifest(const Object *instance, const char *node)
{
    g_autofree char *prefix = g_strdup_printf("virt-launcher-%.40s-", object_name(instance));
    const json_t *labels = json_at(object_json(instance), "metadata.labels");
    json_t *pod_labels = labels ? json_deep_copy(labels) : json_object();

    json_object_set_new(pod_labels, "kubevirt.io", json_string("virt-launcher"));
    json_object_set_new(pod_labels, CREATED_BY, json_string(object_uid(instance)));
    json_object_set_new(pod_labels, "vm.kubevirt.io/name", json_string(object_name(instance)));
    return json_pack("{s:{s:s, s:o, s:{s:s, s:s}, s:[o]}, s:{s:s, s:s, s:[{s:s, s:s}]}}", "metadata",
                     "generateName", prefix, "labels", pod_labels, "annotations", POD_RUN_ELSEWHERE,
                     "kubevirt", "kubevirt.io/domain", object_name(instance), "ownerReferences",
                     local_owner_reference(instance, &KUBE_VIRTUAL_MACHINE_INSTANCE, TRUE), "spec",
                     "nodeName", node, "restartPolicy", "Never", "containers", "name", "compute", "image",
                     "qemu");
}

Object *launcher_get(LocalView *view, const Object *instance, const char *node, GCancellable *cancel,
                     GError **error)
{
    g_autoptr(Object) known = launcher_find(view, instance);
    g_autofree char *selector = g_strdup_printf(CREATED_BY "=%s", object_uid(instance));

    if (known)
        return g_steal_pointer(&known);
    /* One that was made a moment ago may not be in the view yet. */
    g_autoptr(GPtrArray) pods = kube_list(local_view_client(view), &KUBE_POD, object_namespace(instance),
                                          selector, NULL, NULL, cancel, error);
    if (!pods)
        return NULL;
    if (pods->len)
        return object_ref(pods->pdata[0]);
    g_autoptr(json_t) body = manifest(instance, node);
    return kube_create(local_view_client(view), &KUBE_POD, object_namespace(instance), body, cancel, error);
}

gboolean launcher_say(LocalView *view, const Object *pod, const char *phase, GCancellable *cancel,
                      GError **error)
{
    gboolean runs = !strcmp(phase, "Running"), failed = !strcmp(phase, "Failed");
    g_autofree char *now = clock_now();

    if (!strcmp(json_string_at(object_json(pod), "status.phase", ""), phase))
        return TRUE;
    const char *started = json_string_at(object_json(pod), "status.startTime", now);
    json_t *state =
        runs ? json_pack("{s:{s:s}}", "running", "startedAt", started)
             : json_pack("{s:{s:i, s:s, s:s, s:s}}", "terminated", "exitCode", failed ? 1 : 0, "reason",
                         failed ? "Error" : "Completed", "startedAt", started, "finishedAt", now);
    g_autoptr(json_t) change = json_pack(
        "{s:{s:s, s:s, s:[{s:s, s:s, s:s}], s:[{s:s, s:s, s:s, s:b, s:b, s:i, s:o}]}}", "status", "phase",
        phase, "startTime", started, "conditions", "type", "Ready", "status", runs ? "True" : "False",
        "lastTransitionTime", now, "containerStatuses", "name", "compute", "image", "qemu", "imageID", "qemu",
        "ready", runs, "started", runs, "restartCount", 0, "state", state);
    g_autoptr(Object) changed =
        kube_patch(local_view_client(view), &KUBE_POD, object_namespace(pod), object_name(pod),
                   KUBE_PATCH_MERGE, change, "status", cancel, error);
    return changed != NULL;
}
