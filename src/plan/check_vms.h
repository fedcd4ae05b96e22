/* check_vms: the part of check that looks at each VM of the plan.
 *
 * Threads: as PlanCheck.
 */
#pragma once
#include "plan/check.h"
#include "source/vm.h"

/* On a plan, "true": its VMs' critical concerns are warnings. */
#define ACCEPT_CONCERNS "gantry.io/accept-critical-concerns"

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

gboolean check_vms_accepts_concerns(const Object *plan);
/* Says a critical concern of that label. */
void check_vms_concern(PlanCheck *check, const CheckedVm *checked, const char *label);

/* Whether a disk of the VM is read that way (source_reader() of source/source.h). */
gboolean check_vms_reads_by(const PlanCheck *check, const CheckedVm *checked, const char *reader);
