/* pods: what the API server asks of whoever runs the Pods: logs, commands inside, connections to ports.
 *
 * The API server has looked the Pod up and checked that the container is one of its own before it calls.
 * Calls come on its worker threads, several at once; they may block. Errors: KUBE_NOT_FOUND, BAD_INPUT (shown
 * as 400), KUBE_UNAVAILABLE, others as 500.
 */
#pragma once
#include "kube/object.h"

typedef struct {
    gboolean follow, previous, timestamps;
    gint64 tail_lines;  /* -1: all */
    gint64 limit_bytes; /* -1: no limit */
    gint64 since_us;    /* microseconds since 1970; -1: from the start */
} PodLogOptions;

/* Takes a piece of the log; waits while the reader is slow. FALSE: nobody reads any more, end. */
typedef gboolean (*PodLogWrite)(GBytes *piece, gpointer writer);

/* A command running in a container, as seen by the API server. stdout and stderr are pipes that the backend
 * made; the API server owns and closes the descriptors. -1 where the stream was not asked for. With a
 * terminal everything comes on out. */
typedef struct {
    int in, out, err;
    gpointer process; /* the backend's own */
} PodExec;

typedef struct {
    const char *const *command;
    gboolean in, out, err, tty;
} PodExecOptions;

typedef struct {
    /* Writes the container's log; with follow until it ends, write says FALSE, or cancel. container is never
     * NULL. */
    gboolean (*log)(Object *pod, const char *container, const PodLogOptions *options, PodLogWrite write,
                    gpointer writer, GCancellable *cancel, gpointer user_data, GError **error);

    gboolean (*exec)(Object *pod, const char *container, const PodExecOptions *options, PodExec *exec,
                     gpointer user_data, GError **error);
    /* Waits for the command's end and gives its exit code (128 + signal); cancelled, it kills it first. Frees
     * process. Called exactly once for each successful exec. */
    int (*exec_wait)(PodExec *exec, GCancellable *cancel, gpointer user_data);
    /* The terminal's new size; may be NULL. */
    void (*exec_resize)(PodExec *exec, guint16 columns, guint16 rows, gpointer user_data);
} PodsBackend;
/* pods/proxy and pods/portforward need no backend: they connect to status.podIP. */
