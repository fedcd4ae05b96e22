/* conversion_pod: the Pod that makes a copied guest fit for KubeVirt with `gantry convert`, and the ConfigMap
 * with its spec.
 *
 * Threads: pure functions; results are new references.
 */
#pragma once
#include "source/vm.h"
#include "target/child.h"

#define TARGET_CONVERSION_APP "virt-v2v"
#define TARGET_KEYS_PATH      "/etc/gantry/keys"

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
    const char *root;        /* the device of the operating system to be converted; NULL: the first */
    const json_t *nics;      /* the "nics" of the spec; NULL: no address is kept */
    const char *keys_secret; /* each of its keys opens an encrypted disk; NULL: none */
    gboolean clevis;         /* encrypted disks are opened over the network */
    const char
        *transfer_network; /* "namespace/name" of a NetworkAttachmentDefinition; NULL: the pod network */
    gboolean request_kvm;
    const char *service_account;                     /* or NULL */
    const json_t *labels, *node_selector, *affinity; /* the plan's for this Pod; may be NULL */
} Conversion;

/* A copy, beside the VM's Pods of that app, of a Secret with the keys of its disks; data: as in a Secret. */
json_t *target_keys_secret(const TargetOwner *owner, const char *app, const json_t *data);
json_t *target_conversion_config(const TargetOwner *owner, const Conversion *conversion);
json_t *target_conversion_pod(const TargetOwner *owner, const Conversion *conversion, const char *config_map);
