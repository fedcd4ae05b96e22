/* Started: the target namespace exists, and nothing of an earlier run of this plan is in the way. */
#include "plan/clean_up.h"
#include "plan/itinerary.h"
#include "plan/target_machine.h"

static gboolean ensure_namespace(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) body = json_pack("{s:{s:s}}", "metadata", "name", vm_run_owner(vm)->ns);
    gboolean created;
    g_autoptr(Object) found =
        kube_create_or_get(vm_run_plan(vm)->target, &KUBE_NAMESPACE, NULL, body, &created, cancel, error);
    return found != NULL;
}

/* The VirtualMachine of an earlier, failed attempt gives its disks back. */
static gboolean remove_target(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) machines = vm_run_list(vm, &KUBE_VIRTUAL_MACHINE, TRUE, NULL, cancel, error);

    for (guint i = 0; machines && i < machines->len; i++)
        if (target_machine_unfinished(machines->pdata[i]) && !object_deleting(machines->pdata[i]) &&
            !target_machine_delete(vm, machines->pdata[i], cancel, error))
            return FALSE;
    return machines != NULL;
}

/* In a large plan a VM that waits has no tasks. */
static gboolean ensure_tasks(VmRun *vm, GCancellable *cancel, GError **error)
{
    const Vm *machine = itinerary_lacks_tasks(vm_run_status(vm)) ? vm_run_describe(vm, cancel, error) : NULL;

    if (machine)
        itinerary_add_pipeline(vm, machine);
    return !itinerary_lacks_tasks(vm_run_status(vm));
}

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autofree char *earlier = g_strdup_printf("migration!=%s", vm_run_owner(vm)->migration_uid);
    StepResult stopped;

    if (!ensure_tasks(vm, cancel, error) || !ensure_namespace(vm, cancel, error))
        return STEP_FAILED;
    stopped = target_machine_stop(vm, cancel, error);
    if (stopped != STEP_DONE)
        return stopped;
    return remove_target(vm, cancel, error) && clean_up_temporary(vm, earlier, cancel, error) ? STEP_DONE
                                                                                              : STEP_FAILED;
}

const Step step_started = {.phase = PHASE_STARTED, .pipeline = "Initialize", .run = run};
