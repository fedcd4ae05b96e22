/* device_names: the data of each template, and what its result has to be. */
#include "plan/device_names.h"
#include "plan/name_template.h"
#include "plan/naming.h"
#include <string.h>

/* The API server's five characters follow a prefix. */
enum { GENERATED = 5, CLAIM_MOST = 63 };

static const char *template_of(VmRun *vm, const char *key)
{
    const char *own = json_string_at(vm_run_status(vm), key, "");
    const char *text = *own ? own : json_string_at(vm_run_plan_spec(vm), key, "");
    return *text ? text : NULL;
}

gboolean device_names_root_disk(VmRun *vm, const Vm *machine, guint *out, GError **error)
{
    const char *root = json_string_at(vm_run_status(vm), "rootDisk", ""), *name = strrchr(root, '/');
    guint number;

    *out = 0;
    if (!*root)
        return TRUE;
    name = name ? name + 1 : root;
    number = strlen(name) >= 3 && name[1] == 'd' && g_ascii_islower(name[2]) ? name[2] - 'a' + 1 : 0;
    if (!number || number > machine->disks->len) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "rootDisk '%s' names none of the VM's %u disks: the first is /dev/sda", root,
                    machine->disks->len);
        return FALSE;
    }
    *out = number;
    return TRUE;
}

/* "[ds] dir/x.vmdk" → "x.vmdk" */
static const char *file_name(const VmDisk *disk)
{
    const char *slash = strrchr(disk->name ? disk->name : "", '/');
    return slash ? slash + 1 : disk->name ? disk->name : "";
}

static gboolean is_claim_name(const char *name, gboolean generate)
{
    g_autofree char *whole = g_strdup_printf("%s%s", name, generate ? "xxxxx" : "");
    return strlen(whole) <= CLAIM_MOST && naming_is_subdomain(whole);
}

gboolean device_names_claim(VmRun *vm, const Vm *machine, guint index, TargetName *out, GError **error)
{
    const char *own = template_of(vm, "pvcNameTemplate"),
               *text = own ? own : vm_run_plan(vm)->settings->claim_template;
    const VmDisk *disk = machine->disks->pdata[index];
    g_autoptr(json_t) data = NULL;
    g_autofree char *name = NULL;
    guint root;

    *out =
        (TargetName){.generate = json_bool_at(vm_run_plan_spec(vm), "pvcNameTemplateUseGenerateName", TRUE)};
    if (!text)
        return TRUE;
    if (!device_names_root_disk(vm, machine, &root, error))
        return FALSE;
    data = json_pack("{s:s, s:s, s:s, s:i, s:s, s:i, s:b, s:s, s:s, s:s}", "VmName", machine->name,
                     "TargetVmName", vm_run_target_name(vm), "PlanName", vm_run_owner(vm)->plan_name,
                     "DiskIndex", (int)index, "VmId", machine->id, "RootDiskIndex",
                     (int)(root ? root - 1 : 0), "Shared", disk->shared, "FileName", file_name(disk),
                     "WinDriveLetter", "", "DiskId", disk->id);
    name = name_template_expand(text, data, error);
    if (!name)
        return FALSE;
    if (!is_claim_name(name, out->generate)) {
        g_set_error(
            error, GANTRY_ERROR, ERROR_BAD_INPUT,
            "pvcNameTemplate '%s' makes '%s' for disk %u: use a-z, 0-9, '-' and '.', at most %d characters",
            text, name, index, CLAIM_MOST - (out->generate ? GENERATED : 0));
        return FALSE;
    }
    out->text = g_steal_pointer(&name);
    return TRUE;
}

/* Adds what the template makes of data; each has to be a label of its own. */
static gboolean add_name(GPtrArray *names, const char *key, const char *text, json_t *data_take,
                         GError **error)
{
    g_autoptr(json_t) data = data_take;
    g_autofree char *name = name_template_expand(text, data, error);
    gboolean twice = FALSE;

    for (guint i = 0; name && i < names->len; i++)
        twice = twice || !strcmp(names->pdata[i], name);
    if (name && (twice || !naming_is_label(name)))
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s '%s' makes '%s': %s", key, text, name,
                    twice ? "each name must be another one; use the index in it"
                          : "use a-z, 0-9 and '-', at most 63 characters");
    if (!name || twice || !naming_is_label(name))
        return FALSE;
    g_ptr_array_add(names, g_steal_pointer(&name));
    return TRUE;
}

static char **take_names(GPtrArray *names)
{
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_steal(names, NULL);
}

gboolean device_names_volumes(VmRun *vm, const Vm *machine, const char *const *claims, char ***out,
                              GError **error)
{
    const char *text = template_of(vm, "volumeNameTemplate");
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    *out = NULL;
    for (guint i = 0; text && i < machine->disks->len; i++)
        if (!add_name(names, "volumeNameTemplate", text,
                      json_pack("{s:s, s:i}", "PVCName", claims[i], "VolumeIndex", (int)i), error))
            return FALSE;
    if (text)
        *out = take_names(names);
    return TRUE;
}

static json_t *network_data(const TargetNic *nic, guint index)
{
    const char *slash = nic->kind == NIC_MULTUS ? strchr(nic->network, '/') : NULL;
    g_autofree char *ns = slash ? g_strndup(nic->network, slash - nic->network) : g_strdup("");

    return json_pack("{s:s, s:s, s:s, s:i}", "NetworkName", slash ? slash + 1 : "", "NetworkNamespace", ns,
                     "NetworkType", nic->kind == NIC_MULTUS ? "multus" : "pod", "NetworkIndex", (int)index);
}

gboolean device_names_networks(VmRun *vm, const Vm *machine, const TargetNic *nics, char ***out,
                               GError **error)
{
    const char *text = template_of(vm, "networkNameTemplate");
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    *out = NULL;
    for (guint i = 0; text && i < machine->nics->len; i++)
        if (nics[i].kind != NIC_IGNORED &&
            !add_name(names, "networkNameTemplate", text, network_data(&nics[i], names->len), error))
            return FALSE;
    if (text)
        *out = take_names(names);
    return TRUE;
}
