/* server: what the files of the API server share: the server, one request, and how it is answered. */
#pragma once
#include "local/apiserver/apiserver.h"
#include "local/apiserver/kinds.h"
#include "local/apiserver/pki.h"
#include "local/apiserver/store.h"
#include "net/http_server.h"

typedef struct ApiWatches ApiWatches;
typedef struct Upkeep Upkeep;
typedef struct Rbac Rbac;

struct ApiServer {
    Store *store;
    Kinds *kinds;
    Pki *pki;
    Rbac *rbac;
    ApiWatches *watches;
    Upkeep *upkeep;
    HttpServer *http;
    PodsBackend pods; /* zero where there is none */
    gpointer pods_data;
    const Admission *admission;
    gpointer admission_data;
    int lock; /* the data directory's lock file */
    char *url, *kubeconfig;
};

/* Who asks. */
typedef struct {
    char *name, *uid;
    char **groups;
} Identity;
void identity_free(Identity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Identity, identity_free)

typedef enum { SHAPE_PLAIN, SHAPE_TABLE, SHAPE_PARTIAL } Shape; /* how the client wants objects to look */

/* One request to a resource. Owned by the function that routes it; a watch keeps what it needs of it. */
typedef struct {
    ApiServer *server;
    HttpExchange *x;
    Identity *user;
    Kind *kind;
    char *ns;   /* "" for all namespaces and for what has none */
    char *name; /* "" for the collection */
    char *sub;  /* "" or "status", "log" … */
    char *rest; /* what follows the subresource: the path of a proxy, percent-encoded as it came */
    Shape shape;
    gboolean dry_run;
    const char *options; /* the causes are of the request's options: "ListOptions"; NULL: of the object */
    GPtrArray *causes;   /* of SchemaCause: the details of a KUBE_INVALID or KUBE_CONFLICT */
} Request;

/* Errors that are only an HTTP status: 405, 406, 415 … */
#define HTTP_STATUS_ERROR (http_status_error_quark())
GQuark http_status_error_quark(void);

/* ---- answers: answer.c ---- */

void answer_error(Request *request, const GError *error);
void answer_json(Request *request, guint code, json_t *json); /* takes json */
void answer_record(Request *request, guint code, Record *record);
void answer_object(Request *request, guint code, json_t *object); /* takes object; in the client's shape */
void answer_text(Request *request, guint code, const char *type, const char *text);
void answer_warning(Request *request, const char *text); /* a Warning header */
/* metav1.Status of a failure. request may be NULL. */
json_t *status_of_error(Request *request, const GError *error, guint *code);
json_t *status_success(const Request *request, const char *uid);
/* The record's JSON as the request's kind and version show it. */
json_t *object_of_record(const Request *request, const Record *record);
json_t *partial_of(const json_t *object); /* PartialObjectMetadata */
Shape shape_of_accept(const char *accept, gboolean *acceptable);
/* {"kind","apiVersion","metadata":{"resourceVersion"}} of a list of the request's kind. */
GString *list_head(const Request *request, guint64 revision, const char *next, gint64 remaining);

/* The request's body as JSON, from JSON or YAML; BAD_JSON, BAD_YAML, 415. */
json_t *request_body(Request *request, GError **error);
gint64 request_number(const Request *request, const char *name, gint64 absent);
gboolean request_flag(const Request *request, const char *name);

/* What the query says, checked by the verb: options.c. BAD_INPUT, KUBE_INVALID, KUBE_BAD_SELECTOR. */
gboolean options_check(Request *request, GError **error);
gboolean options_check_delete(Request *request, const json_t *body, GError **error);

/* ---- one verb each ---- */

void serve_get(Request *request);
void serve_list(Request *request);
void serve_watch(Request *request);
void serve_create(Request *request);
void serve_update(Request *request);
void serve_patch(Request *request);
void serve_binding(Request *request); /* pods/NAME/binding */
void serve_delete(Request *request);
void serve_delete_collection(Request *request);
void serve_scale(Request *request);
void serve_review(Request *request);        /* TokenReview and the like */
void serve_token_request(Request *request); /* serviceaccounts/NAME/token */
void serve_pod_log(Request *request);
void serve_pod_exec(Request *request);
void serve_pod_proxy(Request *request);
void serve_discovery(Request *request, const char *path); /* /api, /apis and below */
void serve_backup(Request *request); /* POST /gantry/backup {"directory"} */
void serve_openapi(Request *request, const char *path);

/* ---- shared steps of writing: write.c ---- */

/* What rules of admission see of the store (AdmissionReview.look). */
Object *admission_look(const char *resource, const char *ns, const char *name, gpointer store);

/* Stores the object's next state after rules, defaults, admission and validation. before NULL: created.
 * object is taken. unknown: fields that the schema does not know are refused ("Strict"), told ("Warn") or
 * dropped ("Ignore"). */
typedef enum { UNKNOWN_IGNORE, UNKNOWN_WARN, UNKNOWN_STRICT } Unknown;
gboolean write_object(Request *request, Record *before, json_t *object, Unknown unknown, Record **written,
                      GError **error);
Unknown unknown_of_query(const Request *request);
/* Removes the object, or marks it as being deleted while finalizers or a Pod's grace hold it. options may be
 * NULL. *left gets the object where it stays, else NULL. */
gboolean delete_object(Request *request, Record *before, const json_t *options, Record **left,
                       GError **error);

/* Makes an object of the server's own unless there is one of its name; takes it. */
gboolean apiserver_write(ApiServer *server, const char *group, const char *version, const char *plural,
                         const char *ns, json_t *object, GError **error);

/* ---- watches: watch.c ---- */

ApiWatches *api_watches_new(void);
void api_watches_stop(ApiWatches *hub); /* ends the watches and waits for them */
void api_watches_free(ApiWatches *hub);

/* ---- what is done from time to time: upkeep.c ---- */

Upkeep *upkeep_start(ApiServer *server, const char *listen);
void upkeep_stop(Upkeep *upkeep);
