/* check_inspection: the keys of encrypted disks are there, and guests that are off are looked at in the
 * source before the plan is started, so that what stands in the way of their conversion is known in minutes.
 *
 * A few at once (controller_max_inspections); meanwhile the plan has the advisory condition InspectingGuests
 * and may be started. Guests that run are looked at when their migration has shut them down, before anything
 * is copied, as are those of sources that open disks for reading: nothing is opened for a plan that may never
 * run. Threads: as PlanCheck.
 */
#pragma once
#include "plan/check_vms.h"

/* vms: of CheckedVm. FALSE: the target cluster or the source cannot be asked. */
gboolean check_inspection(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error);
