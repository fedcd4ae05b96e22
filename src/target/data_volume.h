/* data_volume: the disk that a source disk is copied to: a blank CDI DataVolume, and the small claim for the
 * copy's state.
 *
 * cdi.kubevirt.io/v1beta1 as in
 * https://github.com/kubevirt/containerized-data-importer/blob/main/doc/datavolumes.md.
 * Threads: pure functions; results are new references.
 */
#pragma once
#include "source/vm.h"
#include "target/child.h"

typedef struct {
    const char *storage_class;
    const char *access_mode; /* NULL: CDI's StorageProfile decides */
    const char *volume_mode; /* NULL: the same */
    guint64 request;         /* bytes to ask for; 0: the disk's size, rounded up */
} TargetStorage;

/* A name of the user's choice; the API server adds five characters when it is to be generated. */
typedef struct {
    const char *text;
    gboolean generate;
} TargetName;

#define TARGET_DISK_LABEL  "gantry.io/disk"
#define TARGET_DISK_SOURCE "forklift.konveyor.io/disk-source"
#define TARGET_DISK_INDEX  "forklift.konveyor.io/disk-index"
#define TARGET_DISK_ID     "gantry.io/disk-id"
#define TARGET_DISK_SIZE   "gantry.io/disk-size" /* of the source, bytes */

/* The size asked for: the source's, rounded up to 1 MiB, as CDI does. 0 when that overflows. */
guint64 target_disk_size(guint64 source_size);

/* name: NULL for "<plan>-<vm id>-xxxxx". */
json_t *target_data_volume(const TargetOwner *owner, const VmDisk *disk, guint index,
                           const TargetStorage *storage, const TargetName *name);

/* The claim of one VM that holds journals, manifests and, with conversion, an overlay; size is bytes. Named
 * "<plan>-<vm id>-state" when that fits, and found by its labels (resource=state). */
json_t *target_state_claim(const TargetOwner *owner, const TargetStorage *storage, guint64 size);
