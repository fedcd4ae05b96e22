/* preflight: is there room for the plan's disks, and do its NICs' addresses clash, in the target.
 *
 * Room is what a storage class says of itself in the annotation gantry.io/capacity-bytes (bytes that are free
 * and promised to nobody); a class without it is not judged.
 * Threads: as PlanCheck.
 */
#pragma once
#include "plan/check.h"

gboolean preflight_run(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error);

/* ---- the sum, apart from where its figures come from ---- */

typedef struct {
    char *storage_class;
    guint64 needed; /* bytes */
    guint disks;
} StorageNeed;

/* Adds a disk to the needs (of StorageNeed, by preflight_needs_new()); a sum that overflows stays at the top.
 */
GPtrArray *preflight_needs_new(void);
void preflight_need(GPtrArray *needs, const char *storage_class, guint64 bytes);
