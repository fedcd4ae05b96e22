/* CreateInitialSnapshot … RemoveFinalSnapshot: what a warm migration reads the running VM by.
 *
 * In the order of source/warm.h: change ids are written down, the snapshot is removed, the next one is made,
 * its changes are asked for. The snapshot of a precopy is named by the plan and the precopy's number, so that
 * after a kill it is found again. One that somebody else has removed ends its precopy; the next one starts
 * from the last that was copied whole.
 */
#include "base/clock.h"
#include "base/log.h"
#include "crd/plan_key.h"
#include "plan/clean_up.h"
#include "plan/source_audit.h"
#include "plan/source_record.h"
#include "plan/step.h"
#include "plan/warm.h"
#include "source/warm.h"
#include "target/importer_pod.h"
#include <string.h>

/* ---- making ---- */

/* What the last copy that is whole is of, as the source calls it; NULL: there is none. */
static const char *base_change(VmRun *vm)
{
    const json_t *deltas = json_object_get(warm_base(vm_run_status(vm)), "deltas");
    return json_string_at(json_array_get(deltas, 0), "deltaId", NULL);
}

static gboolean make(VmRun *vm, json_t *precopy, GCancellable *cancel, GError **error)
{
    const TargetOwner *owner = vm_run_owner(vm);
    Source *source = vm_run_source(vm, error);
    g_autofree char *label = g_strdup_printf("%u", warm_number(vm_run_status(vm)));
    g_autofree char *id = NULL, *key = plan_key(vm_run_plan(vm)->plan);
    gboolean quiesced = TRUE;

    if (source)
        id = source_snapshot_create(source, owner->vm_id, owner->plan_uid, label, base_change(vm), &quiesced,
                                    cancel, error);
    if (!id || !source_audit(vm, AUDIT_SNAPSHOT, id, cancel, error))
        return FALSE;
    if (!quiesced)
        log_warn("the guest could not be quiesced: its snapshot is as after a power cut", "plan", key, "vm",
                 owner->vm_id, NULL);
    warm_set_snapshot(precopy, id);
    return TRUE;
}

/* That a precopy begins is written before its snapshot is made. */
static StepResult create(VmRun *vm, GCancellable *cancel, GError **error)
{
    json_t *last = warm_last(vm_run_status(vm));

    if (!warm_is_open(last)) {
        warm_begin(vm_run_status(vm));
        return STEP_AGAIN;
    }
    return warm_snapshot(last) || make(vm, last, cancel, error) ? STEP_DONE : STEP_FAILED;
}

/* The journal has the snapshot by which it takes effect, too. */
static gboolean switch_on(VmRun *vm, Source *source, GCancellable *cancel, GError **error)
{
    const TargetOwner *owner = vm_run_owner(vm);
    g_autofree char *snapshot = NULL;
    gboolean done = source_audit(vm, AUDIT_TRACKING, NULL, cancel, error) &&
                    source_track_changes(source, owner->vm_id, owner->plan_uid, &snapshot, cancel, error);

    if (snapshot && !source_audit(vm, AUDIT_SNAPSHOT, snapshot, cancel, done ? error : NULL))
        return FALSE;
    return done && (!snapshot || source_audit(vm, AUDIT_SNAPSHOTS_REMOVED, NULL, cancel, error));
}

/* That there will be snapshots is noted first. A VM whose changes are tracked is left alone. */
static StepResult track(VmRun *vm, GCancellable *cancel, GError **error)
{
    Source *source = vm_run_source(vm, error);

    return source && source_record_note(vm, SOURCE_FROZEN, cancel, error) &&
                   (!vm_run_plan(vm)->settings->track_changes || switch_on(vm, source, cancel, error))
               ? create(vm, cancel, error)
               : STEP_FAILED;
}

/* ---- change ids ---- */

static gboolean store(VmRun *vm, GCancellable *cancel, GError **error)
{
    json_t *last = warm_last(vm_run_status(vm));
    const Vm *machine = vm_run_describe(vm, cancel, error);
    const json_t *disks = machine ? vm_run_snapshot_disks(vm, warm_snapshot(last), cancel, error) : NULL;

    for (guint i = 0; disks && i < machine->disks->len; i++) {
        const VmDisk *disk = machine->disks->pdata[i];
        const char *change_id = json_string_at(json_object_get(disks, disk->id), "changeId", NULL);
        if (!change_id) {
            g_set_error(error, GANTRY_ERROR, ERROR_CHANGES_OFF, "changes of disk %s are not tracked",
                        disk->name);
            return FALSE;
        }
        warm_set_delta(last, disk->id, change_id);
    }
    return disks != NULL;
}

static StepResult store_initial(VmRun *vm, GCancellable *cancel, GError **error)
{
    return store(vm, cancel, error) ? STEP_DONE : STEP_FAILED;
}

static StepResult store_next(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autofree char *key = plan_key(vm_run_plan(vm)->plan);
    g_autoptr(GError) problem = NULL;

    if (store(vm, cancel, &problem))
        return STEP_DONE;
    if (!g_error_matches(problem, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return STEP_FAILED;
    }
    log_warn("the precopy's snapshot is gone", "plan", key, "vm", vm_run_owner(vm)->vm_id, "error",
             problem->message, NULL);
    warm_fail(vm_run_status(vm), problem);
    return STEP_DONE;
}

static const Step *after_store(VmRun *vm)
{
    return warm_is_open(warm_last(vm_run_status(vm))) ? NULL : &step_copying_paused;
}

/* ---- the next round ---- */

static void reset(json_t *step, guint round)
{
    static const char *const kept[] = {"started", "completed", "phase", "reason", "error"};
    g_autofree char *number = g_strdup_printf("%u", round);
    size_t i;
    json_t *task;

    json_array_foreach (json_object_get(step, "tasks"), i, task) {
        for (guint n = 0; n < G_N_ELEMENTS(kept); n++)
            json_object_del(task, kept[n]);
        json_object_set_new(task, "phase", json_string(STEP_PENDING));
        json_object_set_new(task, "annotations", json_pack("{s:s}", "unit", "MB"));
        item_annotate(task, "Precopy", number);
        item_set_progress(task, 0);
    }
}

/* The copiers of the last round have said all that they had to say. */
static StepResult add_checkpoint(VmRun *vm, GCancellable *cancel, GError **error)
{
    static const char mine[] = "forklift.app=" TARGET_IMPORTER_APP;
    guint round = warm_count(vm_run_status(vm)) + 1;

    if (!vm_run_delete_all(vm, &KUBE_POD, TRUE, mine, cancel, error) ||
        !vm_run_delete_all(vm, &KUBE_SECRET, TRUE, mine, cancel, error))
        return STEP_FAILED;
    reset(vm_run_step(vm, "DiskTransfer"), round);
    reset(vm_run_step(vm, "Cutover"), round);
    return STEP_DONE;
}

/* Its change ids are what the next migration asks from, should this one be backed out of. */
static StepResult add_final_checkpoint(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (store(vm, cancel, &problem))
        return add_checkpoint(vm, cancel, error);
    return warm_take_again(vm, &problem, error);
}

/* The source is off: what it has is what the snapshot had, so that another one is as good. */
StepResult warm_take_again(VmRun *vm, GError **problem, GError **error)
{
    json_t *status = vm_run_status(vm);
    g_autofree char *key = plan_key(vm_run_plan(vm)->plan);

    if (!g_error_matches(*problem, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND) ||
        json_int_at(status, "warm.consecutiveFailures", 0) >= vm_run_plan(vm)->settings->importer_retry) {
        g_propagate_error(error, g_steal_pointer(problem));
        return STEP_FAILED;
    }
    log_warn("the cutover's snapshot is gone and is taken again", "plan", key, "vm", vm_run_owner(vm)->vm_id,
             "error", (*problem)->message, NULL);
    warm_fail(status, *problem);
    return STEP_DONE;
}

const Step *warm_after_final(VmRun *vm)
{
    return warm_failure(vm_run_status(vm)) ? &step_remove_penultimate_snapshot : NULL;
}

static const Step *to_copying(VmRun *vm)
{
    return &step_precopy_disks;
}

/* ---- removing ---- */

static StepResult sweep(VmRun *vm, const char *keep, GCancellable *cancel, GError **error)
{
    const TargetOwner *owner = vm_run_owner(vm);
    Source *source = vm_run_source(vm, error);

    return source && source_snapshot_sweep(source, owner->vm_id, owner->plan_uid, keep, cancel, error) &&
                   source_audit(vm, AUDIT_SNAPSHOTS_REMOVED, keep, cancel, error)
               ? STEP_DONE
               : STEP_FAILED;
}

/* A round that was given up may have copiers that still read. */
static StepResult make_room(VmRun *vm, GCancellable *cancel, GError **error)
{
    StepResult ended = clean_up_running(vm, cancel, error);
    return ended == STEP_DONE ? sweep(vm, base_change(vm), cancel, error) : ended;
}

/* From the beginning of its shutdown until its target has taken over; what is left to do keeps nobody
 * waiting. */
static void note_downtime(VmRun *vm)
{
    json_t *cutover = vm_run_step(vm, "Cutover");
    gint64 from = clock_parse(json_string_at(cutover, "started", "")),
           until = clock_parse(json_string_at(vm_run_step(vm, "VirtualMachineCreation"), "completed", ""));
    g_autofree char *seconds = g_strdup_printf("%" G_GINT64_FORMAT, (until - from) / G_USEC_PER_SEC);

    if (from >= 0 && until >= from)
        item_annotate(cutover, "downtimeSeconds", seconds);
}

static StepResult remove_final(VmRun *vm, GCancellable *cancel, GError **error)
{
    note_downtime(vm);
    return sweep(vm, NULL, cancel, error);
}

const Step step_create_initial_snapshot = {
    .phase = "CreateInitialSnapshot", .pipeline = "Initialize", .run = track};
const Step step_store_initial_snapshot_deltas = {
    .phase = "StoreInitialSnapshotDeltas", .pipeline = "Initialize", .run = store_initial};
const Step step_remove_previous_snapshot = {
    .phase = "RemovePreviousSnapshot", .pipeline = "DiskTransfer", .run = make_room};
const Step step_create_snapshot = {.phase = "CreateSnapshot", .pipeline = "DiskTransfer", .run = create};
const Step step_store_snapshot_deltas = {
    .phase = "StoreSnapshotDeltas", .pipeline = "DiskTransfer", .run = store_next, .then = after_store};
const Step step_add_checkpoint = {
    .phase = "AddCheckpoint", .pipeline = "DiskTransfer", .run = add_checkpoint, .then = to_copying};
const Step step_remove_penultimate_snapshot = {
    .phase = "RemovePenultimateSnapshot", .pipeline = "Cutover", .run = make_room};
const Step step_create_final_snapshot = {
    .phase = "CreateFinalSnapshot", .pipeline = "Cutover", .run = create};
const Step step_add_final_checkpoint = {.phase = "AddFinalCheckpoint",
                                        .pipeline = "Cutover",
                                        .run = add_final_checkpoint,
                                        .then = warm_after_final};
/* Last of all: the source stays off, so its consolidation keeps nobody waiting. */
const Step step_remove_final_snapshot = {.phase = "RemoveFinalSnapshot", .run = remove_final};
