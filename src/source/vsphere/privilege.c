/* privilege: what an account lacks for each thing that a migration does.
 *
 * AuthorizationManager.HasPrivilegeOnEntities answers for the session's own user, with nothing but what it
 * may see. Which call needs which privilege stands in the vSphere Web Services API Reference at each method
 * ("Required Privileges").
 */
#include "source/vsphere/vsphere.h"
#include <string.h>

enum { ENTITIES = 100 }; /* of one call */

typedef enum { ON_VM, ON_DATASTORES } Where;

static const struct {
    const char *task;
    Where where;
    const char *privileges[3];
} rows[] = {
    {"powerOff", ON_VM, {"VirtualMachine.Interact.PowerOff"}},
    {"powerOn", ON_VM, {"VirtualMachine.Interact.PowerOn"}},
    {"snapshots", ON_VM, {"VirtualMachine.State.CreateSnapshot", "VirtualMachine.State.RemoveSnapshot"}},
    {"changes", ON_VM, {"VirtualMachine.Config.ChangeTracking"}},
    {"lease", ON_VM, {"VApp.Export"}},
    {"vddk", ON_VM, {"VirtualMachine.Provisioning.DiskRandomRead", "VirtualMachine.Provisioning.GetVmFiles"}},
    {"https", ON_DATASTORES, {"Datastore.Browse", "Datastore.FileManagement"}},
};

/* "vm-12/VApp.Export" of what is not granted. */
typedef GHashTable Denied;

/* ---- asking -------------------------------------------------------------------------------------------- */

static gboolean take_entity(xmlNode *element, gpointer user_data, GError **error)
{
    Denied *denied = user_data;
    const char *entity = soap_peek(soap_child(element, "entity"));

    for (xmlNode *one = soap_first(element); one; one = soap_next(one))
        if (soap_is(one, "privAvailability") && entity && !vsphere_bool(soap_child(one, "isGranted")))
            g_hash_table_add(denied,
                             g_strdup_printf("%s/%s", entity, soap_peek(soap_child(one, "privId")) ?: ""));
    return TRUE;
}

static void add_privileges(GString *call, Where where)
{
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        for (guint p = 0;
             rows[i].where == where && p < G_N_ELEMENTS(rows[i].privileges) && rows[i].privileges[p]; p++)
            soap_add(call, "privId", rows[i].privileges[p]);
}

static GBytes *question(VsphereSession *session, const VsphereContent *content, Where where, GPtrArray *ids,
                        guint from)
{
    GString *call =
        soap_call("HasPrivilegeOnEntities", "AuthorizationManager", content->authorization_manager);
    g_autofree char *key = vsphere_session_key(session);

    for (guint i = from; i < ids->len && i < from + ENTITIES; i++)
        soap_add_ref(call, "entity", where == ON_VM ? "VirtualMachine" : "Datastore", ids->pdata[i]);
    soap_add(call, "sessionId", key);
    add_privileges(call, where);
    return soap_finish(call, "HasPrivilegeOnEntities");
}

static gboolean ask(VsphereSession *session, Where where, GPtrArray *ids, Denied *denied,
                    GCancellable *cancel, GError **error)
{
    static const char *const names[] = {"returnval", NULL};
    const VsphereContent *content = vsphere_session_content(session, cancel, error);

    if (!content)
        return FALSE;
    for (guint from = 0; content->authorization_manager && from < ids->len; from += ENTITIES) {
        g_autoptr(GBytes) envelope = question(session, content, where, ids, from);
        g_autoptr(GBytes) reply = vsphere_call(session, envelope, cancel, error);
        if (!reply || !soap_read(reply, names, take_entity, denied, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- what is asked about ------------------------------------------------------------------------------- */

/* Of char*, borrowed from the workloads; each once. */
static GPtrArray *vm_ids(const json_t *workloads)
{
    GPtrArray *ids = g_ptr_array_new();
    size_t i;
    json_t *workload;

    json_array_foreach (workloads, i, workload)
        g_ptr_array_add(ids, (gpointer)json_string_at(workload, "id", ""));
    return ids;
}

static GPtrArray *datastore_ids(const json_t *workloads)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *ids = g_ptr_array_new();
    size_t i, j;
    json_t *workload, *disk;

    json_array_foreach (workloads, i, workload) {
        json_array_foreach (json_object_get(workload, "disks"), j, disk) {
            const char *id = json_string_at(disk, "datastore.id", "");
            if (*id && g_hash_table_add(seen, (gpointer)id))
                g_ptr_array_add(ids, (gpointer)id);
        }
    }
    return ids;
}

/* ---- what comes of it ---------------------------------------------------------------------------------- */

static void add_missing(json_t *list, const Denied *denied, const char *entity, const char *privilege)
{
    g_autofree char *key = g_strdup_printf("%s/%s", entity, privilege);
    size_t i;
    json_t *one;

    if (!g_hash_table_contains((GHashTable *)denied, key))
        return;
    json_array_foreach (list, i, one)
        if (!strcmp(json_string_value(one), privilege))
            return;
    json_array_append_new(list, json_string(privilege));
}

static json_t *missing_for(guint row, const json_t *workload, const Denied *denied)
{
    json_t *list = json_array();
    size_t i;
    json_t *disk;

    for (guint p = 0; p < G_N_ELEMENTS(rows[row].privileges) && rows[row].privileges[p]; p++) {
        if (rows[row].where == ON_VM)
            add_missing(list, denied, json_string_at(workload, "id", ""), rows[row].privileges[p]);
        else
            json_array_foreach (json_object_get(workload, "disks"), i, disk)
                add_missing(list, denied, json_string_at(disk, "datastore.id", ""), rows[row].privileges[p]);
    }
    return list;
}

static json_t *missing_of(const json_t *workload, const Denied *denied)
{
    json_t *missing = json_object();

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        json_t *list = missing_for(i, workload, denied);
        if (json_array_size(list))
            json_object_set(missing, rows[i].task, list);
        json_decref(list);
    }
    return missing;
}

json_t *vsphere_missing_rights(VsphereSession *session, const json_t *workloads, GCancellable *cancel,
                               GError **error)
{
    g_autoptr(GPtrArray) vms = vm_ids(workloads), datastores = datastore_ids(workloads);
    g_autoptr(GHashTable) denied = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    json_t *result;
    size_t i;
    json_t *workload;

    if (!ask(session, ON_VM, vms, denied, cancel, error) ||
        !ask(session, ON_DATASTORES, datastores, denied, cancel, error))
        return NULL;
    result = json_object();
    json_array_foreach (workloads, i, workload)
        json_object_set_new(result, json_string_at(workload, "id", ""), missing_of(workload, denied));
    return result;
}
