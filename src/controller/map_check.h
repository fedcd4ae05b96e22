/* map_check: NetworkMap and StorageMap are reconciled alike: a pair of providers, sources in the inventory,
 * destinations in the target cluster.
 *
 * Threads: one per MapCheck.
 */
#pragma once
#include "crd/conditions.h"
#include "inventory/client.h"

typedef struct MapCheck MapCheck;

/* What the two differ in. */
typedef struct {
    const KubeResource *resource;
    const char *what;             /* "network", "storage": for messages */
    const char *source_condition; /* for sources that are not found */
    /* Says in a condition what is wrong with spec.map[].destination; sets again when it could not be asked.
     */
    void (*check_destination)(MapCheck *check, const json_t *destination, GCancellable *cancel);
} MapKind;

struct MapCheck {
    const MapKind *kind;
    KubeClient *kube;
    InventoryClient *inventory;
    const Object *map;
    Conditions *conditions;
    Object *source, *destination; /* the providers; owned */
    KubeClient *target;           /* the destination's; owned */
    gboolean again;               /* something could not be asked: look again soon */
};

/* As WorkQueueRun; user_data is the Controllers. */
guint map_reconcile(const MapKind *kind, const char *key, gpointer controllers, GCancellable *cancel,
                    GError **error);
