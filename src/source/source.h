/* source: one vCenter, ESXi host or oVirt engine, whichever it is.
 *
 * Guarantee: only source_power_off(), source_shut_down_guest() and source_power_on() change anything there; what source_grant() opens for
 * reading source_revoke() closes.
 * Threads: a Source may be used by any thread; calls block and can be cancelled. It logs in at the first call, again when the
 * session was lost, and logs out in the last source_close(). A wrong password is tried once and then remembered: every later call
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
Source *source_hold(Source *source);  /* for one who asks while another may close it */
void    source_close(Source *source); /* drops a reference; with the last one the connection ends */
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

/* ---- what the account may do ------------------------------------------------------------------------------------ */

/* What the account lacks, in the source's own words, for each of these workload documents (an array): {VM id: {"powerOff",
 * "powerOn", "snapshots", "changes" (warm), and the ways to read disks "https", "imageio", "lease", "vddk": [privilege …]}}. What is
 * absent is granted, or cannot be asked of this source. */
json_t *source_missing_rights(Source *source, const json_t *workloads, GCancellable *cancel, GError **error);

/* What an option of a host is set to just now: [{"key","value"}], or [] where the host has none of that name. Errors also:
 * SOURCE_NOT_FOUND (there is no such host). */
json_t *source_host_option(Source *source, const char *host_id, const char *key, GCancellable *cancel, GError **error);

/* Whether its hosts are entered with accounts of their own, or tickets. Otherwise what the source opens for a disk (source_grant()) is all
 * that is needed. */
gboolean source_hosts_log_in(const char *type);
/* The TCP port at which its hosts hand out disks. */
guint source_host_port(const char *type);

/* A host of the source that is to be read directly. */
typedef struct {
    const char *address;     /* name or IP address, without a port */
    const char *fingerprint; /* of its certificate, as the source knows it; "" or NULL: not known */
    const char *user, *password; /* of the host itself; NULL: by tickets of the source */
    gboolean insecure;           /* the source's certificate is not verified either */
    const char *id;              /* the source's own; NULL: not known */
} SourceHost;
/* Whether the host is there, is the one that the source knows, and lets us in. Errors also: HOST_TICKET. */
gboolean source_check_host(Source *source, const SourceHost *host, GCancellable *cancel, GError **error);

/* Whether the hosts that hand out the disks of these workloads (an array) answer and can be trusted, tried from here: {VM id: [what is
 * wrong …]}; absent: nothing, or it is not known of this source before a disk is opened. */
json_t *source_unreachable(Source *source, const json_t *workloads, GCancellable *cancel, GError **error);

/* ---- one VM -------------------------------------------------------------------------------------------------- */

typedef enum { POWER_ON, POWER_OFF, POWER_SUSPENDED } PowerState;
gboolean source_power_state(Source *source, const char *vm_id, PowerState *state, GCancellable *cancel, GError **error);
gboolean source_shut_down_guest(Source *source, const char *vm_id, GCancellable *cancel, GError **error);
gboolean source_power_off(Source *source, const char *vm_id, GCancellable *cancel, GError **error); /* hard */
gboolean source_power_on(Source *source, const char *vm_id, GCancellable *cancel, GError **error);

/* The neutral description of a workload document of the inventory (GET …/workloads/ID); no connection is used. */
Vm *source_describe(const char *type, const json_t *workload, GError **error);

/* ---- reading a disk ------------------------------------------------------------------------------------------- */

/* How that disk of the workload is read (the "type" of source_grant()'s member), to be freed; NULL when it cannot be. No connection is
 * used. */
char *source_reader(const char *type, const json_t *workload, const char *disk_id, GError **error);

/* Some sources open a disk before it can be read, and have to be told when that is over. What was opened is noted in a grant: a text of
 * the source's own that the caller keeps where it survives a crash, and has written down before it calls again; NULL at first.
 *
 * source_grant(): one step towards a disk that can be read. Gives the "source" member of a copy spec (copy/spec.h), without secrets but
 * those that the grant is made of; NULL without an error: not yet, *why (to be freed) says what is waited for. snapshot: of warm.h, in
 * which the disk is to be read; NULL: the VM is off. host: the one that is to be read directly, or NULL. Errors also: SOURCE_RUNNING,
 * SOURCE_VM, SOURCE_NOT_FOUND (the snapshot is gone). */
json_t *source_grant(Source *source, const json_t *workload, const char *disk_id, const char *snapshot, const SourceHost *host,
                     char **grant, char **why, GCancellable *cancel, GError **error);
/* To be called every few seconds while the disk is being read. */
gboolean source_keep(Source *source, const char *grant, GCancellable *cancel, GError **error);
/* Gives the disk back; whole: it was read to its end. *grant is NULL when nothing is left open; else call again. FALSE: error says why it
 * cannot be given back now. */
gboolean source_revoke(Source *source, const char *disk_id, gboolean whole, char **grant, GCancellable *cancel,
                       GError **error);
