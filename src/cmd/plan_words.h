/* plan_words: what a Plan's status says, in the words that the command line shows.
 *
 * Arguments are Plan documents (or one entry of status.migration.vms). Strings are borrowed or static. Threads: pure functions.
 */
#pragma once
#include "base/json.h"

const char *plan_state(const json_t *plan); /* "Archived", "Failed", "Canceled", "Succeeded", "Executing", "Ready", "Not ready" */
gboolean plan_ended(const json_t *plan);    /* its last migration has */
const json_t *plan_vms(const json_t *plan); /* status.migration.vms, or NULL */

/* Of all disks, in megabytes, as far as the status says; 0 and 0 before anything is known. */
void plan_transferred(const json_t *plan, gint64 *done, gint64 *total);

const char *vm_result(const json_t *vm);          /* "Succeeded", "Failed", "Canceled", "Running" */
const char *vm_pending(const json_t *vm);         /* why it waits and at which place of its host's queue; NULL: it does not */
const json_t *vm_step(const json_t *vm, const char *name); /* or NULL */
const json_t *vm_current_step(const json_t *vm);  /* the one that is being worked on: the last with an error or a start; or NULL */
const json_t *vm_disk_tasks(const json_t *vm);    /* in a warm migration the last word on a disk is the cutover's */
/* Why each precopy since the last one that was copied was given up: lines of text (char *) in their order, as many as the status
 * keeps; owned, never NULL. */
GPtrArray *vm_failed_precopies(const json_t *vm);
gint64 seconds_of(const json_t *item);            /* from started to completed; 0 when it has not ended */
