/* check_rights: whether the provider's account may do to each VM what its migration will do, by the way in
 * which its disks are read; what is missing is named, and which other way the account's role allows.
 *
 * What the source answered is kept for a while, so that a plan that is checked again and again does not ask
 * each time. Threads: as PlanCheck.
 */
#pragma once
#include "plan/check_vms.h"

/* vms: of CheckedVm. FALSE: the cluster cannot be asked for Hosts. */
gboolean check_rights(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error);
