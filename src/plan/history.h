/* history: which Migrations a plan has run, as snapshots in its status.migration.history: what plan, maps,
 * providers and Migration they ran with, and one condition: Executing, then how they ended.
 *
 * Threads: pure functions over the given documents.
 */
#pragma once
#include "kube/object.h"

/* What a migration runs with; borrowed. */
typedef struct {
    const Object *plan, *provider, *destination, *network_map, *storage_map, *migration;
} HistoryEntry;

void history_begin(json_t *status, const HistoryEntry *entry); /* the last entry is active from now on */
void history_end(json_t *active, const char *type, const char *message);

json_t *history_active(const json_t *status); /* the entry that is executing, borrowed, or NULL */

/* The oldest of migrations (of Object) that is to be run; NULL when there is none. */
const Object *history_next(const json_t *status, GPtrArray *migrations);

/* TRUE when the maps or the source provider are no longer the objects that the entry began with. */
gboolean history_modified(const json_t *active, const HistoryEntry *now);
