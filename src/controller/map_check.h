/* map_check: what NetworkMap and StorageMap have in common: a pair of providers, source references.
 *
 * Threads: one per MapCheck.
 */
#pragma once
#include "crd/conditions.h"
#include "inventory/client.h"

typedef struct {
    /* in, borrowed */
    KubeClient *kube;
    InventoryClient *inventory;
    const Object *map;
    Conditions *conditions;
    const char *what;        /* "network", "storage": for messages */
    const char *source_type; /* the condition for source references */

    /* out, owned */
    Object *source, *destination;
    KubeClient *target;
    gboolean again; /* something could not be asked: look again soon */
} MapCheck;
void map_check_clear(MapCheck *check);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MapCheck, map_check_clear)

/* Checks spec.provider; FALSE: the API could not be asked. */
gboolean map_check_providers(MapCheck *check, GCancellable *cancel, GError **error);

/* The {id, name} of each pair's source, in the order of spec.map; a pair that does not resolve has {} there
 * and a condition. */
json_t *map_check_references(MapCheck *check, GCancellable *cancel);

/* The inventory's collection for the map's sources, by the source provider's type. */
const char *map_check_collection(const MapCheck *check);
