/* storage: where a disk goes: storage class, modes and the size to ask for.
 *
 * Modes: the StorageMap's, else those of CDI's StorageProfile for the class, else the guide's table 2.1 by
 * provisioner, else Filesystem and ReadWriteOnce, as for every class that nothing provisions. The size has
 * room for the file system around the disk image: the larger of what CDI thinks that it needs (CDIConfig) and
 * what Gantry does (the class's annotation, else the setting, else 10 %), once; CDI adds its own part itself.
 * Threads: any. Errors: NOT_MAPPED, KUBE_*.
 */
#pragma once
#include "plan/mapping.h"
#include "plan/vm_run.h"

/* On a StorageClass: percent of a volume that its file system takes. */
#define STORAGE_OVERHEAD "gantry.io/filesystem-overhead"

gboolean storage_of_disk(VmRun *vm, const VmDisk *disk, TargetStorage *out, GCancellable *cancel,
                         GError **error);

/* ---- the rules, pure ---- */

/* Fills the modes that storage does not have yet; class, profile: documents or NULL. */
void storage_modes(const json_t *class, const json_t *profile, TargetStorage *storage);

typedef struct {
    gint filesystem_percent; /* Gantry's own, of the volume */
    guint64 block_bytes;
} StorageOverhead;
/* Bytes to ask CDI for; class and config (CDIConfig): documents or NULL. 0 when it overflows. */
guint64 storage_request(const json_t *class, const json_t *config, const StorageOverhead *own,
                        const TargetStorage *storage, guint64 disk_size);
