/* audit: the journal of what was changed at a source: its records, and the ConfigMaps that hold them.
 *
 * A ConfigMap for each VM of a plan, in the plan's namespace, with the labels below; nothing of Gantry's ever
 * deletes one, so that it outlives its plan. Each value is one record, a JSON object in one line:
 *   {"at", "by", "plan", "planUid", "migration", "provider", "vm", "name", "change", "detail"?, "undoes"?}
 * by: the Pod that did it. undoes: the change that this one puts back as it was.
 * Threads: pure functions.
 */
#pragma once
#include "base/json.h"

#define AUDIT_SELECTOR   "gantry.io/journal=source"
#define AUDIT_PLAN_LABEL "gantry.io/plan" /* the plan's UID */
#define AUDIT_VM_LABEL   "gantry.io/vm"   /* the VM's id in the source */

/* Appends the records of such a ConfigMap; what is no record is left out. */
void audit_append(json_t *records, const json_t *config_map);
/* Oldest first; a new reference. */
json_t *audit_sorted(const json_t *records);
/* Each record as a line. */
char *audit_lines(const json_t *records);
