/* audit: the journal of what was changed at a source: its records, and the ConfigMaps that hold them.
 *
 * A ConfigMap for each VM of a plan, in the plan's namespace, with the labels below; nothing of Gantry's ever
 * deletes one, so that it outlives its plan. Each value is one record, a JSON object in one line:
 *
 *   {"at", "by", "plan", "planUid", "migration", "provider", "vm", "name", "change",
 *    "round"?, "detail"?, "undoes"?}
 *
 * by: the Pod that did it. round: of a warm migration, the precopy that it was done for, counted from 1.
 * undoes: the change that this one puts back as it was.
 *
 * A journal has at most AUDIT_MOST_BYTES. Before it has more, its oldest repeats (what was done for rounds
 * after the first), and should they not be enough, whatever else is oldest, make room; a record without "by"
 * and "migration", whose change is AUDIT_LEFT_OUT, says how many they were ("count") and from when ("since")
 * until when ("at"). Threads: pure functions.
 */
#pragma once
#include "base/json.h"

#define AUDIT_SELECTOR   "gantry.io/journal=source"
#define AUDIT_PLAN_LABEL "gantry.io/plan" /* the plan's UID */
#define AUDIT_VM_LABEL   "gantry.io/vm"   /* the VM's id in the source */
#define AUDIT_LEFT_OUT   "records left out"

enum { AUDIT_MOST_BYTES = 256 << 10 };

/* Appends the records of such a ConfigMap; what is no record is left out. */
void audit_append(json_t *records, const json_t *config_map);
/* Oldest first; a new reference. */
json_t *audit_sorted(const json_t *records);
/* Each record as a line. */
char *audit_lines(const json_t *records);

/* What a merge patch must change in the ConfigMap's data so that record has room there under key: it alone,
 * or it with the removal of others. A new reference. */
json_t *audit_change(const json_t *config_map, const char *key, const json_t *record);
