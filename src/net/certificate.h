/* certificate: makes the certificates of a machine-local CA, and names certificates by fingerprint.
 *
 * Keys are ECDSA P-256, certificates X.509v3 (RFC 5280). Nothing is written but by certificate_write().
 * Threads: any. Errors: INTERNAL (GnuTLS's words), BAD_INPUT (a name that cannot stand in a certificate), IO.
 */
#pragma once
#include "base/errors.h"

typedef struct {
    char *pem;     /* the certificate */
    char *key_pem; /* PKCS #8; secret */
} Certificate;

void certificate_free(Certificate *certificate); /* wipes the key */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Certificate, certificate_free)

/* A CA that signs for ten years; name is its common name. */
Certificate *certificate_new_authority(const char *name, GError **error);

/* A certificate for a server (and for a client, where one is asked for). names: NULL-terminated; IP addresses become IP
 * SANs, everything else DNS SANs; the first is the common name. Valid from an hour ago for days. */
Certificate *certificate_issue(const Certificate *authority, const char *const *names, guint days, GError **error);

/* Reads back what certificate_write() wrote. */
Certificate *certificate_read(const char *pem_path, const char *key_path, GError **error);
/* The key file is 0600 from its first byte on; each file is replaced whole. */
gboolean certificate_write(const Certificate *certificate, const char *pem_path, const char *key_path, GError **error);

/* "AA:BB:…" of DER bytes. */
char *certificate_fingerprint(gconstpointer der, gsize size, GChecksumType type);

/* Takes "aa:bb:…", "AABB…" and "sha256:…" spellings; gives upper case with colons, and the kind by its length. FALSE with
 * BAD_INPUT when it is neither SHA-1 nor SHA-256. */
gboolean certificate_parse_fingerprint(const char *text, char **fingerprint, GChecksumType *type, GError **error);

/* FALSE when the PEM's first certificate ends within days, or is none. */
gboolean certificate_lasts(const char *pem, guint days);
