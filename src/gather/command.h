/* command: what a client of the must-gather API wants to be run, as a filter: "NS=n PLAN=p VM=v
 * /usr/bin/targeted".
 *
 * Pure; errors: BAD_INPUT, naming the word and what would be right.
 */
#pragma once
#include "gather/scope.h"

typedef struct {
    char *ns, *plan, *vm; /* NULL where it is not named */
} GatherCommand;

void gather_command_clear(GatherCommand *command);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GatherCommand, gather_command_clear)

/* text NULL or "": everything. */
gboolean gather_command_parse(const char *text, GatherCommand *command, GError **error);
/* "20m", "1h30m", "45s" or plain seconds, at most a day; 0 for NULL and "". */
gboolean gather_timeout_parse(const char *text, guint *seconds, GError **error);
