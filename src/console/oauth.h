/* oauth: signing in at the cluster's own OAuth server, as OpenShift has one.
 *
 * RFC 6749's authorization code, with RFC 7636's proof that the browser which comes back is the one that was
 * sent. Where the server is, the Kubernetes API says (RFC 8414: /.well-known/oauth-authorization-server).
 * What a sign-in needs between its two halves is kept by the browser, in a cookie that scripts cannot read;
 * the token is given to the caller and to nobody else. Threads: any; each call blocks its own.
 */
#pragma once
#include "base/errors.h"

typedef struct OAuth OAuth;

/* Strings are copied. */
typedef struct {
    const char *api, *api_ca_pem; /* the Kubernetes API */
    const char *ca_pem;           /* of the OAuth server; NULL: system trust */
    const char *client;           /* the OAuthClient's name */
    const char *secret_file;      /* its secret; while there is no such file, there is no sign-in */
} OAuthOptions;

/* Errors: BAD_INPUT (a certificate that is none). */
OAuth *oauth_new(const OAuthOptions *options, GError **error);
void oauth_free(OAuth *oauth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OAuth, oauth_free)

/* Whether the cluster has an OAuth server that we can use, and we its client's secret. */
gboolean oauth_offered(OAuth *oauth, GCancellable *cancel);

/* Where to send the browser; redirect: where it is to come back to. *kept: what its cookie has to hold
 * meanwhile. Both to be freed with g_free(). Errors: KUBE_NOT_FOUND (no OAuth server, or no secret),
 * BAD_INPUT and BAD_JSON (it describes itself in another way), HTTP_*. */
char *oauth_begin(OAuth *oauth, const char *redirect, char **kept, GCancellable *cancel, GError **error);

/* The token, to be freed with g_free(). kept: of the cookie, state and code: of the request; each may be
 * NULL. Errors: BAD_INPUT (the browser has begun no such sign-in), KUBE_UNAUTHORIZED (the server refuses the
 * code), and those of oauth_begin(). */
char *oauth_finish(OAuth *oauth, const char *redirect, const char *kept, const char *state, const char *code,
                   GCancellable *cancel, GError **error);
