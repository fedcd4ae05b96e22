/* resources: the rows of resources.def as constants. */
#include "kube/client.h"

#define RESOURCE(NAME, group, version, kind, plural, namespaced)                                             \
    const KubeResource KUBE_##NAME = {group, version, kind, plural, namespaced};
#include "kube/resources.def"
#undef RESOURCE
