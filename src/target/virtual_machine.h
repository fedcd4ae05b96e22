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

typedef enum { NESTED_AS_SOURCE, NESTED_ON, NESTED_OFF } TargetNested;

typedef struct {
    const Vm *vm;
    const char *name;          /* of the target */
    const char *const *claims; /* the DataVolumes, one per vm->disks */
    const TargetNic *nics;     /* one per vm->nics */
    gboolean run;              /* start it */
    gboolean converted;        /* the guest has virtio drivers: else SATA, its own kind of NIC, and USB */
    /* What follows may be NULL or 0. */
    const char *os;       /* osinfo id found in the guest; NULL: vm->os_label */
    const char *disk_bus; /* for all disks: "virtio", "sata", "scsi" */
    guint boot_disk;      /* 1: the first; 0: as the source says, else the first */
    TargetNested nested;
    gboolean keep_serial; /* a vm->serial with blanks too, instead of the uuid; KubeVirt before 1.4 refuses them */
    const char *const *disk_names,
        *const *nic_names; /* one per claim, and per NIC that is kept; NULL: "vol-0", "net-0" */
    const json_t *labels;  /* for the guest's Pod */
    const json_t *node_selector;
    const json_t *affinity;
    const char *instance_type; /* a VirtualMachineClusterInstancetype: replaces CPU and memory */
    const char *preference;    /* a VirtualMachineClusterPreference */
} TargetMachine;

json_t *target_virtual_machine(const TargetOwner *owner, const TargetMachine *machine);

/* An ownerReference to vm: deleting the VirtualMachine deletes what carries it. */
json_t *target_owner_reference(const char *vm_name, const char *vm_uid);
