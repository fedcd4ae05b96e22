/* network_map: NetworkMap's sources are in the inventory, its destinations in the target cluster. */
#include "controller/controllers.h"
#include "controller/map_check.h"
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

static const MapKind kind = {.resource = &KUBE_NETWORK_MAP,
                             .what = "network",
                             .source_condition = "SourceNetworkNotValid",
                             .check_destination = check_destination};

guint network_map_reconcile(const char *key, gpointer controllers, GCancellable *cancel, GError **error)
{
    return map_reconcile(&kind, key, controllers, cancel, error);
}
