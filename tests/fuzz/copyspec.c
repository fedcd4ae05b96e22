/* Any bytes in place of a copy spec: it is refused with a reason, or what it says is in its limits. */
#include "copy/spec.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CopySpec) spec = copy_spec_parse((const char *)data, size, &error);

    g_assert((spec == NULL) == (error != NULL));
    if (spec) {
        g_autofree char *path = copy_spec_state_path(spec, ".journal");
        g_assert(spec->size % 512 == 0 && spec->connections >= 1 && *spec->disk_id && *spec->target == '/' && *path == '/');
    }
    return 0;
}
