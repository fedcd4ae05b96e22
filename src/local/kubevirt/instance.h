/* instance: a VirtualMachineInstance is a machine of the hypervisor while it exists and has not ended.
 *
 * Threads: one at a time per key; it looks first and may be called again after a crash at any point.
 */
#pragma once
#include "local/kubevirt/hypervisor.h"
#include "base/acceleration.h"
#include "local/view.h"

typedef struct {
    LocalView *view;
    Hypervisor *hypervisor;
    Acceleration acceleration;
    const char *dir, *node;
} InstancePlace;

/* As WorkQueueRun. */
guint instance_reconcile(const InstancePlace *place, const char *key, GCancellable *cancel, GError **error);

/* The hypervisor's name of an instance, and back ("namespace/name"; NULL: not one of ours). */
char *instance_machine_name(const char *ns, const char *name);
char *instance_key(const char *machine_name);
