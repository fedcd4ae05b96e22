/* parts: the single controllers, as controllers.c starts and frees them.
 *
 * Each new asks the view for its kinds and has a work queue of its own.
 */
#pragma once
#include "kube/work_queue.h"
#include "local/controllers/controllers.h"
#include "net/certificate.h"

/* For local_view_subscribe(): adds the key of the object that has changed to the WorkQueue. */
void queue_object(Object *before, Object *after, gpointer queue);

WorkQueue *deployments_new(LocalView *view);  /* Deployments → ReplicaSets */
WorkQueue *replica_sets_new(LocalView *view); /* ReplicaSets → Pods */
WorkQueue *jobs_new(LocalView *view);         /* Jobs → Pods */
WorkQueue *namespaces_new(LocalView *view);   /* default ServiceAccounts; emptying what is deleted */
WorkQueue *projects_new(LocalView *view);     /* Namespaces ↔ Projects */

typedef struct Garbage Garbage;
Garbage *
garbage_new(LocalView *view); /* dependents whose owners are gone; foreground and orphaning deletion */
void garbage_free(Garbage *garbage);

typedef struct ServingCertificates ServingCertificates;
/* Takes authority. */
ServingCertificates *serving_certificates_new(LocalView *view, Certificate *authority,
                                              const char *listen_host);
void serving_certificates_free(ServingCertificates *certificates);

/* Every kind that Gantry knows but Events, Leases and Nodes, NULL-terminated: what may own or be owned, what
 * fills a Namespace. */
extern const KubeResource *const collected_kinds[];
