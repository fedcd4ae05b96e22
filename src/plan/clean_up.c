/* clean_up: sweeps by label. */
#include "plan/clean_up.h"
#include "plan/disk_grant.h"
#include "plan/target_machine.h"
#include <string.h>

static gboolean ended(const Object *pod)
{
    const char *phase = json_string_at(object_json(pod), "status.phase", "");
    return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

StepResult clean_up_running(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) pods = vm_run_list(vm, &KUBE_POD, TRUE, "forklift.app", cancel, error);
    gboolean none = TRUE;

    if (!pods)
        return STEP_FAILED;
    for (guint i = 0; i < pods->len; i++) {
        if (ended(pods->pdata[i]))
            continue;
        none = FALSE;
        if (!object_deleting(pods->pdata[i]) && !vm_run_delete(vm, &KUBE_POD, pods->pdata[i], cancel, error))
            return STEP_FAILED;
    }
    return none ? disk_grant_give_back_all(vm, cancel, error) : STEP_WAIT;
}

gboolean clean_up_secrets(VmRun *vm, gboolean any_migration, GCancellable *cancel, GError **error)
{
    return vm_run_delete_all(vm, &KUBE_SECRET, any_migration, NULL, cancel, error);
}

/* Hook Jobs and their ConfigMaps are in the plan's namespace. */
static gboolean delete_hooks(VmRun *vm, const KubeResource *resource, const char *more, GCancellable *cancel,
                             GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    const TargetOwner *owner = vm_run_owner(vm);
    g_autofree char *selector = target_selector(owner, TRUE, more);
    g_autoptr(GPtrArray) list =
        kube_list(plan->kube, resource, owner->plan_namespace, selector, NULL, NULL, cancel, error);

    for (guint i = 0; list && i < list->len; i++) {
        g_autoptr(GError) problem = NULL;
        if (!kube_delete(plan->kube, resource, owner->plan_namespace, object_name(list->pdata[i]),
                         "Background", cancel, &problem) &&
            !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
    }
    return list != NULL;
}

gboolean clean_up_temporary(VmRun *vm, const char *more, GCancellable *cancel, GError **error)
{
    g_autofree char *pods = more ? g_strdup_printf("forklift.app,%s", more) : g_strdup("forklift.app");

    return vm_run_delete_all(vm, &KUBE_POD, TRUE, pods, cancel, error) &&
           vm_run_delete_all(vm, &KUBE_SECRET, TRUE, more, cancel, error) &&
           vm_run_delete_all(vm, &KUBE_CONFIG_MAP, TRUE, more, cancel, error) &&
           delete_hooks(vm, &KUBE_JOB, more, cancel, error) &&
           delete_hooks(vm, &KUBE_CONFIG_MAP, more, cancel, error);
}

gboolean clean_up_state(VmRun *vm, GCancellable *cancel, GError **error)
{
    return vm_run_delete_all(vm, &KUBE_PERSISTENT_VOLUME_CLAIM, TRUE, "resource=state", cancel, error);
}

/* TRUE when a VirtualMachine that is not ours to delete owns the DataVolume. */
static gboolean in_use(const Object *volume, GPtrArray *machines)
{
    size_t i;
    json_t *owner;

    json_array_foreach (json_at(object_json(volume), "metadata.ownerReferences"), i, owner)
        for (guint m = 0; m < machines->len; m++)
            if (!strcmp(json_string_at(owner, "uid", ""), object_uid(machines->pdata[m])) &&
                !target_machine_unfinished(machines->pdata[m]))
                return TRUE;
    return FALSE;
}

gboolean clean_up_target(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) machines = vm_run_list(vm, &KUBE_VIRTUAL_MACHINE, TRUE, NULL, cancel, error);
    g_autoptr(GPtrArray) volumes = machines ? vm_run_volumes(vm, cancel, error) : NULL;

    if (!volumes)
        return FALSE;
    for (guint i = 0; i < machines->len; i++)
        if (target_machine_unfinished(machines->pdata[i]) &&
            !vm_run_delete(vm, &KUBE_VIRTUAL_MACHINE, machines->pdata[i], cancel, error))
            return FALSE;
    for (guint i = 0; i < volumes->len; i++)
        if (!in_use(volumes->pdata[i], machines) &&
            !vm_run_delete(vm, &KUBE_DATA_VOLUME, volumes->pdata[i], cancel, error))
            return FALSE;
    return TRUE;
}
