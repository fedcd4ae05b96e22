/* pki: the certificates, tokens and kubeconfig of a data directory.
 *
 * In DIR/pki: ca.crt, ca.key (0600), admin.token (0600), made once; serving.crt and serving.key (0600), made
 * at each start for the address. DIR/kubeconfig (0600) names all that.
 */
#pragma once
#include "net/certificate.h"

typedef struct {
    char *ca_path, *ca_key_path;
    Certificate *ca, *serving;
    char *admin_token_hash; /* as token_hash() gives it */
} Pki;

Pki *pki_open(const char *data, const char *listen, GError **error);
void pki_free(Pki *pki);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pki, pki_free)
/* Writes DIR/kubeconfig for the server's URL. */
gboolean pki_write_kubeconfig(const Pki *pki, const char *data, const char *url, GError **error);

char *token_new(void);               /* 256 random bits as text */
char *token_hash(const char *token); /* what is kept of a token */
