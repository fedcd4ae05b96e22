/* execution: one pass over a plan's migration: begins one, moves each VM by at most one step, ends it.
 *
 * All that it knows afterwards stands in the plan's status.migration, which the caller writes before the next
 * pass. So after a kill at any point the next pass goes on from the last status that was written, and its
 * steps find what was already done.
 * Threads: one pass at a time per plan; inside, VMs are worked on by several threads.
 */
#pragma once
#include "crd/conditions.h"
#include "plan/vm_run.h"

typedef struct {
    KubeClient *kube, *target;
    InventoryClient *inventory;
    const Settings *settings;
    const Object *plan, *provider, *destination, *secret, *network_map,
        *storage_map;      /* all but plan may be NULL when the
                            plan is not ready */
    GPtrArray *migrations; /* of Object: all that name this plan */
    const char *image;
    gboolean ready;      /* a new migration may begin */
    gboolean cancel_all; /* the plan is being archived: what runs is cancelled */
} Execution;

typedef enum {
    EXECUTION_IDLE,     /* nothing to do until something else happens */
    EXECUTION_WAITING,  /* look again in a second */
    EXECUTION_ADVANCED, /* look again at once, when the status is written */
} ExecutionResult;

/* status: the plan's status document, changed in place. conditions: the plan's; Executing, Succeeded, Failed
 * and Canceled are set here. An error means that a migration could not begin for now. */
ExecutionResult execution_pass(const Execution *execution, json_t *status, Conditions *conditions,
                               GCancellable *cancel, GError **error);

/* The history entry of the migration that runs, or NULL; borrowed from status. */
json_t *execution_active(const json_t *status);

/* Takes away what is temporary of every VM, for an archived plan; TRUE when all is gone. */
gboolean execution_archive(const Execution *execution, json_t *status, GCancellable *cancel, GError **error);

/* The start of the process: what runs holds its share of its hosts before anything new begins. */
void execution_hold_shares(const Execution *execution, const json_t *status, GCancellable *cancel);
