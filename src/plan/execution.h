/* execution: one pass over a plan's migration: begins one, takes in what its VMs' moves have come to, admits
 * and cancels VMs, ends it.
 *
 * A pass changes the plan's status only; the caller writes it, and hands the VMs to the crew with
 * execution_move() when that has succeeded. All that is known afterwards stands in status.migration. So after
 * a kill at any point the next process goes on from the last status that was written, and its steps find what
 * was already done. Threads: one pass at a time per plan.
 */
#pragma once
#include "crd/conditions.h"
#include "plan/crew.h"

typedef struct {
    PlanRun run; /* of no migration yet: it gets that of the pass. All but the plan, the clients and the
                    settings may be NULL when the plan is not ready */
    Crew *crew;
    GPtrArray *migrations; /* of Object: all that name this plan */
    gboolean ready;        /* a new migration may begin */
    gboolean cancel_all;   /* the plan is being archived: what runs is cancelled */
} Execution;

typedef enum {
    EXECUTION_IDLE,     /* nothing to do until something else happens */
    EXECUTION_RUNNING,  /* nothing to do until the crew or the schedule has news */
    EXECUTION_WAITING,  /* look again in a second */
    EXECUTION_ADVANCED, /* look again at once, when the status is written */
} ExecutionResult;

/* status: the plan's status document, changed in place. conditions: the plan's; Executing, Succeeded, Failed
 * and Canceled are set here. An error means that a migration could not begin for now. */
ExecutionResult execution_pass(const Execution *execution, json_t *status, Conditions *conditions,
                               GCancellable *cancel, GError **error);

/* What the status says is written: its VMs are moved on. */
void execution_move(const Execution *execution, const json_t *status);

/* TRUE when everything that a VM's move needs is there. */
gboolean execution_can_move(const Execution *execution);

/* The history entry of the migration that runs, or NULL; borrowed from status. */
json_t *execution_active(const json_t *status);

/* Takes away what is temporary of every VM, for an archived plan; TRUE when all is gone. */
gboolean execution_archive(const Execution *execution, json_t *status, GCancellable *cancel, GError **error);

/* The start of the process: what runs holds its share of its hosts before anything new begins. */
void execution_hold_shares(const Execution *execution, const json_t *status, GCancellable *cancel);
