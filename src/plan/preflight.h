/* preflight: has the target what VMs need, room for the plan's disks, and no NIC with an address of theirs.
 *
 * Room is what a storage class says of itself in the annotations gantry.io/capacity-bytes (bytes that are
 * free and promised to nobody) and gantry.io/largest-file-bytes, and what the target namespace's
 * ResourceQuotas leave; a class without annotations is not judged. Threads: as PlanCheck.
 */
#pragma once
#include "plan/check.h"

/* KubeVirt and CDI: the other checks need them. */
gboolean preflight_target(PlanCheck *check, GCancellable *cancel, GError **error);
gboolean preflight_run(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error);

/* ---- the sum, apart from where its figures come from ---- */

typedef struct {
    char *storage_class;
    guint64 needed, largest; /* bytes */
    guint disks;
} StorageNeed;

/* Adds a disk to the needs (of StorageNeed, by preflight_needs_new()); a sum that overflows stays at the top.
 */
GPtrArray *preflight_needs_new(void);
void preflight_need(GPtrArray *needs, const char *storage_class, guint64 bytes);
