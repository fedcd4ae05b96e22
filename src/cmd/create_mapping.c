/* create mapping: a NetworkMap and a StorageMap of one name. */
#include "cmd/create.h"
#include "cmd/kinds.h"
#include <string.h>

static json_t *network_destination(const char *text)
{
    const char *slash = strchr(text, '/');
    g_autofree char *ns = slash ? g_strndup(text, slash - text) : NULL;

    if (!strcmp(text, "pod") || !strcmp(text, "ignored"))
        return json_pack("{s:s}", "type", text);
    return json_pack("{s:s, s:s, s:s}", "type", "multus", "name", slash ? slash + 1 : text, "namespace",
                     ns ? ns : "default");
}

json_t *network_pairs(char *const *texts, GError **error)
{
    g_autoptr(json_t) pairs = json_array();

    for (int i = 0; texts[i]; i++) {
        g_autofree char *from = NULL, *to = NULL;
        if (!option_pair("--network", texts[i], &from, &to, error))
            return NULL;
        json_array_append_new(pairs, json_pack("{s:{s:s}, s:o}", "source", "name", from, "destination",
                                               network_destination(to)));
    }
    return g_steal_pointer(&pairs);
}

json_t *storage_pairs(char *const *texts, GError **error)
{
    g_autoptr(json_t) pairs = json_array();

    for (int i = 0; texts[i]; i++) {
        g_autofree char *from = NULL, *to = NULL;
        if (!option_pair("--storage", texts[i], &from, &to, error))
            return NULL;
        json_array_append_new(pairs, json_pack("{s:{s:s}, s:{s:s}}", "source", "name", from, "destination",
                                               "storageClass", to));
    }
    return g_steal_pointer(&pairs);
}

json_t *create_mapping(Session *session, const CreateOptions *options, const char *name, GError **error)
{
    g_autoptr(Object) source = provider_chosen(session->kube, session->ns, options->source, error);
    g_autoptr(json_t) manifests = json_array(), networks = NULL, storage = NULL;

    if (!source)
        return NULL;
    if (!options->networks && !options->storage) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT, "neither --network nor --storage is given");
        return NULL;
    }
    if ((options->networks && !(networks = network_pairs(options->networks, error))) ||
        (options->storage && !(storage = storage_pairs(options->storage, error))))
        return NULL;
    if (networks)
        json_array_append_new(manifests, map_manifest_new(session, options, &KUBE_NETWORK_MAP, name,
                                                          object_name(source), networks));
    if (storage)
        json_array_append_new(manifests, map_manifest_new(session, options, &KUBE_STORAGE_MAP, name,
                                                          object_name(source), storage));
    return g_steal_pointer(&manifests);
}
