/* vsphere: what the files of this folder share. Private to the room.
 *
 * Follows the vSphere Web Services API (vim25),
 * https://developer.broadcom.com/xapis/vsphere-web-services-api/latest/ : SessionManager, PropertyCollector,
 * VirtualMachine, Task.
 */
#pragma once
#include "net/soap.h"
#include "source/kind.h"

/* ---- session.c: one login, shared by threads ----------------------------------------------------------- */

typedef struct VsphereSession VsphereSession;

typedef struct {
    char *api_version, *api_type; /* "8.0.2.0"; "VirtualCenter" or "HostAgent" */
    char *product, *instance_uuid;
    char *root_folder, *property_collector;
    char *session_manager, *view_manager;
    char *authorization_manager; /* NULL where there is none */
} VsphereContent; /* of ServiceContent; does not change while the session lives */

VsphereSession *vsphere_session_new(const SourceAccess *access, GError **error);
void vsphere_session_free(VsphereSession *session); /* logs out */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VsphereSession, vsphere_session_free)

/* Logs in when that has not happened yet. The content lives as long as the session. */
const VsphereContent *vsphere_session_content(VsphereSession *session, GCancellable *cancel, GError **error);

/* The key of the login that holds now, to be freed; "" before the first. */
char *vsphere_session_key(VsphereSession *session);

/* GETs what the peer offers at a URL of its own or of one of its hosts, whose certificate has that fingerprint ("" or NULL:
 * trusted as the peer is). Errors also: LEASE_LOST (it is not offered any more). */
GInputStream *vsphere_session_stream(VsphereSession *session, const char *url, const char *fingerprint,
                                     GCancellable *cancel, GError **error);

/* Sends one call (soap_finish()'s envelope) and gives the reply; a fault becomes an error of source.h. When
 * the session was lost it logs in and sends the call once more; private property collectors are lost with the
 * session, so calls on them then fail with SOURCE_NOT_FOUND. */
GBytes *vsphere_call(VsphereSession *session, GBytes *envelope, GCancellable *cancel, GError **error);

/* Asks vCenter's REST interface for a path of its own: with login, a key of its sessions, or, where that is
 * NULL, with user and password. body may be NULL. Gives the answer's "value"; NULL on failure. *status: what
 * was answered, 0: nothing; may be NULL. */
json_t *vsphere_rest(VsphereSession *session, const char *method, const char *path, const char *login,
                     const json_t *body, guint *status, GCancellable *cancel, GError **error);

/* The error of source.h for a fault; what says what was tried. */
void vsphere_fault_error(const SoapFault *fault, const char *what, GError **error);

/* ---- properties.c: property sets of managed objects ---------------------------------------------------- */

/* One object's properties, borrowed from a reply's element. */
typedef struct {
    const char *type, *id; /* "VirtualMachine", "vm-12" */
    GHashTable *values;    /* path → xmlNode of its val; absent and unset ones are missing */
} Properties;

Properties *properties_new(void);
void properties_free(Properties *properties);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Properties, properties_free)
/* Takes them from an ObjectContent (propSet) or ObjectUpdate (changeSet) element, dropping those from before.
 */
void properties_read(Properties *properties, const xmlNode *object);

xmlNode *properties_node(const Properties *properties, const char *path);
const char *properties_text(const Properties *properties, const char *path); /* "" when unset */
gint64 properties_int(const Properties *properties, const char *path);       /* 0 when unset or no number */
gboolean properties_bool(const Properties *properties, const char *path);    /* FALSE when unset */

gint64 vsphere_int(const xmlNode *element);    /* 0 when NULL or no number */
gboolean vsphere_bool(const xmlNode *element); /* FALSE when NULL */

/* Appends the specification of a filter over every object in the view, and the root folder, with every path that the
 * inventory shows. */
void vsphere_add_collector_spec(GString *call, const VsphereContent *content, const char *view);
/* Appends the propSet elements alone (for RetrievePropertiesEx on named objects). */
void vsphere_add_property_sets(GString *call, const VsphereContent *content);

/* ---- tags.c: tags of VMs, for one thread ----------------------------------------------------------------
 */

typedef struct VsphereTags VsphereTags;
VsphereTags *vsphere_tags_new(VsphereSession *session);
void vsphere_tags_free(VsphereTags *tags);
/* Reads them anew where that is due, and adds to changed the ids (to be freed) of VMs that have other tags
 * now. */
void vsphere_tags_refresh(VsphereTags *tags, GPtrArray *changed, GCancellable *cancel);
json_t *vsphere_tags_of(const VsphereTags *tags,
                        const char *vm_id); /* a reference to an array; not to be changed */

/* ---- task.c: one object, and tasks --------------------------------------------------------------------- */

/* Called with the properties of the object; borrowed. FALSE with an error: the read fails with it. */
typedef gboolean (*VsphereObjectFound)(const Properties *properties, gpointer user_data, GError **error);
gboolean vsphere_read_object(VsphereSession *session, const char *type, const char *id,
                             const char *const *paths, VsphereObjectFound found, gpointer user_data,
                             GCancellable *cancel, GError **error);

/* Sends the call (and takes it); gives the task that it began. */
char *vsphere_begin_task(VsphereSession *session, GString *call, const char *method, GCancellable *cancel,
                         GError **error);
/* Waits to its end; a task that failed is SOURCE_FAULT in its words. *result: the object that it made, or NULL;
 * to be freed. result may be NULL. */
gboolean vsphere_wait_for_task(VsphereSession *session, const char *task_id, char **result,
                               GCancellable *cancel, GError **error);

/* ---- model.c, model_host.c, model_nic.c, model_vm.c: property sets to the inventory's documents --------------------- */

/* The kind by which the inventory knows a managed object's type, or the type itself. */
const char *vsphere_kind(const char *type);
/* The id by which the inventory knows it: the moref; for datastores of ESXi with odd ones a hash of it. To be
 * freed. */
char *vsphere_id(const char *type, const char *moref);

json_t *vsphere_ref(const xmlNode *reference); /* {"kind","id"}; both "" for NULL */
json_t *vsphere_refs(const xmlNode *array);    /* of an ArrayOfManagedObjectReference */
json_t *vsphere_text_json(const char *text);   /* "" for NULL */
json_t *vsphere_name(const char *encoded);     /* %2f, %5c and %25 decoded */

/* The document of any object that the inventory shows; NULL for others. */
json_t *vsphere_model(const Properties *properties);
void vsphere_model_host(json_t *model, const Properties *properties); /* adds to the base */
void vsphere_model_vm(json_t *model, const Properties *properties);

gboolean vsphere_is_card(const xmlNode *device);
gint64 vsphere_pci_slot(const xmlNode *device); /* 0: it says none */
/* The cards of a VM's devices, first those that its guest's tools know, in their order, then the others in that of the devices. */
json_t *vsphere_nics(const xmlNode *devices, const xmlNode *extra_config, const json_t *guest_networks);

/* ---- the calls behind source.h ------------------------------------------------------------------------- */

gboolean vsphere_collect(VsphereSession *session, SourceChange changed, gpointer user_data,
                         GCancellable *cancel, GError **error);

gboolean vsphere_power_state(VsphereSession *session, const char *vm_id, PowerState *state,
                             GCancellable *cancel, GError **error);
gboolean vsphere_shut_down_guest(VsphereSession *session, const char *vm_id, GCancellable *cancel,
                                 GError **error);
gboolean vsphere_power_off(VsphereSession *session, const char *vm_id, GCancellable *cancel, GError **error);
gboolean vsphere_power_on(VsphereSession *session, const char *vm_id, GCancellable *cancel, GError **error);

json_t *vsphere_missing_rights(VsphereSession *session, const json_t *workloads, GCancellable *cancel,
                               GError **error);
json_t *vsphere_host_option(VsphereSession *session, const char *host_id, const char *key,
                            GCancellable *cancel, GError **error);
gboolean vsphere_check_host(VsphereSession *vcenter, const SourceHost *host, GCancellable *cancel, GError **error);
char *vsphere_host_url(const char *address, const char *path); /* "https://ADDRESS/path", IPv6 in brackets */

SourceExport *vsphere_export(gpointer session, const char *vm_id, const char *snapshot, const char *disk_id,
                             GCancellable *cancel, GError **error);
extern const SourceWarm vsphere_warm; /* snapshot.c */
/* changes.c: parts of vsphere_warm. */
SourceTracking vsphere_tracking(const json_t *workload, const char *disk_id, const char **why);
gboolean vsphere_track(gpointer session, const char *vm_id, gboolean *changed, GCancellable *cancel,
                       GError **error);
gboolean vsphere_changes(gpointer session, const char *vm_id, const char *snapshot, const json_t *disks, const char *disk_id,
                         const char *change_id, guint64 size, GArray *ranges, GCancellable *cancel,
                         GError **error);
json_t *vsphere_snapshot_disks(gpointer session, const char *vm_id, const char *snapshot,
                               GCancellable *cancel, GError **error);

Vm *vsphere_describe(const json_t *workload, GError **error);
json_t *vsphere_disk(const char *url, const json_t *workload, const char *disk_id, const char *host,
                     GError **error);
