/* guestfs: asks libguestfs' programs about a guest's disks, read-only, with the keys of what is encrypted.
 *
 * Each question starts an appliance, which takes seconds (tens of them without hardware help): ask much at
 * once. Threads: one at a time. Errors: tool.h's.
 */
#pragma once
#include "convert/spec.h"

typedef struct {
    const ConvertSpec *spec;
    char **environment; /* borrowed */
    GPtrArray *keys;    /* of char*: "UUID:file:/etc/luks/root", "/dev/sda2:file:…" */
} Guestfs;

/* Looks for encrypted devices when the spec has keys for them. */
gboolean guestfs_open(Guestfs *guestfs, const ConvertSpec *spec, char **environment, GCancellable *cancel,
                      GError **error);
void guestfs_close(Guestfs *guestfs);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Guestfs, guestfs_close)

void guestfs_add_keys(const Guestfs *guestfs,
                      GPtrArray *argv); /* "--key", "…": texts live as long as guestfs */

/* Runs before, the disks, after; gives what it printed. */
char *guestfs_ask(const Guestfs *guestfs, const char *const *before, const char *const *after,
                  GCancellable *cancel, GError **error);

/* A root that /etc/fstab names by a device mapper's name of the guest's own (an encrypted partition without
 * logical volumes) is not found by libguestfs: such a failure of a tool's becomes GUEST_UNKNOWN and says so.
 */
void guestfs_explain_mount(GError **error);

/* Runs guestfish's commands in the guest as it is in the overlays, one after the other (":" between them). */
gboolean guestfs_write(const Guestfs *guestfs, const char *const *commands, GCancellable *cancel,
                       GError **error);

/* Its file systems as "Name,Type,VFS,…" in lines, the first with the columns' names. */
char *guestfs_list(const Guestfs *guestfs, GCancellable *cancel, GError **error);
/* Its encrypted devices as "TYPE (UUID, else device)", owned strings; an empty array when there is none. Only
 * blkid shows them: libguestfs lists what can be mounted. */
GPtrArray *guestfs_encrypted(const Guestfs *guestfs, GCancellable *cancel, GError **error);

/* One line of blkid: DEVICE: UUID="…" TYPE="…". FALSE: it is no encrypted device. *id: by which the tools
 * know its keys. */
gboolean guestfs_read_blkid(const char *line, char **device, char **type, char **id);
