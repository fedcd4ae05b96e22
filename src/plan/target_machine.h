/* target_machine: the VirtualMachine of a run that is under way: found, stopped, let go of.
 *
 * Only VirtualMachines with this plan's and VM's labels are ever touched.
 * Threads: as VmRun.
 */
#pragma once
#include "plan/step.h"

/* Annotation of a target: TARGET_NOT_YET from its creation on, then the time since when it is the VM. */
#define TAKEN_OVER     "gantry.io/taken-over"
#define TARGET_NOT_YET "not yet"

gboolean target_machine_taken_over(const Object *machine);

/* TRUE when Gantry made it and it has not taken over: no other is ever stopped or deleted, be its labels what
 * they may. */
gboolean target_machine_unfinished(const Object *machine);

/* Stops the target of this or an earlier run and waits until it is confirmed stopped. A target that has taken
 * over in an earlier, successful run, or that somebody else made, is none of ours to stop. */
StepResult target_machine_stop(VmRun *vm, GCancellable *cancel, GError **error);

/* Deletes a stopped target and keeps its disks. */
gboolean target_machine_delete(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error);

/* Makes the VirtualMachine the owner of the VM's DataVolumes. */
gboolean target_machine_own_disks(VmRun *vm, const Object *machine, GCancellable *cancel, GError **error);

/* A set of the names of the VirtualMachines in the plan's target namespace, without those that an unfinished
 * run of this plan made; NULL with an error set when they cannot be listed. */
GHashTable *target_names_in_use(KubeClient *target, const Object *plan, GCancellable *cancel, GError **error);
