/* tool: runs a program whose words are for the log.
 *
 * Its standard error goes to ours line by line; its standard output too, or to the caller. It gets no input,
 * dies with us, and when it is cancelled its whole process group is asked to end, then made to. Threads: any.
 * Errors: CONVERSION_TOOL (it cannot be run), CONVERSION_FAILED (its exit code; the message is the last line
 * in which it spoke of an error), G_IO_ERROR_CANCELLED.
 */
#pragma once
#include "base/errors.h"

typedef struct {
    char **environment;                                 /* NULL: ours */
    void (*line)(const char *line, gpointer user_data); /* each line that goes to the log; or NULL */
    gpointer user_data;
    int log;         /* a file that gets those lines too; 0: none */
    GString *output; /* takes standard output, up to 4 MiB; NULL: to the log */
} ToolOptions;

gboolean tool_run(const char *const *argv, const ToolOptions *options, GCancellable *cancel, GError **error);
