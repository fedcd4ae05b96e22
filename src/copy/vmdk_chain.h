/* vmdk_chain: a virtual disk as its guest sees it: a VMDK and, where it is a snapshot's delta, all its
 * parents.
 *
 * The layers' descriptors are followed by their parent links, and each link's content id is held against the
 * parent it names; so what is read is the disk at one moment, also while the VM goes on writing to a younger
 * layer. Extents may be FLAT, VMFS, ZERO, VMFSSPARSE, SESPARSE or SPARSE. Memory: a fixed budget for tables,
 * and what one read needs for each thread. Threads: any, after it was opened. Errors: DISK_DESCRIPTOR,
 * DISK_TABLES, DISK_CHAIN (a parent that is missing or is not the one that the child was made of),
 * DISK_FORMAT, and the store's.
 */
#pragma once
#include "copy/reader.h"
#include "copy/vmdk_store.h"

#define VMDK_MOST_LAYERS 256

typedef struct VmdkChain VmdkChain;

/* name: of the youngest layer's descriptor. size: the bytes that it must say, before any other file is looked
 * at; 0: as it says. parents: the names of the layers below it, youngest first, as the source knows them, or
 * NULL: then the descriptors' own hints are followed. The store is borrowed. */
VmdkChain *vmdk_chain_open(VmdkStore *store, const char *name, guint64 size, const char *const *parents,
                           GCancellable *cancel, GError **error);
void vmdk_chain_free(VmdkChain *chain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkChain, vmdk_chain_free)

guint64 vmdk_chain_size(const VmdkChain *chain);     /* bytes */
char *vmdk_chain_describe(const VmdkChain *chain);   /* "3 layers (SESPARSE, SESPARSE, VMFS)"; to be freed */
json_t *vmdk_chain_identity(const VmdkChain *chain); /* content ids and files of all layers */

/* As reader_extents(): adds them in order, without gaps. */
gboolean vmdk_chain_extents(VmdkChain *chain, guint64 start, guint64 size, GArray *extents,
                            GCancellable *cancel, GError **error);
/* As reader_read(). Small pieces that lie close to each other in a file are read together. */
gboolean vmdk_chain_read(VmdkChain *chain, guint64 start, gsize size, guint8 *buffer, gsize *done,
                         GCancellable *cancel, GError **error);
