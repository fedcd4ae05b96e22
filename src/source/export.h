/* export: a disk as the source itself streams it: an NFC lease of vSphere. For disks that are no files (vSAN, vVol).
 *
 * Guarantee: while an export is open the source is told of its progress, often enough to keep it; closing gives it back.
 * Threads: one of its own tells the progress; source_export_set_percent() and source_export_check() may be called from any. Errors: those
 * of source.h; LEASE_LOST (the source gave the export up), BAD_INPUT: this kind of source streams no disks.
 */
#pragma once
#include "source/source.h"

typedef struct SourceExport SourceExport;

/* snapshot: NULL for a VM that is off. Waits until the source is ready; the stream is a streamOptimized VMDK. */
SourceExport *source_export_open(Source *source, const char *vm_id, const char *snapshot, const char *disk_id, GCancellable *cancel,
                                 GError **error);
/* whole: everything was read, and is right; else the export is aborted. */
void source_export_close(SourceExport *export, gboolean whole);

GInputStream *source_export_peek_stream(const SourceExport *export); /* borrowed */
void source_export_set_percent(SourceExport *export, guint percent);
gboolean source_export_check(SourceExport *export, GError **error); /* LEASE_LOST: what breaks now breaks for that reason */
