/* storage_map: StorageMap's sources are in the inventory, its storage classes in the target cluster. */
#include "controller/controllers.h"
#include "controller/map_check.h"

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

static const MapKind kind = {.resource = &KUBE_STORAGE_MAP,
                             .what = "storage",
                             .source_condition = "SourceStorageNotValid",
                             .check_destination = check_destination};

guint storage_map_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error)
{
    return map_reconcile(&kind, key, controllers, cancel, error);
}
