/* disk_grant: what a source has opened so that a disk can be read (source_grant() of source.h), noted on the
 * disk's task of the VM's status and in the plan's record (source_record.h), so that it is closed again whatever is
 * killed or deleted in between.
 *
 * Threads: as VmRun.
 */
#pragma once
#include "plan/step.h"

/* The "source" member of the disk's copy spec; NULL without an error: not yet, the task says what is waited
 * for, and when *noted is set the status has to be written before the next call. */
json_t *disk_grant_get(VmRun *vm, json_t *task, const char *disk_id, const SourceHost *host, gboolean *noted,
                       GCancellable *cancel, GError **error);
/* While a copier reads. The source may be away for a moment: if it matters the copier finds out. */
void disk_grant_keep(VmRun *vm, const json_t *task, GCancellable *cancel);
/* whole: the disk was read to its end. DONE: nothing is open. */
StepResult disk_grant_give_back(VmRun *vm, json_t *task, gboolean whole, GCancellable *cancel,
                                GError **error);
/* Those of all disks, when no copier runs any more. */
StepResult disk_grant_give_back_all(VmRun *vm, GCancellable *cancel, GError **error);

/* Notes in a task what a deleted plan's record says of its disk. */
void disk_grant_restore(json_t *task, const char *disk_id, const char *grant);
