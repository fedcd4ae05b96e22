/* guest_keys: the keys of a VM's encrypted disks: spec.vms[].luks names a Secret beside the plan, each of
 * whose keys is a passphrase; spec.vms[].nbdeClevis has the disks opened over the network.
 *
 * Threads: as VmRun.
 */
#pragma once
#include "plan/vm_run.h"

/* The Secret that the VM's entry in spec.vms (or its status) names, a reference to drop; NULL without an
 * error when it names none. Errors: BAD_INPUT (another namespace's, or an empty one), KUBE_NOT_FOUND. */
Object *guest_keys_find(KubeClient *kube, const Object *plan, const json_t *spec_vm, GCancellable *cancel,
                        GError **error);

/* Puts a copy where the VM's Pods of that app are; its name is NULL when the VM names none. */
gboolean guest_keys_copy(VmRun *vm, const char *app, char **name, GCancellable *cancel, GError **error);

gboolean guest_keys_by_clevis(const VmRun *vm);
