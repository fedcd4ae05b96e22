/* pod: what the programs of our Pods (gantry copy, gantry convert) have in common: SIGTERM asks to stop,
 * progress goes to standard output and over HTTP, the result to the termination message, and the exit code
 * says the error's class.
 *
 * Threads: pod_begin() blocks SIGTERM and SIGINT for all threads started after it, so it comes first.
 * progress, metrics and set_limits are called from threads of its own.
 */
#pragma once
#include "base/json.h"

typedef struct {
    const char *listen;                      /* "ADDRESS:PORT", or NULL */
    json_t *(*progress)(gpointer user_data); /* a new document */
    char *(*metrics)(gpointer user_data);    /* Prometheus text, to be freed; or NULL */
    /* PUT /limits: takes what the document says, or BAD_INPUT; or NULL */
    gboolean (*set_limits)(const json_t *limits, gpointer user_data, GError **error);
    gpointer user_data;
} PodProgram;

typedef struct Pod Pod;

/* FALSE: it has said why on standard error. --help ends the process. */
gboolean pod_parse_options(int *argc, char ***argv, const char *summary, const GOptionEntry *options);

Pod *pod_begin(const PodProgram *program, GError **error); /* program has to outlive it. BAD_INPUT: listen */
GCancellable *pod_cancellable(Pod *pod);

/* Prints the result and writes the termination message; logs error, if there is one. Gives the exit code. pod
 * may be NULL. */
int pod_end(Pod *pod, const json_t *result, const GError *error);
