/* migration: a Migration belongs to its Plan, and shows what the plan's history says of it. */
#include "controller/controllers.h"
#include "controller/status.h"
#include <string.h>

/* The plan becomes the owner, and its UID is filled in, so that clients that look for it find the Migration.
 */
static gboolean adopt(KubeClient *kube, const Object *migration, const Object *plan, GCancellable *cancel,
                      GError **error)
{
    const json_t *json = object_json(migration);
    g_autoptr(json_t) patch = NULL;
    g_autoptr(Object) done = NULL;
    size_t i;
    json_t *owner;
    gboolean owned = FALSE;

    json_array_foreach (json_at(json, "metadata.ownerReferences"), i, owner)
        owned = owned || !strcmp(json_string_at(owner, "uid", ""), object_uid(plan));
    if (owned && !strcmp(json_string_at(json, "spec.plan.uid", ""), object_uid(plan)))
        return TRUE;
    patch = json_pack("{s:{s:{s:s}}, s:{s:[{s:s, s:s, s:s, s:s}]}}", "spec", "plan", "uid", object_uid(plan),
                      "metadata", "ownerReferences", "apiVersion", "forklift.konveyor.io/v1beta1", "kind",
                      "Plan", "name", object_name(plan), "uid", object_uid(plan));
    done = kube_patch(kube, &KUBE_MIGRATION, object_namespace(migration), object_name(migration),
                      KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    return done != NULL;
}

static const json_t *snapshot_of(const Object *plan, const Object *migration)
{
    size_t i;
    json_t *snapshot;

    json_array_foreach (json_at(object_json(plan), "status.migration.history"), i, snapshot)
        if (!strcmp(json_string_at(snapshot, "migration.uid", ""), object_uid(migration)))
            return snapshot;
    return NULL;
}

static gboolean is_last(const Object *plan, const json_t *snapshot)
{
    const json_t *history = json_at(object_json(plan), "status.migration.history");
    return json_array_get(history, json_array_size(history) - 1) == snapshot;
}

/* Cancel references that name no VM of this run, or several. */
static void check_cancels(const Object *migration, const json_t *vms, Conditions *conditions)
{
    size_t i, j;
    json_t *ref, *vm;

    json_array_foreach (json_at(object_json(migration), "spec.cancel"), i, ref) {
        const char *id = json_string_at(ref, "id", ""), *name = json_string_at(ref, "name", "");
        guint hits = 0;
        json_array_foreach (vms, j, vm)
            hits += *id ? !strcmp(id, json_string_at(vm, "id", ""))
                        : !strcmp(name, json_string_at(vm, "name", ""));
        if (hits == 0)
            conditions_add_item(conditions, "VMNotFound", CONDITION_WARN, "NotFound",
                                "spec.cancel names VMs that are not in this migration.", *id ? id : name);
        else if (hits > 1)
            conditions_add_item(conditions, "VMNotUnique", CONDITION_WARN, "NotUnique",
                                "spec.cancel has names that several VMs share: give the ids.", name);
    }
}

/* Times and VMs from the plan, for the run that is the plan's last; an older one keeps what it had. */
static void mirror(const Object *plan, const json_t *snapshot, json_t *status, Conditions *conditions)
{
    static const struct {
        const char *type, *message;
    } ends[] = {{"Succeeded", "The migration has SUCCEEDED."},
                {"Failed", "The migration has FAILED."},
                {"Canceled", "The migration has been CANCELED."}};
    const json_t *run = json_at(object_json(plan), "status.migration");
    const json_t *said = json_object_get(snapshot, "conditions");

    if (is_last(plan, snapshot)) {
        json_object_set(status, "vms", json_object_get(run, "vms"));
        json_object_set(status, "started", json_object_get(run, "started"));
        if (json_object_get(run, "completed"))
            json_object_set(status, "completed", json_object_get(run, "completed"));
    }
    if (conditions_find(said, "Executing"))
        conditions_set(conditions, "Running", CONDITION_ADVISORY, NULL, "The migration is RUNNING.");
    for (guint i = 0; i < G_N_ELEMENTS(ends); i++)
        if (conditions_find(said, ends[i].type))
            conditions_set_durable(conditions, ends[i].type, CONDITION_ADVISORY, NULL, "%s", ends[i].message);
}

static gboolean reconcile(KubeClient *kube, const Object *migration, json_t *status, Conditions *conditions,
                          GCancellable *cancel, GError **error)
{
    const json_t *ref = json_at(object_json(migration), "spec.plan");
    const char *name = json_string_at(ref, "name", ""), *ns = reference_namespace(ref, migration);
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) plan = NULL;
    const json_t *snapshot;

    if (!*name) {
        conditions_set(conditions, "PlanNotValid", CONDITION_CRITICAL, "NotSet",
                       "spec.plan is not set: give the name and namespace of a Plan.");
        return TRUE;
    }
    plan = kube_get(kube, &KUBE_PLAN, ns, name, cancel, &problem);
    if (!plan && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!plan) {
        conditions_set(conditions, "PlanNotValid", CONDITION_CRITICAL, "NotFound",
                       "spec.plan: there is no Plan '%s' in namespace '%s'.", name, ns);
        return TRUE;
    }
    if (!adopt(kube, migration, plan, cancel, error))
        return FALSE;
    snapshot = snapshot_of(plan, migration);
    if (snapshot) {
        check_cancels(migration, json_at(object_json(plan), "status.migration.vms"), conditions);
        mirror(plan, snapshot, status, conditions);
    } else if (!object_condition(plan, "Ready"))
        conditions_set(conditions, "PlanNotReady", CONDITION_CRITICAL, "NotFound",
                       "Plan '%s' is not ready; its status says why. The migration begins when it is.", name);
    return TRUE;
}

guint migration_reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    KubeClient *kube = controllers_kube(data);
    g_autoptr(Object) migration = status_get(kube, &KUBE_MIGRATION, key, cancel, error);
    g_autoptr(Conditions) conditions = NULL;
    g_autoptr(json_t) status = NULL;

    if (!migration)
        return 0;
    conditions = status_conditions(migration);
    status = status_copy(migration);
    if (!json_object_get(status, "completed") || !json_object_get(status, "observedGeneration") ||
        json_int_at(status, "observedGeneration", 0) < object_generation(migration))
        if (!reconcile(kube, migration, status, conditions, cancel, error))
            return AGAIN_SOON;
    if (!conditions_blocked(conditions))
        conditions_set(conditions, "Ready", CONDITION_REQUIRED, NULL, "The migration is ready.");
    status_write(kube, &KUBE_MIGRATION, migration, g_steal_pointer(&status), conditions, "migration", cancel,
                 error);
    return conditions_blocked(conditions) ? AGAIN_SOON : 0;
}
