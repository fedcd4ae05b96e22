/* execution: history snapshots, the VM list, threads over VMs, the end. */
#include "plan/execution.h"
#include "base/clock.h"
#include "base/log.h"
#include "plan/clean_up.h"
#include "plan/itinerary.h"
#include "plan/naming.h"
#include "plan/schedule.h"
#include "plan/target_machine.h"
#include "plan/vm_progress.h"
#include <string.h>

enum { THREADS = 8 };

static const char *const ends[] = {"Succeeded", "Failed", "Canceled"};

static json_t *migration_of(const json_t *status)
{
    return json_object_get(json_object_get(status, "migration"), "vms");
}

static void set_now(json_t *json, const char *key)
{
    g_autofree char *now = clock_now();
    json_object_set_new(json, key, json_string(now));
}

/* ---- history ---- */

static json_t *snapshot_ref(const Object *object)
{
    return json_pack("{s:s, s:s, s:s, s:I}", "namespace", object_namespace(object), "name",
                     object_name(object), "uid", object_uid(object), "generation",
                     (json_int_t)object_generation(object));
}

static json_t *snapshot_new(const Execution *e, const Object *migration)
{
    return json_pack("{s:[], s:{s:o, s:o}, s:o, s:{s:o, s:o}, s:o}", "conditions", "provider", "source",
                     snapshot_ref(e->provider), "destination", snapshot_ref(e->destination), "plan",
                     snapshot_ref(e->plan), "map", "network", snapshot_ref(e->network_map), "storage",
                     snapshot_ref(e->storage_map), "migration", snapshot_ref(migration));
}

static gboolean snapshot_has(const json_t *snapshot, const char *type)
{
    return conditions_find(json_object_get(snapshot, "conditions"), type) != NULL;
}

/* A snapshot has one condition at a time: Executing, then how it ended. */
static void snapshot_say(json_t *snapshot, const char *type, const char *reason, const char *message)
{
    g_autoptr(Conditions) conditions = conditions_begin(NULL);

    conditions_set_durable(conditions, type, CONDITION_ADVISORY, reason, "%s", message);
    json_object_set_new(snapshot, "conditions", conditions_end(conditions));
}

json_t *execution_active(const json_t *status)
{
    const json_t *history = json_at(status, "migration.history");
    json_t *last = json_array_get(history, json_array_size(history) - 1);

    return json_array_size(history) && snapshot_has(last, "Executing") ? last : NULL;
}

static gboolean in_history(const json_t *status, const char *uid)
{
    size_t i;
    json_t *snapshot;

    json_array_foreach (json_at(status, "migration.history"), i, snapshot)
        if (!strcmp(json_string_at(snapshot, "migration.uid", ""), uid))
            return TRUE;
    return FALSE;
}

static const Object *migration_with(const Execution *e, const char *uid)
{
    for (guint i = 0; i < e->migrations->len; i++)
        if (!strcmp(object_uid(e->migrations->pdata[i]), uid))
            return e->migrations->pdata[i];
    return NULL;
}

/* The oldest that has not been run. */
static const Object *next_migration(const Execution *e, const json_t *status)
{
    const Object *oldest = NULL;

    for (guint i = 0; i < e->migrations->len; i++) {
        const Object *one = e->migrations->pdata[i];
        const char *created = json_string_at(object_json(one), "metadata.creationTimestamp", "");
        if (object_deleting(one) || in_history(status, object_uid(one)) ||
            json_at(object_json(one), "status.completed"))
            continue;
        if (!oldest ||
            strcmp(created, json_string_at(object_json(oldest), "metadata.creationTimestamp", "")) < 0)
            oldest = one;
    }
    return oldest;
}

/* ---- what a VM's work needs ---- */

static PlanRun plan_run(const Execution *e, const char *migration_uid)
{
    return (PlanRun){.kube = e->kube,
                     .target = e->target,
                     .inventory = e->inventory,
                     .settings = e->settings,
                     .plan = e->plan,
                     .provider = e->provider,
                     .secret = e->secret,
                     .network_map = e->network_map,
                     .storage_map = e->storage_map,
                     .migration_uid = migration_uid,
                     .image = e->image};
}

static char *share_key(const Execution *e, const json_t *vm)
{
    return g_strdup_printf("%s/%s", object_uid(e->plan), vm_status_id(vm));
}

/* ---- beginning ---- */

typedef struct {
    GHashTable *names; /* of VirtualMachines in the target namespace and of VMs in this plan */
} Taken;

static gboolean is_taken(const char *name, gpointer user_data)
{
    return g_hash_table_contains(((Taken *)user_data)->names, name);
}

/* A VM that cannot be migrated is in the list all the same, with its error. */
static void set_target_name(json_t *vm, Taken *taken)
{
    g_autoptr(GError) problem = NULL;
    g_autofree char *name = naming_target(vm_status_name(vm), vm_status_id(vm),
                                          json_string_at(vm, "targetName", NULL), is_taken, taken, &problem);
    g_autofree char *reason = NULL;

    if (!name) {
        reason = g_strdup_printf("%s. %s", problem->message, error_remedy(problem));
        status_add_error(vm, PHASE_STARTED, reason);
        return;
    }
    g_hash_table_add(taken->names, g_strdup(name));
    if (strcmp(name, vm_status_name(vm)))
        json_object_set_new(vm, "newName", json_string(name));
}

static json_t *finished_before(const json_t *status, const char *id)
{
    size_t i;
    json_t *vm;

    json_array_foreach (migration_of(status), i, vm)
        if (!strcmp(vm_status_id(vm), id) && vm_status_completed(vm) && vm_status_has(vm, "Succeeded"))
            return vm;
    return NULL;
}

/* NULL with an error set when the inventory cannot be asked just now. */
static json_t *begin_vm(const Execution *e, const json_t *status, const json_t *spec_vm, Taken *taken,
                        GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) found = inventory_find(e->inventory, e->provider, "vms", spec_vm, cancel, error);
    PlanRun run = plan_run(e, "");
    g_autoptr(json_t) vm = NULL;
    g_autoptr(VmRun) work = NULL;
    const Vm *machine;
    json_t *before;

    if (!found)
        return NULL;
    before = finished_before(status, json_string_at(found, "id", ""));
    if (before)
        return json_incref(before);
    vm = vm_status_new(spec_vm, json_string_at(found, "id", ""), json_string_at(found, "name", ""));
    work = vm_run_new(&run, vm);
    machine = vm_run_describe(work, cancel, error);
    if (!machine)
        return NULL;
    itinerary_add_pipeline(work, machine);
    set_target_name(vm, taken);
    return g_steal_pointer(&vm);
}

static json_t *begin_all(const Execution *e, const json_t *status, GCancellable *cancel, GError **error)
{
    const json_t *spec_vms = json_at(object_json(e->plan), "spec.vms");
    g_autoptr(GHashTable) names = target_names_in_use(e->target, e->plan, cancel, error);
    Taken taken = {.names = names};
    g_autoptr(json_t) vms = json_array();
    size_t i;
    json_t *spec_vm;

    if (!names)
        return NULL;
    json_array_foreach (spec_vms, i, spec_vm) {
        json_t *vm = begin_vm(e, status, spec_vm, &taken, cancel, error);
        if (!vm)
            return NULL;
        json_array_append_new(vms, vm);
    }
    return g_steal_pointer(&vms);
}

static gboolean begin(const Execution *e, const Object *migration, json_t *status, Conditions *conditions,
                      GCancellable *cancel, GError **error)
{
    json_t *vms = begin_all(e, status, cancel, error), *section, *snapshot, *history;

    if (!vms)
        return FALSE;
    section = json_object_get(status, "migration");
    if (!section) {
        section = json_object();
        json_object_set_new(status, "migration", section);
    }
    history = json_object_get(section, "history");
    if (!history) {
        history = json_array();
        json_object_set_new(section, "history", history);
    }
    snapshot = snapshot_new(e, migration);
    snapshot_say(snapshot, "Executing", NULL, "The plan is EXECUTING.");
    json_array_append_new(history, snapshot);
    json_object_set_new(section, "vms", vms);
    set_now(section, "started");
    json_object_del(section, "completed");
    for (guint i = 0; i < G_N_ELEMENTS(ends); i++)
        conditions_remove(conditions, ends[i]);
    conditions_set_durable(conditions, "Executing", CONDITION_ADVISORY, NULL, "The plan is EXECUTING.");
    log_info("migration begins", "plan", object_name(e->plan), "migration", object_name(migration), NULL);
    return TRUE;
}

/* ---- cancelling ---- */

static gboolean refers_to(const json_t *ref, const json_t *vm)
{
    const char *id = json_string_at(ref, "id", ""), *name = json_string_at(ref, "name", "");
    return *id ? !strcmp(id, vm_status_id(vm)) : *name && !strcmp(name, vm_status_name(vm));
}

static void cancel_vm(const PlanRun *run, json_t *vm, const char *reason)
{
    g_autoptr(VmRun) work = vm_run_new(run, vm);
    vm_progress_cancel(work, reason);
}

static void apply_cancels(const Execution *e, const PlanRun *run, json_t *status, const json_t *snapshot)
{
    const Object *migration = migration_with(e, run->migration_uid);
    gboolean modified = strcmp(json_string_at(snapshot, "map.network.uid", ""), object_uid(e->network_map)) ||
                        strcmp(json_string_at(snapshot, "map.storage.uid", ""), object_uid(e->storage_map)) ||
                        strcmp(json_string_at(snapshot, "provider.source.uid", ""), object_uid(e->provider));
    size_t i, j;
    json_t *vm, *ref;

    json_array_foreach (migration_of(status), i, vm) {
        if (e->cancel_all)
            cancel_vm(run, vm, "UserRequested");
        else if (!migration || object_deleting(migration))
            cancel_vm(run, vm, "Deleted");
        else if (modified)
            cancel_vm(run, vm, "Modified");
        else
            json_array_foreach (json_at(object_json(migration), "spec.cancel"), j, ref)
                if (refers_to(ref, vm))
                    cancel_vm(run, vm, "UserRequested");
    }
}

/* ---- moving VMs ---- */

/* TRUE: the VM has its share of its host and is on its way. */
static gboolean admit(const Execution *e, const PlanRun *run, json_t *vm, guint place, GCancellable *cancel)
{
    g_autoptr(VmRun) work = vm_run_new(run, vm);
    g_autofree char *key = share_key(e, vm), *why = NULL, *text = NULL;
    g_autoptr(GError) problem = NULL;
    const Vm *machine = vm_run_describe(work, cancel, &problem);
    const char *host = machine ? json_string_at(vm_run_workload(work, cancel, NULL), "host.id", "") : "";

    if (!machine)
        why = g_strdup(problem->message);
    else if (schedule_take(object_uid(e->provider), host, key, MAX(1, machine->disks->len),
                           e->settings->max_vm_inflight, &why)) {
        vm_status_remove_condition(vm, "Pending");
        set_now(vm, "started");
        return TRUE;
    }
    text = g_strdup_printf("Place %u in the queue. %s.", place, why);
    vm_status_set_condition(vm, "Pending", CONDITION_ADVISORY, "Queued", text, FALSE);
    return FALSE;
}

typedef struct {
    const PlanRun *run;
    GCancellable *cancel;
    gint advanced; /* atomic */
} Moving;

static void move_one(gpointer data, gpointer user_data)
{
    Moving *moving = user_data;
    g_autoptr(VmRun) work = vm_run_new(moving->run, data);

    if (vm_progress(work, moving->cancel))
        g_atomic_int_set(&moving->advanced, TRUE);
}

/* A VM that ended before it began needs no step. */
static gboolean needs_admission(const json_t *vm)
{
    return !vm_status_started(vm) && !vm_status_has(vm, "Canceled") && !json_object_get(vm, "error");
}

static gboolean move_all(const Execution *e, const PlanRun *run, json_t *status, GCancellable *cancel)
{
    Moving moving = {.run = run, .cancel = cancel};
    GThreadPool *pool = g_thread_pool_new(move_one, &moving, THREADS, FALSE, NULL);
    guint place = 1;
    size_t i;
    json_t *vm;

    json_array_foreach (migration_of(status), i, vm) {
        if (vm_status_completed(vm))
            continue;
        if (needs_admission(vm) && !admit(e, run, vm, place, cancel)) {
            place++;
            continue;
        }
        g_thread_pool_push(pool, vm, NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    return moving.advanced;
}

/* Phases in which a VM reads nothing of its host any more give its share back. */
static void give_back_shares(const Execution *e, const json_t *status)
{
    size_t i;
    json_t *vm;

    json_array_foreach (migration_of(status), i, vm) {
        const char *phase = vm_status_phase(vm);
        g_autofree char *key = share_key(e, vm);
        if (vm_status_completed(vm) || !strcmp(phase, "CreateGuestConversionPod") ||
            !strcmp(phase, "ConvertGuest") || !strcmp(phase, "CreateVM") || !strcmp(phase, "PostHook"))
            schedule_release(key);
    }
}

void execution_hold_shares(const Execution *e, const json_t *status, GCancellable *cancel)
{
    PlanRun run = plan_run(e, "");
    size_t i;
    json_t *vm;

    json_array_foreach (migration_of(status), i, vm) {
        g_autoptr(VmRun) work = vm_run_new(&run, vm);
        g_autofree char *key = share_key(e, vm);
        const Vm *machine;
        if (!vm_status_started(vm) || vm_status_completed(vm))
            continue;
        machine = vm_run_describe(work, cancel, NULL);
        if (machine)
            schedule_hold(object_uid(e->provider),
                          json_string_at(vm_run_workload(work, cancel, NULL), "host.id", ""), key,
                          MAX(1, machine->disks->len));
    }
    give_back_shares(e, status);
}

/* ---- the end ---- */

/* "Succeeded", "Failed", "Canceled", or NULL while a VM is on its way. */
static const char *outcome(const json_t *status)
{
    gboolean failed = FALSE, succeeded = FALSE;
    size_t i;
    json_t *vm;

    json_array_foreach (migration_of(status), i, vm) {
        if (!vm_status_completed(vm))
            return NULL;
        failed = failed || vm_status_has(vm, "Failed");
        succeeded = succeeded || vm_status_has(vm, "Succeeded");
    }
    return failed ? "Failed" : succeeded ? "Succeeded" : "Canceled";
}

static void end(const Execution *e, json_t *status, json_t *snapshot, Conditions *conditions,
                const char *type)
{
    g_autofree char *upper = g_ascii_strup(type, -1);
    g_autofree char *message = g_strdup_printf("The plan execution has %s.", upper);

    conditions_remove(conditions, "Executing");
    conditions_set_durable(conditions, type, CONDITION_ADVISORY, NULL, "%s", message);
    snapshot_say(snapshot, type, NULL, message);
    set_now(json_object_get(status, "migration"), "completed");
    log_info("migration ended", "plan", object_name(e->plan), "migration",
             json_string_at(snapshot, "migration.name", ""), "result", type, NULL);
}

/* ---- a pass ---- */

static gboolean can_move(const Execution *e)
{
    return e->provider && e->secret && e->network_map && e->storage_map && e->target;
}

ExecutionResult execution_pass(const Execution *e, json_t *status, Conditions *conditions,
                               GCancellable *cancel, GError **error)
{
    json_t *snapshot = execution_active(status);
    const Object *next;
    const char *type;
    PlanRun run;
    gboolean advanced;

    if (!snapshot) {
        next = e->ready && can_move(e) ? next_migration(e, status) : NULL;
        if (!next)
            return EXECUTION_IDLE;
        return begin(e, next, status, conditions, cancel, error) ? EXECUTION_ADVANCED : EXECUTION_WAITING;
    }
    if (!can_move(e))
        return EXECUTION_WAITING;
    run = plan_run(e, json_string_at(snapshot, "migration.uid", ""));
    apply_cancels(e, &run, status, snapshot);
    advanced = move_all(e, &run, status, cancel);
    give_back_shares(e, status);
    type = outcome(status);
    if (type)
        end(e, status, snapshot, conditions, type);
    return advanced || type ? EXECUTION_ADVANCED : EXECUTION_WAITING;
}

/* ---- archive ---- */

static gboolean archive_vm(const Execution *e, const PlanRun *run, json_t *vm, GCancellable *cancel,
                           GError **error)
{
    g_autoptr(VmRun) work = vm_run_new(run, vm);
    gboolean keep = !json_bool_at(vm_run_plan_spec(work), "deleteVmOnFailMigration", TRUE);

    if (!clean_up_temporary(work, NULL, cancel, error) || !clean_up_state(work, cancel, error))
        return FALSE;
    return vm_status_has(vm, "Succeeded") || keep || clean_up_target(work, cancel, error);
}

gboolean execution_archive(const Execution *e, json_t *status, GCancellable *cancel, GError **error)
{
    PlanRun run = plan_run(e, "");
    size_t i;
    json_t *vm;

    if (!e->target)
        return TRUE;
    json_array_foreach (migration_of(status), i, vm)
        if (!archive_vm(e, &run, vm, cancel, error))
            return FALSE;
    return TRUE;
}
