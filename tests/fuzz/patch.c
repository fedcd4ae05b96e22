/* An object and a patch, divided by a zero byte; the first byte says which kind of patch. */
#include "kube/patch.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    static json_t *(*const ways[])(const json_t *, const json_t *, GError **) = {patch_merge, patch_json, patch_strategic};
    const guint8 *zero = size ? memchr(data + 1, 0, size - 1) : NULL;
    g_autoptr(json_t) object = NULL, patch = NULL, result = NULL;
    g_autoptr(GError) error = NULL;

    if (!zero)
        return 0;
    object = json_parse((const char *)data + 1, zero - data - 1, size, "object", NULL);
    patch = json_parse((const char *)zero + 1, data + size - zero - 1, size, "patch", NULL);
    if (!object || !patch)
        return 0;
    g_autofree char *before = json_text(object);
    result = ways[data[0] % G_N_ELEMENTS(ways)](object, patch, &error);
    g_autofree char *after = json_text(object);
    g_assert((result == NULL) == (error != NULL));
    g_assert_cmpstr(before, ==, after); /* the object itself is left alone */
    return 0;
}
