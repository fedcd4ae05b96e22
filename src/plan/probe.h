/* probe: whether the machines that a plan's disks are read from can be reached from where its Pods will run.
 *
 * A small Pod in the target cluster tries (target/probe_pod.h). Until it has, the plan has the condition
 * ValidatingSource and is not Ready, unless it was so before. What was found is kept, so one Pod serves until
 * the machines change or, when one was out of reach, for half a minute. Without an image (PlanCheck) nothing
 * is tried. Threads: as PlanCheck.
 */
#pragma once
#include "plan/check_vms.h"

/* vms: of CheckedVm. FALSE: the target cluster or the cluster of the plan cannot be asked. */
gboolean probe_run(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error);

/* "HOST:PORT" of each machine, sorted, each once; NULL-terminated, to be freed with g_strfreev(). */
char **probe_endpoints(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error);
