/* orphan: back out of each VM as its plan would have, then delete by label. */
#include "plan/orphan.h"
#include "base/log.h"
#include "crd/plan_key.h"
#include "kube/find.h"
#include "plan/back_out.h"
#include "plan/disk_grant.h"
#include "plan/provider_access.h"
#include "plan/source_record.h"
#include "plan/target_machine.h"
#include "plan/warm.h"
#include <string.h>

/* ---- the plan as it was ---- */

typedef struct {
    Object *plan, *provider, *destination, *secret;
    KubeClient *target;
} Remains;

static void remains_clear(Remains *remains)
{
    g_clear_pointer(&remains->plan, object_unref);
    g_clear_pointer(&remains->provider, object_unref);
    g_clear_pointer(&remains->destination, object_unref);
    g_clear_pointer(&remains->secret, object_unref);
    g_clear_pointer(&remains->target, kube_client_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Remains, remains_clear)

/* TRUE with *out NULL when it is gone too. */
static gboolean look_up(KubeClient *kube, const Object *plan, const char *path, Object **out,
                        GCancellable *cancel, GError **error)
{
    const json_t *ref = json_at(object_json(plan), path);

    return kube_find(kube, &KUBE_PROVIDER, json_string_at(ref, "namespace", object_namespace(plan)),
                     json_string_at(ref, "name", ""), out, cancel, error);
}

static gboolean find_remains(KubeClient *kube, const Object *record, Remains *out, GCancellable *cancel,
                             GError **error)
{
    g_autoptr(GError) problem = NULL;

    out->plan = source_record_plan(record);
    if (!out->plan) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "ConfigMap %s/%s says nothing of its plan",
                    object_namespace(record), object_name(record));
        return FALSE;
    }
    if (!look_up(kube, out->plan, "spec.provider.source", &out->provider, cancel, error) ||
        !look_up(kube, out->plan, "spec.provider.destination", &out->destination, cancel, error))
        return FALSE;
    out->target =
        out->destination ? provider_target(kube, out->destination, cancel, error) : kube_client_ref(kube);
    if (!out->target)
        return FALSE;
    out->secret = out->provider ? provider_secret(kube, out->provider, cancel, &problem) : NULL;
    if (problem && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    return TRUE;
}

/* ---- sources ---- */

/* What is open of it, where disk_grant.h looks. */
static void add_grants(json_t *status, const Object *record, const char *vm_id)
{
    g_autoptr(json_t) grants = source_record_grants(record, vm_id);
    json_t *step = json_object_size(grants) ? vm_status_add_step(status, "DiskTransfer", "", 0, NULL) : NULL,
           *grant;
    const char *disk;

    json_object_foreach (grants, disk, grant)
        disk_grant_restore(item_add_task(step, disk, 0, NULL), disk, json_string_value(grant));
}

static StepResult put_back(const PlanRun *run, const Object *record, const char *vm_id, GCancellable *cancel,
                           GError **error)
{
    g_autoptr(json_t) status = vm_status_new(NULL, vm_id, vm_id);
    g_autofree char *key = plan_key(run->plan);
    g_autoptr(VmRun) vm = NULL;
    StepResult result;

    vm_status_add_step(status, "Initialize", "", 1, NULL);
    json_object_set_new(status, "restorePowerState",
                        json_string(source_record_ran(record, vm_id) ? "On" : "Off"));
    vm_status_set_mark(status, SHUTDOWN_ASKING, source_record_asked(record, vm_id));
    if (json_bool_at(object_json(run->plan), "spec.warm", FALSE))
        warm_begin(status); /* so that its snapshots are removed */
    add_grants(status, record, vm_id);
    vm = vm_run_new(run, status);
    result = back_out(vm, cancel, error);
    if (result != STEP_DONE)
        return result;
    log_info("source of a deleted plan is as it was", "plan", key, "vm", vm_id, NULL);
    return source_record_note(vm, SOURCE_SETTLED, cancel, error) ? STEP_DONE : STEP_FAILED;
}

/* One that cannot be put back holds up no other. */
static StepResult put_all_back(const PlanRun *run, const Object *record, GCancellable *cancel, GError **error)
{
    g_auto(GStrv) vms = source_record_vms(record);
    g_autofree char *key = plan_key(run->plan);
    StepResult all = STEP_DONE;

    for (guint i = 0; vms[i]; i++) {
        g_autoptr(GError) problem = NULL;
        StepResult result;
        if (!run->provider || !run->secret) {
            log_error("a deleted plan's source VM was running and cannot be powered on: its provider is "
                      "deleted too",
                      "plan", key, "vm", vms[i], NULL);
            continue;
        }
        result = put_back(run, record, vms[i], cancel, &problem);
        if (result == STEP_FAILED) {
            g_clear_error(error);
            g_propagate_error(error, g_steal_pointer(&problem));
        }
        if (result != STEP_DONE && all != STEP_FAILED)
            all = result;
    }
    return all;
}

/* ---- children ---- */

/* The label plan alone may be anybody's; with a VM, or on a Pod with the plan's name, it is ours. Disks are
 * told from those that Forklift made under the plan by the labels that only Gantry gives. */
static char *selector_of(const KubeResource *resource, const char *plan_uid)
{
    const char *more = "vmID";

    if (resource == &KUBE_POD)
        more = "forklift.app";
    else if (resource == &KUBE_DATA_VOLUME)
        more = "vmID," TARGET_DISK_LABEL;
    else if (resource == &KUBE_PERSISTENT_VOLUME_CLAIM)
        more = "vmID,resource=state";
    return g_strdup_printf("plan=%s,plan-name,%s", plan_uid, more);
}

/* Of a VirtualMachine or DataVolume; Gantry's own Namespace owns all that is temporary. */
static gboolean is_of_another(const Object *object)
{
    size_t i;
    json_t *owner;

    json_array_foreach (json_at(object_json(object), "metadata.ownerReferences"), i, owner)
        if (strcmp(json_string_at(owner, "kind", ""), "Namespace"))
            return TRUE;
    return FALSE;
}

static gboolean is_spared(const KubeResource *resource, const Object *object)
{
    if (resource == &KUBE_VIRTUAL_MACHINE)
        return !target_machine_unfinished(object);
    if (resource == &KUBE_DATA_VOLUME || resource == &KUBE_PERSISTENT_VOLUME_CLAIM)
        return is_of_another(object); /* its owner's fate is its own */
    return FALSE;
}

static gboolean delete_kind(KubeClient *target, const KubeResource *resource, const char *plan_uid,
                            gboolean *left, GCancellable *cancel, GError **error)
{
    g_autofree char *selector = selector_of(resource, plan_uid);
    g_autoptr(GPtrArray) all = kube_list(target, resource, NULL, selector, NULL, NULL, cancel, error);

    for (guint i = 0; all && i < all->len; i++) {
        const Object *object = all->pdata[i];
        g_autoptr(GError) problem = NULL;
        if (is_spared(resource, object))
            continue;
        *left = TRUE;
        if (object_deleting(object))
            continue;
        if (!kube_delete(target, resource, object_namespace(object), object_name(object), "Background",
                         cancel, &problem) &&
            !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        log_info("swept what a deleted plan left", "kind", resource->kind, "namespace",
                 object_namespace(object), "name", object_name(object), NULL);
    }
    return all != NULL;
}

gboolean orphan_delete_children(KubeClient *target, const char *plan_uid, gboolean *left,
                                GCancellable *cancel, GError **error)
{
    const KubeResource *const kinds[] = {
        &KUBE_POD,        &KUBE_JOB,         &KUBE_VIRTUAL_MACHINE,        &KUBE_SECRET,
        &KUBE_CONFIG_MAP, &KUBE_DATA_VOLUME, &KUBE_PERSISTENT_VOLUME_CLAIM};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (!delete_kind(target, kinds[i], plan_uid, left, cancel, error))
            return FALSE;
    return TRUE;
}

StepResult orphan_settle(KubeClient *kube, const Settings *settings, const Object *record,
                         GCancellable *cancel, GError **error)
{
    g_auto(Remains) remains = {0};
    gboolean left = FALSE;
    StepResult result;
    PlanRun run;

    if (!find_remains(kube, record, &remains, cancel, error))
        return STEP_FAILED;
    run = (PlanRun){.kube = kube,
                    .target = remains.target,
                    .settings = settings,
                    .plan = remains.plan,
                    .provider = remains.provider,
                    .secret = remains.secret,
                    .migration_uid = ""};
    result = put_all_back(&run, record, cancel, error);
    if (result != STEP_DONE)
        return result;
    if (!orphan_delete_children(remains.target, object_uid(remains.plan), &left, cancel, error) ||
        (remains.target != kube &&
         !orphan_delete_children(kube, object_uid(remains.plan), &left, cancel, error)))
        return STEP_FAILED;
    if (left)
        return STEP_WAIT;
    return source_record_drop(&run, cancel, error) ? STEP_DONE : STEP_FAILED;
}
