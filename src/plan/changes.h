/* changes: what one disk's copier reads in a round of a warm migration.
 *
 * Threads: as VmRun.
 */
#pragma once
#include "plan/vm_run.h"

/* *source: the member of the copy spec that reads the disk as it is; replaced by the one that reads it at the
 * open precopy's snapshot. *changes: the spec's changes, what has changed since the last round that was
 * copied whole, or that the copier is to ask the source where it reads; NULL: everything is read, as there was none, or as the source no longer knows what has
 * changed since. */
gboolean changes_find(VmRun *vm, const VmDisk *disk, json_t **source, json_t **changes, GCancellable *cancel,
                      GError **error);

/* Ranges of SourceRange as JSON [[start, size], …]; beyond most of them the closest neighbours become one. */
json_t *changes_ranges(GArray *ranges, guint most);
