/* target: the file or block device that a disk is copied to.
 *
 * Data goes by O_DIRECT where the storage can do that; the odd bytes at the end of a disk, and everything
 * elsewhere, through the page cache. Nothing is written outside [0, size), and nothing by target_open() but a
 * file that did not exist. Threads: after target_open() any. Errors: TARGET_TOO_SMALL, TARGET_IO,
 * TARGET_FULL.
 */
#pragma once
#include "base/errors.h"

#define TARGET_ALIGN ((gsize)4096) /* of offsets, sizes and memory for target->direct */

typedef struct {
    char *path;
    int fd;              /* through the page cache */
    int direct;          /* O_DIRECT, or -1 */
    guint64 inode, born; /* tell a file from another of its name; 0: unknown */
    guint64 size;        /* of the disk, in bytes; the target may be larger */
    gboolean block_device;
    gboolean fresh; /* it was known to read as zeros all over when it was opened */
    gboolean overcommit;
    gint no_punch; /* atomic: the storage cannot zero ranges */
} Target;

/* overcommit: the file system may have less room than the disk, as zeros take none. */
Target *target_open(const char *path, guint64 size, gboolean overcommit, GError **error);
/* The same for comparing only: nothing can be written to it. */
Target *target_open_to_read(const char *path, guint64 size, GError **error);
void target_close(Target *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Target, target_close)

/* When the file was written to last (nanoseconds); 0 where that is not known, as for block devices. */
guint64 target_modified(const Target *target);

/* Makes the range read as zeros and gives its space back. FALSE without an error: it cannot be done, write
 * zeros. */
gboolean target_punch(Target *target, guint64 start, guint64 size, GError **error);

/* How many bytes from start on are a hole, and so read as zeros, up to most; 0 where that is not known. */
guint64 target_hole(const Target *target, guint64 start, guint64 most);

/* Forgets what the page cache holds of a range that is durable, so that reading it asks the storage. */
void target_drop_cache(const Target *target, guint64 start, guint64 size);

/* Reads from the storage, past the page cache, for whoever compares; size as in a chunk. buffer is
 * TARGET_ALIGNed and has room for size rounded up. */
gboolean target_read(const Target *target, guint64 start, gsize size, guint8 *buffer, GError **error);

/* Maps errno of a write or read to TARGET_FULL or TARGET_IO. */
void target_set_error(const Target *target, int errsv, const char *what, GError **error);
