/* target_machine: the VirtualMachine of a run that is under way: found, stopped, let go of.
 *
 * Only VirtualMachines with this plan's and VM's labels are ever touched.
 * Threads: as VmRun.
 */
#pragma once
#include "plan/step.h"

#define TAKEN_OVER "gantry.io/taken-over" /* annotation: since then the target is the VM */

gboolean target_machine_taken_over(const Object *machine);

/* Stops the target of this or an earlier run and waits until it is confirmed stopped. A target that has taken
 * over in an earlier, successful run is none of ours to stop. */
StepResult target_machine_stop(VmRun *vm, GCancellable *cancel, GError **error);

/* Deletes a stopped target and keeps its disks. */
gboolean target_machine_delete(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error);

/* Makes the VirtualMachine the owner of the VM's DataVolumes. */
gboolean target_machine_own_disks(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error);

/* A set of the names of the VirtualMachines in the plan's target namespace, without those that an unfinished
 * run of this plan made; NULL with an error set when they cannot be listed. */
GHashTable *target_names_in_use(KubeClient *target, const Object *plan, GCancellable *cancel, GError **error);
