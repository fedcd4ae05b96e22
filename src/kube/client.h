/* client: one Kubernetes API server, seen through typed paths and JSON bodies.
 *
 * Works against any Kubernetes API: Gantry's own and a real cluster's. Follows the Kubernetes API conventions
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/).
 * Threads: a KubeClient is refcounted and may be used by any thread; each call blocks its own thread.
 * Errors (GANTRY_ERROR): KUBE_NOT_FOUND, KUBE_ALREADY_EXISTS, KUBE_CONFLICT, KUBE_INVALID (message is the server's, with
 * the field), KUBE_FORBIDDEN, KUBE_UNAUTHORIZED, KUBE_GONE, KUBE_UNAVAILABLE (no answer, 429, 5xx).
 * A server that answers 429 with Retry-After is asked again when it says so, five times and 20 s in sum at most; any other failure
 * is told at once, as a write may have been done.
 */
#pragma once
#include "kube/object.h"
#include "net/http_client.h"

/* A kind of resource, and where its paths are. */
typedef struct {
    const char *group;   /* "" for core */
    const char *version, *kind, *plural;
    gboolean    namespaced;
} KubeResource;

/* The kinds that Gantry uses: kube/resources.def, one row each → KUBE_POD, KUBE_SECRET, KUBE_PLAN, … */
#define RESOURCE(NAME, group, version, kind, plural, namespaced) extern const KubeResource KUBE_##NAME;
#include "kube/resources.def"
#undef RESOURCE

/* The kind that a manifest's apiVersion and kind name; NULL: none of these. */
const KubeResource *kube_resource_of(const json_t *manifest);

typedef struct KubeClient KubeClient;
KubeClient *kube_client_new_kubeconfig(const char *path, GError **error);
KubeClient *kube_client_new_in_cluster(GError **error); /* KUBERNETES_SERVICE_HOST and the mounted service account */
KubeClient *kube_client_new_default(GError **error);    /* in cluster, else $KUBECONFIG, else ~/.kube/config */
/* A client with a caller's token (as the console uses it), or with that of another cluster's account. */
KubeClient *kube_client_new_token(const char *server, const HttpTrust *trust, const char *token, GError **error);
KubeClient *kube_client_ref(KubeClient *client);
void        kube_client_unref(KubeClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KubeClient, kube_client_unref)

const char *kube_client_namespace(KubeClient *client); /* of the service account or the kubeconfig's context; "default" */
const char *kube_client_server(KubeClient *client);    /* "https://127.0.0.1:6443" */

/* The token that this client shows, for another service that asks the same API server about it; NULL: it has none. A secret: to be
 * cleared before g_free(). */
char *kube_client_token(KubeClient *client);

Object *kube_get(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                 GCancellable *cancel, GError **error);

/* Items in the server's order. ns NULL: all namespaces. Selectors may be NULL. resource_version (may be NULL) gets the
 * list's own. Large lists are fetched in pages. */
GPtrArray *kube_list(KubeClient *client, const KubeResource *resource, const char *ns, const char *label_selector,
                     const char *field_selector, char **resource_version, GCancellable *cancel, GError **error);

/* body is borrowed; apiVersion, kind and metadata.namespace are filled in where absent. */
Object *kube_create(KubeClient *client, const KubeResource *resource, const char *ns, const json_t *body,
                    GCancellable *cancel, GError **error);
/* The object with *created (may be NULL) TRUE when this call made it; when it exists already, FALSE and the existing one. */
Object *kube_create_or_get(KubeClient *client, const KubeResource *resource, const char *ns, const json_t *body,
                           gboolean *created, GCancellable *cancel, GError **error);
/* body: metadata.name and (if namespaced) metadata.namespace say which; with metadata.resourceVersion a change meanwhile is
 * KUBE_CONFLICT. */
Object *kube_update(KubeClient *client, const KubeResource *resource, const json_t *body, GCancellable *cancel,
                    GError **error);
/* The same of its status. The object that the server answers with is not parsed: it may be long, and nobody wants it. */
gboolean kube_update_status(KubeClient *client, const KubeResource *resource, const json_t *body, GCancellable *cancel,
                            GError **error);

/* Says which finalizers of a Namespace's spec are left; with none it is gone. */
gboolean kube_finalize_namespace(KubeClient *client, const json_t *body, GCancellable *cancel, GError **error);

/* APPLY: server-side apply as field manager "gantry": makes the object or changes it, takes the fields that patch names from
 * whoever had them, removes those that an earlier apply named and this one does not, and leaves everything else alone. patch has
 * its apiVersion and kind. */
typedef enum { KUBE_PATCH_MERGE, KUBE_PATCH_STRATEGIC, KUBE_PATCH_JSON, KUBE_PATCH_APPLY } KubePatchType;
/* subresource: NULL, "status" or "scale". */
Object *kube_patch(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                   KubePatchType type, const json_t *patch, const char *subresource, GCancellable *cancel,
                   GError **error);

/* propagation: NULL, "Background", "Foreground" or "Orphan". Deleting what is not there is KUBE_NOT_FOUND. */
gboolean kube_delete(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                     const char *propagation, GCancellable *cancel, GError **error);

/* Deletes object as it was read, and nothing that it has become since: KUBE_CONFLICT when it has changed or the name belongs to
 * another object now. */
gboolean kube_delete_as_read(KubeClient *client, const KubeResource *resource, const Object *object,
                             const char *propagation, GCancellable *cancel, GError **error);

/* Deletes that very object, without its grace period: for whoever has already ended what it stands for. KUBE_CONFLICT: the name
 * belongs to another object now. */
gboolean kube_delete_now(KubeClient *client, const KubeResource *resource, const char *ns, const char *name,
                         const char *uid, GCancellable *cancel, GError **error);

/* A Pod's log; tail_lines < 0: all of it. At most 16 MiB. */
char *kube_pod_log(KubeClient *client, const char *ns, const char *pod, const char *container, gint tail_lines,
                   GCancellable *cancel, GError **error);

/* GET through the API server's proxy to a Pod's port: https://kubernetes.io/docs/…/access-cluster-services. path begins
 * with "/". The reply is at most 1 MiB. */
json_t *kube_pod_proxy_get(KubeClient *client, const char *ns, const char *pod, guint port, const char *path,
                           GCancellable *cancel, GError **error);
/* The same with PUT, and the reply to it. */
json_t *kube_pod_proxy_put(KubeClient *client, const char *ns, const char *pod, guint port, const char *path,
                           const json_t *body, GCancellable *cancel, GError **error);

/* ---- any path ---- */

/* "/api/v1/namespaces/NS/pods/NAME/log", percent-encoded; ns, name and subresource may be NULL. */
char *kube_path(const KubeResource *resource, const char *ns, const char *name, const char *subresource);
/* The path of a list, with its selectors (may be NULL) as query. */
char *kube_list_path(const KubeResource *resource, const char *ns, const char *label_selector,
                     const char *field_selector);

json_t *kube_get_path(KubeClient *client, const char *path, GCancellable *cancel, GError **error);
/* What GET answers as it comes (a watch: one JSON document a line). A watch should ask to be ended by the server after
 * KUBE_WATCH_SECONDS (timeoutSeconds); a stream that is silent for longer fails. */
#define KUBE_WATCH_SECONDS 290
GInputStream *kube_stream_path(KubeClient *client, const char *path, GCancellable *cancel, GError **error);

/* Sets the error that a Status object means (a watch's ERROR event, a reply's body; NULL: only the HTTP status is known). */
void kube_set_status_error(const json_t *status, guint http_status, GError **error);

/* POSTs any body to any path ("/apis/authentication.k8s.io/v1/tokenreviews"). */
json_t *kube_post_path(KubeClient *client, const char *path, const json_t *body, GCancellable *cancel, GError **error);

