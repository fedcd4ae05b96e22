/* power: what a VM's power is, and the three ways to change it. */
#include "source/vsphere/vsphere.h"
#include <string.h>

#define TASK_WAIT_S "20"

/* ---- one property of one object ------------------------------------------------------------------------ */

/* Appends a filter or retrieval specification for one object. */
static void add_spec(GString *call, const char *element, const char *type, const char *id,
                     const char *const *paths)
{
    soap_open(call, element);
    soap_open(call, "propSet");
    soap_add(call, "type", type);
    soap_add(call, "all", "false");
    for (; *paths; paths++)
        soap_add(call, "pathSet", *paths);
    soap_close(call, "propSet");
    soap_open(call, "objectSet");
    soap_add_ref(call, "obj", type, id);
    soap_add(call, "skip", "false");
    soap_close(call, "objectSet");
    soap_close(call, element);
}

static gboolean take_value(xmlNode *element, gpointer user_data, GError **error)
{
    *(char **)user_data = soap_text(element);
    return FALSE;
}

/* Names the VM in an error that says only that something does not exist. */
static void name_vm(GError **error, const char *vm_id)
{
    if (error && *error && g_error_matches(*error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        g_prefix_error(error, "VM '%s' does not exist: ", vm_id);
    else
        g_prefix_error(error, "VM '%s': ", vm_id);
}

static char *read_power(VsphereSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    static const char *const paths[] = {"runtime.powerState", NULL}, *const names[] = {"val", NULL};
    const VsphereContent *content = vsphere_session_content(session, cancel, error);
    g_autoptr(GBytes) envelope = NULL, reply = NULL;
    g_autofree char *state = NULL;
    GString *call;

    if (!content)
        return NULL;
    call = soap_call("RetrievePropertiesEx", "PropertyCollector", content->property_collector);
    add_spec(call, "specSet", "VirtualMachine", vm_id, paths);
    soap_open(call, "options");
    soap_close(call, "options");
    envelope = soap_finish(call, "RetrievePropertiesEx");
    reply = vsphere_call(session, envelope, cancel, error);
    if (!reply || !soap_read(reply, names, take_value, &state, error))
        return NULL;
    if (!state)
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT,
                    "its power state cannot be read: the account needs the privilege System.Read on it");
    return g_steal_pointer(&state);
}

gboolean vsphere_power_state(VsphereSession *session, const char *vm_id, PowerState *state,
                             GCancellable *cancel, GError **error)
{
    g_autofree char *text = read_power(session, vm_id, cancel, error);

    if (!text) {
        name_vm(error, vm_id);
        return FALSE;
    }
    *state = !strcmp(text, "poweredOn") ? POWER_ON : !strcmp(text, "suspended") ? POWER_SUSPENDED : POWER_OFF;
    return TRUE;
}

/* ---- tasks --------------------------------------------------------------------------------------------- */

typedef struct {
    char *version;
    gboolean done;
    GError *failed;
} TaskState;

static void take_task_property(TaskState *task, const char *name, xmlNode *value)
{
    const char *text = soap_peek(value);

    if (!strcmp(name, "info.state") && text && (!strcmp(text, "success") || !strcmp(text, "error")))
        task->done = TRUE;
    if (!strcmp(name, "info.error") && value && !task->failed) {
        g_auto(SoapFault) fault = {0};
        soap_fault_of(value, &fault);
        vsphere_fault_error(&fault, "the source's task failed", &task->failed);
    }
}

static gboolean read_task(xmlNode *element, gpointer user_data, GError **error)
{
    TaskState *task = user_data;

    if (soap_is(element, "version")) {
        g_free(task->version);
        task->version = soap_text(element);
        return TRUE;
    }
    const char *name = soap_peek(soap_child(element, "name"));
    if (name)
        take_task_property(task, name, soap_child(element, "val"));
    return TRUE;
}

static gboolean wait_for_change(VsphereSession *session, const char *collector, TaskState *task,
                                GCancellable *cancel, GError **error)
{
    static const char *const names[] = {"version", "changeSet", NULL};
    GString *call = soap_call("WaitForUpdatesEx", "PropertyCollector", collector);
    g_autoptr(GBytes) envelope = NULL, reply = NULL;

    soap_add(call, "version", task->version);
    soap_open(call, "options");
    soap_add(call, "maxWaitSeconds", TASK_WAIT_S);
    soap_close(call, "options");
    envelope = soap_finish(call, "WaitForUpdatesEx");
    reply = vsphere_call(session, envelope, cancel, error);
    return reply && soap_read(reply, names, read_task, task, error);
}

static gboolean wait_with(VsphereSession *session, const char *collector, const char *task_id,
                          GCancellable *cancel, GError **error)
{
    static const char *const paths[] = {"info.state", "info.error", NULL};
    GString *call = soap_call("CreateFilter", "PropertyCollector", collector);
    TaskState task = {.version = g_strdup("")};
    g_autoptr(GBytes) envelope = NULL, reply = NULL;
    gboolean ok;

    add_spec(call, "spec", "Task", task_id, paths);
    soap_add(call, "partialUpdates", "false");
    envelope = soap_finish(call, "CreateFilter");
    reply = vsphere_call(session, envelope, cancel, error);
    ok = reply != NULL;
    while (ok && !task.done)
        ok = wait_for_change(session, collector, &task, cancel, error);
    if (ok && task.failed) {
        g_propagate_error(error, g_steal_pointer(&task.failed));
        ok = FALSE;
    }
    g_clear_error(&task.failed);
    g_free(task.version);
    return ok;
}

/* A collector of its own, because a collector answers one waiter at a time. */
static gboolean wait_for_task(VsphereSession *session, const char *task_id, GCancellable *cancel,
                              GError **error)
{
    const VsphereContent *content = vsphere_session_content(session, cancel, error);
    g_autoptr(GBytes) create = NULL, destroy = NULL, created = NULL, destroyed = NULL;
    g_autofree char *collector = NULL;
    gboolean ok;

    if (!content)
        return FALSE;
    create =
        soap_finish(soap_call("CreatePropertyCollector", "PropertyCollector", content->property_collector),
                    "CreatePropertyCollector");
    created = vsphere_call(session, create, cancel, error);
    if (!created || !(collector = soap_read_text(created, "returnval", error)))
        return FALSE;
    ok = wait_with(session, collector, task_id, cancel, error);
    destroy = soap_finish(soap_call("DestroyPropertyCollector", "PropertyCollector", collector),
                          "DestroyPropertyCollector");
    destroyed = vsphere_call(session, destroy, NULL, NULL);
    return ok;
}

/* ---- changing it --------------------------------------------------------------------------------------- */

static GBytes *call_vm(VsphereSession *session, const char *method, const char *vm_id, GCancellable *cancel,
                       GError **error)
{
    g_autoptr(GBytes) envelope = soap_finish(soap_call(method, "VirtualMachine", vm_id), method);
    return vsphere_call(session, envelope, cancel, error);
}

/* Asks only: the caller looks at the power state until the guest is down. */
gboolean vsphere_shut_down_guest(VsphereSession *session, const char *vm_id, GCancellable *cancel,
                                 GError **error)
{
    g_autoptr(GBytes) reply = NULL;
    PowerState state;

    if (!vsphere_power_state(session, vm_id, &state, cancel, error))
        return FALSE;
    if (state == POWER_OFF)
        return TRUE;
    reply = call_vm(session, "ShutdownGuest", vm_id, cancel, error);
    if (!reply)
        g_prefix_error(error, "VM '%s' cannot be asked to shut down: ", vm_id);
    return reply != NULL;
}

/* Looks first, so that asking for what is already so is no error; and looks again after a refusal, because
 * another may have been quicker. */
static gboolean change_power(VsphereSession *session, const char *vm_id, const char *method,
                             PowerState wanted, GCancellable *cancel, GError **error)
{
    g_autoptr(GBytes) reply = NULL;
    g_autoptr(GError) refused = NULL;
    g_autofree char *task = NULL;
    PowerState state;

    if (!vsphere_power_state(session, vm_id, &state, cancel, error))
        return FALSE;
    if (state == wanted)
        return TRUE;
    reply = call_vm(session, method, vm_id, cancel, &refused);
    task = reply ? soap_read_text(reply, "returnval", &refused) : NULL;
    if (task && wait_for_task(session, task, cancel, &refused))
        return TRUE;
    if (vsphere_power_state(session, vm_id, &state, cancel, NULL) && state == wanted)
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&refused), "VM '%s': ", vm_id);
    return FALSE;
}

gboolean vsphere_power_off(VsphereSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return change_power(session, vm_id, "PowerOffVM_Task", POWER_OFF, cancel, error);
}

gboolean vsphere_power_on(VsphereSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return change_power(session, vm_id, "PowerOnVM_Task", POWER_ON, cancel, error);
}
