/* source: one vCenter, ESXi host or oVirt engine, whichever it is.
 *
 * Guarantee: only source_power_off(), source_shut_down_guest() and source_power_on() change anything there.
 * Threads: a Source may be used by any thread; calls block and can be cancelled. It logs in at the first call, again when the
 * session was lost, and logs out in source_close(). A wrong password is tried once and then remembered: every later call
 * fails at once with SOURCE_LOGIN until a new Source is opened.
 * Errors: SOURCE_LOGIN (user or password), HTTP_CERTIFICATE, HTTP_UNREACHABLE, SOURCE_NOT_FOUND (no such VM), SOURCE_FAULT
 * (what the peer refused, in its words), SOURCE_VERSION.
 */
#pragma once
#include "net/http_client.h"
#include "source/vm.h"

typedef struct {
    const char *type;     /* "vsphere", "ovirt" */
    const char *url;      /* as in Provider.spec.url: https://vc/sdk */
    const char *user, *password;
    HttpTrust   trust;
} SourceAccess;           /* everything is copied */

typedef struct Source Source;
Source *source_open(const SourceAccess *access, GError **error); /* BAD_INPUT only; nothing is sent yet */
void    source_close(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_close)

/* Logs in and asks for what the inventory shows of the peer: {"apiVersion","product","instanceUuid"}. */
json_t *source_about(Source *source, GCancellable *cancel, GError **error);

/* ---- collecting ---------------------------------------------------------------------------------------------- */

typedef enum { SOURCE_UPSERT, SOURCE_DELETE, SOURCE_PARITY } SourceEvent;

/* kind: "Folder" "Datacenter" "Cluster" "Host" "Network" "Datastore" "VM" (oVirt: its own list). model is the resource's body
 * in full detail as the inventory serves it (reference/inventory-and-validation.md §1.7), without selfLink, path, revision
 * and what validation adds; borrowed, NULL for SOURCE_DELETE. SOURCE_PARITY (kind, id NULL): everything that exists has been
 * said once; what was not said since the call began is gone. Calls come from source_collect()'s thread, in batches; batch_end
 * marks the last of one. */
typedef void (*SourceChange)(SourceEvent event, const char *kind, const char *id, json_t *model, gboolean batch_end,
                             gpointer user_data);

/* Blocks: lists everything, then reports changes until cancelled or broken. Always returns FALSE with an error set. */
gboolean source_collect(Source *source, SourceChange changed, gpointer user_data, GCancellable *cancel, GError **error);

/* ---- one VM -------------------------------------------------------------------------------------------------- */

typedef enum { POWER_ON, POWER_OFF, POWER_SUSPENDED } PowerState;
gboolean source_power_state(Source *source, const char *vm_id, PowerState *state, GCancellable *cancel, GError **error);
gboolean source_shut_down_guest(Source *source, const char *vm_id, GCancellable *cancel, GError **error);
gboolean source_power_off(Source *source, const char *vm_id, GCancellable *cancel, GError **error); /* hard */
gboolean source_power_on(Source *source, const char *vm_id, GCancellable *cancel, GError **error);

/* The neutral description of a workload document of the inventory (GET …/workloads/ID); no connection is used. */
Vm *source_describe(const char *type, const json_t *workload, GError **error);

/* The "source" member of a copy spec (copy/spec.h) for one disk of that workload, without secrets; those are mounted. host: the
 * address of a migration network's ESXi host, or NULL. */
json_t *source_disk(const char *type, const char *url, const json_t *workload, const char *disk_id, const char *host,
                    GError **error);
