/* check_vms: found, unique, describable, mapped, named. */
#include "plan/check_vms.h"
#include "plan/check_machine.h"
#include "plan/mapping.h"
#include "plan/naming.h"
#include "plan/target_machine.h"
#include "plan/vm_status.h"
#include "source/source.h"
#include <string.h>

static void checked_free(gpointer data)
{
    CheckedVm *vm = data;
    json_decref(vm->workload);
    vm_free(vm->vm);
    g_free(vm->text);
    g_free(vm);
}

static void critical(PlanCheck *check, const char *type, const char *reason, const char *message,
                     const char *item)
{
    conditions_add_item(check->conditions, type, CONDITION_CRITICAL, reason, message, item);
}

static char *describe_ref(const json_t *ref)
{
    const char *id = json_string_at(ref, "id", ""), *name = json_string_at(ref, "name", "");

    if (*id && *name)
        return g_strdup_printf("id:%s name:'%s'", id, name);
    return *id ? g_strdup_printf("id:%s", id) : g_strdup_printf("name:'%s'", name);
}

/* ---- finding ---- */

/* TRUE with NULL in *found: said in a condition. */
static gboolean find(PlanCheck *check, const json_t *spec_vm, json_t **found, GCancellable *cancel,
                     GError **error)
{
    g_autofree char *text = describe_ref(spec_vm);
    g_autoptr(GError) problem = NULL;

    *found = NULL;
    if (!*json_string_at(spec_vm, "id", "") && !*json_string_at(spec_vm, "name", "")) {
        critical(check, "VMRefNotValid", "NotSet", "Each of spec.vms must have an id or a name.", text);
        return TRUE;
    }
    *found = inventory_find(check->inventory, check->provider, "vms", spec_vm, cancel, &problem);
    if (*found)
        return TRUE;
    if (g_error_matches(problem, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND))
        critical(check, "VMNotFound", "NotFound", "The source provider's inventory has no such VM.", text);
    else if (g_error_matches(problem, GANTRY_ERROR, ERROR_INVENTORY_AMBIGUOUS))
        critical(check, "DuplicateVM", "Ambiguous",
                 "Several VMs have this name: give the id, or the name with its folder path.", text);
    else {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    return TRUE;
}

static gboolean already_migrated(const PlanCheck *check, const char *id)
{
    size_t i;
    json_t *vm;

    json_array_foreach (json_at(object_json(check->plan), "status.migration.vms"), i, vm)
        if (!strcmp(vm_status_id(vm), id) && vm_status_has(vm, "Succeeded"))
            return TRUE;
    return FALSE;
}

static CheckedVm *describe(PlanCheck *check, const json_t *spec_vm, const json_t *found, GCancellable *cancel,
                           GError **error)
{
    g_autofree char *text = describe_ref(found);
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) workload = inventory_get(check->inventory, check->provider, "workloads",
                                               json_string_at(found, "id", ""), cancel, error);
    CheckedVm *checked;
    Vm *vm;

    if (!workload)
        return NULL;
    vm = source_describe(json_string_at(object_json(check->provider), "spec.type", ""), workload, &problem);
    if (!vm) {
        g_autofree char *item = g_strdup_printf("%s: %s", text, problem->message);
        critical(check, "VMNotSupported", "NotSupported", "This VM cannot be migrated as it is.", item);
        return NULL;
    }
    checked = g_new(CheckedVm, 1);
    *checked = (CheckedVm){
        .spec = spec_vm, .workload = g_steal_pointer(&workload), .vm = vm, .text = g_steal_pointer(&text)};
    return checked;
}

/* ---- one VM ---- */

static void check_networks(PlanCheck *check, const CheckedVm *checked)
{
    g_auto(NicMapping) mapping = {0};
    g_autoptr(GError) problem = NULL;
    guint pods = 0;

    if (!mapping_nics(object_json(check->network_map), checked->vm, &mapping, &problem)) {
        g_autofree char *item = g_strdup_printf("%s: %s", checked->text, problem->message);
        critical(check, "VMNetworksNotMapped", "NotValid",
                 "A VM has a network that spec.map.network does not map.", item);
        return;
    }
    for (guint i = 0; i < checked->vm->nics->len; i++)
        pods += mapping.nics[i].kind == NIC_POD;
    if (pods > 1)
        critical(check, "VMMultiplePodNetworkMappings", "NotValid",
                 "A VM may have one NIC on the pod network: map its other networks to a "
                 "NetworkAttachmentDefinition or ignore them.",
                 checked->text);
}

/* Whether a reader for this kind of disk exists: deltas of snapshots and raw device mappings have none. */
static void check_readable(PlanCheck *check, const CheckedVm *checked, const VmDisk *disk)
{
    const char *type = json_string_at(object_json(check->provider), "spec.type", "");
    g_autoptr(GError) problem = NULL;
    g_autofree char *reader = source_reader(type, checked->workload, disk->id, &problem);
    g_autofree char *item = reader ? NULL : g_strdup_printf("%s: %s", checked->text, problem->message);

    if (!reader)
        critical(check, "VMNotSupported", "NotSupported", "This VM cannot be migrated as it is.", item);
}

static void check_disks(PlanCheck *check, const CheckedVm *checked)
{
    for (guint i = 0; i < checked->vm->disks->len; i++)
        check_readable(check, checked, checked->vm->disks->pdata[i]);
    for (guint i = 0; i < checked->vm->disks->len; i++) {
        g_autoptr(GError) problem = NULL;
        g_autofree char *item = NULL;
        TargetStorage storage;
        if (mapping_storage(object_json(check->storage_map), checked->vm->disks->pdata[i], &storage,
                            &problem))
            continue;
        item = g_strdup_printf("%s: %s", checked->text, problem->message);
        critical(check, "VMStorageNotMapped", "NotValid",
                 "A VM has a disk on a datastore that spec.map.storage does not map.", item);
    }
}

static void check_host(PlanCheck *check, const CheckedVm *checked)
{
    if (json_bool_at(checked->workload, "host.inMaintenance", FALSE))
        conditions_add_item(check->conditions, "HostNotReady", CONDITION_WARN, "InMaintenanceMode",
                            "A VM's host is in maintenance mode.", checked->text);
}

gboolean check_vms_accepts_concerns(const Object *plan)
{
    return !strcmp(object_annotation(plan, ACCEPT_CONCERNS, ""), "true");
}

/* Critical concerns block, unless the plan accepts them; then the condition is a warning that stays visible.
 */
void check_vms_concern(PlanCheck *check, const CheckedVm *checked, const char *label)
{
    gboolean accepted = check_vms_accepts_concerns(check->plan);
    g_autofree char *item = g_strdup_printf("%s: %s", checked->text, label);

    conditions_add_item(check->conditions, "VMCriticalConcerns",
                        accepted ? CONDITION_WARN : CONDITION_CRITICAL, "CriticalConcerns",
                        accepted ? "VMs have critical concerns, which the plan accepts."
                                 : "VMs have critical concerns: resolve them, or accept them with the "
                                   "annotation " ACCEPT_CONCERNS "=true on the plan.",
                        item);
}

static void check_concerns(PlanCheck *check, const CheckedVm *checked)
{
    size_t i;
    json_t *concern;

    json_array_foreach (json_object_get(checked->workload, "concerns"), i, concern)
        if (!strcmp(json_string_at(concern, "category", ""), "Critical"))
            check_vms_concern(check, checked, json_string_at(concern, "label", ""));
}

gboolean check_vms_reads_by(const PlanCheck *check, const CheckedVm *checked, const char *reader)
{
    const char *type = json_string_at(object_json(check->provider), "spec.type", "");

    for (guint i = 0; i < checked->vm->disks->len; i++) {
        const VmDisk *disk = checked->vm->disks->pdata[i];
        g_autofree char *how = source_reader(type, checked->workload, disk->id, NULL);
        if (!g_strcmp0(how, reader))
            return TRUE;
    }
    return FALSE;
}

/* ---- names ---- */

#define NOT_VALID                                                                                            \
    "What the plan says of a VM cannot be: look at targetName, rootDisk, diskBus and the name templates."

static gboolean is_taken(const char *name, gpointer names)
{
    return g_hash_table_contains(names, name);
}

static void check_name(PlanCheck *check, const CheckedVm *checked, GHashTable *names)
{
    const char *wanted = json_string_at(checked->spec, "targetName", "");
    g_autoptr(GError) problem = NULL;
    g_autofree char *name =
                        naming_target(checked->vm->name, checked->vm->id, wanted, is_taken, names, &problem),
                    *item = NULL;

    if (!name) {
        gboolean taken = g_error_matches(problem, GANTRY_ERROR, ERROR_NAME_TAKEN);
        item = g_strdup_printf("%s: %s", checked->text, problem->message);
        critical(check, taken ? "VMAlreadyExists" : "NotValid", taken ? "NotUnique" : "NotValid",
                 taken ? "The target name is taken: remove that VirtualMachine, or set targetName for the VM."
                       : NOT_VALID,
                 item);
        return;
    }
    if (!check_machine(check, checked, name, &problem)) {
        g_autofree char *why = g_strdup_printf("%s: %s", checked->text, problem->message);
        critical(check, "NotValid", "NotValid", NOT_VALID, why);
    }
    if (!*wanted && strcmp(name, checked->vm->name)) {
        item = g_strdup_printf("%s: '%s'", checked->text, name);
        conditions_add_item(check->conditions, "TargetNameNotValid", CONDITION_WARN, "NotValid",
                            "VMs whose names Kubernetes does not allow will be renamed.", item);
    }
    g_hash_table_add(names, g_steal_pointer(&name));
}

/* ---- all ---- */

static void check_one(PlanCheck *check, const CheckedVm *checked, GHashTable *names)
{
    check_networks(check, checked);
    check_disks(check, checked);
    check_host(check, checked);
    check_concerns(check, checked);
    check_name(check, checked, names);
}

GPtrArray *check_vms(PlanCheck *check, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) vms = g_ptr_array_new_with_free_func(checked_free);
    g_autoptr(GHashTable) names = target_names_in_use(check->target, check->plan, cancel, error);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    size_t i;
    json_t *spec_vm;

    if (!names)
        return NULL;
    if (!json_array_size(json_at(object_json(check->plan), "spec.vms")))
        conditions_set(check->conditions, "VMRefNotValid", CONDITION_CRITICAL, "NotSet",
                       "spec.vms is empty: name at least one VM.");
    json_array_foreach (json_at(object_json(check->plan), "spec.vms"), i, spec_vm) {
        g_autoptr(json_t) found = NULL;
        g_autoptr(GError) problem = NULL;
        CheckedVm *checked;
        if (!find(check, spec_vm, &found, cancel, error))
            return NULL;
        if (!found)
            continue;
        if (!g_hash_table_add(seen, g_strdup(json_string_at(found, "id", "")))) {
            g_autofree char *text = describe_ref(found);
            critical(check, "DuplicateVM", "NotUnique", "A VM is listed twice in spec.vms.", text);
            continue;
        }
        if (already_migrated(check, json_string_at(found, "id", "")))
            continue;
        checked = describe(check, spec_vm, found, cancel, &problem);
        if (problem) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return NULL;
        }
        if (!checked)
            continue;
        g_ptr_array_add(vms, checked);
        check_one(check, checked, names);
    }
    return g_steal_pointer(&vms);
}
