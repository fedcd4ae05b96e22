/* check_inspection: each VM as a migration of the name "preflight" would see it. */
#include "plan/check_inspection.h"
#include "plan/guest_keys.h"
#include "plan/inspection.h"
#include "source/source.h"
#include "target/inspection_pod.h"
#include <string.h>

#define PREFLIGHT                                                                                            \
    "preflight" /* in place of a migration's UID: the first step of each migration sweeps it away */

typedef struct {
    guint waiting, all;
} Tally;

static void say(PlanCheck *check, const CheckedVm *checked, const json_t *report)
{
    size_t i;
    json_t *concern;

    json_array_foreach (json_object_get(report, "concerns"), i, concern) {
        const char *category = json_string_at(concern, "category", "");
        g_autofree char *text = g_strdup_printf("%s: %s", json_string_at(concern, "label", ""),
                                                json_string_at(concern, "assessment", "")),
                        *item = g_strdup_printf("%s: %s", checked->text, text);
        if (!strcmp(category, "Critical"))
            check_vms_concern(check, checked, text);
        else if (!strcmp(category, "Warning"))
            conditions_add_item(
                check->conditions, "InspectionHasConcerns", CONDITION_WARN, "InspectionHasConcerns",
                "The inspection of guests in the source found what should be looked at.", item);
    }
}

static gboolean inspect(PlanCheck *check, const PlanRun *run, const CheckedVm *checked, Tally *tally,
                        GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) status = vm_status_new(checked->spec, checked->vm->id, checked->vm->name),
                      report = NULL;
    g_autoptr(VmRun) vm = vm_run_new(run, status);
    g_autoptr(GError) problem = NULL;
    g_autofree char *why = NULL;

    vm_run_set_workload(vm, checked->workload);
    if (checked->vm->powered_on || vm_run_is_warm(vm) || !inspection_applies(vm))
        return TRUE;
    tally->all++;
    /* no more than may run at once are looked after, so that a large plan costs little */
    if (tally->waiting >= (guint)check->settings->max_inspections && !inspection_known(vm, &report, cancel))
        tally->waiting++;
    else if (!report && inspection_go_on(vm, &report, &why, cancel, &problem) == STEP_WAIT)
        tally->waiting++;
    if (report)
        say(check, checked, report);
    if (!problem)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

/* Of VMs that the plan has no more. */
static gboolean sweep(PlanCheck *check, const PlanRun *run, GPtrArray *vms, GCancellable *cancel,
                      GError **error)
{
    const char *ns = json_string_at(object_json(check->plan), "spec.targetNamespace", "");
    g_autofree char *selector = g_strdup_printf("plan=%s,migration=" PREFLIGHT, object_uid(check->plan));
    g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) pods = kube_list(check->target, &KUBE_POD, ns, selector, NULL, NULL, cancel, error);

    for (guint i = 0; i < vms->len; i++)
        g_hash_table_add(wanted, target_label_value(((const CheckedVm *)vms->pdata[i])->vm->id));
    for (guint i = 0; pods && i < pods->len; i++) {
        const char *id = object_label(pods->pdata[i], "vmID", "");
        g_autoptr(json_t) status = vm_status_new(NULL, id, id);
        g_autoptr(VmRun) vm = vm_run_new(run, status);
        if (!g_hash_table_contains(wanted, id) &&
            (!vm_run_delete_all(vm, &KUBE_POD, FALSE, NULL, cancel, error) ||
             !vm_run_delete_all(vm, &KUBE_SECRET, FALSE, NULL, cancel, error)))
            return FALSE;
    }
    return pods != NULL;
}

/* The first migration makes it where it is missing, and inspects then. */
static gboolean has_namespace(PlanCheck *check, gboolean *there, GCancellable *cancel, GError **error)
{
    const char *ns = json_string_at(object_json(check->plan), "spec.targetNamespace", "");
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) found = kube_get(check->target, &KUBE_NAMESPACE, NULL, ns, cancel, &problem);

    *there = found != NULL;
    if (found || g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

/* Without its keys an encrypted guest is copied in vain. */
static gboolean check_keys(PlanCheck *check, const CheckedVm *checked, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) keys = guest_keys_find(check->kube, check->plan, checked->spec, cancel, &problem);
    gboolean missing = g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND);
    g_autofree char *item = problem ? g_strdup_printf("%s: %s", checked->text, problem->message) : NULL;

    if (!problem)
        return TRUE;
    if (!missing && !g_error_matches(problem, GANTRY_ERROR, ERROR_BAD_INPUT)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    conditions_add_item(
        check->conditions, "LUKSSecretNotValid", CONDITION_CRITICAL, missing ? "NotFound" : "NotValid",
        "spec.vms[].luks must name a Secret in the plan's namespace with the passphrases of the "
        "VM's encrypted disks.",
        item);
    return TRUE;
}

gboolean check_inspection(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    const char *type = json_string_at(object_json(check->provider), "spec.type", "");
    PlanRun run = plan_check_objects(check);
    Tally tally = {0};
    gboolean there;

    run.migration_uid = PREFLIGHT;
    run.session = "";
    for (guint i = 0; i < vms->len; i++)
        if (!check_keys(check, vms->pdata[i], cancel, error))
            return FALSE;
    if (!check->image || conditions_blocked(check->conditions) || !source_hosts_log_in(type))
        return TRUE;
    if (!has_namespace(check, &there, cancel, error))
        return FALSE;
    if (!there)
        return TRUE;
    if (!sweep(check, &run, vms, cancel, error))
        return FALSE;
    for (guint i = 0; i < vms->len; i++)
        if (!inspect(check, &run, vms->pdata[i], &tally, cancel, error))
            return FALSE;
    if (!tally.waiting)
        return TRUE;
    check->validating = TRUE;
    conditions_set(
        check->conditions, "InspectingGuests", CONDITION_ADVISORY, "Started",
        "The guests of VMs that are off are being inspected in the source: %u of %u are yet to be.",
        tally.waiting, tally.all);
    return TRUE;
}
