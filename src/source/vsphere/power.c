/* power: what a VM's power is, and the three ways to change it. */
#include "source/vsphere/vsphere.h"
#include <string.h>

/* Names the VM in an error that says only that something does not exist. */
static void name_vm(GError **error, const char *vm_id)
{
    if (error && *error && g_error_matches(*error, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        g_prefix_error(error, "VM '%s' does not exist: ", vm_id);
    else
        g_prefix_error(error, "VM '%s': ", vm_id);
}

static gboolean take_power(const Properties *properties, gpointer user_data, GError **error)
{
    const char *text = properties_text(properties, "runtime.powerState");

    *(char **)user_data = *text ? g_strdup(text) : NULL;
    return TRUE;
}

static char *read_power(VsphereSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    static const char *const paths[] = {"runtime.powerState", NULL};
    g_autofree char *state = NULL;

    if (!vsphere_read_object(session, "VirtualMachine", vm_id, paths, take_power, &state, cancel, error))
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
    if (task && vsphere_wait_for_task(session, task, NULL, cancel, &refused))
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
