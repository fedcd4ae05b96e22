/* vm: any virtual machine, said neutrally: what a target has to build.
 *
 * Sources fill it from the inventory's workload document (source_describe); target/ reads it. No vSphere or oVirt word here.
 * Owner: the caller of vm_free(). Threads: built by one, read by any.
 */
#pragma once
#include "base/json.h"

typedef enum { FIRMWARE_BIOS, FIRMWARE_EFI } VmFirmware;
typedef enum { VM_BUS_VIRTIO, VM_BUS_SCSI, VM_BUS_SATA } VmBus;

typedef struct {
    char   *id;          /* the source's stable identity of the disk: vSphere device key "2000", oVirt disk id */
    char   *name;        /* as users see it: "[ds] dir/x.vmdk" without snapshot suffix, oVirt disk id */
    char   *storage_id;  /* what the StorageMap maps: datastore moref, storage domain id */
    guint64 size;        /* bytes, as the guest sees it; may be no multiple of 1 MiB */
    VmBus   bus;         /* in the target, after conversion */
    char   *serial;      /* at most 20 characters, or NULL */
    gboolean boot;       /* the first disk to boot from */
    gboolean shared;
} VmDisk;

typedef struct {
    char *network_id; /* what the NetworkMap maps: network moref or dvportgroup key; oVirt vNIC profile's network */
    char *mac;        /* lower case */
    char *model;      /* in the target, for a guest with drivers for it: "virtio" */
    char *old_model;  /* in the target, for a guest that is left as it is: "e1000", "e1000e", "pcnet"; NULL: e1000e */
    gboolean disconnected; /* its link is down from the start */
    gboolean passed_through; /* it is a virtual function of the host's card (SR-IOV) */
    GPtrArray *addresses, *dns; /* of char *: "192.0.2.10/24" that are set in the guest, as it said while it ran; "192.0.2.1" */
    char   *gateway;     /* or NULL */
} VmNic;

typedef struct {
    char      *id, *name;
    char      *uuid;            /* BIOS uuid */
    char      *serial;          /* of the system, as the guest has seen it; NULL: its uuid */
    VmFirmware firmware;
    gboolean   secure_boot, tpm;
    gboolean   nested;          /* the guest may run virtual machines of its own */
    guint      sockets, cores, threads;
    gboolean   dedicated_cpus;  /* each has a processor of the host to itself */
    char      *cpu_model;       /* as libvirt names it; NULL: the target's default */
    GPtrArray *cpu_features, *cpu_features_off; /* of char *: those that the model must have more, or less */
    gboolean   stays_put;       /* it is not moved to another host by itself */
    gboolean   headless;        /* it has no graphics device */
    gboolean   multi_queue;     /* NICs have a queue for each CPU */
    guint64    memory;          /* bytes */
    char      *timezone;        /* IANA name or NULL */
    char      *os_label;        /* the osinfo short id for templates: "debian11", "rhel8.1", "unknown" */
    gboolean   powered_on;      /* when it was described */
    gboolean   needs_conversion; /* the guest has to get virtio drivers */
    GPtrArray *disks;           /* of VmDisk, in the order of the target's devices */
    GPtrArray *nics;            /* of VmNic, in the source's order */
} Vm;

Vm  *vm_new(void);
void vm_free(Vm *vm);
VmDisk *vm_add_disk(Vm *vm);
VmNic  *vm_add_nic(Vm *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vm, vm_free)
