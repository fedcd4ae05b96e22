/* kubevirt: which object's change concerns which machine. */
#include "local/kubevirt/kubevirt.h"
#include "base/log.h"
#include "kube/work_queue.h"
#include "local/kubevirt/instance.h"
#include "local/kubevirt/virtual_machine.h"
#include <glib/gstdio.h>
#include <string.h>

enum { MACHINES_AT_ONCE = 2, NOT_LISTED_MS = 100 };

struct LocalKubevirt {
    LocalView *view;
    char *dir, *node;
    InstancePlace place;
    WorkQueue *machines, *instances;
};

static guint run_machine(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    LocalView *view = ((LocalKubevirt *)user_data)->view;

    if (!local_view_has_listed(view))
        return NOT_LISTED_MS;
    return local_end_of_work(view, key, virtual_machine_reconcile(view, key, cancel, error), error);
}

static guint run_instance(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    const InstancePlace *place = &((LocalKubevirt *)user_data)->place;

    if (!local_view_has_listed(place->view)) /* the hypervisor tells of its machines at once */
        return NOT_LISTED_MS;
    return local_end_of_work(place->view, key, instance_reconcile(place, key, cancel, error), error);
}

static void machine_changed(Object *before, Object *after, gpointer user_data)
{
    g_autofree char *key = local_key(after ? after : before);
    work_queue_add(((LocalKubevirt *)user_data)->machines, key);
}

static void instance_changed(Object *before, Object *after, gpointer user_data)
{
    LocalKubevirt *kubevirt = user_data;
    g_autofree char *key = local_key(after ? after : before);

    work_queue_add(kubevirt->instances, key);
    work_queue_add(kubevirt->machines, key);
}

/* On the hypervisor's thread. */
static void machine_moved(const char *machine_name, gpointer user_data)
{
    g_autofree char *key = instance_key(machine_name);
    if (key)
        work_queue_add(((LocalKubevirt *)user_data)->instances, key);
}

LocalKubevirt *kubevirt_new(LocalView *view, const char *dir, const char *node, GError **error)
{
    LocalKubevirt *kubevirt = g_new0(LocalKubevirt, 1);

    kubevirt->view = view;
    kubevirt->dir = g_strdup(dir);
    kubevirt->node = g_strdup(node);
    kubevirt->place = (InstancePlace){.view = view, .dir = kubevirt->dir, .node = kubevirt->node};
    kubevirt->machines = work_queue_new("virtual machines", 1, run_machine, kubevirt);
    kubevirt->instances = work_queue_new("instances", MACHINES_AT_ONCE, run_instance, kubevirt);
    if (!acceleration_find(dir, &kubevirt->place.acceleration, error) ||
        !(kubevirt->place.hypervisor = hypervisor_open(dir, machine_moved, kubevirt, error))) {
        kubevirt_free(kubevirt);
        return NULL;
    }
    log_info("virtual machines are accelerated by", "accelerator",
             kubevirt->place.acceleration == ACCELERATION_KVM ? "kvm" : "tcg", NULL);
    local_view_subscribe(view, &KUBE_VIRTUAL_MACHINE, machine_changed, kubevirt);
    local_view_subscribe(view, &KUBE_VIRTUAL_MACHINE_INSTANCE, instance_changed, kubevirt);
    local_view_subscribe(view, &KUBE_POD, NULL, NULL);
    local_view_subscribe(view, &KUBE_DATA_VOLUME, NULL, NULL);
    local_view_subscribe(view, &KUBE_PERSISTENT_VOLUME, NULL, NULL);
    local_view_subscribe(view, &KUBE_PERSISTENT_VOLUME_CLAIM, NULL, NULL);
    local_view_subscribe(view, &KUBE_NETWORK_ATTACHMENT_DEFINITION, NULL, NULL);
    return kubevirt;
}

void kubevirt_free(LocalKubevirt *kubevirt)
{
    if (kubevirt->place.hypervisor)
        hypervisor_mute(kubevirt->place.hypervisor);
    work_queue_free(kubevirt->machines);
    work_queue_free(kubevirt->instances);
    g_clear_pointer(&kubevirt->place.hypervisor, hypervisor_close);
    g_free(kubevirt->dir);
    g_free(kubevirt->node);
    g_free(kubevirt);
}
