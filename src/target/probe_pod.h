/* probe_pod: a Pod that tries whether the machines that a plan's disks are read from can be reached from
 * where its other Pods will run: in the target namespace, over the transfer network.
 *
 * It is found by its labels plan, forklift.app=probe and gantry.io/probe (a hash of what it tries), and ends
 * by itself. Threads: pure functions.
 */
#pragma once
#include "base/json.h"

#define TARGET_PROBE_APP   "probe"
#define TARGET_PROBE_LABEL "gantry.io/probe"

typedef struct {
    const char *plan_uid, *plan_name, *plan_namespace;
    const char *ns;               /* where it runs */
    const char *image;            /* Gantry's own */
    const char *mark;             /* the value of gantry.io/probe */
    const char *transfer_network; /* "namespace/name" of a NetworkAttachmentDefinition, or NULL */
    const char *service_account;  /* or NULL */
    const char *const *endpoints; /* NULL-terminated "HOST:PORT", IPv6 in brackets */
} ProbePod;

json_t *target_probe_pod(const ProbePod *probe);
