/* Any bytes in place of what virt-inspector prints: a guest, none, or a reason why it is no such document. */
#include "convert/inspect.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    gboolean found;
    g_autoptr(json_t) guest = inspect_parse((const char *)data, size, &found, &error);

    g_assert(found == (guest != NULL) && !(guest && error));
    return 0;
}
