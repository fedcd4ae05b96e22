/* warm: what a VM that runs is read by: its snapshots, and which ranges of its disks changed between them.
 *
 * Snapshots of ours are named "gantry:OWNER:LABEL"; whatever is named otherwise is somebody else's and is never touched.
 * One cycle, in this order, as another loses writes: the change ids of snapshot N are written down (source_snapshot_disks());
 * N is removed; source_settle(); N+1 is made; its changes since those ids are asked for and read.
 *
 * Guarantee: only source_snapshot_create(), source_snapshot_remove(), source_snapshot_sweep(), source_settle() and
 * source_track_changes() change anything in the source. Each may be called again after any crash.
 * Threads and errors: as in source.h; also SNAPSHOT_LIMIT, CHANGES_OFF, CHANGES_LOST; BAD_INPUT: this kind of source cannot.
 */
#pragma once
#include "source/source.h"

#define SOURCE_SNAPSHOT_LIMIT 28 /* of all snapshots in a row, ours and others': vSphere ends at 32 */

/* {"snapshots": [{"id", "name", "parent"?, "owner"?, "label"?}], "current"?: id, "depth": N, "consolidationNeeded": BOOL}; owner and
 * label of ours only. */
json_t *source_snapshots(Source *source, const char *vm_id, GCancellable *cancel, GError **error);

/* Makes one without memory, or finds the one of that owner and label. since: a change id that its changes are going to be asked since,
 * or NULL. A guest that cannot be quiesced is frozen as it is: *quiesced says so. Gives its id. */
char *source_snapshot_create(Source *source, const char *vm_id, const char *owner, const char *label, const char *since,
                             gboolean *quiesced, GCancellable *cancel, GError **error);
/* What it froze has been copied: nothing but what later changes are asked since has to be kept. It may end at once, or stay until it
 * is removed. */
gboolean source_snapshot_release(Source *source, const char *vm_id, const char *snapshot, GCancellable *cancel, GError **error);
/* Waits until it is gone; one that is gone already is no error. */
gboolean source_snapshot_remove(Source *source, const char *vm_id, const char *snapshot, GCancellable *cancel, GError **error);
/* Removes those of the owner but keep (or NULL; a change id keeps what changes since then are asked by), and settles. */
gboolean source_snapshot_sweep(Source *source, const char *vm_id, const char *owner, const char *keep, GCancellable *cancel,
                               GError **error);
/* Waits until the VM needs no consolidation of its disks, and asks for one where it does. */
gboolean source_settle(Source *source, const char *vm_id, GCancellable *cancel, GError **error);

/* The disks as the snapshot froze them: {disk id: {"file": "[datastore] dir/x.vmdk", "parents": [file …], "size": BYTES,
 * "changeId"?: TEXT, "knownSince"?: TEXT}}; without a change id the changes of a disk are not tracked. knownSince, where it is said:
 * who reads the disk in this snapshot is told by the source what has changed since that change id, and source_changes() is not asked;
 * "": since none. */
json_t *source_snapshot_disks(Source *source, const char *vm_id, const char *snapshot, GCancellable *cancel, GError **error);

/* The source member of a copy spec that reads the disk as it is in one of those, of the one that reads it as it is. */
json_t *source_snapshot_source(const json_t *as_it_is, const json_t *disk);

typedef enum { CHANGES_TRACKED, CHANGES_TO_SWITCH_ON, CHANGES_NOT_KEPT, CHANGES_NOT_FROZEN } SourceTracking;
/* Whether the source keeps what changes on that disk of the workload, or could (source_track_changes()), or each round has to read it
 * whole, or no snapshot holds it (*why: a static text; else NULL); and whether VMs of such a source are read while they run at all. No
 * connection is used. */
SourceTracking source_tracking(const char *type, const json_t *workload, const char *disk_id, const char **why);
gboolean source_reads_running(const char *type);

/* Switches tracking on, and lets it take effect by a snapshot that is removed again. A VM whose changes are tracked is left alone.
 * *snapshot: that snapshot's id, also when it could not be removed; NULL: none was made. To be freed in any case. */
gboolean source_track_changes(Source *source, const char *vm_id, const char *owner, char **snapshot, GCancellable *cancel,
                              GError **error);

typedef struct {
    guint64 start, size; /* bytes */
} SourceRange;

/* What the disk had changed between the snapshot whose change id that is ("*": since it was empty) and this snapshot, whose disks
 * source_snapshot_disks() gave: in order, merged, inside the disk. CHANGES_LOST: that cannot be known, as the tracking began anew or
 * the disk has another size than size. */
GArray *source_changes(Source *source, const char *vm_id, const char *snapshot, const json_t *disks, const char *disk_id,
                       const char *change_id, guint64 size, GCancellable *cancel, GError **error);
