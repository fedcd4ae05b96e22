/* vsphere: what the inventory knows of vSphere's kinds, how they hold each other, and their workloads. */
#include "inventory/document.h"
#include "inventory/provider_type.h"
#include <string.h>

/* ---- a host's network adapters ------------------------------------------------------------------------- */

static json_t *item_with(const json_t *array, const char *key, const char *value)
{
    json_t *item;
    size_t at;

    json_array_foreach (array, at, item) {
        if (!strcmp(json_string_at(item, key, ""), value))
            return item;
    }
    return NULL;
}

static gint64 speed_of(const json_t *pnics, const char *key)
{
    return json_int_at(item_with(pnics, "key", key), "linkSpeed", 0);
}

/* Of a standard port group: the first card of its switch that is known. */
static gint64 speed_of_port_group(const json_t *networking, const json_t *group)
{
    const json_t *vswitch =
        item_with(json_at(networking, "switches"), "key", json_string_at(group, "vSwitch", ""));
    const json_t *pnic;
    size_t at;

    json_array_foreach (json_at(vswitch, "pNICs"), at, pnic) {
        if (item_with(json_at(networking, "pNICs"), "key", json_string_value(pnic)))
            return speed_of(json_at(networking, "pNICs"), json_string_value(pnic));
    }
    return 0;
}

static gboolean is_member(const json_t *dvs, const char *host_id)
{
    const json_t *member;
    size_t at;

    json_array_foreach (json_at(dvs, "host"), at, member) {
        if (!strcmp(json_string_at(member, "Host.id", ""), host_id))
            return TRUE;
    }
    return FALSE;
}

static json_t *new_adapter(const json_t *vnic, const char *name, gint64 speed)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", name, "ipAddress",
                     json_string_at(vnic, "ipAddress", ""), "subnetMask",
                     json_string_at(vnic, "subnetMask", ""), "linkSpeed", (json_int_t)speed, "mtu",
                     (json_int_t)json_int_at(vnic, "mtu", 0));
}

static json_t *standard_adapter(const json_t *host, const json_t *vnic)
{
    const json_t *networking = json_at(host, "networking");
    const char *name = json_string_at(vnic, "portGroup", "");
    const json_t *group = item_with(json_at(networking, "portGroups"), "name", name);

    return new_adapter(vnic, name, group ? speed_of_port_group(networking, group) : 0);
}

/* Of a distributed port group: the name of its switch, where it is known; the fastest card of a host that is a
 * member of it. */
static json_t *distributed_adapter(DocumentView *view, const json_t *host, const json_t *vnic)
{
    g_autoptr(json_t) group =
        document_load(view, "Network", json_string_at(vnic, "dPortGroup", ""), FALSE, NULL);
    g_autoptr(json_t) dvs =
        group ? document_load(view, "Network", json_string_at(group, "dvSwitch.id", ""), FALSE, NULL) : NULL;
    const json_t *fastest = json_array_get(json_at(host, "networking.pNICs"), 0);
    gboolean member = dvs && is_member(dvs, json_string_at(host, "id", ""));

    return new_adapter(vnic, json_string_at(dvs, "name", ""),
                       member ? json_int_at(fastest, "linkSpeed", 0) : 0);
}

static gboolean comes_before(const json_t *a, const json_t *b)
{
    gint64 speed_a = json_int_at(a, "linkSpeed", 0), speed_b = json_int_at(b, "linkSpeed", 0);
    return speed_a > speed_b || (speed_a == speed_b && json_int_at(a, "mtu", 0) > json_int_at(b, "mtu", 0));
}

static void add_network_adapters(DocumentView *view, json_t *host)
{
    json_t *adapters = json_array(), *vnic;
    size_t at;

    json_array_foreach (json_at(host, "networking.vNICs"), at, vnic) {
        gboolean distributed = *json_string_at(vnic, "dPortGroup", "") != 0;
        json_t *adapter = distributed ? distributed_adapter(view, host, vnic) : standard_adapter(host, vnic);
        size_t to = json_array_size(adapters);
        while (to > 0 && comes_before(adapter, json_array_get(adapters, to - 1)))
            to--;
        json_array_insert_new(adapters, to, adapter);
    }
    json_object_set_new(host, "networkAdapters", adapters);
}

/* ---- workloads ----------------------------------------------------------------------------------------- */

static void without_path(json_t *document)
{
    json_object_del(document, "path");
}

static json_t *host_with_cluster(DocumentView *view, const json_t *vm, GError **error)
{
    const char *vm_id = json_string_at(vm, "id", ""), *host_id = json_string_at(vm, "host", "");
    g_autofree char *key = g_strconcat("Host/", host_id, NULL);
    json_t *kept = document_kept(view, key), *datacenter;
    g_autoptr(json_t) host = kept ? NULL : document_load(view, "Host", host_id, FALSE, error);
    g_autoptr(json_t) cluster = NULL;

    if (kept)
        return kept;
    if (!host) {
        if (error && !*error)
            g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE,
                        "host '%s' of VM '%s' is not in the inventory", host_id, vm_id);
        return NULL;
    }
    cluster = document_load(view, "Cluster", json_string_at(host, "cluster", ""), FALSE, error);
    if (!cluster) {
        if (error && !*error)
            g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE,
                        "cluster '%s' of host '%s' is not in the inventory",
                        json_string_at(host, "cluster", ""), host_id);
        return NULL;
    }
    datacenter = document_above(view, "Datacenter", cluster);
    json_object_set_new(cluster, "datacenter", datacenter ? datacenter : json_null());
    without_path(host);
    without_path(cluster);
    json_object_set(host, "cluster", cluster);
    document_keep(view, key, host);
    return g_steal_pointer(&host);
}

/* The VM with its host, the host with its cluster, the cluster with its datacenter. */
static json_t *workload(DocumentView *view, const char *vm_id, GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(json_t) vm = document_load(view, "VM", vm_id, FALSE, &failed);
    json_t *host = NULL;

    if (!vm && !failed)
        g_set_error(&failed, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND, "there is no VM '%s'", vm_id);
    if (vm)
        host = host_with_cluster(view, vm, &failed);
    if (!host) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return NULL;
    }
    json_object_set_new(vm, "host", host);
    without_path(vm);
    return g_steal_pointer(&vm);
}

/* ---- the table ----------------------------------------------------------------------------------------- */

static const char *const about[] = {"apiVersion", "product", "instanceUuid", NULL};
static const char *const base[] = {"id", "name", "parent", "variant", NULL};
static const char *const vm_brief[] = {"isTemplate", "powerState", "host", "networks", "disks", NULL};

static const ProviderKind kinds[] = {
    {"Folder", "folders", .parent = "parent"},
    {"Datacenter", "datacenters", "datacenterCount", .parent = "parent"},
    {"Cluster", "clusters", "clusterCount", .parent = "parent", .recheck = RECHECK_ALL_VMS,
     .hidden_variant = "ComputeResource"}, /* a stand-alone host's is no cluster to its users */
    {"Host", "hosts", "hostCount", .parent = "parent", .recheck = RECHECK_ITS_VMS,
     .complete = add_network_adapters, .has_options = TRUE},
    {"VM", "vms", "vmCount", .parent = "parent", .brief = vm_brief, .shares_files = TRUE},
    {"Network", "networks", "networkCount", .parent = "parent"},
    {"Datastore", "datastores", "datastoreCount", .parent = "parent"},
    {NULL},
};

static const TreeBranch by_host[] = {{"Folder", "Folder", NULL},
                                     {"Folder", "Cluster", NULL},
                                     {"Cluster", "Host", NULL},
                                     {"Host", "VM", "host"},
                                     {NULL}};
static const TreeBranch by_folder[] = {{"Folder", "Folder", NULL}, {"Folder", "VM", NULL}, {NULL}};

static const ProviderTree trees[] = {{"host", "clusters", by_host}, {"vm", "vms", by_folder}, {NULL}};

const ProviderType provider_type_vsphere = {
    .type = "vsphere",
    .about = about,
    .base = base,
    .datacenter = "Datacenter",
    .kinds = kinds,
    .trees = trees,
    .workload = workload,
};
