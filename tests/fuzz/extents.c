/* Any bytes in place of an image's extents: a list of the whole disk, or a reason. */
#include "copy/extent_list.h"

#define DISK ((guint64)1 << 20)

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ExtentList) list = extent_list_parse((const char *)data, size, DISK, &error);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Extent));
    guint64 at = 0;

    g_assert_true((list == NULL) == (error != NULL));
    if (!list)
        return 0;
    extent_list_find(list, 0, DISK, found);
    for (guint i = 0; i < found->len; i++) {
        const Extent *extent = &g_array_index(found, Extent, i);
        g_assert_true(extent->start == at && extent->size);
        at += extent->size;
    }
    g_assert_cmpuint(at, ==, DISK);
    return 0;
}
