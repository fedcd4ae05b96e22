/* admission_service: the webhook (admission/webhook.h) of a cluster, with that cluster's objects to look at.
 *
 * Threads: start and stop from one thread.
 */
#pragma once
#include "kube/client.h"

typedef struct AdmissionService AdmissionService;

/* Serves HTTPS at "ADDRESS:PORT" with the certificate and key in these files (PEM). kube outlives it. Errors:
 * BAD_INPUT, IO. */
AdmissionService *admission_service_start(KubeClient *kube, const char *listen, const char *cert_file,
                                          const char *key_file, GError **error);
void admission_service_stop(AdmissionService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AdmissionService, admission_service_stop)
