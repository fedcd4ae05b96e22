/* status: how every reconciler reads its object and writes its status.
 *
 * Threads: any.
 */
#pragma once
#include "crd/conditions.h"
#include "kube/client.h"

/* The object of a work queue's key ("namespace/name"). NULL without an error when it is gone or going. */
Object *status_get(KubeClient *kube, const KubeResource *resource, const char *key, GCancellable *cancel,
                   GError **error);

/* Writes status (changed: with conditions and observedGeneration) when it differs from what object has, and
 * records an Event per condition that came, changed or went. When only others' fields changed meanwhile the
 * write is made on the newer object; when another wrote the status it is KUBE_CONFLICT. An object that has gone
 * meanwhile has no status any more: that is no error. take_status is consumed. */
gboolean status_write(KubeClient *kube, const KubeResource *resource, const Object *object,
                      json_t *take_status, const Conditions *conditions, const char *component,
                      GCancellable *cancel, GError **error);

json_t *status_copy(const Object *object);           /* a new reference; {} when there is none */
Conditions *status_conditions(const Object *object); /* conditions_begin() of it */

/* A reference of a custom resource: its namespace, or the object's own. Borrowed. */
const char *reference_namespace(const json_t *reference, const Object *object);
