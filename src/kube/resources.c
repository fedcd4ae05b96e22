/* resources: the rows of resources.def as constants. */
#include "kube/client.h"
#include <string.h>

#define RESOURCE(NAME, group, version, kind, plural, namespaced)                                             \
    const KubeResource KUBE_##NAME = {group, version, kind, plural, namespaced};
#include "kube/resources.def"
#undef RESOURCE

static const KubeResource *const kinds[] = {
#define RESOURCE(NAME, group, version, kind, plural, namespaced) &KUBE_##NAME,
#include "kube/resources.def"
#undef RESOURCE
};

const KubeResource *kube_resource_of(const json_t *manifest)
{
    const char *api = json_string_at(manifest, "apiVersion", ""),
               *kind = json_string_at(manifest, "kind", "");

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *own = *kinds[i]->group ? g_strconcat(kinds[i]->group, "/", kinds[i]->version, NULL)
                                                : g_strdup(kinds[i]->version);
        if (!strcmp(kinds[i]->kind, kind) && !strcmp(own, api))
            return kinds[i];
    }
    return NULL;
}
