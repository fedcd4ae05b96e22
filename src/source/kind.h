/* kind: what each kind of source implements behind source.h; the contracts are source.h's. Private to the
 * room. */
#pragma once
#include "source/source.h"

typedef struct {
    const char *type; /* as in Provider.spec.type */

    gpointer (*open)(const SourceAccess *access, GError **error);
    void (*close)(gpointer connection);
    json_t *(*about)(gpointer connection, GCancellable *cancel, GError **error);
    gboolean (*collect)(gpointer connection, SourceChange changed, gpointer user_data, GCancellable *cancel,
                        GError **error);

    gboolean (*power_state)(gpointer connection, const char *vm_id, PowerState *state, GCancellable *cancel,
                            GError **error);
    gboolean (*shut_down_guest)(gpointer connection, const char *vm_id, GCancellable *cancel, GError **error);
    gboolean (*power_off)(gpointer connection, const char *vm_id, GCancellable *cancel, GError **error);
    gboolean (*power_on)(gpointer connection, const char *vm_id, GCancellable *cancel, GError **error);

    Vm *(*describe)(const json_t *workload, GError **error);
    json_t *(*disk)(const char *url, const json_t *workload, const char *disk_id, const char *host,
                    GError **error);
} SourceKind;

extern const SourceKind source_vsphere;
