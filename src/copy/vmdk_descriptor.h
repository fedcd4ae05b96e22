/* vmdk_descriptor: the text part of a VMDK: which files hold the disk's bytes, and how many.
 *
 * The format is VMware's "Virtual Disk Format 5.0": key=value lines and extent lines such as
 *   RW 2097152 VMFS "disk-flat.vmdk"
 *   RW 4192256 FLAT "disk-f001.vmdk" 0
 * Threads: a parsed descriptor is immutable. Errors: DISK_DESCRIPTOR, with the line.
 */
#pragma once
#include "base/errors.h"

typedef enum {
    VMDK_FLAT, /* FLAT and VMFS: bytes as they are */
    VMDK_ZERO, /* no file: reads as zeros */
    VMDK_VMFS_SPARSE,
    VMDK_SE_SPARSE,
    VMDK_SPARSE /* hosted: KDMV grains */
} VmdkExtentKind;

typedef struct {
    VmdkExtentKind kind;
    guint64 size;   /* bytes */
    char *file;     /* relative to the descriptor's folder, or absolute; NULL for VMDK_ZERO */
    guint64 offset; /* bytes into file where the extent begins */
} VmdkExtent;

#define VMDK_NO_PARENT 0xffffffffu

typedef struct {
    char *create_type;  /* "vmfs", "monolithicFlat", "vmfsSparse" … */
    guint32 cid;        /* content id: changes with the first write after each opening */
    guint32 parent_cid; /* VMDK_NO_PARENT: the disk stands alone */
    char *parent;       /* parentFileNameHint, or NULL */
    GPtrArray *extents; /* of VmdkExtent, in the disk's order; at least one */
    guint64 size;       /* bytes: the sum of the extents */
} VmdkDescriptor;

#define VMDK_DESCRIPTOR_LIMIT (1024 * 1024) /* bytes; more is no descriptor */

VmdkDescriptor *vmdk_descriptor_parse(const char *text, gsize size, GError **error);
void vmdk_descriptor_free(VmdkDescriptor *descriptor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkDescriptor, vmdk_descriptor_free)
