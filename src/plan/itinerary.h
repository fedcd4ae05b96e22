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

/* TRUE when a step behind this one in the table belongs to the same pipeline step. */
gboolean itinerary_returns(VmRun *vm, const Step *step);

/* Adds the pipeline steps in the order in which the itinerary meets them; needs the described VM for the
 * disks' tasks. */
void itinerary_add_pipeline(VmRun *vm, const Vm *machine);
