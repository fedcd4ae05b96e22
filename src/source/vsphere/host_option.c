/* host_option: one of the some thousand options of an ESXi host, asked for when somebody wants to see it. */
#include "source/vsphere/vsphere.h"
#include <string.h>

static gboolean take_manager(const Properties *properties, gpointer user_data, GError **error)
{
    *(char **)user_data = g_strdup(properties_text(properties, "configManager.advancedOption"));
    return TRUE;
}

typedef struct {
    const char *key;
    json_t *found;
} OptionRead;

static gboolean take_option(const Properties *properties, gpointer user_data, GError **error)
{
    OptionRead *read = user_data;
    const xmlNode *options = properties_node(properties, "setting");

    for (xmlNode *option = soap_first(options); option; option = soap_next(option))
        if (!g_strcmp0(soap_peek(soap_child(option, "key")), read->key))
            json_array_append_new(read->found,
                                  json_pack("{s:s, s:o}", "key", read->key, "value",
                                            vsphere_text_json(soap_peek(soap_child(option, "value")))));
    return TRUE;
}

json_t *vsphere_host_option(VsphereSession *session, const char *host_id, const char *key,
                            GCancellable *cancel, GError **error)
{
    static const char *const manager_path[] = {"configManager.advancedOption", NULL}, *const options_path[] =
                                                                                          {"setting", NULL};
    g_autofree char *manager = NULL;
    g_autoptr(json_t) found = json_array();
    OptionRead read = {key, found};

    if (!vsphere_read_object(session, "HostSystem", host_id, manager_path, take_manager, &manager, cancel,
                             error) ||
        (*manager && !vsphere_read_object(session, "OptionManager", manager, options_path, take_option, &read,
                                          cancel, error)))
        return NULL;
    return g_steal_pointer(&found);
}
