/* source_audit: one ConfigMap per VM and plan, one key per record. */
#include "plan/source_audit.h"
#include "base/audit.h"
#include "base/log.h"
#include <string.h>

static const struct {
    const char *change, *undoes;
} changes[] = {
    [AUDIT_SHUTDOWN] = {"guest asked to shut down", NULL},
    [AUDIT_POWER_OFF] = {"power cut", NULL},
    [AUDIT_POWER_ON] = {"powered on", "guest asked to shut down"},
    [AUDIT_TRACKING] = {"change tracking asked for", NULL},
    [AUDIT_SNAPSHOT] = {"snapshot made", NULL},
    [AUDIT_SNAPSHOTS_REMOVED] = {"snapshots removed", "snapshot made"},
    [AUDIT_DISK_OPENED] = {"disk opened for reading", NULL},
    [AUDIT_DISK_CLOSED] = {"disk closed", "disk opened for reading"},
};

/* Microseconds, so that records have an order. */
static char *now_text(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    return g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
}

static const char *who(void)
{
    const char *pod = g_getenv("POD_NAME");
    return pod && *pod ? pod : g_get_host_name();
}

static json_t *record_new(VmRun *vm, AuditChange change, const char *detail)
{
    const PlanRun *run = vm_run_plan(vm);
    g_autofree char *now = now_text();
    json_t *record =
        json_pack("{s:s, s:s, s:o, s:s, s:s, s:s?, s:s, s:s, s:s}", "at", now, "by", who(), "plan",
                  json_sprintf("%s/%s", object_namespace(run->plan), object_name(run->plan)), "planUid",
                  object_uid(run->plan), "migration", run->migration_uid, "provider",
                  run->provider ? object_name(run->provider) : NULL, "vm", vm_run_owner(vm)->vm_id, "name",
                  vm_status_name(vm_run_status(vm)), "change", changes[change].change);

    if (detail)
        json_object_set_new(record, "detail", json_string(detail));
    if (changes[change].undoes)
        json_object_set_new(record, "undoes", json_string(changes[change].undoes));
    return record;
}

static char *name_of(VmRun *vm)
{
    g_autofree char *name =
        g_strdup_printf("changes-%s-%s", object_uid(vm_run_plan(vm)->plan), vm_run_owner(vm)->vm_id);
    char *lower = g_ascii_strdown(name, MIN(strlen(name), 250));

    g_strcanon(lower, "abcdefghijklmnopqrstuvwxyz0123456789-", '-');
    lower[strlen(lower) - 1] = lower[strlen(lower) - 1] == '-' ? '0' : lower[strlen(lower) - 1];
    return lower;
}

/* The same for the same change, so that a change that is tried again is written once. */
static char *key_of(VmRun *vm, AuditChange change, const char *detail)
{
    const PlanRun *run = vm_run_plan(vm);
    g_autofree char *all = g_strjoin("\n", run->migration_uid, run->session ? run->session : "",
                                     changes[change].change, detail ? detail : "", NULL);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, all, -1);
}

static Object *journal_of(VmRun *vm, GCancellable *cancel, GError **error)
{
    const PlanRun *run = vm_run_plan(vm);
    g_autofree char *name = name_of(vm), *id = target_label_value(vm_run_owner(vm)->vm_id);
    g_autoptr(json_t) body =
        json_pack("{s:{s:s, s:{s:s, s:s, s:s}}}", "metadata", "name", name, "labels", "gantry.io/journal",
                  "source", AUDIT_PLAN_LABEL, object_uid(run->plan), AUDIT_VM_LABEL, id);
    gboolean created;

    return kube_create_or_get(run->kube, &KUBE_CONFIG_MAP, object_namespace(run->plan), body, &created,
                              cancel, error);
}

gboolean source_audit(VmRun *vm, AuditChange change, const char *detail, GCancellable *cancel, GError **error)
{
    const PlanRun *run = vm_run_plan(vm);
    g_autoptr(json_t) record = record_new(vm, change, detail), patch = NULL;
    g_autofree char *text = json_text(record), *key = key_of(vm, change, detail);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) journal = journal_of(vm, cancel, &problem), written = NULL;

    log_info("change at the source", "plan", json_string_at(record, "plan", NULL), "vm",
             vm_run_owner(vm)->vm_id, "change", changes[change].change, "detail", detail, NULL);
    patch = json_pack("{s:{s:s}}", "data", key, text);
    if (journal)
        written = kube_patch(run->kube, &KUBE_CONFIG_MAP, object_namespace(journal), object_name(journal),
                             KUBE_PATCH_MERGE, patch, NULL, cancel, &problem);
    if (written)
        return TRUE;
    if (error_class(problem) != FATAL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&problem), "the journal of changes: ");
        return FALSE;
    }
    log_warn("a change at the source is not in its journal", "vm", vm_run_owner(vm)->vm_id, "change",
             changes[change].change, "error", problem->message, NULL);
    return TRUE;
}
