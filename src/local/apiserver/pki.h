/* pki: the certificates, tokens and kubeconfig of a data directory.
 *
 * In DIR/pki: ca.crt, ca.key (0600) and admin.token (0600), made once. DIR/kubeconfig (0600) has what a
 * client needs. The serving certificate is made at each start, for the address, and kept in memory only.
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
/* A new serving certificate in place of the old one. */
gboolean pki_renew_serving(Pki *pki, const char *listen, GError **error);
/* Writes DIR/kubeconfig for the server's URL. */
gboolean pki_write_kubeconfig(const Pki *pki, const char *data, const char *url, GError **error);

char *token_new(void);               /* 256 random bits as text */
char *token_hash(const char *token); /* what is kept of a token */
