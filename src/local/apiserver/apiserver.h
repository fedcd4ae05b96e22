/* apiserver: the Kubernetes API of one machine: objects in SQLite, served over HTTPS to stock clients.
 *
 * It serves the core kinds that Gantry uses (types.txt) and every kind that a CustomResourceDefinition
 * defines. Follows https://kubernetes.io/docs/reference/using-api/api-concepts/. Guarantee: a write is on
 * stable storage before it is acknowledged. One process serves a data directory: a second start is refused.
 * What a user may do is decided by roles and bindings (rbac.h); without a token every request but /healthz,
 * /livez, /readyz and /version is a 401. Threads: start and stop from one thread; hooks are called on the server's worker
 * threads, several at once.
 *
 * In the data directory: kubeconfig (0600, the administrator's token), pki/ (the CA, its key, the token),
 * state.db.
 */
#pragma once
#include "local/apiserver/admission.h"
#include "local/apiserver/pods.h"

typedef struct ApiServer ApiServer;

typedef struct {
    const char *data;        /* directory; made when it is not there */
    const char *listen;      /* "127.0.0.1:6443"; port 0: any that is free */
    const PodsBackend *pods; /* logs, exec and proxy of Pods; NULL: those answer 501. Copied */
    gpointer pods_data;
    const Admission *admission; /* ended by a row without review; NULL: none. Must outlive the server */
    gpointer admission_data;
} ApiServerOptions;

/* Errors: BAD_INPUT (listen), IO (directory, database, address), DATA_IN_USE (another process has the
 * directory). */
ApiServer *apiserver_start(const ApiServerOptions *options, GError **error);
void apiserver_stop(ApiServer *server); /* waits for the requests at work; what was acknowledged is on disk */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiServer, apiserver_stop)

guint apiserver_port(const ApiServer *server);
const char *apiserver_url(const ApiServer *server);        /* "https://127.0.0.1:6443" */
const char *apiserver_kubeconfig(const ApiServer *server); /* its path */
const char *apiserver_ca_pem(const ApiServer *server);
/* The CA's files, for whoever signs the services' serving certificates with it. */
const char *apiserver_ca_path(const ApiServer *server);
const char *apiserver_ca_key_path(const ApiServer *server);
