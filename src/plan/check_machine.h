/* check_machine: the part of check that makes each VM's target on paper.
 *
 * Threads: as PlanCheck. */
#pragma once
#include "plan/check_vms.h"

/* FALSE: what the plan says of the VM cannot be (BAD_INPUT names the field). name: of the target. Networks
 * that are not mapped are check_vms' to say. */
gboolean check_machine(const PlanCheck *check, const CheckedVm *checked, const char *name, GError **error);
