/* plan_key: a namespace, a slash, a name. */
#include "crd/plan_key.h"

char *plan_key(const Object *plan)
{
    return g_strconcat(object_namespace(plan), "/", object_name(plan), NULL);
}
