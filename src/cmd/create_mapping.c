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

static void add_map(Session *session, const KubeResource *resource, const char *name, const char *source,
                    const char *destination, json_t *pairs, json_t *manifests)
{
    json_t *map = manifest_new(session, resource, name);

    json_set_at_new(map, "spec",
                    json_pack("{s:{s:o, s:o}, s:o}", "provider", "source", reference_new(session, source),
                              "destination", reference_new(session, destination), "map", pairs));
    json_array_append_new(manifests, map);
}

json_t *create_mapping(Session *session, const CreateOptions *options, const char *name, GError **error)
{
    g_autoptr(Object) source = provider_chosen(session->kube, session->ns, options->source, error);
    const char *destination = options->destination ? options->destination : "host";
    g_autoptr(json_t) manifests = json_array();
    json_t *pairs;

    if (!source)
        return NULL;
    if (!options->networks && !options->storage) {
        g_set_error_literal(error, GANTRY_ERROR, ERROR_BAD_INPUT, "neither --network nor --storage is given");
        return NULL;
    }
    if (options->networks) {
        if (!(pairs = network_pairs(options->networks, error)))
            return NULL;
        add_map(session, &KUBE_NETWORK_MAP, name, object_name(source), destination, pairs, manifests);
    }
    if (options->storage) {
        if (!(pairs = storage_pairs(options->storage, error)))
            return NULL;
        add_map(session, &KUBE_STORAGE_MAP, name, object_name(source), destination, pairs, manifests);
    }
    return g_steal_pointer(&manifests);
}
