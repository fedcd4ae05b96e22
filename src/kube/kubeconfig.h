/* kubeconfig: where an API server is, how it proves itself, and who we are to it.
 *
 * Reads the current context of a kubeconfig (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/):
 * server, certificate-authority[-data], insecure-skip-tls-verify, token, tokenFile, client-certificate[-data],
 * client-key[-data], namespace. Programs that fetch credentials (exec, auth-provider) and passwords are refused.
 * Owner: the caller of kubeconfig_free(), which wipes the secrets. Errors: KUBECONFIG, with the field's path.
 */
#pragma once
#include "base/json.h"

typedef struct {
    char    *server;                       /* "https://127.0.0.1:6443", no slash at the end */
    char    *ca_pem;                       /* NULL: the system's trust */
    char    *fingerprint;                  /* of the server's certificate, instead of a CA; no kubeconfig has one */
    gboolean insecure;
    char    *token, *token_file;           /* at most one is set; a file is read again now and then */
    char    *certificate_pem, *key_pem;    /* both or none */
    char    *ns;                           /* "default" when the context has none */
} Kubeconfig;

/* The context that this process reads of every kubeconfig from now on instead of the current one; NULL: the current one. To be called
 * before there are other threads. */
void kubeconfig_choose_context(const char *name);

Kubeconfig *kubeconfig_read(const char *path, GError **error);
/* directory: where relative file names start. what names the text in errors. */
Kubeconfig *kubeconfig_parse(const char *text, gsize size, const char *directory, const char *what, GError **error);
/* $KUBERNETES_SERVICE_HOST, $KUBERNETES_SERVICE_PORT and the service account mounted in a Pod. */
Kubeconfig *kubeconfig_in_cluster(GError **error);
void        kubeconfig_free(Kubeconfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Kubeconfig, kubeconfig_free)
