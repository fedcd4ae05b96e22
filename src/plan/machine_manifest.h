/* machine_manifest: the whole VirtualMachine that a plan makes of a source VM.
 *
 * Everything that decides on it is here or below: the VM as its source describes it, the plan's and the VM's
 * own fields, the network map, and what the conversion found in the guest. tests/machines/ shows what comes
 * out for what. Threads: as VmRun; nothing is asked or changed. Errors: NOT_MAPPED, BAD_INPUT.
 */
#pragma once
#include "plan/vm_run.h"

typedef struct {
    const char *const *claims; /* one per disk of the VM */
    const char *preference;    /* exists in the target and fits; NULL: none */
} MachineParts;

json_t *machine_manifest(VmRun *vm, const Vm *machine, const MachineParts *parts, GError **error);

/* The osinfo id of the guest: what the conversion found, else what the source says; NULL: unknown. Borrowed.
 */
const char *machine_os(VmRun *vm, const Vm *machine);

/* Whether the guest gets devices that it needs virtio drivers for. */
gboolean machine_has_drivers(VmRun *vm, const Vm *machine);
