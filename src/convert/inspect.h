/* inspect: looks at a guest before anything is changed, and says what cannot be converted.
 *
 * Runs virt-inspector (libguestfs) on the pristine disks, which are only read.
 * Threads: any. Errors: GUEST_UNKNOWN, GUEST_ENCRYPTED, GUEST_HIBERNATED, GUEST_NO_DRIVERS, and tool.h's.
 */
#pragma once
#include "convert/guestfs.h"

/* What is known of the guest: {"id": libosinfo's short id, "type", "distro", "product", "version", "arch",
 * "root", "others": the same of each further operating system}; of the one that the spec's root names, else
 * of the first. */
json_t *inspect_guest(const Guestfs *guestfs, GCancellable *cancel, GError **error);

/* The first operating system of virt-inspector's XML with the others, NULL when there is none. xml is what a
 * program of ours printed about a foreign disk: at most 4 MiB, no entities. BAD_INPUT: it is no such
 * document. */
json_t *inspect_parse(const char *xml, gsize size, gboolean *found, GError **error);
