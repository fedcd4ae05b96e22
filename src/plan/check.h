/* check: everything that can be known of a plan before it runs, as conditions; and the objects that it refers
 * to.
 *
 * Types, categories and reasons are Forklift's; each message says field, value, and what would be right. A
 * plan with no Critical or Error condition is ready.
 * Threads: one per PlanCheck.
 */
#pragma once
#include "crd/conditions.h"
#include "inventory/client.h"
#include "plan/settings.h"
#include "plan/vm_run.h"

typedef struct {
    /* in, borrowed */
    KubeClient *kube;
    InventoryClient *inventory;
    const Settings *settings;
    const Object *plan;
    Conditions *conditions;
    gboolean executing; /* VMs are not checked again then */
    const char *image;  /* Gantry's own, for a probe Pod; NULL: none is started */
    const Object *home; /* as PlanRun's */

    /* out, owned: NULL where the reference does not resolve */
    Object *provider, *destination, *secret, *network_map, *storage_map;
    KubeClient *target;  /* the destination cluster */
    gboolean validating; /* a probe is under way: look again soon; nothing is known yet with ValidatingSource */
} PlanCheck;
void plan_check_clear(PlanCheck *check);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PlanCheck, plan_check_clear)

/* FALSE: something could not be asked just now (inventory loading, API away); nothing is known of the plan,
 * try later. */
gboolean plan_check_run(PlanCheck *check, GCancellable *cancel, GError **error);

/* What a run of the plan as it was checked has, of no migration yet; borrowed from the check. */
PlanRun plan_check_objects(const PlanCheck *check);
