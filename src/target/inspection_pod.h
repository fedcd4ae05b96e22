/* inspection_pod: the Pod that looks at a guest in the source with `gantry inspect` before anything is
 * copied, and the Secret with its spec, the copy specs of the disks and the credentials.
 *
 * Both carry the label gantry.io/inspection: what was looked at, so that an answer is not taken for that of a
 * later state. Threads: pure functions; results are new references.
 */
#pragma once
#include "target/importer_pod.h"

#define TARGET_INSPECTION_APP  "virt-v2v-inspection"
#define TARGET_INSPECTION_MARK "gantry.io/inspection"

typedef struct {
    const Vm *vm;
    const Importer *disks; /* one for each of the VM's, in its order; claims and state are not looked at */
    const char *mark;
    const char *root;        /* the device of the operating system; NULL: the first */
    const char *keys_secret; /* each of its keys opens an encrypted disk; NULL: none */
    gboolean clevis;
    gboolean request_kvm;
    const char *transfer_network, *service_account; /* or NULL */
} Inspection;

json_t *target_inspection_secret(const TargetOwner *owner, const Inspection *inspection);
json_t *target_inspection_pod(const TargetOwner *owner, const Inspection *inspection, const char *secret);
