/* task: properties of one object, and tasks: what a call began, waited for to its end. */
#include "source/vsphere/vsphere.h"
#include <string.h>

#define TASK_WAIT_S "20"

/* ---- one object ---------------------------------------------------------------------------------------- */

/* Appends a filter or retrieval specification for one object. */
static void add_object_spec(GString *call, const char *element, const char *type, const char *id,
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

typedef struct {
    VsphereObjectFound found;
    gpointer user_data;
    gboolean seen;
} ObjectRead;

static gboolean take_object(xmlNode *element, gpointer user_data, GError **error)
{
    ObjectRead *read = user_data;
    g_autoptr(Properties) properties = properties_new();

    properties_read(properties, element);
    read->seen = TRUE;
    read->found(properties, read->user_data, error);
    return FALSE;
}

gboolean vsphere_read_object(VsphereSession *session, const char *type, const char *id,
                             const char *const *paths, VsphereObjectFound found, gpointer user_data,
                             GCancellable *cancel, GError **error)
{
    static const char *const names[] = {"objects", NULL};
    const VsphereContent *content = vsphere_session_content(session, cancel, error);
    ObjectRead read = {.found = found, .user_data = user_data};
    g_autoptr(GBytes) envelope = NULL, reply = NULL;
    GString *call;

    if (!content)
        return FALSE;
    call = soap_call("RetrievePropertiesEx", "PropertyCollector", content->property_collector);
    add_object_spec(call, "specSet", type, id, paths);
    soap_open(call, "options");
    soap_close(call, "options");
    envelope = soap_finish(call, "RetrievePropertiesEx");
    reply = vsphere_call(session, envelope, cancel, error);
    if (!reply || !soap_read(reply, names, take_object, &read, error))
        return FALSE;
    if (!read.seen)
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND, "%s '%s' does not exist", type, id);
    return read.seen;
}

char *vsphere_begin_task(VsphereSession *session, GString *call, const char *method, GCancellable *cancel,
                         GError **error)
{
    g_autoptr(GBytes) envelope = soap_finish(call, method),
                      reply = vsphere_call(session, envelope, cancel, error);
    return reply ? soap_read_text(reply, "returnval", error) : NULL;
}

/* ---- waiting ------------------------------------------------------------------------------------------- */

typedef struct {
    char *version;
    gboolean done;
    char *result; /* the object that the task made */
    GError *failed;
} TaskState;

static void take_task_property(TaskState *task, const char *name, xmlNode *value)
{
    const char *text = soap_peek(value);

    if (!strcmp(name, "info.state") && text && (!strcmp(text, "success") || !strcmp(text, "error")))
        task->done = TRUE;
    if (!strcmp(name, "info.result") && text && *text) {
        g_free(task->result);
        task->result = g_strdup(text);
    }
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

static gboolean wait_with(VsphereSession *session, const char *collector, const char *task_id, char **result,
                          GCancellable *cancel, GError **error)
{
    static const char *const paths[] = {"info.state", "info.error", "info.result", NULL};
    GString *call = soap_call("CreateFilter", "PropertyCollector", collector);
    TaskState task = {.version = g_strdup("")};
    g_autoptr(GBytes) envelope = NULL, reply = NULL;
    gboolean ok;

    add_object_spec(call, "spec", "Task", task_id, paths);
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
    if (ok && result)
        *result = g_steal_pointer(&task.result);
    g_clear_error(&task.failed);
    g_free(task.result);
    g_free(task.version);
    return ok;
}

/* A collector of its own, because a collector answers one waiter at a time. */
gboolean vsphere_wait_for_task(VsphereSession *session, const char *task_id, char **result,
                               GCancellable *cancel, GError **error)
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
    ok = wait_with(session, collector, task_id, result, cancel, error);
    destroy = soap_finish(soap_call("DestroyPropertyCollector", "PropertyCollector", collector),
                          "DestroyPropertyCollector");
    destroyed = vsphere_call(session, destroy, NULL, NULL);
    return ok;
}
