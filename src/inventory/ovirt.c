/* ovirt: what the inventory knows of oVirt's kinds, how they hold each other, and their workloads. */
#include "inventory/document.h"
#include "inventory/provider_type.h"
#include <string.h>

/* ---- workloads ----------------------------------------------------------------------------------------- */

/* One object without its path, as parts of a workload are shown. what: "disk 'ID' of VM 'ID'". */
static json_t *load_part(DocumentView *view, const char *kind, const char *id, const char *vm_id,
                         GError **error)
{
    g_autoptr(GError) failed = NULL;
    json_t *part = document_load(view, kind, id, FALSE, &failed);

    if (failed)
        g_propagate_error(error, g_steal_pointer(&failed));
    else if (!part)
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE,
                    "%s '%s' of VM '%s' is not in the inventory", kind, id, vm_id);
    else
        json_object_del(part, "path");
    return part;
}

/* As load_part(), once per view: for what is the same for many VMs. */
static json_t *load_shared(DocumentView *view, const char *kind, const char *id, const char *vm_id,
                           GError **error)
{
    g_autofree char *key = g_strconcat(kind, "/", id, NULL);
    json_t *kept = document_kept(view, key), *part = kept ? kept : load_part(view, kind, id, vm_id, error);

    if (part && !kept)
        document_keep(view, key, part);
    return part;
}

/* Replaces the id that a member holds by the object itself; an id that is not set is left. */
static gboolean resolve(DocumentView *view, json_t *owner, const char *member, const char *kind,
                        const char *vm_id, GError **error)
{
    const char *id = json_string_at(owner, member, "");
    json_t *part = *id ? load_part(view, kind, id, vm_id, error) : NULL;

    if (part)
        json_object_set_new(owner, member, part);
    return part || !*id;
}

static gboolean resolve_devices(DocumentView *view, json_t *vm, const char *vm_id, GError **error)
{
    json_t *one;
    size_t at;

    json_array_foreach (json_object_get(vm, "diskAttachments"), at, one) {
        if (!resolve(view, one, "disk", "Disk", vm_id, error) ||
            !resolve(view, json_object_get(one, "disk"), "profile", "DiskProfile", vm_id, error))
            return FALSE;
    }
    json_array_foreach (json_object_get(vm, "nics"), at, one) {
        if (!resolve(view, one, "profile", "NICProfile", vm_id, error))
            return FALSE;
    }
    return TRUE;
}

/* A VM that does not run is on no host. */
static gboolean resolve_place(DocumentView *view, json_t *vm, const char *vm_id, GError **error)
{
    g_autoptr(json_t) cluster = load_shared(view, "Cluster", json_string_at(vm, "cluster", ""), vm_id, error);
    json_t *center;

    if (!cluster || !resolve(view, vm, "host", "Host", vm_id, error) ||
        !(center = load_shared(view, "DataCenter", json_string_at(cluster, "dataCenter", ""), vm_id, error)))
        return FALSE;
    if (!json_is_object(json_object_get(vm, "host")))
        json_object_set_new(vm, "host", json_null());
    json_object_set(vm, "cluster", cluster);
    json_object_set_new(vm, "dataCenter", center);
    return TRUE;
}

static json_t *workload(DocumentView *view, const char *vm_id, GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(json_t) vm = document_load(view, "VM", vm_id, FALSE, &failed);

    if (!vm && !failed)
        g_set_error(&failed, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND, "there is no VM '%s'", vm_id);
    if (vm && resolve_devices(view, vm, vm_id, &failed) && resolve_place(view, vm, vm_id, &failed)) {
        json_object_del(vm, "path");
        return g_steal_pointer(&vm);
    }
    g_propagate_error(error, g_steal_pointer(&failed));
    return NULL;
}

/* ---- the table ----------------------------------------------------------------------------------------- */

static const char *const about[] = {"apiVersion", "product", "instanceUuid", NULL};
static const char *const base[] = {"id", "name", "description", NULL};
static const char *const vm_brief[] = {"cluster", "status", "host", "nics", "diskAttachments", NULL};

static const ProviderKind kinds[] = {
    {"DataCenter", "datacenters", "datacenterCount"},
    {"Cluster", "clusters", "clusterCount", .parent = "dataCenter", .parent_kind = "DataCenter",
     .recheck = RECHECK_ALL_VMS},
    {"Host", "hosts", "hostCount", .parent = "cluster", .parent_kind = "Cluster", .recheck = RECHECK_ITS_VMS},
    {"VM", "vms", "vmCount", .parent = "cluster", .parent_kind = "Cluster", .brief = vm_brief},
    {"Network", "networks", "networkCount", .parent = "dataCenter", .parent_kind = "DataCenter"},
    {"NICProfile", "nicprofiles", .recheck = RECHECK_ALL_VMS, .has_no_path = TRUE},
    {"DiskProfile", "diskprofiles", .recheck = RECHECK_ALL_VMS, .has_no_path = TRUE},
    {"StorageDomain", "storagedomains", "storageDomainCount", .parent = "dataCenter",
     .parent_kind = "DataCenter"},
    {"Disk", "disks", .recheck = RECHECK_ALL_VMS, .has_no_path = TRUE},
    {NULL},
};

static const TreeBranch by_cluster[] = {
    {"DataCenter", "Cluster", NULL}, {"Cluster", "Host", NULL}, {"Cluster", "VM", NULL}, {NULL}};
static const ProviderTree trees[] = {{"cluster", NULL, by_cluster}, {NULL}};

const ProviderType provider_type_ovirt = {
    .type = "ovirt",
    .about = about,
    .base = base,
    .datacenter = "DataCenter",
    .short_paths = TRUE,
    .kinds = kinds,
    .trees = trees,
    .workload = workload,
};
