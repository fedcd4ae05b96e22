/* virtual_machine: the KubeVirt VirtualMachine that takes over from a source VM.
 *
 * kubevirt.io/v1 as in https://kubevirt.io/api-reference/. Only fields that KubeVirt v1.6 knows are written.
 * Threads: pure functions; results are new references.
 */
#pragma once
#include "source/vm.h"
#include "target/child.h"

typedef enum { NIC_POD, NIC_MULTUS, NIC_IGNORED } TargetNicKind;

typedef struct {
    TargetNicKind kind;
    const char *network; /* "namespace/name" for NIC_MULTUS */
} TargetNic;

typedef struct {
    const Vm *vm;
    const char *name;            /* of the target */
    const char *const *claims;   /* the DataVolumes, one per vm->disks */
    const TargetNic *nics;       /* one per vm->nics */
    gboolean run;                /* start it */
    gboolean converted;          /* the guest has virtio drivers: else SATA, e1000e and USB */
    const json_t *labels;        /* for the guest's Pod; may be NULL */
    const json_t *node_selector; /* may be NULL */
    const json_t *affinity;      /* may be NULL */
    const char *instance_type;   /* may be NULL */
} TargetMachine;

json_t *target_virtual_machine(const TargetOwner *owner, const TargetMachine *machine);

/* An ownerReference to vm: deleting the VirtualMachine deletes what carries it. */
json_t *target_owner_reference(const char *vm_name, const char *vm_uid);
