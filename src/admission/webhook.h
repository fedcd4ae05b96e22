/* webhook: the rules of admission.h for a cluster: POST /mutate and /validate with AdmissionReview v1
 * (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/).
 *
 * /mutate answers with a JSON patch of spec, /validate with yes or no; both refuse alike, so either alone is
 * enough to be safe. Requests for subresources are admitted as they are. A body that is no AdmissionReview
 * gets a 400. Limits: 4 MiB of body. Threads: webhook_answer() any; look is called on the server's worker
 * threads.
 */
#pragma once
#include "admission/admission.h"
#include "net/http_server.h"

typedef struct {
    /* As in AdmissionRequest. */
    Object *(*look)(const char *resource, const char *ns, const char *name, gpointer store);
    gpointer store;
} WebhookStore;

/* The AdmissionReview that answers this one; NULL with BAD_INPUT when it is none. */
json_t *webhook_answer(const json_t *review, gboolean mutate, const WebhookStore *store, GError **error);

/* Serves HTTPS; store outlives it. End it with http_server_stop(). Errors: BAD_INPUT, IO. */
HttpServer *webhook_start(const char *listen, const char *cert_pem, const char *key_pem,
                          const WebhookStore *store, GError **error);
