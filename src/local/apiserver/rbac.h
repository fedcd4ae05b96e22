/* rbac: who may do what, by Roles, ClusterRoles and their bindings.
 *
 * Follows https://kubernetes.io/docs/reference/access-authn-authz/rbac/: rights only add up, nobody has any
 * without a binding, system:masters has all. The rules of a user in a namespace are worked out once and kept
 * until a role or a binding changes. Threads: any.
 */
#pragma once
#include "local/apiserver/server.h"

typedef struct {
    const char *verb;      /* "get", "list", "deletecollection", "impersonate" … */
    const char *path;      /* of what is no resource: "/metrics"; NULL: a resource is meant */
    const char *group;     /* "" is core */
    const char *resource;  /* "pods", "pods/log" */
    const char *ns, *name; /* "": the whole cluster, the collection */
} RbacAsk;

Rbac *rbac_new(Store *store, GError **error);
void rbac_free(Rbac *rbac);

gboolean rbac_allows(Rbac *rbac, const Identity *user, const RbacAsk *ask);
/* KUBE_FORBIDDEN, in the words of the real server, when it is not allowed. */
gboolean rbac_check(Rbac *rbac, const Identity *user, const RbacAsk *ask, GError **error);
/* The PolicyRules that hold for the user in the namespace, those of the whole cluster with them. The
 * caller's. */
json_t *rbac_rules(Rbac *rbac, const Identity *user, const char *ns);
/* Nobody gives what he has not got: the rules of a role, or of the role that a binding names. KUBE_FORBIDDEN.
 */
gboolean rbac_check_grant(const Request *request, const json_t *object, GError **error);

/* Makes the roles that every cluster has (roles.json), unless they are there. */
gboolean rbac_make_roles(ApiServer *server, GError **error);
