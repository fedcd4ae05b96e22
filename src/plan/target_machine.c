/* target_machine: stop before delete, disown before delete. */
#include "plan/target_machine.h"
#include "target/virtual_machine.h"
#include <string.h>

gboolean target_machine_taken_over(const Object *machine)
{
    return *object_annotation(machine, TAKEN_OVER, "") && !target_machine_unfinished(machine);
}

gboolean target_machine_unfinished(const Object *machine)
{
    return !strcmp(object_annotation(machine, TAKEN_OVER, ""), TARGET_NOT_YET);
}

static gboolean halted(const Object *machine)
{
    const json_t *json = object_json(machine);
    const char *strategy = json_string_at(json, "spec.runStrategy", "");

    return !strcmp(strategy, "Halted") || (!*strategy && !json_bool_at(json, "spec.running", FALSE));
}

static gboolean halt(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) patch = json_pack("{s:{s:s, s:n}}", "spec", "runStrategy", "Halted", "running");
    g_autoptr(Object) done =
        kube_patch(vm_run_plan(vm)->target, &KUBE_VIRTUAL_MACHINE, object_namespace(machine),
                   object_name(machine), KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    return done != NULL;
}

/* TRUE and *gone when the instance of that name does not exist. */
static gboolean instance_gone(VmRun *vm, const Object *machine, gboolean *gone, GCancellable *cancel,
                              GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) instance = kube_get(vm_run_plan(vm)->target, &KUBE_VIRTUAL_MACHINE_INSTANCE,
                                          object_namespace(machine), object_name(machine), cancel, &problem);

    if (!instance && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    *gone = !instance;
    return TRUE;
}

StepResult target_machine_stop(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) machines = vm_run_list(vm, &KUBE_VIRTUAL_MACHINE, TRUE, NULL, cancel, error);
    gboolean all_gone = TRUE;

    if (!machines)
        return STEP_FAILED;
    for (guint i = 0; i < machines->len; i++) {
        const Object *machine = machines->pdata[i];
        gboolean gone;
        if (!target_machine_unfinished(machine))
            continue;
        if (!halted(machine) && !halt(vm, machine, cancel, error))
            return STEP_FAILED;
        if (!instance_gone(vm, machine, &gone, cancel, error))
            return STEP_FAILED;
        all_gone = all_gone && gone;
    }
    return all_gone ? STEP_DONE : STEP_WAIT;
}

/* The DataVolume's owners with the VirtualMachine in the place of Gantry's own Namespace, or the other way
 * round; NULL when that is what they are. */
static json_t *owners_changed(VmRun *vm, const Object *volume, const Object *machine, gboolean add)
{
    g_autoptr(json_t) owners = json_array(), temporary = NULL;
    gboolean of_machine = FALSE, of_home = FALSE;
    size_t i;
    json_t *owner;

    json_array_foreach (json_at(object_json(volume), "metadata.ownerReferences"), i, owner) {
        if (!strcmp(json_string_at(owner, "uid", ""), object_uid(machine)))
            of_machine = TRUE;
        else if (!strcmp(json_string_at(owner, "kind", ""), "Namespace"))
            of_home = TRUE;
        else
            json_array_append(owners, owner);
    }
    if (add ? of_machine && !of_home : !of_machine)
        return NULL;
    temporary = add ? NULL : plan_run_owners(vm_run_plan(vm), vm_run_plan(vm)->target);
    if (add)
        json_array_append_new(owners, target_owner_reference(object_name(machine), object_uid(machine)));
    if (temporary)
        json_array_extend(owners, temporary);
    return g_steal_pointer(&owners);
}

static gboolean set_owner(VmRun *vm, const Object *machine, gboolean add, GCancellable *cancel,
                          GError **error)
{
    g_autoptr(GPtrArray) volumes = vm_run_volumes(vm, cancel, error);

    for (guint i = 0; volumes && i < volumes->len; i++) {
        const Object *volume = volumes->pdata[i];
        json_t *owners = owners_changed(vm, volume, machine, add);
        g_autoptr(json_t) patch =
            owners ? json_pack("{s:{s:o}}", "metadata", "ownerReferences", owners) : NULL;
        g_autoptr(Object) done = NULL;
        if (!patch)
            continue;
        done = kube_patch(vm_run_plan(vm)->target, &KUBE_DATA_VOLUME, object_namespace(volume),
                          object_name(volume), KUBE_PATCH_MERGE, patch, NULL, cancel, error);
        if (!done)
            return FALSE;
    }
    return volumes != NULL;
}

gboolean target_machine_own_disks(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error)
{
    return set_owner(vm, machine, TRUE, cancel, error);
}

gboolean target_machine_delete(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error)
{
    return set_owner(vm, machine, FALSE, cancel, error) &&
           vm_run_delete(vm, &KUBE_VIRTUAL_MACHINE, machine, cancel, error);
}

GHashTable *target_names_in_use(KubeClient *target, const Object *plan, GCancellable *cancel, GError **error)
{
    const char *ns = json_string_at(object_json(plan), "spec.targetNamespace", "");
    g_autoptr(GPtrArray) machines =
        kube_list(target, &KUBE_VIRTUAL_MACHINE, ns, NULL, NULL, NULL, cancel, error);
    GHashTable *names;

    if (!machines)
        return NULL;
    names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < machines->len; i++)
        if (strcmp(object_label(machines->pdata[i], "plan", ""), object_uid(plan)) ||
            !target_machine_unfinished(machines->pdata[i]))
            g_hash_table_add(names, g_strdup(object_name(machines->pdata[i])));
    return names;
}
