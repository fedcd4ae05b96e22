/* conversion_pod: the Pod that makes a copied guest fit for KubeVirt with `gantry convert`, and the ConfigMap
 * with its spec.
 *
 * Threads: pure functions; results are new references.
 */
#pragma once
#include "source/vm.h"
#include "target/child.h"

#define TARGET_CONVERSION_APP "virt-v2v"

typedef struct {
    const VmDisk *disk;
    const char *claim;
    gboolean block;
} ConversionDisk;

typedef struct {
    const Vm *vm;
    const ConversionDisk *disks; /* in the VM's order */
    guint disk_count;
    const char *state_claim;
    const char *transfer_network; /* "namespace/name" of a NetworkAttachmentDefinition; NULL: the pod network */
    gboolean request_kvm;
    const char *service_account;                     /* or NULL */
    const json_t *labels, *node_selector, *affinity; /* the plan's for this Pod; may be NULL */
} Conversion;

json_t *target_conversion_config(const TargetOwner *owner, const Conversion *conversion);
json_t *target_conversion_pod(const TargetOwner *owner, const Conversion *conversion, const char *config_map);
