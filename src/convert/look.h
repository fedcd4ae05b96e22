/* look: what is to be known of a guest before it is migrated, and what stands in its conversion's way.
 *
 * The guest is only read. What cannot work is a concern of the category Critical, not an error: an error
 * means that it could not be looked at. Threads: one at a time. Errors: guestfs.h's, IO.
 */
#pragma once
#include "convert/guestfs.h"

/* {"os": inspect.h's or null, "concerns": [{"category": "Critical"|"Warning"|"Information", "label",
 * "assessment"}], "virtio": BOOL?}, concerns as the inventory has them, few and short; virtio: whether the
 * guest has drivers for virtio disks, absent where it was not looked for (several operating systems, or one
 * that cannot be looked into). */
json_t *look_at_guest(const Guestfs *guestfs, GCancellable *cancel, GError **error);

/* Its parts: each adds concerns to the array. free_space: what guestfish's df prints; fstab: the file; list:
 * guestfs_list()'s. */
void look_at_free_space(const char *free_space, json_t *concerns);
void look_at_fstab(const char *fstab, json_t *concerns);
/* What guestfish finds of them: module files, a built-in module, "true" of a Windows driver. */
gboolean look_at_drivers(const char *drivers);
void look_at_file_systems(const char *list, json_t *concerns);
