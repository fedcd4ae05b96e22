/* authorizer: whether the bearer of a token may do something, as the cluster sees it.
 *
 * TokenReview says whose token it is, SubjectAccessReview whether that user may. A yes is remembered for ten
 * seconds, a no is not. Threads: any.
 */
#pragma once
#include "kube/client.h"

/* What is asked for; "*" stands for all. ns and name NULL: in all namespaces, of any name. */
typedef struct {
    const char *verb, *group, *resource, *ns, *name;
} Access;

typedef struct Authorizer Authorizer;
Authorizer *authorizer_new(KubeClient *client,
                           gboolean required); /* not required: everybody may do everything */
void authorizer_free(Authorizer *authorizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Authorizer, authorizer_free)

/* header: the Authorization header, or NULL. Gives 0 when allowed, else the HTTP status to answer (401, 403,
 * 500), and in *reason why. */
guint authorizer_check(Authorizer *authorizer, const char *header, const Access *access, char **reason,
                       GCancellable *cancel);
/* Only whose token it is. */
guint authorizer_check_token(Authorizer *authorizer, const char *header, char **reason, GCancellable *cancel);
