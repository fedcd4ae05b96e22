/* authorizer: whether the bearer of a token may see a provider's inventory.
 *
 * The cluster decides: TokenReview says whose token it is, SubjectAccessReview whether that user may get the Provider (or list
 * Providers). A yes is remembered for ten seconds, a no is not.
 * Threads: any.
 */
#pragma once
#include "kube/client.h"

typedef struct Authorizer Authorizer;
Authorizer *authorizer_new(KubeClient *client, gboolean required); /* not required: everybody may see everything */
void authorizer_free(Authorizer *authorizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Authorizer, authorizer_free)

/* header: the Authorization header, or NULL. ns NULL: all namespaces. name NULL: verb "list", else "get". Gives 0 when
 * allowed, else the HTTP status to answer (401, 403, 500), and in *reason why. */
guint authorizer_check(Authorizer *authorizer, const char *header, const char *ns, const char *name, char **reason,
                       GCancellable *cancel);
/* Only whose token it is. */
guint authorizer_check_token(Authorizer *authorizer, const char *header, char **reason, GCancellable *cancel);
