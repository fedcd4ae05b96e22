/* container: one container of a Pod over all its runs, as it is kept in the Pod's state file.
 *
 * Pure data and rules: what is shown in containerStatuses, when a container may run again. Threads: belongs
 * to its Pod.
 */
#pragma once
#include "local/kubelet/sandbox.h"

typedef enum { CONTAINER_WAITING, CONTAINER_RUNNING, CONTAINER_TERMINATED } ContainerPhase;

typedef struct {
    int exit_code;
    gint64 started_at, finished_at; /* microseconds since 1970 */
    char *reason, *message;
} ContainerEnd;

typedef struct {
    char *name, *image;
    gboolean init;
    guint run; /* number of this run: its log is RUN.log */
    ContainerPhase phase;
    char *wait_reason, *wait_message;
    Sandbox sandbox; /* of this run, when RUNNING */
    gint64 started_at;
    ContainerEnd end;  /* of this run, when TERMINATED */
    ContainerEnd last; /* of the run before; finished_at 0: none */
    gint64 retry_at;
    guint crashes;               /* in a row, for the backoff */
    gboolean ready, ended_by_us; /* ended_by_us: by a stop of Gantry, to be run again at its next start */
    gboolean asked_to_end;       /* its process has got SIGTERM; not kept over a restart */
    gint64 probe_at;
    guint probe_failures, probe_successes;
} Container;

Container *container_new(const char *name, const char *image, gboolean init);
void container_free(Container *container);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Container, container_free)

/* Waiting, with what `kubectl get pods` shows. TRUE when that changed. */
gboolean container_wait(Container *container, const char *reason, const char *message);
/* The run is over. message is taken. */
void container_terminated(Container *container, int exit_code, const char *reason, char *message, gint64 now);
/* Makes room for the next run. */
void container_next_run(Container *container);

/* How long a container that crashed that many times in a row waits before its next run: at once, then 10 s,
 * doubled up to five minutes. */
gint64 container_backoff_us(guint crashes);
/* Whether the policy ("Always", "OnFailure", "Never") lets a run that ended so be followed by another. */
gboolean container_runs_again(const char *policy, int exit_code);

/* The last bytes of a message: at most 4096, from the start of a character. */
char *container_message(const char *text, gsize size);

json_t *container_status(const Container *container, const char *pod_uid); /* of status.containerStatuses */
json_t *container_state(const Container *container);                       /* for the state file */
Container *container_from_state(const json_t *state);

char *time_text(gint64 us); /* RFC 3339, seconds */
