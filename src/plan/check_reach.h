/* check_reach: whether the hosts that a plan's disks will be read from answer and can be trusted: a closed
 * port or a certificate of another authority is found before a VM is shut down. Tried from where the
 * controller runs, which shares the Pods' network.
 *
 * Threads: one per PlanCheck.
 */
#pragma once
#include "plan/check_vms.h"

/* vms: of CheckedVm. FALSE: something could not be asked just now. */
gboolean check_reach(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error);
