/* network_map: NetworkMap's sources are in the inventory, its destinations in the target cluster. */
#include "controller/controllers.h"
#include "controller/map_check.h"
#include "controller/status.h"
#include <string.h>

static void complain(MapCheck *check, const char *reason, const char *message, const char *item)
{
    conditions_add_item(check->conditions, "DestinationNetworkNotValid", CONDITION_CRITICAL, reason, message,
                        item);
}

static void check_destination(MapCheck *check, const json_t *destination, GCancellable *cancel)
{
    const char *type = json_string_at(destination, "type", ""),
               *name = json_string_at(destination, "name", "");
    const char *ns = json_string_at(destination, "namespace", "");
    g_autofree char *item = g_strdup_printf("%s/%s", ns, name);
    g_autoptr(Object) attachment = NULL;
    g_autoptr(GError) problem = NULL;

    if (!strcmp(type, "pod") || !strcmp(type, "ignored"))
        return;
    if (strcmp(type, "multus")) {
        complain(check, "NotValid", "spec.map[].destination.type must be pod, multus or ignored.", type);
        return;
    }
    if (!*ns || !*name) {
        complain(check, "Ambiguous",
                 "A multus destination needs the name and namespace of a NetworkAttachmentDefinition.", item);
        return;
    }
    attachment = kube_get(check->target, &KUBE_NETWORK_ATTACHMENT_DEFINITION, ns, name, cancel, &problem);
    if (!attachment && g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        complain(check, "NotFound", "There is no such NetworkAttachmentDefinition.", item);
    else if (!attachment)
        check->again = TRUE;
}

guint network_map_reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    Controllers *controllers = data;
    KubeClient *kube = controllers_kube(controllers);
    g_autoptr(Object) map = status_get(kube, &KUBE_NETWORK_MAP, key, cancel, error);
    g_autoptr(Conditions) conditions = map ? status_conditions(map) : NULL;
    g_auto(MapCheck) check = {.kube = kube,
                              .inventory = controllers_inventory(controllers),
                              .map = map,
                              .conditions = conditions,
                              .what = "network",
                              .source_type = "SourceNetworkNotValid"};
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
        conditions_set(conditions, "Ready", CONDITION_REQUIRED, NULL, "The network map is ready.");
    status_write(kube, &KUBE_NETWORK_MAP, map, status, conditions, "network-map", cancel, error);
    return conditions_has(conditions, "Ready") ? AGAIN_LATER : AGAIN_SOON;
}
