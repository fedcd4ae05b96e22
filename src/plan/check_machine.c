/* check_machine: names of claims, then the whole manifest, with claims that are not there yet. */
#include "plan/check_machine.h"
#include "plan/device_names.h"
#include "plan/machine_manifest.h"

/* The claims' names as they will be, as far as that can be known; of char*. */
static GPtrArray *claims_of(VmRun *vm, const Vm *machine, GError **error)
{
    g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < machine->disks->len; i++) {
        TargetName name;
        if (!device_names_claim(vm, machine, i, &name, error))
            return NULL;
        g_ptr_array_add(claims, name.text ? (char *)name.text : g_strdup_printf("disk-%u", i));
    }
    g_ptr_array_add(claims, NULL);
    return g_steal_pointer(&claims);
}

gboolean check_machine(const PlanCheck *check, const CheckedVm *checked, const char *name, GError **error)
{
    PlanRun run = {.settings = check->settings,
                   .plan = check->plan,
                   .provider = check->provider,
                   .network_map = check->network_map,
                   .storage_map = check->storage_map,
                   .migration_uid = ""};
    g_autoptr(json_t) status = vm_status_new(checked->spec, checked->vm->id, checked->vm->name),
                      manifest = NULL;
    g_autoptr(VmRun) vm = vm_run_new(&run, status);
    g_autoptr(GPtrArray) claims = NULL;
    g_autoptr(GError) problem = NULL;
    MachineParts parts = {0};

    vm_run_set_workload(vm, checked->workload);
    json_object_set_new(status, "newName", json_string(name));
    claims = claims_of(vm, checked->vm, error);
    if (!claims)
        return FALSE;
    parts.claims = (const char *const *)claims->pdata;
    manifest = machine_manifest(vm, checked->vm, &parts, &problem);
    if (manifest || g_error_matches(problem, GANTRY_ERROR, ERROR_NOT_MAPPED))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}
