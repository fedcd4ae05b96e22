/* Any bytes in place of a streamOptimized VMDK: grains inside the disk and in its order, or a reason. */
#include "copy/vmdk_stream.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GInputStream) input = g_memory_input_stream_new_from_data(data, size, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(VmdkStream) stream = vmdk_stream_open(input, NULL, &error);
    guint64 start, after = 0;
    const guint8 *bytes;
    gsize length = 1;

    g_assert((stream == NULL) == (error != NULL));
    while (stream && length && vmdk_stream_next(stream, &start, &bytes, &length, NULL, &error)) {
        g_assert(!length || (start >= after && start + length <= vmdk_stream_size(stream)));
        after = start + length;
    }
    return 0;
}
