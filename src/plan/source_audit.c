/* source_audit: one ConfigMap per VM and plan, one key per record. */
#include "plan/source_audit.h"
#include "base/audit.h"
#include "base/log.h"
#include "crd/plan_key.h"
#include "plan/warm.h"
#include <string.h>

/* each_round: a warm migration does it for each of its precopies. */
static const struct {
    const char *change, *undoes;
    gboolean each_round;
} changes[] = {
    [AUDIT_SHUTDOWN] = {"guest asked to shut down", NULL, FALSE},
    [AUDIT_POWER_OFF] = {"power cut", NULL, FALSE},
    [AUDIT_POWER_ON] = {"powered on", "guest asked to shut down", FALSE},
    [AUDIT_TRACKING] = {"change tracking asked for", NULL, FALSE},
    [AUDIT_SNAPSHOT] = {"snapshot made", NULL, TRUE},
    [AUDIT_SNAPSHOTS_REMOVED] = {"snapshots removed", "snapshot made", TRUE},
    [AUDIT_DISK_OPENED] = {"disk opened for reading", NULL, TRUE},
    [AUDIT_DISK_CLOSED] = {"disk closed", "disk opened for reading", TRUE},
};

/* The precopy that it is done for, counted from 1; 0: for none. */
static guint round_of(VmRun *vm, AuditChange change)
{
    return changes[change].each_round ? warm_number(vm_run_status(vm)) : 0;
}

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
    g_autofree char *now = now_text(), *plan = plan_key(run->plan);
    json_t *record =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s}", "at", now, "by", who(), "plan", plan,
                  "planUid", object_uid(run->plan), "migration", run->migration_uid, "provider",
                  run->provider ? object_name(run->provider) : NULL, "vm", vm_run_owner(vm)->vm_id, "name",
                  vm_status_name(vm_run_status(vm)), "change", changes[change].change);

    if (round_of(vm, change))
        json_object_set_new(record, "round", json_integer(round_of(vm, change)));
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
    g_autofree char *all =
        g_strdup_printf("%s\n%s\n%s\n%u\n%s", run->migration_uid, run->session ? run->session : "",
                        changes[change].change, round_of(vm, change), detail ? detail : "");
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

/* Of one version of the journal, so that what is taken out of it is counted right. */
static gboolean write_record(VmRun *vm, const char *key, const json_t *record, GCancellable *cancel,
                             GError **error)
{
    const PlanRun *run = vm_run_plan(vm);
    g_autoptr(Object) journal = journal_of(vm, cancel, error), written = NULL;
    g_autoptr(json_t) patch = NULL;

    if (!journal)
        return FALSE;
    patch = json_pack("{s:{s:s*}, s:o}", "metadata", "resourceVersion", object_resource_version(journal),
                      "data", audit_change(object_json(journal), key, record));
    written = kube_patch(run->kube, &KUBE_CONFIG_MAP, object_namespace(journal), object_name(journal),
                         KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    return written != NULL;
}

gboolean source_audit(VmRun *vm, AuditChange change, const char *detail, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) record = record_new(vm, change, detail);
    g_autofree char *key = key_of(vm, change, detail);
    g_autoptr(GError) problem = NULL;

    log_info("change at the source", "plan", json_string_at(record, "plan", NULL), "vm",
             vm_run_owner(vm)->vm_id, "change", changes[change].change, "detail", detail, NULL);
    if (write_record(vm, key, record, cancel, &problem))
        return TRUE;
    if (error_class(problem) != FATAL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&problem), "the journal of changes: ");
        return FALSE;
    }
    log_warn("a change at the source is not in its journal", "plan", json_string_at(record, "plan", NULL),
             "vm", vm_run_owner(vm)->vm_id, "change", changes[change].change, "error", problem->message,
             NULL);
    return TRUE;
}
