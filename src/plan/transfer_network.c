/* transfer_network: who has a say, in order. */
#include "plan/transfer_network.h"
#include <string.h>

static char *in_namespace(const char *ns, const char *name)
{
    return strchr(name, '/') ? g_strdup(name) : g_strdup_printf("%s/%s", ns, name);
}

char *transfer_network_find(const Object *plan, const Object *destination, const Settings *settings)
{
    const json_t *spec = json_object_get(object_json(plan), "spec");
    const char *target = json_string_at(spec, "targetNamespace", "");
    const char *own = json_string_at(spec, "transferNetwork.name", "");
    const char *ns = json_string_at(spec, "transferNetwork.namespace", "");
    const char *of_provider =
        destination ? object_annotation(destination, TRANSFER_NETWORK_ANNOTATION, NULL) : NULL;

    if (*own)
        return in_namespace(*ns ? ns : target, own);
    if (of_provider)
        return *of_provider ? in_namespace(target, of_provider) : NULL;
    return settings && settings->transfer_network && *settings->transfer_network
               ? in_namespace(target, settings->transfer_network)
               : NULL;
}
