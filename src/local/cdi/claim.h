/* claim: PersistentVolumeClaims of our storage classes get a directory each.
 *
 * A claim that finds no room stays Pending, with an Event that says how much is missing, and is looked at again. When a claim is
 * gone its volume and directory go too.
 * Threads: one at a time. Both look first and may be called again after a crash at any point.
 */
#pragma once
#include "local/view.h"

/* As WorkQueueRun. */
guint claim_reconcile(LocalView *view, const char *key, GCancellable *cancel, GError **error);

/* Writes the class's room and largest file into its annotations. FALSE: it is gone or not ours, or error is set. */
gboolean storage_class_reconcile(LocalView *view, const char *key, GCancellable *cancel, GError **error);

/* The directory of a bound claim, or NULL. */
char *claim_directory(LocalView *view, const char *ns, const char *claim);
