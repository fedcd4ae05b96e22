/* find: to ask for an object that need not be there. */
#pragma once
#include "kube/client.h"

/* As kube_get(), but that there is none is no error: TRUE with *object NULL. Else *object is a reference to
 * drop. */
gboolean kube_find(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                   Object **object, GCancellable *cancel, GError **error);
