/* scope: which plans and VMs a filtered must-gather is about.
 *
 * Filters are those of the guide (9.2, 9.4.3): a namespace (of the plans, or that they migrate into), a
 * plan's name, a VM (its id or its name at the source, or its name in the target). Given together they narrow
 * one another. Threads: immutable once resolved.
 */
#pragma once
#include "kube/client.h"

typedef struct {
    const char *ns, *plan, *vm; /* NULL or "": not filtered by this */
} GatherFilter;

typedef struct {
    Object *plan;
    GHashTable *vms; /* set of ids: char * */
} ScopedPlan;

/* Of ScopedPlan. Errors: KUBE_NOT_FOUND (filter, value, what there is), BAD_INPUT (it means several things),
 * those of the API. */
GPtrArray *scope_resolve(KubeClient *client, const GatherFilter *filter, GCancellable *cancel,
                         GError **error);

/* The same on plans that were read already. */
GPtrArray *scope_of(GPtrArray *plans, const GatherFilter *filter, GError **error);

gboolean gather_filter_is_empty(const GatherFilter *filter);
