/* check_guest: what stands against one VM's migration in its own devices and its guest, as far as the
 * inventory can tell, by the devices' names.
 *
 * Only what certainly fails is Critical. The rest are warnings: the migration goes, and the user knows what
 * comes of it. Threads: as PlanCheck.
 */
#pragma once
#include "plan/check_vms.h"

/* FALSE: the inventory cannot be asked. */
gboolean check_guest(PlanCheck *check, const CheckedVm *vm, GCancellable *cancel, GError **error);
