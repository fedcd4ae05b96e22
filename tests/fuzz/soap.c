/* Any bytes in place of a vCenter's reply. */
#include "net/soap.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

static gboolean found(xmlNode *element, gpointer user_data, GError **error)
{
    g_autofree char *text = soap_text(element), *type = soap_type(element);

    for (xmlNode *child = soap_first(element); child; child = soap_next(child))
        soap_peek(child);
    return TRUE;
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    static const char *const names[] = {"returnval", "objectSet", NULL};
    g_autoptr(GBytes) reply = g_bytes_new(data, size);
    g_autoptr(GError) error = NULL;
    g_auto(SoapFault) fault = {0};

    g_assert(soap_read(reply, names, found, NULL, &error) == (error == NULL));
    soap_read_fault(reply, &fault);
    return 0;
}
