/* Any bytes in place of a kubeconfig. */
#include "kube/kubeconfig.h"

int         LLVMFuzzerTestOneInput(const guint8 *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml loses a buffer when a long quoted scalar is broken off. */
const char *__lsan_default_suppressions(void) { return "leak:libfyaml"; }

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Kubeconfig) config = kubeconfig_parse((const char *)data, size, "/nonexistent", "config", &error);

    g_assert((config == NULL) == (error != NULL));
    return 0;
}
