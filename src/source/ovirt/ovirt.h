/* ovirt: what the files of this folder share. Private to the room.
 *
 * Follows the REST API of the oVirt engine, version 4, https://ovirt.github.io/ovirt-engine-api-model/master/
 * : JSON in which numbers and booleans are strings.
 */
#pragma once
#include "source/kind.h"

enum { OVIRT_IMAGEIO_PORT = 54322 };

/* ---- session.c: one login, shared by threads ----------------------------------------------------------- */

typedef struct OvirtSession OvirtSession;

OvirtSession *ovirt_session_new(const SourceAccess *access, GError **error);
void ovirt_session_free(OvirtSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OvirtSession, ovirt_session_free)

/* What the engine says of itself: {"apiVersion","product","instanceUuid"}; SOURCE_VERSION when it is too old.
 */
json_t *ovirt_session_about(OvirtSession *session, GCancellable *cancel, GError **error);

/* The engine's name or address, to be freed; and a client of the same trust that gives up soon. */
char *ovirt_session_host(OvirtSession *session);
HttpClient *ovirt_session_prober(OvirtSession *session, GError **error);

/* path begins behind the API's address: "vms/ID". A session that was lost is renewed once. Errors:
 * SOURCE_NOT_FOUND (404), SOURCE_FAULT (refused, in the engine's words), HTTP_UNREACHABLE (it answers
 * nonsense), BAD_JSON. */
GBytes *ovirt_get_text(OvirtSession *session, const char *path, GCancellable *cancel, GError **error);
json_t *ovirt_get(OvirtSession *session, const char *path, GCancellable *cancel, GError **error);
/* body is borrowed; NULL: an action without parameters. */
json_t *ovirt_post(OvirtSession *session, const char *path, const json_t *body, GCancellable *cancel,
                   GError **error);

gboolean ovirt_delete(OvirtSession *session, const char *path, GCancellable *cancel, GError **error);

/* ---- list.c: lists of any length, an object at a time -------------------------------------------------- */

/* one is borrowed. FALSE with an error set ends the walk. */
typedef gboolean (*OvirtEach)(const json_t *one, gpointer user_data, GError **error);
/* Calls each for every object of the array that the document has as its member name; none when it has no such
 * member. BAD_JSON when the text is no such document; what came before has been said then. */
gboolean ovirt_list_each(const char *text, gsize size, const char *name, OvirtEach each, gpointer user_data,
                         GError **error);

/* ---- model.c: the engine's objects to the inventory's documents ---------------------------------------- */

/* Values at a dotted path, whether the engine sent them as such or as text; "", 0 and FALSE when there is
 * none. */
const char *ovirt_text(const json_t *json, const char *path);
gint64 ovirt_int(const json_t *json, const char *path);
gboolean ovirt_bool(const json_t *json, const char *path);

typedef struct OvirtKind {
    const char *kind;                /* as the inventory calls it: "NICProfile" */
    const char *collection;          /* of the API: "vnicprofiles" */
    const char *element;             /* "vnic_profile": the lists' member, and an event's reference to one */
    const char *follow;              /* sub-collections that the model is made of too, or NULL */
    const struct OvirtField *fields; /* private to model.c */
} OvirtKind;

/* In the order in which they are listed: what others refer to comes first. Ends with a NULL kind. */
extern const OvirtKind ovirt_kinds[];
const OvirtKind *ovirt_kind(const char *kind); /* NULL: there is none */
/* A new reference; NULL when the object has no id. */
json_t *ovirt_model(const OvirtKind *kind, const json_t *object);

/* ---- the rest ------------------------------------------------------------------------------------------ */

gboolean ovirt_collect(OvirtSession *session, SourceChange changed, gpointer user_data, GCancellable *cancel,
                       GError **error);

gboolean ovirt_power_state(OvirtSession *session, const char *vm_id, PowerState *state, GCancellable *cancel,
                           GError **error);
gboolean ovirt_shut_down_guest(OvirtSession *session, const char *vm_id, GCancellable *cancel,
                               GError **error);
gboolean ovirt_power_off(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error);
gboolean ovirt_power_on(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error);

Vm *ovirt_describe(const json_t *workload, GError **error);

/* transfer.c; as source.h says of source_reader(), source_grant(), source_keep() and source_revoke(). */
gboolean ovirt_check_host(gpointer session, const SourceHost *host, GCancellable *cancel, GError **error);
/* backup.c: what is behind warm.h. */
extern const SourceWarm ovirt_warm;
/* Ends what is open of ours, of any owner: a VM that is being backed up cannot be started. */
gboolean ovirt_end_backups(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error);
/* SOURCE_NOT_FOUND: it is no longer there to be read. */
gboolean ovirt_check_backup(OvirtSession *session, const char *vm_id, const char *id, GCancellable *cancel,
                            GError **error);
/* permits.c; as source.h says of source_missing_rights(). */
json_t *ovirt_missing_rights(gpointer session, const json_t *workloads, GCancellable *cancel, GError **error);
/* probe.c; as source.h says of source_unreachable(). */
json_t *ovirt_unreachable(gpointer session, const json_t *workloads, GCancellable *cancel, GError **error);

const char *ovirt_reader(const json_t *workload, const char *disk_id, GError **error);
json_t *ovirt_grant(gpointer session, const json_t *workload, const char *disk_id, const char *snapshot,
                    const SourceHost *host, char **grant, char **why, GCancellable *cancel, GError **error);
gboolean ovirt_keep(gpointer session, const char *grant, GCancellable *cancel, GError **error);
gboolean ovirt_revoke(gpointer session, const char *disk_id, gboolean whole, char **grant,
                      GCancellable *cancel, GError **error);
