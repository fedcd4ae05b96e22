/* storage_map: StorageMap's sources are in the inventory, its storage classes in the target cluster. */
#include "controller/controllers.h"
#include "controller/map_check.h"
#include "controller/status.h"

static void check_destination(MapCheck *check, const json_t *destination, GCancellable *cancel)
{
    const char *name = json_string_at(destination, "storageClass", "");
    g_autoptr(Object) class = NULL;
    g_autoptr(GError) problem = NULL;

    if (!*name) {
        conditions_add_item(check->conditions, "DestinationStorageNotValid", CONDITION_CRITICAL, "NotSet",
                            "Each of spec.map[].destination must name a storageClass.", "(empty)");
        return;
    }
    class = kube_get(check->target, &KUBE_STORAGE_CLASS, NULL, name, cancel, &problem);
    if (!class && g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        conditions_add_item(
            check->conditions, "DestinationStorageNotValid", CONDITION_CRITICAL, "NotFound",
            "The target has no such StorageClass; 'kubectl get storageclass' lists those that it has.", name);
    else if (!class)
        check->again = TRUE;
}

guint storage_map_reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    Controllers *controllers = data;
    KubeClient *kube = controllers_kube(controllers);
    g_autoptr(Object) map = status_get(kube, &KUBE_STORAGE_MAP, key, cancel, error);
    g_autoptr(Conditions) conditions = map ? status_conditions(map) : NULL;
    g_auto(MapCheck) check = {.kube = kube,
                              .inventory = controllers_inventory(controllers),
                              .map = map,
                              .conditions = conditions,
                              .what = "storage",
                              .source_type = "SourceStorageNotValid"};
    json_t *status;
    size_t i;
    json_t *pair;

    if (!map || !map_check_providers(&check, cancel, error))
        return 0;
    status = status_copy(map);
    if (!conditions_critical(conditions)) {
        json_object_set_new(status, "references", map_check_references(&check, cancel));
        json_array_foreach (json_at(object_json(map), "spec.map"), i, pair)
            check_destination(&check, json_object_get(pair, "destination"), cancel);
    }
    if (!conditions_blocked(conditions) && !check.again)
        conditions_set(conditions, "Ready", CONDITION_REQUIRED, NULL, "The storage map is ready.");
    status_write(kube, &KUBE_STORAGE_MAP, map, status, conditions, "storage-map", cancel, error);
    return conditions_has(conditions, "Ready") ? AGAIN_LATER : AGAIN_SOON;
}
