/* sweep: one kind after the other, those that use others first. */
#include "controller/sweep.h"
#include "base/log.h"
#include "plan/target_machine.h"
#include <string.h>

static GHashTable *plans_there_are(KubeClient *kube, GCancellable *cancel)
{
    g_autoptr(GPtrArray) plans = kube_list(kube, &KUBE_PLAN, NULL, NULL, NULL, NULL, cancel, NULL);
    GHashTable *uids;

    if (!plans)
        return NULL;
    uids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < plans->len; i++)
        g_hash_table_add(uids, g_strdup(object_uid(plans->pdata[i])));
    return uids;
}

/* The label alone may be anybody's; a name and a VM with it are ours. */
static gboolean is_orphan(const Object *object, GHashTable *plans)
{
    const char *plan = object_label(object, "plan", "");

    return *plan && *object_label(object, "plan-name", "") && *object_label(object, "vmID", "") &&
           !g_hash_table_contains(plans, plan) && !object_deleting(object);
}

static gboolean has_owner(const Object *object)
{
    return json_array_size(json_at(object_json(object), "metadata.ownerReferences")) > 0;
}

static void sweep_kind(KubeClient *kube, const KubeResource *resource, GHashTable *plans,
                       GCancellable *cancel)
{
    g_autoptr(GPtrArray) all = kube_list(kube, resource, NULL, "plan,vmID", NULL, NULL, cancel, NULL);

    for (guint i = 0; all && i < all->len; i++) {
        const Object *object = all->pdata[i];
        g_autoptr(GError) problem = NULL;
        if (!is_orphan(object, plans))
            continue;
        if (resource == &KUBE_VIRTUAL_MACHINE && target_machine_taken_over(object))
            continue;
        if ((resource == &KUBE_DATA_VOLUME || resource == &KUBE_PERSISTENT_VOLUME_CLAIM) && has_owner(object))
            continue;
        if (kube_delete(kube, resource, object_namespace(object), object_name(object), "Background", cancel,
                        &problem))
            log_info("swept what a deleted plan left", "kind", resource->kind, "namespace",
                     object_namespace(object), "name", object_name(object), NULL);
        else if (!g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
            log_warn("sweep", "kind", resource->kind, "name", object_name(object), "error", problem->message,
                     NULL);
    }
}

void sweep_orphans(KubeClient *kube, GCancellable *cancel)
{
    const KubeResource *const kinds[] = {
        &KUBE_POD,        &KUBE_JOB,         &KUBE_VIRTUAL_MACHINE,        &KUBE_SECRET,
        &KUBE_CONFIG_MAP, &KUBE_DATA_VOLUME, &KUBE_PERSISTENT_VOLUME_CLAIM};
    g_autoptr(GHashTable) plans = plans_there_are(kube, cancel);

    for (guint i = 0; plans && i < G_N_ELEMENTS(kinds); i++)
        sweep_kind(kube, kinds[i], plans, cancel);
}
