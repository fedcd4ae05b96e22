/* guest_keys: one Secret, found and copied. */
#include "plan/guest_keys.h"
#include "target/conversion_pod.h"
#include <string.h>

Object *guest_keys_find(KubeClient *kube, const Object *plan, const json_t *spec_vm, GCancellable *cancel,
                        GError **error)
{
    const char *ns = object_namespace(plan), *name = json_string_at(spec_vm, "luks.name", "");
    g_autoptr(Object) secret = NULL;

    if (!*name)
        return NULL;
    /* A plan reads no Secrets of namespaces that its author may not be allowed to see. */
    if (strcmp(json_string_at(spec_vm, "luks.namespace", ns), ns)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "luks: the Secret '%s' must be in the plan's namespace '%s'", name, ns);
        return NULL;
    }
    secret = kube_get(kube, &KUBE_SECRET, ns, name, cancel, error);
    if (!secret) {
        g_prefix_error(error, "luks: ");
        return NULL;
    }
    if (!json_object_size(json_object_get(object_json(secret), "data"))) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "luks: the Secret '%s' is empty: each of its keys must hold a passphrase", name);
        return NULL;
    }
    return g_steal_pointer(&secret);
}

gboolean guest_keys_copy(VmRun *vm, const char *app, char **name, GCancellable *cancel, GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) copy = NULL,
                      secret = guest_keys_find(plan->kube, plan->plan, vm_run_status(vm), cancel, &problem);

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!secret)
        return TRUE;
    copy =
        vm_run_create(vm, &KUBE_SECRET,
                      target_keys_secret(vm_run_owner(vm), app, json_object_get(object_json(secret), "data")),
                      cancel, error);
    if (copy)
        *name = g_strdup(object_name(copy));
    return copy != NULL;
}

gboolean guest_keys_by_clevis(const VmRun *vm)
{
    return json_bool_at(vm_run_status(vm), "nbdeClevis", FALSE);
}
