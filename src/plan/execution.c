/* execution: beginning, cancelling, admitting, ending; the steps themselves run in the crew. */
#include "plan/execution.h"
#include "base/clock.h"
#include "base/log.h"
#include "crd/plan_key.h"
#include "plan/clean_up.h"
#include "plan/fit.h"
#include "plan/history.h"
#include "plan/itinerary.h"
#include "plan/naming.h"
#include "plan/parallel.h"
#include "plan/queue.h"
#include "plan/schedule.h"
#include "plan/source_record.h"
#include "plan/target_machine.h"
#include "plan/vm_progress.h"
#include "plan/warm.h"
#include <string.h>

enum { DESCRIBERS = 8 };

static const char *const ends[] = {"Succeeded", "Failed", "Canceled"};

static json_t *vms_of(const json_t *status)
{
    return json_object_get(json_object_get(status, "migration"), "vms");
}

static void set_now(json_t *json, const char *key)
{
    g_autofree char *now = clock_now();
    json_object_set_new(json, key, json_string(now));
}

/* ---- what a VM's work needs ---- */

static const Object *migration_with(const Execution *e, const char *uid)
{
    for (guint i = 0; e->migrations && i < e->migrations->len; i++)
        if (!strcmp(object_uid(e->migrations->pdata[i]), uid))
            return e->migrations->pdata[i];
    return NULL;
}

static PlanRun plan_run(const Execution *e, const char *migration_uid)
{
    PlanRun run = e->run;

    run.migration_uid = migration_uid;
    run.migration = migration_with(e, migration_uid);
    run.session = e->crew ? crew_session(e->crew) : "";
    return run;
}

static HistoryEntry entry_of(const Execution *e, const Object *migration)
{
    return (HistoryEntry){.plan = e->run.plan,
                          .provider = e->run.provider,
                          .destination = e->run.destination,
                          .network_map = e->run.network_map,
                          .storage_map = e->run.storage_map,
                          .migration = migration};
}

/* ---- beginning ---- */

typedef struct {
    GHashTable *names; /* of VirtualMachines in the target namespace and of VMs in this plan */
} Taken;

/* A VM that a migration begins with. */
typedef struct {
    const json_t *spec;
    json_t *vm;     /* its status */
    gboolean fresh; /* it was not migrated before */
    GError *problem;
} Beginning;

typedef struct {
    const Execution *execution;
    const json_t *status;
    GCancellable *cancel;
} Beginner;

static void beginning_free(gpointer data)
{
    Beginning *one = data;
    json_decref(one->vm);
    g_clear_error(&one->problem);
    g_free(one);
}

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

static json_t *ended_before(const json_t *status, const char *id)
{
    size_t i;
    json_t *vm;

    json_array_foreach (vms_of(status), i, vm)
        if (!strcmp(vm_status_id(vm), id) && vm_status_completed(vm))
            return vm;
    return NULL;
}

/* The problem is set when the inventory cannot be asked just now. */
static void describe(gpointer data, gpointer user_data)
{
    Beginning *one = data;
    const Beginner *beginner = user_data;
    const Execution *e = beginner->execution;
    g_autoptr(json_t) found =
        inventory_find(e->run.inventory, e->run.provider, "vms", one->spec, beginner->cancel, &one->problem);
    PlanRun run = plan_run(e, "");
    g_autoptr(VmRun) work = NULL;
    const Vm *machine;
    json_t *before;

    if (!found)
        return;
    before = ended_before(beginner->status, json_string_at(found, "id", ""));
    if (before && vm_status_has(before, "Succeeded")) {
        one->vm = json_deep_copy(before);
        return;
    }
    one->fresh = TRUE;
    one->vm = vm_status_new(one->spec, json_string_at(found, "id", ""), json_string_at(found, "name", ""));
    work = vm_run_new(&run, one->vm);
    if (before && vm_run_is_warm(work))
        warm_take_up(one->vm, before);
    machine = vm_run_describe(work, beginner->cancel, &one->problem);
    if (machine)
        itinerary_add_pipeline(work, machine);
}

static GPtrArray *describe_all(const Execution *e, const json_t *status, GCancellable *cancel)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(beginning_free);
    Beginner beginner = {.execution = e, .status = status, .cancel = cancel};
    size_t i;
    json_t *spec;

    json_array_foreach (json_at(object_json(e->run.plan), "spec.vms"), i, spec) {
        Beginning *one = g_new0(Beginning, 1);
        one->spec = spec;
        g_ptr_array_add(all, one);
    }
    parallel_each(all, DESCRIBERS, describe, &beginner);
    return all;
}

static json_t *begin_all(const Execution *e, const json_t *status, GCancellable *cancel, GError **error)
{
    g_autoptr(GHashTable) names = target_names_in_use(e->run.target, e->run.plan, cancel, error);
    g_autoptr(GPtrArray) all = names ? describe_all(e, status, cancel) : NULL;
    Taken taken = {.names = names};
    g_autoptr(json_t) vms = json_array();

    for (guint i = 0; all && i < all->len; i++) {
        Beginning *one = all->pdata[i];
        if (one->problem) {
            g_propagate_error(error, g_steal_pointer(&one->problem));
            return NULL;
        }
        if (one->fresh)
            set_target_name(one->vm, &taken);
        json_array_append(vms, one->vm);
    }
    return all ? g_steal_pointer(&vms) : NULL;
}

static gboolean begin(const Execution *e, const Object *migration, json_t *status, Conditions *conditions,
                      GCancellable *cancel, GError **error)
{
    PlanRun run = plan_run(e, object_uid(migration));
    json_t *vms = source_record_begin(&run, cancel, error) ? begin_all(e, status, cancel, error) : NULL,
           *section;
    HistoryEntry entry = entry_of(e, migration);
    g_autofree char *key = plan_key(e->run.plan);

    if (!vms)
        return FALSE;
    crew_forget(e->crew, object_uid(e->run.plan)); /* nothing of an earlier run gets into this one */
    history_begin(status, &entry);
    section = json_object_get(status, "migration");
    json_object_set_new(section, "vms", vms);
    set_now(section, "started");
    json_object_del(section, "completed");
    for (guint i = 0; i < G_N_ELEMENTS(ends); i++)
        conditions_remove(conditions, ends[i]);
    conditions_set_durable(conditions, "Executing", CONDITION_ADVISORY, NULL, "The plan is EXECUTING.");
    log_info("migration begins", "plan", key, "migration", object_name(migration), NULL);
    return TRUE;
}

/* ---- cancelling ---- */

static gboolean refers_to(const json_t *ref, const json_t *vm)
{
    const char *id = json_string_at(ref, "id", ""), *name = json_string_at(ref, "name", "");
    return *id ? !strcmp(id, vm_status_id(vm)) : *name && !strcmp(name, vm_status_name(vm));
}

/* Why the VM is to be cancelled, or NULL. */
static const char *cancel_reason(const Execution *e, const Object *migration, const json_t *active,
                                 const json_t *vm)
{
    HistoryEntry now = entry_of(e, migration);
    size_t i;
    json_t *ref;

    if (e->cancel_all)
        return "UserRequested";
    if (!migration || object_deleting(migration))
        return "Deleted";
    if (history_modified(active, &now))
        return "Modified";
    json_array_foreach (json_at(object_json(migration), "spec.cancel"), i, ref)
        if (refers_to(ref, vm))
            return "UserRequested";
    return NULL;
}

/* One that is being moved just now is cancelled by the next pass, which the crew asks for. */
static void apply_cancels(const Execution *e, const PlanRun *run, json_t *status, const json_t *active)
{
    const Object *migration = migration_with(e, run->migration_uid);
    size_t i;
    json_t *vm;

    json_array_foreach (vms_of(status), i, vm) {
        const char *reason = vm_status_completed(vm) || vm_status_has(vm, "Canceled")
                                 ? NULL
                                 : cancel_reason(e, migration, active, vm);
        if (reason && crew_hold(e->crew, object_uid(e->run.plan), vm_status_id(vm))) {
            g_autoptr(VmRun) work = vm_run_new(run, vm);
            vm_progress_cancel(work, reason);
        }
    }
}

/* ---- what the crew has done ---- */

static void collect(const Execution *e, json_t *status)
{
    json_t *vms = vms_of(status), *vm;
    size_t i;

    json_array_foreach (vms, i, vm) {
        json_t *outcome = crew_outcome(e->crew, object_uid(e->run.plan), vm_status_id(vm));
        if (outcome)
            json_array_set_new(vms, i, outcome);
    }
}

/* Queued VMs rest; one that ended before it began has to be settled. */
static gboolean is_under_way(const json_t *vm)
{
    return !vm_status_completed(vm) &&
           (vm_status_started(vm) || vm_status_has(vm, "Canceled") || json_object_get(vm, "error"));
}

void execution_move(const Execution *e, const json_t *status)
{
    const json_t *active = history_active(status);
    g_autoptr(PlanRun) kept = NULL;
    PlanRun run;
    size_t i;
    json_t *vm;

    if (!active) {
        crew_forget(e->crew, object_uid(e->run.plan));
        return;
    }
    if (!execution_can_move(e))
        return;
    run = plan_run(e, json_string_at(active, "migration.uid", ""));
    kept = plan_run_keep(&run);
    json_array_foreach (vms_of(status), i, vm)
        if (is_under_way(vm))
            crew_move(e->crew, kept, vm);
}

/* ---- the end ---- */

/* "Succeeded", "Failed", "Canceled", or NULL while a VM is on its way. */
static const char *outcome(const json_t *status)
{
    gboolean failed = FALSE, succeeded = FALSE;
    size_t i;
    json_t *vm;

    json_array_foreach (vms_of(status), i, vm) {
        if (!vm_status_completed(vm))
            return NULL;
        failed = failed || vm_status_has(vm, "Failed");
        succeeded = succeeded || vm_status_has(vm, "Succeeded");
    }
    return failed ? "Failed" : succeeded ? "Succeeded" : "Canceled";
}

static void end(const Execution *e, json_t *status, json_t *active, Conditions *conditions, const char *type)
{
    g_autofree char *upper = g_ascii_strup(type, -1), *key = plan_key(e->run.plan);
    g_autofree char *message = g_strdup_printf("The plan execution has %s.", upper);

    conditions_remove(conditions, "Executing");
    conditions_set_durable(conditions, type, CONDITION_ADVISORY, NULL, "%s", message);
    history_end(active, type, message);
    set_now(json_object_get(status, "migration"), "completed");
    schedule_forget(object_uid(e->run.plan));
    log_info("migration ended", "plan", key, "migration", json_string_at(active, "migration.name", ""),
             "result", type, NULL);
}

/* ---- a pass ---- */

gboolean execution_can_move(const Execution *e)
{
    return e->run.provider && e->run.secret && e->run.network_map && e->run.storage_map && e->run.target;
}

json_t *execution_active(const json_t *status)
{
    return history_active(status);
}

static ExecutionResult go_on(const Execution *e, json_t *status, json_t *active, Conditions *conditions,
                             GCancellable *cancel)
{
    PlanRun run = plan_run(e, json_string_at(active, "migration.uid", ""));
    gboolean known;
    const char *type;

    collect(e, status);
    apply_cancels(e, &run, status, active);
    queue_give_back(&run, vms_of(status));
    known = queue_admit(&run, vms_of(status), cancel);
    type = outcome(status);
    if (type)
        end(e, status, active, conditions, type);
    return type ? EXECUTION_ADVANCED : known ? EXECUTION_RUNNING : EXECUTION_WAITING;
}

static ExecutionResult pass(const Execution *e, json_t *status, Conditions *conditions, GCancellable *cancel,
                            GError **error)
{
    json_t *active = history_active(status);
    const Object *next;

    queue_set_limits(e->run.settings);
    if (active)
        return execution_can_move(e) ? go_on(e, status, active, conditions, cancel) : EXECUTION_WAITING;
    next = e->ready && execution_can_move(e) ? history_next(status, e->migrations) : NULL;
    if (!next)
        return EXECUTION_IDLE;
    return begin(e, next, status, conditions, cancel, error) ? EXECUTION_ADVANCED : EXECUTION_WAITING;
}

ExecutionResult execution_pass(const Execution *e, json_t *status, Conditions *conditions,
                               GCancellable *cancel, GError **error)
{
    ExecutionResult result = pass(e, status, conditions, cancel, error);

    fit_status(status, fit_room(e->run.plan));
    return result;
}

void execution_hold_shares(const Execution *e, const json_t *status, GCancellable *cancel)
{
    PlanRun run = plan_run(e, "");

    queue_set_limits(e->run.settings);
    queue_hold(&run, vms_of(status), cancel);
}

/* ---- archive ---- */

static gboolean archive_vm(const Execution *e, const PlanRun *run, json_t *vm, GCancellable *cancel,
                           GError **error)
{
    g_autoptr(VmRun) work = vm_run_new(run, vm);
    gboolean keep = !json_bool_at(vm, "deleteVmOnFailMigration",
                                  json_bool_at(vm_run_plan_spec(work), "deleteVmOnFailMigration", TRUE));

    if (!clean_up_temporary(work, NULL, cancel, error) || !clean_up_state(work, cancel, error))
        return FALSE;
    return vm_status_has(vm, "Succeeded") || keep || clean_up_target(work, cancel, error);
}

/* Those that no VM has: they tried whether the source can be reached. */
static gboolean delete_plan_pods(const Execution *e, GCancellable *cancel, GError **error)
{
    const char *ns = json_string_at(object_json(e->run.plan), "spec.targetNamespace", "");
    g_autofree char *selector =
        g_strdup_printf("plan=%s,plan-name,forklift.app,!vmID", object_uid(e->run.plan));
    g_autoptr(GPtrArray) pods = kube_list(e->run.target, &KUBE_POD, ns, selector, NULL, NULL, cancel, error);

    for (guint i = 0; pods && i < pods->len; i++) {
        g_autoptr(GError) problem = NULL;
        if (!kube_delete(e->run.target, &KUBE_POD, ns, object_name(pods->pdata[i]), NULL, cancel, &problem) &&
            !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
    }
    return pods != NULL;
}

gboolean execution_archive(const Execution *e, json_t *status, GCancellable *cancel, GError **error)
{
    PlanRun run = plan_run(e, "");
    size_t i;
    json_t *vm;

    if (!e->run.target)
        return TRUE;
    json_array_foreach (vms_of(status), i, vm)
        if (!archive_vm(e, &run, vm, cancel, error))
            return FALSE;
    return delete_plan_pods(e, cancel, error) && source_record_drop(&run, cancel, error);
}
