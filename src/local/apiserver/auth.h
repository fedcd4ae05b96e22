/* auth: who a token belongs to. Tokens are random; only their SHA-256 is kept, in the store, under a resource
 * that is not served.
 *
 * Threads: any.
 */
#pragma once
#include "local/apiserver/server.h"

/* The identity behind "Bearer TOKEN", or NULL. */
Identity *auth_identify(ApiServer *server, const char *authorization);
Identity *auth_identify_token(ApiServer *server, const char *token);

/* The user in whose name the request wants to act (Impersonate-User, Impersonate-Group) takes the place of
 * *user. KUBE_FORBIDDEN. */
gboolean auth_impersonate(ApiServer *server, const HttpExchange *x, Identity **user, GError **error);

/* A new token of a service account; expires_us: microseconds since 1970, 0: never. */
char *auth_new_token(ApiServer *server, const char *ns, const char *account, const char *uid,
                     gint64 expires_us, GError **error);

/* Puts token, ca.crt and namespace into a Secret of type kubernetes.io/service-account-token that names its
 * account. */
void auth_fill_token_secret(ApiServer *server, json_t *secret);

/* Forgets the tokens that have expired or whose account is gone. */
void auth_sweep(ApiServer *server);
