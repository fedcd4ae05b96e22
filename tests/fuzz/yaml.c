/* Any bytes in place of a manifest. */
#include "base/yaml.h"

int         LLVMFuzzerTestOneInput(const guint8 *data, size_t size);
const char *__lsan_default_suppressions(void);

/* The library loses a buffer when a long quoted scalar is broken off. */
const char *__lsan_default_suppressions(void) { return "leak:libfyaml"; }

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) documents = yaml_parse_all((const char *)data, size, 1 << 20, "manifest", &error);

    g_assert((documents == NULL) == (error != NULL));
    return 0;
}
