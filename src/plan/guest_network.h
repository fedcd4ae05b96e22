/* guest_network: the addresses that a guest's network cards keep (spec.preserveStaticIPs).
 *
 * A source tells them of a running guest only, so they are noted in the VM's status before it is shut down.
 * Threads: as VmRun.
 */
#pragma once
#include "plan/vm_run.h"

/* Notes what the guest has now, unless something is noted already. FALSE: the inventory cannot be asked. */
gboolean guest_network_note(VmRun *vm, GCancellable *cancel, GError **error);

/* The "nics" of a conversion's spec (convert/spec.h), a new reference; NULL: no address is kept. */
json_t *guest_network_nics(const VmRun *vm);

/* Those of a VM; an empty array when none has an address. */
json_t *guest_network_describe(const Vm *machine);
