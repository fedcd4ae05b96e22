/* quota: ResourceQuotas, held against what a write would add to its namespace.
 *
 * Known resources: the plain name of a core kind (pods, persistentvolumeclaims, secrets …),
 * count/RESOURCE.GROUP of any kind, requests.storage of claims, and the last two of one class
 * (CLASS.storageclass.storage.k8s.io/…). Other resources (cpu, memory) and quotas with scopes limit nothing
 * here. What is there is counted anew for each write, so the status of a ResourceQuota has no part in it; two
 * writes at once may both find the last place free. Threads: any; nothing is kept.
 */
#pragma once
#include "local/apiserver/server.h"

/* FALSE with KUBE_FORBIDDEN, in the words of Kubernetes, when a quota would be exceeded. before: NULL for a
 * creation. */
gboolean quota_check(Request *request, const json_t *before, const json_t *object, GError **error);
