/* folder: a storage class's directory on this machine.
 *
 * Threads: any. Errors: IO (what the file system said), BAD_INPUT (a path that is not absolute).
 */
#pragma once
#include "kube/object.h"

/* The directory of a class, or NULL when the class is not one of ours. Borrowed. */
const char *folder_of(const Object *storage_class);

/* How many bytes are free and promised to nobody: what the file system has free, less what the volumes of this class may still
 * grow by. volumes: all PersistentVolumes. */
gboolean folder_room(const Object *storage_class, const GPtrArray *volumes, guint64 *bytes, GError **error);

/* The largest file that the folder's file system and this process's limits take; tried with a file that goes at once. */
gboolean folder_largest_file(const Object *storage_class, guint64 *bytes, GError **error);

/* Makes, or finds, the directory of a volume ("pvc-<uid>") in the class's folder; its path in *path. */
gboolean folder_make(const Object *storage_class, const char *volume, char **path, GError **error);

/* Deletes a directory that folder_make() made, with what is in it. What has another name or holds directories that we do not
 * make is refused. */
gboolean folder_delete(const char *path, GError **error);

/* Makes dir/disk.img as a file of zeros that takes no room, or leaves the one that is there. */
gboolean folder_make_disk(const char *dir, guint64 size, GError **error);
