/* Any text in place of the query of a request to the inventory. */
#include "inventory/parameters.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

static const char *lookup(gconstpointer values, const char *name)
{
    return g_hash_table_lookup((GHashTable *)values, name);
}

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GHashTable) values = g_uri_parse_params(text, -1, "&", G_URI_PARAMS_NONE, NULL);
    g_autoptr(GError) error = NULL;
    g_auto(Parameters) parameters = {0};

    if (!values)
        return 0;
    g_assert(parameters_read(&parameters, lookup, values, &error) == (error == NULL));
    if (!error)
        g_assert(parameters.limit >= -1 && parameters.offset >= 0 && parameters.detail <= 9);
    return 0;
}
