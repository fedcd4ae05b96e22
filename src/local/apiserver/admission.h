/* admission: rules that look at an object before it is stored, in the API server's own process.
 *
 * A rule may change the object (defaults) or refuse the request. Rules run in the table's order after the
 * schema's defaults and before the schema's validation, on each try of a write; so they must be quick, must
 * not write to this API, and give the same answer for the same input. Threads: called on the API server's
 * worker threads, several at once.
 */
#pragma once
#include "kube/object.h"

typedef struct {
    const char *operation;               /* "CREATE", "UPDATE", "DELETE" */
    const char *group, *resource, *kind; /* resource is the plural */
    const char *subresource;             /* "" or "status", "scale" */
    const char *ns, *name; /* ns is "" for what has none; name may be "" while generateName is not applied */
    const char *user;      /* "system:admin", "system:serviceaccount:NS:NAME" */
    const json_t *before;  /* NULL for CREATE */
    json_t *object;        /* to be stored; may be changed in place; NULL for DELETE */
    gboolean dry_run;
    GPtrArray *warnings; /* add char * (taken) to show them to the user */
    /* Any stored object, or NULL: for rules that look at others. resource as "plans.forklift.konveyor.io",
     * "secrets". */
    Object *(*look)(const char *resource, const char *ns, const char *name, gpointer store);
    gpointer store;
} AdmissionReview;

typedef struct {
    const char *group, *resource; /* "*": any */
    /* FALSE with error: refused. BAD_INPUT and KUBE_INVALID become 422 Invalid, others 403 Forbidden, the
     * message as it is. */
    gboolean (*review)(AdmissionReview *review, gpointer user_data, GError **error);
} Admission;
