/* crew: the threads that move VMs through their steps, shared by all plans of the process.
 *
 * A VM is moved by one thread at a time, on a copy of its status, outside of its plan's pass: so a slow step holds up
 * no other VM, and one plan of a thousand VMs gets as many threads as eight smaller ones. What changed in the copy
 * is the VM's outcome. One that must be known after a crash (another phase, a failure, what the step asked for) is
 * written to the plan's status before the VM is moved again: the plan takes it with crew_outcome(), writes it, and
 * says so with crew_move(). A VM that only waits is looked at again without its plan: after a while that grows with
 * the number of VMs under way, or as soon as crew_wake() says that something of it has changed.
 * Nothing is remembered here that a restart would miss: a VM that the crew does not know is moved from what its
 * status says.
 * Threads: any; crew_forget() and crew_free() must not be called from one of the crew's own.
 */
#pragma once
#include "plan/vm_run.h"

typedef struct Crew Crew;

/* A VM of that plan has an outcome, or was asked for by crew_hold() and rests now. at_once: its phase changed or it
 * failed; otherwise numbers have changed, and the plan may take its time. Called from the crew's threads. */
typedef void (*CrewNews)(const Object *plan, gboolean at_once, gpointer user_data);

Crew *crew_new(guint threads, CrewNews news, gpointer user_data);
void crew_free(Crew *crew); /* cancels what is under way and waits for it */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Crew, crew_free)

/* A VM's status as its last move left it, a new reference; NULL when the plan's status has it already. */
json_t *crew_outcome(Crew *crew, const char *plan_uid, const char *vm_id);

/* TRUE: the VM is not moved from now on until crew_move(), so its status may be changed by others. FALSE: not now;
 * there will be news. */
gboolean crew_hold(Crew *crew, const char *plan_uid, const char *vm_id);

/* Moves a VM on from this status, which has been written: at once when it is new or was waited for, else when its
 * rest is over. run is one that plan_run_keep() made. */
void crew_move(Crew *crew, PlanRun *run, const json_t *status);

/* Something that the VM waits for may have happened. vm_id as a label has it. */
void crew_wake(Crew *crew, const char *plan_uid, const char *vm_label);

/* Drops the VMs of a plan; returns when none of them is moved any more. */
void crew_forget(Crew *crew, const char *plan_uid);

/* The UIDs of the plans whose VMs it has; of char*, owned. */
GPtrArray *crew_plans(Crew *crew);

/* A name of this crew that no other has had, also not before a restart. */
const char *crew_session(const Crew *crew);

/* Moves everybody who rests, and waits until nobody is moved: time passes so in tests. */
void crew_hurry(Crew *crew);
