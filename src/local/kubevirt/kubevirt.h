/* kubevirt: VirtualMachines of one machine, on libvirt and QEMU.
 *
 * Serves VirtualMachine and VirtualMachineInstance (kubevirt.io/v1) as KubeVirt's users see them: a VirtualMachine that is to run
 * has an instance of its name, an instance has a virt-launcher Pod whose log is the guest's serial console. An instance carries
 * the finalizer KUBEVIRT_FINALIZER: when it is gone, the machine has stopped. Machines outlive this process.
 * Follows https://kubevirt.io/user-guide/ as far as docs/one-machine.md says.
 * Threads: kubevirt_new() before local_view_start(), kubevirt_free() after local_view_mute(); it works in threads of its own.
 */
#pragma once
#include "local/view.h"

#define KUBEVIRT_FINALIZER "kubevirt.gantry.io/machine"

typedef struct LocalKubevirt LocalKubevirt;

/* dir is the data directory, node the Node's name. Errors: HYPERVISOR, IO, BAD_INPUT ($GANTRY_ACCEL). */
LocalKubevirt *kubevirt_new(LocalView *view, const char *dir, const char *node, GError **error);
void kubevirt_free(LocalKubevirt *kubevirt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LocalKubevirt, kubevirt_free)
