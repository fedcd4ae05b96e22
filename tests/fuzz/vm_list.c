/* Any bytes in place of a file of VMs: names, or a table of comma-separated values. */
#include "plan/vm_list.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) vms = vm_list_parse((const char *)data, size, "vms.csv", &error);

    g_assert((vms == NULL) == (error != NULL));
    g_assert(!error || g_error_matches(error, GANTRY_ERROR, ERROR_BAD_INPUT));
    g_assert(json_array_size(vms) <= 10000);
    return 0;
}
