/* control: what a running process says of itself to its own user on this machine: `gantry debug`.
 *
 * Each long-running process listens on a socket of its own, NAME-PID.sock (mode 0600), in control_folder(). A
 * question is one line
 * ("queues", "level 3"), the answer is text up to the end of the connection.
 * Guarantee: nobody but the process's user and root is answered; nothing that is secret is said. A process
 * that cannot listen works on. Threads: any. Reports are called on the socket's thread with the list of
 * reports locked: who reports must hold no lock that its report takes when it calls control_add() or
 * control_remove().
 */
#pragma once
#include "base/errors.h"

/* ---- what is said ---- */

/* Appends lines to the answer. */
typedef void (*ControlReport)(GString *answer, gpointer user_data);

/* topic: static, "queues", "informers" or "sessions"; several may report on one. */
void control_add(const char *topic, ControlReport report, gpointer user_data);
/* After it the report is not called any more. */
void control_remove(ControlReport report, gpointer user_data);

/* The answer to a question: a topic of control_add(), "memory", "level" or "level N" (of log.h, 0 to 3); to
 * be freed. BAD_INPUT: nobody knows what is asked. */
char *control_answer(const char *question, GError **error);
/* FALSE, BAD_INPUT: the text is not a level, "0" to "3". For whoever asks, before anybody is asked. */
gboolean control_check_level(const char *number, GError **error);

/* ---- the socket ---- */

typedef struct Control Control;

/* name: of the subcommand. Takes away what killed processes have left in the folder. */
Control *control_start(const char *name, GError **error);
void control_stop(Control *control); /* NULL is nothing */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Control, control_stop)

/* $GANTRY_CONTROL, else $XDG_RUNTIME_DIR/gantry, else /tmp/gantry-UID; made when it is not there. NULL: it is
 * somebody else's, or others may write to it. */
char *control_folder(GError **error);

/* Asks the process behind a socket. *refused: nobody listens there any more. */
char *control_ask(const char *socket, const char *question, gboolean *refused, GError **error);
