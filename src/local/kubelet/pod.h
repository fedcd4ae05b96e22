/* pod: one Pod on this machine: its containers, their directory, and the next thing to do.
 *
 * pod_run_sync() looks at the Pod as it should be and at its sandboxes as they are, and acts; it may be
 * called at any time and after any crash. Threads: one thread at a time per PodRun (the kubelet's work queue
 * sees to it).
 */
#pragma once
#include "local/kubelet/container.h"
#include "local/kubelet/network.h"
#include "local/kubelet/volumes.h"

typedef struct {
    const char *data, *binary; /* the data directory; our own program */
    const char *api_host, *ca_pem;
    guint api_port;
    Network *network;
    PodSource source;                                                      /* user_data: the PodRun */
    char *(*claim)(const char *claim, gpointer user_data, GError **error); /* likewise */
    char *(*token)(const char *ns, const char *account, gpointer user_data, GError **error);
    /* An Event about the Pod; may be NULL. */
    void (*event)(const json_t *pod, gboolean warning, const char *reason, const char *message,
                  gpointer user_data);
    gpointer user_data;
} PodHost;

typedef struct {
    const PodHost *host;
    char *uid, *ns, *name, *ip, *directory;
    gint64 started_at;
    GPtrArray *containers; /* of Container; init containers first, in the Pod's order */
    char *phase, *reason, *message;
    gint64 kill_at; /* when what still runs is killed; 0: nothing is being ended */
    char *shown;    /* the status that was written last, as text; NULL: none */
    gboolean dirty; /* the state file is older than this */
} PodRun;

/* From the state file of an earlier process, or anew. IO. */
PodRun *pod_run_open(const PodHost *host, const char *directory, GError **error);
PodRun *pod_run_new(const PodHost *host, const json_t *pod, GError **error);
void pod_run_free(PodRun *run); /* leaves its processes alone */

/* Acts once on what is to be done. Gives the milliseconds after which to look again, 0: not before something
 * happens. */
guint pod_run_sync(PodRun *run, const json_t *pod, GError **error);

/* Asks every process to end; TRUE when none is left. After grace_seconds they are killed. */
gboolean pod_run_end(PodRun *run, guint grace_seconds);
/* As pod_run_end(), for a stop of Gantry: what was running is run again when the Pod is opened the next time.
 */
gboolean pod_run_suspend(PodRun *run, guint grace_seconds);
void pod_remove_directory(const char *path); /* with all that is in it; follows no link */
void pod_run_remove(PodRun *run);            /* its directory and address; nothing may be running */

/* The Pod's status as it should be shown. */
json_t *pod_run_status(const PodRun *run, const json_t *pod);

gboolean pod_run_finished(const PodRun *run); /* Succeeded or Failed */
char *pod_run_file(const PodRun *run, const Container *container, guint number, const char *suffix);
gboolean pod_run_owns(const PodRun *run, const char *mark);
void pod_run_save(PodRun *run);

/* A container as the state file in directory has it, or NULL: for threads that do not have the PodRun. */
Container *pod_state_container(const char *directory, const char *name);
