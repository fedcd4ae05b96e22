/* Any text in place of the inventory's q= parameter. */
#include "inventory/filter.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(json_t) vm =
        json_pack("{s:s, s:i, s:b, s:{s:s}, s:[{s:i}, {s:n}, i]}", "name", "a", "memoryMB", 64, "isTemplate",
                  0, "host", "id", "h", "disks", "capacity", 1, "capacity", 7);
    g_autoptr(GError) error = NULL;
    g_autoptr(Filter) filter = filter_parse(text, &error);

    g_assert((filter == NULL) == (error != NULL));
    if (filter) {
        filter_matches(filter, vm);
        if (filter_sorts(filter))
            g_assert(filter_compare(filter, vm, vm) == 0);
    }
    return 0;
}
