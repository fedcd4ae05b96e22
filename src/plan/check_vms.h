/* check_vms: the part of check that looks at each VM of the plan.
 *
 * Threads: as PlanCheck.
 */
#pragma once
#include "plan/check.h"
#include "source/vm.h"

/* A VM of the plan that the inventory knows. */
typedef struct {
    const json_t *spec; /* of spec.vms; borrowed */
    json_t *workload;
    Vm *vm;
    char *text; /* "id:vm-12 name:'web'" for items */
} CheckedVm;

/* Of CheckedVm: those that are there and yet to be migrated. NULL with an error set when the inventory cannot
 * be asked. */
GPtrArray *check_vms(PlanCheck *check, GCancellable *cancel, GError **error);
