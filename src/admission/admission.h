/* admission: defaults and refusals for Gantry's kinds, before an object is stored.
 *
 * Functions over JSON: local/apiserver calls them in its own process, a cluster through a webhook. What the
 * CRDs' schemas refuse (wrong type, unknown enum value) is not looked at again. What depends on the state of
 * other things becomes a condition, not a refusal, so that manifests may be applied in any order. Threads:
 * any; the answer depends on the request and what look gives, on nothing else.
 */
#pragma once
#include "kube/object.h"

typedef struct {
    const char *operation; /* "CREATE", "UPDATE", "DELETE"; of the object itself, not of its status */
    const char *resource;  /* the plural: "plans" */
    const char *user;      /* "system:admin" */
    const json_t *before;  /* NULL for CREATE */
    json_t *object;        /* changed in place; NULL for DELETE */

    /* A stored object, a reference, or NULL. resource as "plans.forklift.konveyor.io". */
    Object *(*look)(const char *resource, const char *ns, const char *name, gpointer store);
    gpointer store;
} AdmissionRequest;

/* FALSE: refused. BAD_INPUT names the field's path, its value, and what would be right; KUBE_FORBIDDEN says
 * why not now. */
gboolean admission_review(const AdmissionRequest *request, GError **error);
