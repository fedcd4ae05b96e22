/* data_volume: a DataVolume with a blank source becomes a claim with an empty disk.img in it.
 *
 * Other sources are refused in the DataVolume's status: on one machine Gantry's own importer fills the disks.
 * Threads: one at a time; it looks first and may be called again after a crash at any point.
 */
#pragma once
#include "local/view.h"

/* As WorkQueueRun. */
guint data_volume_reconcile(LocalView *view, const char *key, GCancellable *cancel, GError **error);
