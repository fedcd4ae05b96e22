/* disk_grant: a task's annotations "grant", and "grantDisk" for those who know the task but not the disk. */
#include "plan/disk_grant.h"
#include "base/clock.h"
#include "plan/source_audit.h"
#include "plan/source_record.h"
#include "plan/warm.h"

#define GRANT "grant"
#define DISK  "grantDisk"
#define SINCE "grantAskedAt" /* while it is waited for */

/* A disk that is locked for longer is not locked for a moment: the VM, which is off, is put back instead. */
enum { PATIENCE_S = 30 * 60 };

void disk_grant_restore(json_t *task, const char *disk_id, const char *grant)
{
    item_annotate(task, GRANT, grant);
    item_annotate(task, DISK, grant ? disk_id : NULL);
}

/* Notes since when the disk is waited for. FALSE: too long. */
static gboolean wait_on(json_t *task, const char *disk_id, const char *why, GError **error)
{
    const char *since = item_annotation(task, SINCE);
    g_autofree char *now = since ? NULL : clock_now();

    item_set_pending(task, why);
    if (!since)
        item_annotate(task, SINCE, now);
    else if (g_get_real_time() - clock_parse(since) > PATIENCE_S * G_USEC_PER_SEC) {
        g_set_error(error, GANTRY_ERROR, ERROR_COPY_FAILED, "disk %s cannot be opened for %d minutes: %s",
                    disk_id, PATIENCE_S / 60, why);
        return FALSE;
    }
    return TRUE;
}

static gboolean note(VmRun *vm, const char *disk_id, gboolean opened, const char *grant, GCancellable *cancel,
                     GError **error)
{
    return (!opened || source_audit(vm, AUDIT_DISK_OPENED, disk_id, cancel, error)) &&
           source_record_note_grant(vm, disk_id, grant, cancel, error);
}

json_t *disk_grant_get(VmRun *vm, json_t *task, const char *disk_id, const SourceHost *host, gboolean *noted,
                       GCancellable *cancel, GError **error)
{
    Source *source = vm_run_source(vm, error);
    const json_t *workload = source ? vm_run_workload(vm, cancel, error) : NULL;
    const char *before = item_annotation(task, GRANT);
    g_autofree char *grant = g_strdup(before), *why = NULL;
    const char *snapshot = vm_run_is_warm(vm) ? warm_snapshot(warm_last(vm_run_status(vm))) : NULL;
    g_autoptr(json_t) member = NULL;
    g_autoptr(GError) problem = NULL;

    if (!workload)
        return NULL;
    member = source_grant(source, workload, disk_id, snapshot, host, &grant, &why, cancel, &problem);
    if (g_strcmp0(before, grant) && note(vm, disk_id, !before, grant, cancel, problem ? NULL : &problem)) {
        disk_grant_restore(task, disk_id, grant);
        *noted = TRUE;
    }
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    if (member)
        item_annotate(task, SINCE, NULL);
    else if (why)
        wait_on(task, disk_id, why, error);
    return g_steal_pointer(&member);
}

void disk_grant_keep(VmRun *vm, const json_t *task, GCancellable *cancel)
{
    const char *grant = item_annotation(task, GRANT);
    Source *source = grant ? vm_run_source(vm, NULL) : NULL;

    if (source)
        source_keep(source, grant, cancel, NULL);
}

StepResult disk_grant_give_back(VmRun *vm, json_t *task, gboolean whole, GCancellable *cancel, GError **error)
{
    g_autofree char *grant = g_strdup(item_annotation(task, GRANT));
    g_autofree char *disk_id = g_strdup(item_annotation(task, DISK));
    Source *source = grant ? vm_run_source(vm, error) : NULL;

    if (!grant)
        return STEP_DONE;
    if (!source || !source_revoke(source, disk_id, whole, &grant, cancel, error))
        return STEP_FAILED;
    if (grant)
        return STEP_WAIT;
    if (!source_audit(vm, AUDIT_DISK_CLOSED, disk_id, cancel, error) ||
        !source_record_note_grant(vm, disk_id, NULL, cancel, error))
        return STEP_FAILED;
    disk_grant_restore(task, disk_id, NULL);
    return STEP_DONE;
}

StepResult disk_grant_give_back_all(VmRun *vm, GCancellable *cancel, GError **error)
{
    static const char *const steps[] = {"DiskTransfer", "Cutover"};
    StepResult all = STEP_DONE;
    size_t i;
    json_t *task;

    for (guint n = 0; n < G_N_ELEMENTS(steps); n++)
        json_array_foreach (json_object_get(vm_run_step(vm, steps[n]), "tasks"), i, task) {
            StepResult result = disk_grant_give_back(vm, task, FALSE, cancel, error);
            if (result == STEP_FAILED)
                return STEP_FAILED;
            if (result == STEP_WAIT)
                all = STEP_WAIT;
        }
    return all;
}
