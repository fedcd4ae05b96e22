/* vm_run: the hands of a step: inventory, source, children by label, marks. */
#include "plan/vm_run.h"
#include "base/clock.h"
#include "plan/provider_access.h"
#include "plan/source_audit.h"
#include "source/warm.h"
#include <string.h>

struct VmRun {
    const PlanRun *plan;
    json_t *status; /* borrowed */
    TargetOwner owner;
    json_t *workload;
    Vm *vm;
    char *snapshot; /* whose disks these are */
    json_t *snapshot_disks;
};

static const Object *keep(const Object *object)
{
    return object ? object_ref((Object *)object) : NULL;
}

PlanRun *plan_run_keep(const PlanRun *borrowed)
{
    PlanRun *kept = g_atomic_rc_box_new(PlanRun);

    *kept = *borrowed;
    kept->kube = kube_client_ref(kept->kube);
    kept->target = kube_client_ref(kept->target);
    kept->settings = settings_retain((Settings *)kept->settings);
    kept->plan = keep(kept->plan);
    kept->provider = keep(kept->provider);
    kept->destination = keep(kept->destination);
    kept->secret = keep(kept->secret);
    kept->network_map = keep(kept->network_map);
    kept->storage_map = keep(kept->storage_map);
    kept->migration = keep(kept->migration);
    kept->home = keep(kept->home);
    kept->migration_uid = g_strdup(kept->migration_uid);
    kept->image = g_strdup(kept->image);
    kept->session = g_strdup(kept->session);
    return kept;
}

PlanRun *plan_run_ref(PlanRun *kept)
{
    return g_atomic_rc_box_acquire(kept);
}

static void drop(const Object *object)
{
    if (object)
        object_unref((Object *)object);
}

static void plan_run_clear(gpointer data)
{
    PlanRun *run = data;

    kube_client_unref(run->kube);
    kube_client_unref(run->target);
    settings_release((Settings *)run->settings);
    drop(run->plan);
    drop(run->provider);
    drop(run->destination);
    drop(run->secret);
    drop(run->network_map);
    drop(run->storage_map);
    drop(run->migration);
    drop(run->home);
    g_free((char *)run->migration_uid);
    g_free((char *)run->image);
    g_free((char *)run->session);
}

void plan_run_unref(PlanRun *kept)
{
    g_atomic_rc_box_release_full(kept, plan_run_clear);
}

json_t *plan_run_owners(const PlanRun *run, const KubeClient *cluster)
{
    if (!run->home || cluster != run->kube)
        return NULL;
    return json_pack("[{s:s, s:s, s:s, s:s}]", "apiVersion", "v1", "kind", "Namespace", "name",
                     object_name(run->home), "uid", object_uid(run->home));
}

VmRun *vm_run_new(const PlanRun *plan, json_t *status)
{
    VmRun *vm = g_new0(VmRun, 1);

    vm->plan = plan;
    vm->status = status;
    vm->owner = (TargetOwner){.plan_uid = object_uid(plan->plan),
                              .plan_name = object_name(plan->plan),
                              .plan_namespace = object_namespace(plan->plan),
                              .migration_uid = plan->migration_uid,
                              .vm_id = vm_status_id(status),
                              .ns = json_string_at(object_json(plan->plan), "spec.targetNamespace", ""),
                              .image = plan->image};
    return vm;
}

void vm_run_free(VmRun *vm)
{
    if (!vm)
        return;
    json_decref(vm->workload);
    vm_free(vm->vm);
    g_free(vm->snapshot);
    json_decref(vm->snapshot_disks);
    g_free(vm);
}

const PlanRun *vm_run_plan(const VmRun *vm)
{
    return vm->plan;
}
json_t *vm_run_status(const VmRun *vm)
{
    return vm->status;
}
const TargetOwner *vm_run_owner(const VmRun *vm)
{
    return &vm->owner;
}
const json_t *vm_run_plan_spec(const VmRun *vm)
{
    return json_object_get(object_json(vm->plan->plan), "spec");
}
json_t *vm_run_step(const VmRun *vm, const char *pipeline)
{
    return vm_status_step(vm->status, pipeline);
}

/* ---- what is migrated ---- */

const json_t *vm_run_workload(VmRun *vm, GCancellable *cancel, GError **error)
{
    if (!vm->workload)
        vm->workload = inventory_get(vm->plan->inventory, vm->plan->provider, "workloads", vm->owner.vm_id,
                                     cancel, error);
    return vm->workload;
}

void vm_run_set_workload(VmRun *vm, const json_t *workload)
{
    json_decref(vm->workload);
    vm->workload = json_incref((json_t *)workload);
}

const Vm *vm_run_describe(VmRun *vm, GCancellable *cancel, GError **error)
{
    const json_t *workload;

    if (vm->vm)
        return vm->vm;
    workload = vm_run_workload(vm, cancel, error);
    if (workload)
        vm->vm = source_describe(json_string_at(object_json(vm->plan->provider), "spec.type", ""), workload,
                                 error);
    return vm->vm;
}

gboolean vm_run_is_warm(VmRun *vm)
{
    return json_bool_at(vm_run_plan_spec(vm), "warm", FALSE);
}

/* Decided once, when the pipeline is laid out: later neither the plan nor an inventory that is away changes
 * it. */
gboolean vm_run_converts(VmRun *vm)
{
    const json_t *skip = json_object_get(vm_run_plan_spec(vm), "skipGuestConversion");
    gboolean laid_out = vm_status_step(vm->status, "VirtualMachineCreation") != NULL;
    const Vm *machine;

    if (laid_out)
        return vm_status_step(vm->status, "ImageConversion") != NULL;
    if (skip)
        return json_is_false(skip);
    machine = vm->plan->inventory ? vm_run_describe(vm, NULL, NULL) : vm->vm;
    return !machine || machine->needs_conversion;
}

const char *vm_run_target_name(VmRun *vm)
{
    const char *renamed = json_string_at(vm->status, "newName", "");
    return *renamed ? renamed : vm_status_name(vm->status);
}

gboolean vm_run_target_runs(VmRun *vm)
{
    const char *own = json_string_at(vm->status, "targetPowerState", "");
    const char *wanted = *own ? own : json_string_at(vm_run_plan_spec(vm), "targetPowerState", "auto");

    if (!strcmp(wanted, "on"))
        return TRUE;
    return strcmp(wanted, "off") && !strcmp(json_string_at(vm->status, "restorePowerState", ""), "On");
}

const json_t *vm_run_hook(VmRun *vm, const char *step)
{
    size_t i;
    json_t *hook;

    json_array_foreach (json_object_get(vm->status, "hooks"), i, hook) {
        /* the guide's example has step inside hook */
        const char *own = json_string_at(hook, "step", json_string_at(hook, "hook.step", ""));
        if (!strcmp(own, step))
            return json_object_get(hook, "hook");
    }
    return NULL;
}

/* ---- the source ---- */

Source *vm_run_source(VmRun *vm, GError **error)
{
    return provider_source(vm->plan->provider, vm->plan->secret, error);
}

gboolean vm_run_source_power(VmRun *vm, PowerState *out, GCancellable *cancel, GError **error)
{
    Source *source = vm_run_source(vm, error);
    return source && source_power_state(source, vm->owner.vm_id, out, cancel, error);
}

gboolean vm_run_ask_shutdown(VmRun *vm, GCancellable *cancel, GError **error)
{
    Source *source = vm_run_source(vm, error);
    return source && source_audit(vm, AUDIT_SHUTDOWN, NULL, cancel, error) &&
           source_shut_down_guest(source, vm->owner.vm_id, cancel, error);
}

gboolean vm_run_cut_power(VmRun *vm, GCancellable *cancel, GError **error)
{
    Source *source = vm_run_source(vm, error);
    return source && source_audit(vm, AUDIT_POWER_OFF, NULL, cancel, error) &&
           source_power_off(source, vm->owner.vm_id, cancel, error);
}

gboolean vm_run_power_on_source(VmRun *vm, GCancellable *cancel, GError **error)
{
    Source *source = vm_run_source(vm, error);
    return source && source_audit(vm, AUDIT_POWER_ON, NULL, cancel, error) &&
           source_power_on(source, vm->owner.vm_id, cancel, error);
}

const json_t *vm_run_snapshot_disks(VmRun *vm, const char *snapshot, GCancellable *cancel, GError **error)
{
    Source *source = vm_run_source(vm, error);

    if (!source)
        return NULL;
    if (vm->snapshot_disks && !g_strcmp0(vm->snapshot, snapshot))
        return vm->snapshot_disks;
    json_decref(vm->snapshot_disks);
    vm->snapshot_disks = source_snapshot_disks(source, vm->owner.vm_id, snapshot, cancel, error);
    g_free(vm->snapshot);
    vm->snapshot = g_strdup(snapshot);
    return vm->snapshot_disks;
}

/* ---- children ---- */

GPtrArray *vm_run_list(VmRun *vm, const KubeResource *resource, gboolean any_migration, const char *more,
                       GCancellable *cancel, GError **error)
{
    g_autofree char *selector = target_selector(&vm->owner, any_migration, more);
    return kube_list(vm->plan->target, resource, vm->owner.ns, selector, NULL, NULL, cancel, error);
}

GPtrArray *vm_run_volumes(VmRun *vm, GCancellable *cancel, GError **error)
{
    return vm_run_list(vm, &KUBE_DATA_VOLUME, TRUE, TARGET_DISK_LABEL, cancel, error);
}

Object *vm_run_find(VmRun *vm, const KubeResource *resource, gboolean any_migration, const char *more,
                    GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) list = vm_run_list(vm, resource, any_migration, more, cancel, error);
    return list && list->len ? object_ref(list->pdata[0]) : NULL;
}

Object *vm_run_find_useful(VmRun *vm, const KubeResource *resource, const char *name, GCancellable *cancel,
                           GError **error)
{
    GError *problem = NULL;
    Object *found = kube_get(vm->plan->target, resource, NULL, name, cancel, &problem);

    if (g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND) ||
        g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN))
        g_clear_error(&problem);
    if (problem)
        g_propagate_error(error, problem);
    return found;
}

Object *vm_run_create(VmRun *vm, const KubeResource *resource, json_t *take_body, GCancellable *cancel,
                      GError **error)
{
    g_autoptr(json_t) body = take_body;
    json_t *owners = resource == &KUBE_VIRTUAL_MACHINE ? NULL : plan_run_owners(vm->plan, vm->plan->target);

    if (owners)
        json_set_at_new(body, "metadata.ownerReferences", owners);
    return kube_create(vm->plan->target, resource, vm->owner.ns, body, cancel, error);
}

gboolean vm_run_delete(VmRun *vm, const KubeResource *resource, const Object *object, GCancellable *cancel,
                       GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (kube_delete(vm->plan->target, resource, vm->owner.ns, object_name(object), "Background", cancel,
                    &problem) ||
        g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

gboolean vm_run_delete_all(VmRun *vm, const KubeResource *resource, gboolean any_migration, const char *more,
                           GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) list = vm_run_list(vm, resource, any_migration, more, cancel, error);

    if (!list)
        return FALSE;
    for (guint i = 0; i < list->len; i++)
        if (!object_deleting(list->pdata[i]) && !vm_run_delete(vm, resource, list->pdata[i], cancel, error))
            return FALSE;
    return TRUE;
}

const Object *vm_run_disk_volume(GPtrArray *volumes, const VmDisk *disk)
{
    g_autofree char *id = target_label_value(disk->id);

    for (guint i = 0; i < volumes->len; i++)
        if (!strcmp(object_label(volumes->pdata[i], TARGET_DISK_LABEL, ""), id) &&
            !object_deleting(volumes->pdata[i]))
            return volumes->pdata[i];
    return NULL;
}

/* ---- marks ---- */

gboolean vm_run_once(VmRun *vm, const char *mark)
{
    g_autofree char *now = clock_now();

    if (vm_status_mark(vm->status, mark))
        return FALSE;
    vm_status_set_mark(vm->status, mark, now);
    return TRUE;
}

gboolean vm_run_past(VmRun *vm, const char *mark, gint64 seconds)
{
    const char *since = vm_status_mark(vm->status, mark);
    gint64 then = since ? clock_parse(since) : -1;

    return then >= 0 && g_get_real_time() - then > seconds * G_USEC_PER_SEC;
}

void vm_run_forget(VmRun *vm, const char *mark)
{
    vm_status_set_mark(vm->status, mark, NULL);
}
