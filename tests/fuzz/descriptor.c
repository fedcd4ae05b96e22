/* Any bytes in place of a VMDK descriptor: the parser answers, and what it accepts adds up. */
#include "copy/vmdk_descriptor.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmdkDescriptor) descriptor = vmdk_descriptor_parse((const char *)data, size, &error);
    guint64 sum = 0;

    g_assert((descriptor == NULL) == (error != NULL));
    for (guint i = 0; descriptor && i < descriptor->extents->len; i++)
        sum += ((VmdkExtent *)descriptor->extents->pdata[i])->size;
    g_assert(!descriptor || sum == descriptor->size);
    return 0;
}
