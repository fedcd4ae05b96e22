/* CreateVM: the target VirtualMachine, owner of its disks; and the wait until it has taken over. */
#include "base/clock.h"
#include "crd/conditions.h"
#include "plan/machine_manifest.h"
#include "plan/preference.h"
#include "plan/step.h"
#include "plan/target_machine.h"
#include "target/supported.h"
#include <string.h>

#define CREATED "target-created"

/* The ConfigMap beside the provider that maps guest ids to preferences. */
#define OS_TABLE "forklift-vsphere-osmap"

/* Two live copies never exist: what was started since the copy is not replaced. */
static gboolean source_is_off(VmRun *vm, GCancellable *cancel, GError **error)
{
    PowerState power;

    if (!vm_run_source_power(vm, &power, cancel, error))
        return FALSE;
    if (power == POWER_OFF)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_RUNNING,
                "source VM %s was started while it was being migrated", vm_status_name(vm_run_status(vm)));
    return FALSE;
}

/* The claims' names in the order of the VM's disks, NULL-terminated, owned but for the strings. */
static const char **claims_of(const Vm *machine, GPtrArray *volumes, GError **error)
{
    g_autofree const char **claims = g_new0(const char *, machine->disks->len + 1);

    for (guint i = 0; i < machine->disks->len; i++) {
        const VmDisk *disk = machine->disks->pdata[i];
        const Object *volume = vm_run_disk_volume(volumes, disk);
        if (!volume) {
            g_set_error(error, GANTRY_ERROR, ERROR_COPY_FAILED, "the DataVolume of disk %s has been deleted",
                        disk->name);
            return NULL;
        }
        claims[i] = object_name(volume);
    }
    return g_steal_pointer(&claims);
}

static gboolean is_ours(VmRun *vm, const Object *machine)
{
    const TargetOwner *owner = vm_run_owner(vm);
    g_autofree char *id = target_label_value(owner->vm_id);
    return target_machine_unfinished(machine) &&
           !strcmp(object_label(machine, "plan", ""), owner->plan_uid) &&
           !strcmp(object_label(machine, "vmID", ""), id);
}

/* What has the name is somebody else's, or what an earlier run left and Started has deleted: that goes soon.
 */
static gboolean name_is_free(VmRun *vm, GCancellable *cancel, GError **error)
{
    const char *name = vm_run_target_name(vm), *ns = vm_run_owner(vm)->ns;
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) other =
        kube_get(vm_run_plan(vm)->target, &KUBE_VIRTUAL_MACHINE, ns, name, cancel, &problem);

    if (g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    if (!other)
        g_propagate_error(error, g_steal_pointer(&problem));
    else if (is_ours(vm, other))
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT,
                    "the VirtualMachine '%s' of an earlier run still exists", name);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_NAME_TAKEN,
                    "namespace %s has a VirtualMachine named '%s' already", ns, name);
    return FALSE;
}

/* ---- the manifest ---- */

/* What the user's table of guest ids says, else ours. NULL: none. */
static char *wanted_preference(VmRun *vm, const Vm *machine, GCancellable *cancel, GError **error)
{
    const PlanRun *plan = vm_run_plan(vm);
    const char *guest = json_string_at(vm_run_workload(vm, cancel, NULL), "guestId", ""), *listed = NULL;
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) table = NULL;

    if (*guest)
        table = kube_get(plan->kube, &KUBE_CONFIG_MAP, object_namespace(plan->provider), OS_TABLE, cancel,
                         &problem);
    if (problem && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    if (table)
        listed = json_string_value(json_object_get(json_at(object_json(table), "data"), guest));
    return listed ? g_strdup(listed)
                  : preference_name(machine_os(vm, machine), machine_has_drivers(vm, machine));
}

/* FALSE: the cluster could not be asked. */
static gboolean find_preference(VmRun *vm, const Vm *machine, char **out, GCancellable *cancel,
                                GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *name = wanted_preference(vm, machine, cancel, &problem);
    g_autoptr(Object) preference = NULL;

    *out = NULL;
    if (name)
        preference = vm_run_find_useful(vm, &KUBE_VIRTUAL_MACHINE_CLUSTER_PREFERENCE, name, cancel, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (preference && preference_fits(preference, machine))
        *out = g_steal_pointer(&name);
    return TRUE;
}

/* An older KubeVirt gets what it knows; what it lacks is said in a condition of the VM. */
static gboolean leave_out(VmRun *vm, json_t *manifest, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) definition = vm_run_find_useful(vm, &KUBE_CUSTOM_RESOURCE_DEFINITION,
                                                      "virtualmachines.kubevirt.io", cancel, &problem);
    g_autoptr(GPtrArray) paths = NULL;
    g_autofree char *list = NULL, *text = NULL;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    paths = definition ? target_leave_out(manifest, object_json(definition)) : g_ptr_array_new();
    if (!paths->len)
        return TRUE;
    g_ptr_array_add(paths, NULL);
    list = g_strjoinv(", ", (char **)paths->pdata);
    text = g_strdup_printf(
        "The installed KubeVirt does not know these fields, so the target is without them: %s.", list);
    vm_status_set_condition(vm_run_status(vm), "TargetFieldsLeftOut", CONDITION_WARN, "NotSupported", text,
                            TRUE);
    return TRUE;
}

static Object *create(VmRun *vm, const Vm *machine, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) volumes = vm_run_volumes(vm, cancel, error);
    g_autofree const char **claims = volumes ? claims_of(machine, volumes, error) : NULL;
    g_autofree char *preference = NULL;
    g_autoptr(json_t) manifest = NULL;
    MachineParts parts = {.claims = claims};

    if (!claims || !find_preference(vm, machine, &preference, cancel, error))
        return NULL;
    parts.preference = preference;
    manifest = machine_manifest(vm, machine, &parts, error);
    if (!manifest || !leave_out(vm, manifest, cancel, error))
        return NULL;
    json_object_set_new(json_at(manifest, "metadata.annotations"), TAKEN_OVER, json_string(TARGET_NOT_YET));
    return vm_run_create(vm, &KUBE_VIRTUAL_MACHINE, g_steal_pointer(&manifest), cancel, error);
}

/* ---- taking over ---- */

static StepResult take_over(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error)
{
    g_autofree char *now = clock_now();
    g_autoptr(json_t) patch = json_pack("{s:{s:{s:s}}}", "metadata", "annotations", TAKEN_OVER, now);
    g_autoptr(Object) done =
        kube_patch(vm_run_plan(vm)->target, &KUBE_VIRTUAL_MACHINE, object_namespace(machine),
                   object_name(machine), KUBE_PATCH_MERGE, patch, NULL, cancel, error);

    if (!done)
        return STEP_FAILED;
    vm_status_set_mark(vm_run_status(vm), "taken-over", now);
    return STEP_DONE;
}

/* What the VirtualMachine says of why it does not run. */
static const char *complaint(const Object *machine)
{
    size_t i;
    json_t *condition;

    json_array_foreach (json_at(object_json(machine), "status.conditions"), i, condition)
        if (*json_string_at(condition, "message", "") &&
            strcmp(json_string_at(condition, "status", ""), "True"))
            return json_string_at(condition, "message", "");
    return json_string_at(object_json(machine), "status.printableStatus", "no reason given");
}

static StepResult wait_until_running(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error)
{
    gint limit = vm_run_plan(vm)->settings->target_start_timeout_s;
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) instance = kube_get(vm_run_plan(vm)->target, &KUBE_VIRTUAL_MACHINE_INSTANCE,
                                          object_namespace(machine), object_name(machine), cancel, &problem);
    const char *phase = instance ? json_string_at(object_json(instance), "status.phase", "") : "";

    if (!instance && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return STEP_FAILED;
    }
    vm_run_once(vm, CREATED);
    if (!strcmp(phase, "Running"))
        return take_over(vm, machine, cancel, error);
    item_set_reason(vm_run_step(vm, "VirtualMachineCreation"),
                    *phase ? phase : "Waiting for the VirtualMachineInstance");
    if (!strcmp(phase, "Failed") || vm_run_past(vm, CREATED, limit)) {
        g_set_error(error, GANTRY_ERROR, ERROR_TARGET_NOT_RUNNING,
                    "VirtualMachine %s/%s did not start within %d seconds: %s", object_namespace(machine),
                    object_name(machine), limit, complaint(machine));
        return STEP_FAILED;
    }
    return STEP_WAIT;
}

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) machine = vm_run_find(vm, &KUBE_VIRTUAL_MACHINE, FALSE, NULL, cancel, &problem);
    const Vm *described;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return STEP_FAILED;
    }
    if (!machine) {
        described = vm_run_describe(vm, cancel, error);
        if (!described || !name_is_free(vm, cancel, error) || !source_is_off(vm, cancel, error))
            return STEP_FAILED;
        machine = create(vm, described, cancel, error);
    }
    if (!machine || !target_machine_own_disks(vm, machine, cancel, error))
        return STEP_FAILED;
    if (!vm_run_target_runs(vm))
        return take_over(vm, machine, cancel, error);
    return wait_until_running(vm, machine, cancel, error);
}

const Step step_create_vm = {.phase = "CreateVM", .pipeline = "VirtualMachineCreation", .run = run};
