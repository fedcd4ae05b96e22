/* vmdk_stream: a streamOptimized VMDK, decoded forward as it arrives: compressed grains, each with its place.
 *
 * VMware's "Virtual Disk Format 5.0", "Stream-Optimized Compressed Sparse Extents". Guarantee: a stream that
 * was broken off, or whose tables name another number of grains than it held, does not end well. Memory: one
 * grain. Threads: one at a time. Errors: DISK_FORMAT (it is no such stream), SOURCE_READ (it broke off, or is
 * damaged: the message says where), and the input's.
 */
#pragma once
#include "base/errors.h"

typedef struct VmdkStream VmdkStream;

/* Reads up to where the grains begin. The input is borrowed. */
VmdkStream *vmdk_stream_open(GInputStream *input, GCancellable *cancel, GError **error);
void vmdk_stream_free(VmdkStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmdkStream, vmdk_stream_free)

guint64 vmdk_stream_size(const VmdkStream *stream);     /* bytes of the disk */
guint64 vmdk_stream_position(const VmdkStream *stream); /* bytes of the stream that were read */

/* The next grain, in the disk's order; what lies between two is zeros. *bytes is valid until the next call.
 * *size 0: that was the last one. */
gboolean vmdk_stream_next(VmdkStream *stream, guint64 *start, const guint8 **bytes, gsize *size,
                          GCancellable *cancel, GError **error);
