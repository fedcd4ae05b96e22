/* overlay: where a conversion writes, so that the pristine copy stays until it has succeeded.
 *
 * An overlay is a qcow2 file over the disk. Before the first overlay is committed, every disk gets a marker
 * (OVERLAY.commit) which says that the conversion has succeeded: from then on the only way is forward, and
 * committing again is harmless. The marker stays, with "committed", for whoever copies the disk anew: it says
 * that the disk is not the pristine copy any more. Threads: any, one at a time for one disk. Errors: IO, and
 * tool.h's.
 */
#pragma once
#include "convert/spec.h"

typedef enum { OVERLAY_NONE, OVERLAY_CONVERTED, OVERLAY_COMMITTED } OverlayState;

/* note: what overlay_mark() was given, a new reference, or NULL. */
OverlayState overlay_state(const ConvertDisk *disk, json_t **note);

gboolean overlay_create(const ConvertDisk *disk, GCancellable *cancel,
                        GError **error); /* in place of any earlier one */
gboolean overlay_mark(const ConvertDisk *disk, const json_t *note,
                      GError **error); /* durable when it returns */
gboolean overlay_commit(const ConvertDisk *disk, GCancellable *cancel,
                        GError **error);       /* then marks it committed */
void overlay_discard(const ConvertDisk *disk); /* the overlay, not the marker */
