/* Any bytes in place of an oVirt engine's list. */
#include "source/ovirt/ovirt.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

static gboolean model_each(const json_t *one, gpointer user_data, GError **error)
{
    for (const OvirtKind *kind = ovirt_kinds; kind->kind; kind++) {
        g_autoptr(json_t) model = ovirt_model(kind, one);
        g_autoptr(Vm) vm = model ? ovirt_describe(model, NULL) : NULL;
    }
    return TRUE;
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(GError) error = NULL;

    g_assert(ovirt_list_each((const char *)data, size, "vm", model_each, NULL, &error) == (error == NULL));
    return 0;
}
