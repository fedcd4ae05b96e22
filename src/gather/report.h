/* report: how the VMs of a plan went, as text: steps with their times, disks with bytes, hash and read-back,
 * errors.
 *
 * Everything comes from the Plan's status. Threads: any; pure.
 */
#pragma once
#include "kube/object.h"

/* vms: set of ids to show; NULL: all. To be freed with g_free(). */
char *plan_report_text(const Object *plan, GHashTable *vms);
