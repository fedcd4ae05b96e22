/* preference: the VirtualMachineClusterPreference
 * (https://kubevirt.io/user-guide/user_workloads/instancetypes/) for a guest.
 *
 * Threads: pure functions.
 */
#pragma once
#include "kube/object.h"
#include "source/vm.h"

/* By osinfo id, as KubeVirt's common-instancetypes name them ("rhel8.1" → "rhel.8"); NULL: none. converted:
 * Windows has virtio drivers. To be freed. */
char *preference_name(const char *os, gboolean converted);

/* Whether the VM has what the preference requires: KubeVirt refuses it otherwise. */
gboolean preference_fits(const Object *preference, const Vm *vm);
