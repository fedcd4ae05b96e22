/* Any bytes in place of the updates of a vCenter, down to the inventory's documents. */
#include "source/vsphere/vsphere.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

static gboolean take(xmlNode *element, gpointer user_data, GError **error)
{
    Properties *properties = user_data;
    json_t *model;

    properties_read(properties, element);
    model = vsphere_model(properties);
    g_assert(!model || json_is_object(model));
    json_decref(model);
    return TRUE;
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    static const char *const names[] = {"objects", "objectSet", NULL};
    g_autoptr(GBytes) reply = g_bytes_new(data, size);
    g_autoptr(Properties) properties = properties_new();
    g_autoptr(GError) error = NULL;

    g_assert(soap_read(reply, names, take, properties, &error) == (error == NULL));
    return 0;
}
