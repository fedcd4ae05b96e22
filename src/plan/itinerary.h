/* itinerary: the order of a migration, a table of steps; and the pipeline that clients see of it.
 *
 * Threads: pure functions over the given VmRun.
 */
#pragma once
#include "plan/step.h"

/* The step of that phase in the VM's itinerary, or NULL. */
const Step *itinerary_find(VmRun *vm, const char *phase);

/* Where the VM goes on when that step is done, or NULL after the last. */
const Step *itinerary_next(VmRun *vm, const Step *step);

/* TRUE when this step or one behind it in the table belongs to that pipeline step; from NULL: none does. */
gboolean itinerary_has(VmRun *vm, const Step *from, const char *pipeline);

/* Adds the pipeline steps that are missing in the order in which the itinerary meets them, and the disks' tasks
 * where there are none; needs the described VM for them. */
void itinerary_add_pipeline(VmRun *vm, const Vm *machine);
/* TRUE while the disks' tasks of this VM's status are left out (fit.h). */
gboolean itinerary_lacks_tasks(const json_t *status);

/* The guest of a VM that is under way turns out to need a conversion. */
void itinerary_add_conversion(VmRun *vm);
