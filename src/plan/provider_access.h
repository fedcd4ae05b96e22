/* provider_access: what a Provider and its Secret say about reaching the source, and one connection per such
 * pair.
 *
 * Both key sets of the Secret are read: user, password, thumbprint, cacert (MTV 2.3) and ca.crt,
 * insecureSkipVerify (later).
 * Threads: any.
 */
#pragma once
#include "kube/client.h"
#include "source/source.h"

/* Texts of one Secret key, decoded; NULL when absent. */
char *secret_text(const Object *secret, const char *key);

typedef struct {
    SourceAccess access;
    char *texts[4]; /* owns what access points to */
} ProviderAccess;
void provider_access_clear(ProviderAccess *access);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProviderAccess, provider_access_clear)

/* Borrows provider, which must outlive access. secret may be NULL (then user and password are ""). */
void provider_access_read(const Object *provider, const Object *secret, ProviderAccess *out);

/* The Secret that spec.secret names; KUBE_NOT_FOUND when there is none. */
Object *provider_secret(KubeClient *kube, const Object *provider, GCancellable *cancel, GError **error);

/* The "trust" member of a copy spec: {"ca","fingerprint","insecure"}. */
json_t *provider_access_trust(const ProviderAccess *access);

/* The connection for this Provider and this version of its Secret, opened at first use and kept; borrowed,
 * lives as long as the process. So a wrong password is tried once, however many VMs ask. */
Source *provider_source(const Object *provider, const Object *secret, GError **error);

/* A client of the cluster that an openshift Provider stands for: kube itself when its url is empty; a
 * reference. */
KubeClient *provider_target(KubeClient *kube, const Object *provider, GCancellable *cancel, GError **error);
