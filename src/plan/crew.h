/* crew: the threads that move VMs through their steps, shared by all plans of the process.
 *
 * A VM is moved by one thread at a time, on a copy of its status, outside of its plan's pass: so a slow step
 * holds up no other VM, and one plan of a thousand VMs gets as many threads as eight smaller ones. What
 * changed in the copy is the VM's outcome; the VM rests from then on until its plan's status has been written
 * with it and crew_move() was called. A VM that only waits is looked at again without its plan: after a while
 * that grows with the number of VMs under way, or as soon as crew_wake() says that something of it has
 * changed. Nothing is remembered here that a restart would miss: a VM that the crew does not know is moved
 * from what its status says. Threads: any; crew_forget() and crew_free() must not be called from one of the
 * crew's own.
 */
#pragma once
#include "plan/vm_run.h"

typedef struct Crew Crew;

/* A VM of that plan has an outcome, or was asked for by crew_busy() and rests now. at_once: its phase changed
 * or it failed; otherwise numbers have changed, and the plan may take its time. Called from the crew's
 * threads. */
typedef void (*CrewNews)(const Object *plan, gboolean at_once, gpointer user_data);

Crew *crew_new(guint threads, CrewNews news, gpointer user_data);
void crew_free(Crew *crew); /* cancels what is under way and waits for it */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Crew, crew_free)

/* A VM's status as its last move left it, a new reference; NULL when there is nothing new. */
json_t *crew_outcome(Crew *crew, const char *plan_uid, const char *vm_id);

/* TRUE while the VM is moved: its status is not to be changed by others. */
gboolean crew_busy(Crew *crew, const char *plan_uid, const char *vm_id);

/* Moves a VM on from this status, which has been written: at once when it is new, else when its rest is over.
 * run is one that plan_run_keep() made. */
void crew_move(Crew *crew, PlanRun *run, const json_t *status);

/* Something that the VM waits for may have happened. vm_id as a label has it. */
void crew_wake(Crew *crew, const char *plan_uid, const char *vm_label);

/* Drops the VMs of a plan; returns when none of them is moved any more. */
void crew_forget(Crew *crew, const char *plan_uid);

/* The UIDs of the plans whose VMs it has; of char*, owned. */
GPtrArray *crew_plans(Crew *crew);

/* Moves everybody who rests, and waits until nobody is moved: time passes so in tests. */
void crew_hurry(Crew *crew);
