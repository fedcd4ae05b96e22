/* find: kube_get(), without the error of an object that is not there. */
#include "kube/find.h"

gboolean kube_find(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                   Object **object, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;

    *object = kube_get(client, resource, ns, name, cancel, &problem);
    if (*object || g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}
