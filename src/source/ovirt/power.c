/* power: what a VM's power is, and the three ways to change it. */
#include "source/ovirt/ovirt.h"
#include <string.h>

static json_t *get_vm(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    g_autofree char *path = g_strconcat("vms/", vm_id, NULL);
    json_t *vm = ovirt_get(session, path, cancel, error);

    if (!vm)
        g_prefix_error(error, "VM '%s': ", vm_id);
    return vm;
}

/* A VM whose image is locked is off, and cannot be started until it is not. */
gboolean ovirt_power_state(OvirtSession *session, const char *vm_id, PowerState *state, GCancellable *cancel,
                           GError **error)
{
    g_autoptr(json_t) vm = get_vm(session, vm_id, cancel, error);
    const char *status = ovirt_text(vm, "status");

    if (!vm)
        return FALSE;
    if (!*status) {
        g_set_error(error, GANTRY_ERROR, ERROR_SOURCE_FAULT, "VM '%s': the engine does not say its status",
                    vm_id);
        return FALSE;
    }
    *state = !strcmp(status, "down") || !strcmp(status, "image_locked") ? POWER_OFF
             : !strcmp(status, "suspended")                             ? POWER_SUSPENDED
                                                                        : POWER_ON;
    return TRUE;
}

static gboolean act(OvirtSession *session, const char *vm_id, const char *action, GCancellable *cancel,
                    GError **error)
{
    g_autofree char *path = g_strconcat("vms/", vm_id, "/", action, NULL);
    g_autoptr(json_t) answer = ovirt_post(session, path, NULL, cancel, error);
    return answer != NULL;
}

/* Looks first, so that asking for what is already so is no error; and looks again after a refusal, because
 * another may have been quicker. */
static gboolean change_power(OvirtSession *session, const char *vm_id, const char *action, PowerState wanted,
                             GCancellable *cancel, GError **error)
{
    g_autoptr(GError) refused = NULL;
    PowerState state;

    if (!ovirt_power_state(session, vm_id, &state, cancel, error))
        return FALSE;
    if (state == wanted || act(session, vm_id, action, cancel, &refused))
        return TRUE;
    if (ovirt_power_state(session, vm_id, &state, cancel, NULL) && state == wanted)
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&refused), "VM '%s': ", vm_id);
    return FALSE;
}

/* Asks only: the caller looks at the power state until the guest is down. */
gboolean ovirt_shut_down_guest(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return change_power(session, vm_id, "shutdown", POWER_OFF, cancel, error);
}

gboolean ovirt_power_off(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return change_power(session, vm_id, "stop", POWER_OFF, cancel, error);
}

gboolean ovirt_power_on(OvirtSession *session, const char *vm_id, GCancellable *cancel, GError **error)
{
    return ovirt_end_backups(session, vm_id, cancel, error) &&
           change_power(session, vm_id, "start", POWER_ON, cancel, error);
}
