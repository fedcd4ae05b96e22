/* conditions: what an object's status says of it, kept by Forklift's staging rule.
 *
 * A reconcile pass begins with the conditions it found; those that are not durable count as gone until the
 * pass says them again; at the end what was not said is removed (never set to False: clients look only at a
 * type's presence). lastTransitionTime moves only when something else of the condition changed. "Has" means
 * present and True.
 * Owner: conditions_begin() to conditions_free(). Threads: one.
 */
#pragma once
#include "base/json.h"

/* Critical and Error block readiness; Critical also ends the pass's later checks. */
#define CONDITION_CRITICAL "Critical"
#define CONDITION_ERROR    "Error"
#define CONDITION_WARN     "Warn"
#define CONDITION_REQUIRED "Required"
#define CONDITION_ADVISORY "Advisory"

typedef struct Conditions Conditions;
Conditions *conditions_begin(const json_t *found); /* status.conditions as read; borrowed, may be NULL */
void conditions_free(Conditions *conditions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Conditions, conditions_free)

/* reason may be NULL. Saying a type again in one pass replaces it and drops its items. */
void conditions_set(Conditions *conditions, const char *type, const char *category, const char *reason,
                    const char *message, ...) G_GNUC_PRINTF(5, 6);
void conditions_set_durable(Conditions *conditions, const char *type, const char *category,
                            const char *reason, const char *message, ...) G_GNUC_PRINTF(5, 6);

/* One condition for many offenders: says the type when this pass has not yet, then adds item to its items[].
 */
void conditions_add_item(Conditions *conditions, const char *type, const char *category, const char *reason,
                         const char *message, const char *item);

void conditions_remove(Conditions *conditions, const char *type);        /* durable ones too */
gboolean conditions_has(const Conditions *conditions, const char *type); /* as this pass sees it */
gboolean conditions_blocked(const Conditions *conditions);               /* any Critical or Error */
gboolean conditions_critical(const Conditions *conditions);

json_t *conditions_end(const Conditions *conditions); /* the new array; a new reference */

/* In a condition array as it was read: the item of this type that is True, or NULL; borrowed. */
const json_t *conditions_find(const json_t *array, const char *type);
