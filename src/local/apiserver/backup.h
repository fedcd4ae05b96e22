/* backup: what the local API is, as a directory: its database, its keys, and, written last, what it is
 * (backup.json).
 *
 * Guarantee: a backup is the state as of one revision, also while writes go on; one without its backup.json
 * is not whole and is refused. Disks, logs and Pods are not in it. It holds every Secret and the authority's
 * key, so only its owner may read it. Threads: any. Errors: BAD_INPUT (a directory that is there already,
 * that holds no whole backup, or a data directory that is not empty), DATA_IN_USE, IO.
 */
#pragma once
#include "local/apiserver/store.h"

/* Makes the directory, which must not be there yet. data: the store's data directory. */
gboolean backup_make(Store *store, const char *data, const char *directory, guint64 *revision,
                     GError **error);

/* The same of a data directory that no process serves. */
gboolean backup_make_offline(const char *data, const char *directory, guint64 *revision, GError **error);

/* Puts a backup back into its data directory (an absolute path), which holds no database and that no process
 * serves. */
gboolean backup_restore(const char *directory, const char *data, GError **error);
