/* cdi: the disks of one machine. A storage class is a folder; a claim is a directory in it; a DataVolume is a
 * claim with a blank disk.img in it.
 *
 * Serves StorageClasses whose provisioner is CDI_PROVISIONER and whose parameters.path names the folder. Says
 * of each class how much room nobody has been promised (annotation CDI_CAPACITY) and the largest file that it
 * takes (CDI_LARGEST_FILE, unless somebody has said it). Deletes the directories that it made when their
 * claim is gone, and nothing else. Follows what CDI's users see:
 * https://github.com/kubevirt/containerized-data-importer (doc/datavolumes.md). Threads: cdi_new() before
 * local_view_start(), cdi_free() after local_view_mute(); it works in threads of its own.
 */
#pragma once
#include "local/view.h"

#define CDI_PROVISIONER  "gantry.io/folder"
#define CDI_CAPACITY     "gantry.io/capacity-bytes"
#define CDI_LARGEST_FILE "gantry.io/largest-file-bytes"
#define CDI_OVERHEAD                                                                                         \
    "gantry.io/filesystem-overhead" /* percent of a volume: none, as a folder has no file system of its own  \
                                     */

typedef struct LocalCdi LocalCdi;
LocalCdi *cdi_new(LocalView *view);
void cdi_free(LocalCdi *cdi); /* waits for what is at work */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LocalCdi, cdi_free)
