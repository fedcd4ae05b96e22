/* kind: what each kind of source implements behind source.h; the contracts are source.h's. Private to the
 * room. */
#pragma once
#include "source/export.h"
#include "source/source.h"
#include "source/warm.h"

/* Behind warm.h. */
typedef struct {
    json_t *(*snapshots)(gpointer connection, const char *vm_id, GCancellable *cancel, GError **error);
    char *(*create)(gpointer connection, const char *vm_id, const char *owner, const char *label,
                    const char *since, gboolean *quiesced, GCancellable *cancel, GError **error);
    gboolean (*remove)(gpointer connection, const char *vm_id, const char *snapshot, GCancellable *cancel,
                       GError **error);
    gboolean (*release)(gpointer connection, const char *vm_id, const char *snapshot, GCancellable *cancel,
                        GError **error); /* NULL: what is frozen may stay so */
    gboolean (*settle)(gpointer connection, const char *vm_id, GCancellable *cancel, GError **error);
    json_t *(*disks)(gpointer connection, const char *vm_id, const char *snapshot, GCancellable *cancel,
                     GError **error);
    SourceTracking (*tracking)(const json_t *workload, const char *disk_id, const char **why);
    /* *changed: it was not on before, and needs a snapshot to take effect. */
    gboolean (*track)(gpointer connection, const char *vm_id, gboolean *changed, GCancellable *cancel,
                      GError **error);
    /* Adds SourceRanges, in any order. NULL: its disks say knownSince. */
    gboolean (*changes)(gpointer connection, const char *vm_id, const char *snapshot, const json_t *disks,
                        const char *disk_id, const char *change_id, guint64 size, GArray *ranges,
                        GCancellable *cancel, GError **error);
} SourceWarm;

typedef struct {
    const char *type;       /* as in Provider.spec.type */
    guint host_port;       /* source_host_port() */
    gboolean hosts_log_in;  /* source_hosts_log_in() */

    gpointer (*open)(const SourceAccess *access, GError **error);
    void (*close)(gpointer connection);
    json_t *(*about)(gpointer connection, GCancellable *cancel, GError **error);
    gboolean (*collect)(gpointer connection, SourceChange changed, gpointer user_data, GCancellable *cancel,
                        GError **error);

    json_t *(*missing_rights)(gpointer connection, const json_t *workloads, GCancellable *cancel,
                              GError **error); /* NULL: nothing can be asked */
    gboolean (*check_host)(gpointer connection, const SourceHost *host, GCancellable *cancel,
                           GError **error); /* NULL: its hosts are not read directly */

    json_t *(*host_option)(gpointer connection, const char *host_id, const char *key, GCancellable *cancel,
                           GError **error); /* NULL: its hosts have no options */

    json_t *(*unreachable)(gpointer connection, const json_t *workloads, GCancellable *cancel,
                           GError **error); /* NULL: not known */

    gboolean (*power_state)(gpointer connection, const char *vm_id, PowerState *state, GCancellable *cancel,
                            GError **error);
    gboolean (*shut_down_guest)(gpointer connection, const char *vm_id, GCancellable *cancel, GError **error);
    gboolean (*power_off)(gpointer connection, const char *vm_id, GCancellable *cancel, GError **error);
    gboolean (*power_on)(gpointer connection, const char *vm_id, GCancellable *cancel, GError **error);

    Vm *(*describe)(const json_t *workload, GError **error);

    /* Of a source whose disks need no opening; else NULL, and the four below are set. */
    json_t *(*disk)(const char *url, const json_t *workload, const char *disk_id, const char *host,
                    GError **error);
    const char *(*reader)(const json_t *workload, const char *disk_id, GError **error);
    json_t *(*grant)(gpointer connection, const json_t *workload, const char *disk_id, const char *snapshot,
                     const SourceHost *host, char **grant, char **why, GCancellable *cancel, GError **error);
    gboolean (*keep)(gpointer connection, const char *grant, GCancellable *cancel, GError **error);
    gboolean (*revoke)(gpointer connection, const char *disk_id, gboolean whole, char **grant,
                       GCancellable *cancel, GError **error);

    const SourceWarm *warm; /* NULL: its VMs are not read while they run */
    SourceExport *(*export)(gpointer connection, const char *vm_id, const char *snapshot, const char *disk_id,
                            GCancellable *cancel, GError **error); /* NULL: its disks are not streamed */
} SourceKind;

const SourceKind *source_kind(const Source *source);
const SourceKind *source_find_kind(const char *type); /* NULL: there is none */
gpointer source_connection(const Source *source);

extern const SourceKind source_vsphere, source_ovirt;
