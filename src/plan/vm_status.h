/* vm_status: one VM's entry in status.migration.vms of a Plan, as Forklift's clients read it.
 *
 *   {id, name, newName, started, completed, phase, restorePowerState, pipeline[{name, description, phase,
 * reason, progress{completed,total}, annotations{}, started, completed, error{phase,reasons[]}, tasks[{as a
 * step}]}], error{phase,reasons[]}, conditions[]}
 *
 * Everything that a run has to know after a restart is in here and nowhere else; what Forklift has no field
 * for is an annotation of the Initialize step ("marks"). Functions change the document that they are given.
 * Threads: one at a time per document.
 */
#pragma once
#include "base/json.h"

#define PHASE_STARTED   "Started"
#define PHASE_COMPLETED "Completed"

/* The phases of a pipeline step and of its tasks. */
#define STEP_PENDING   "Pending"
#define STEP_RUNNING   "Running"
#define STEP_COMPLETED "Completed"

/* spec_vm: the entry of spec.vms; what it says is inlined. */
json_t *vm_status_new(const json_t *spec_vm, const char *id, const char *name);

const char *vm_status_id(const json_t *vm);
const char *vm_status_name(const json_t *vm); /* at the source */
const char *vm_status_phase(const json_t *vm);
gboolean vm_status_started(const json_t *vm);
gboolean vm_status_completed(const json_t *vm);
gboolean vm_status_has(const json_t *vm,
                       const char *condition); /* "Succeeded", "Failed", "Canceled", "Pending" */
void vm_status_set_condition(json_t *vm, const char *type, const char *category, const char *reason,
                             const char *message, gboolean durable);
void vm_status_remove_condition(json_t *vm, const char *type);

/* ---- the pipeline: its items are steps and their tasks, which look alike ---- */

json_t *vm_status_add_step(json_t *vm, const char *name, const char *description, gint64 total,
                           const char *unit);
json_t *vm_status_step(const json_t *vm, const char *name); /* borrowed, or NULL */
json_t *item_add_task(json_t *step, const char *name, gint64 total, const char *unit);
json_t *item_task(const json_t *step, const char *name); /* borrowed, or NULL */

void item_begin(json_t *step); /* once: sets started and Running */
void item_end(json_t *step);   /* once: sets completed, Completed and full progress */
gboolean item_started(const json_t *step);
gboolean item_ended(const json_t *step);
void item_set_reason(json_t *step, const char *reason); /* why it waits; NULL: it does not */
void item_set_pending(json_t *step, const char *reason);
void item_set_progress(json_t *step, gint64 completed); /* less than all until item_end() */
void item_annotate(json_t *step, const char *key, const char *value); /* value NULL: removes it */
const char *item_annotation(const json_t *step, const char *key);     /* or NULL */
void item_sum_tasks(json_t *step); /* progress of the step from its tasks */

/* Notes an error in step (or task, or VM), each reason once, and in nothing else. */
void status_add_error(json_t *step, const char *phase, const char *reason);
/* Carries the errors of tasks to their steps and those of steps to the VM. TRUE when the VM has one. */
gboolean vm_status_bubble_errors(json_t *vm);

/* ---- marks: what happened once ---- */

const char *vm_status_mark(const json_t *vm, const char *key);           /* or NULL */
void vm_status_set_mark(json_t *vm, const char *key, const char *value); /* NULL removes it */
