/* guest_network: a mark of the VM's status with the member as text. */
#include "plan/guest_network.h"
#include <string.h>

#define MARK "guestNetwork"

/* What a conversion's spec takes (convert/spec.h). */
enum { MOST_NICS = 64, MOST_ADDRESSES = 32, NOTE_LIMIT = 256 * 1024 };

static json_t *texts(const GPtrArray *list)
{
    json_t *array = json_array();

    for (guint i = 0; i < MIN(list->len, MOST_ADDRESSES); i++)
        json_array_append_new(array, json_string(list->pdata[i]));
    return array;
}

json_t *guest_network_describe(const Vm *machine)
{
    json_t *nics = json_array();

    for (guint i = 0; i < machine->nics->len && json_array_size(nics) < MOST_NICS; i++) {
        const VmNic *nic = machine->nics->pdata[i];
        json_t *one;
        if (!nic->addresses->len || !nic->mac || !*nic->mac)
            continue;
        one = json_pack("{s:s, s:o, s:o}", "mac", nic->mac, "addresses", texts(nic->addresses), "dns",
                        texts(nic->dns));
        if (nic->gateway)
            json_object_set_new(one, "gateway", json_string(nic->gateway));
        json_array_append_new(nics, one);
    }
    return nics;
}

gboolean guest_network_note(VmRun *vm, GCancellable *cancel, GError **error)
{
    const Vm *machine;
    g_autoptr(json_t) nics = NULL;
    g_autofree char *text = NULL;

    if (!vm_run_converts(vm) || !json_bool_at(vm_run_plan_spec(vm), "preserveStaticIPs", TRUE) ||
        vm_status_mark(vm_run_status(vm), MARK))
        return TRUE;
    if (!(machine = vm_run_describe(vm, cancel, error)))
        return FALSE;
    nics = guest_network_describe(machine);
    text = json_text(nics);
    if (json_array_size(nics))
        vm_status_set_mark(vm_run_status(vm), MARK, text);
    return TRUE;
}

json_t *guest_network_nics(const VmRun *vm)
{
    const char *text = vm_status_mark(vm_run_status(vm), MARK);
    return text ? json_parse(text, strlen(text), NOTE_LIMIT, "the guest's addresses", NULL) : NULL;
}
