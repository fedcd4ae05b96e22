/* model: the inventory's documents of folders, datacenters, clusters, networks and datastores. */
#include "source/vsphere/vsphere.h"
#include <stdio.h>
#include <string.h>

/* ---- names, ids, references ---------------------------------------------------------------------------- */

const char *vsphere_kind(const char *type)
{
    static const struct {
        const char *type, *kind;
    } rows[] = {
        {"Folder", "Folder"},
        {"Datacenter", "Datacenter"},
        {"ClusterComputeResource", "Cluster"},
        {"ComputeResource", "Cluster"},
        {"HostSystem", "Host"},
        {"VirtualMachine", "VM"},
        {"Network", "Network"},
        {"DistributedVirtualPortgroup", "Network"},
        {"DistributedVirtualSwitch", "Network"},
        {"VmwareDistributedVirtualSwitch", "Network"},
        {"Datastore", "Datastore"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(type, rows[i].type))
            return rows[i].kind;
    return type;
}

char *vsphere_id(const char *type, const char *moref)
{
    if (!strcmp(type, "Datastore") && strpbrk(moref, "/?#%"))
        return g_compute_checksum_for_string(G_CHECKSUM_MD5, moref, -1);
    return g_strdup(moref);
}

static json_t *new_ref(const char *kind, const char *id)
{
    return json_pack("{s:s, s:s}", "kind", kind, "id", id);
}

json_t *vsphere_ref(const xmlNode *reference)
{
    g_autofree char *type = NULL, *id = NULL;

    for (const xmlAttr *attribute = reference ? reference->properties : NULL; attribute;
         attribute = attribute->next)
        if (!strcmp((const char *)attribute->name, "type") && !attribute->ns)
            type = soap_text((const xmlNode *)attribute);
    if (!type)
        return new_ref("", "");
    id = vsphere_id(type, soap_peek(reference));
    return new_ref(vsphere_kind(type), id);
}

json_t *vsphere_refs(const xmlNode *array)
{
    json_t *refs = json_array();
    for (xmlNode *reference = soap_first(array); reference; reference = soap_next(reference))
        json_array_append_new(refs, vsphere_ref(reference));
    return refs;
}

json_t *vsphere_text_json(const char *text)
{
    return json_string(text ? text : "");
}

json_t *vsphere_name(const char *encoded)
{
    g_autoptr(GString) name = g_string_new(NULL);

    for (const char *at = encoded; *at; at++) {
        if (!g_ascii_strncasecmp(at, "%2f", 3))
            g_string_append_c(name, '/');
        else if (!g_ascii_strncasecmp(at, "%5c", 3))
            g_string_append_c(name, '\\');
        else if (!strncmp(at, "%25", 3))
            g_string_append_c(name, '%');
        else {
            g_string_append_c(name, *at);
            continue;
        }
        at += 2;
    }
    return json_string(name->str);
}

/* ---- documents ----------------------------------------------------------------------------------------- */

static json_t *ref_of(const Properties *properties, const char *path)
{
    return vsphere_ref(properties_node(properties, path));
}

static json_t *refs_of(const Properties *properties, const char *path)
{
    return vsphere_refs(properties_node(properties, path));
}

static void set_text(json_t *model, const char *key, const Properties *properties, const char *path)
{
    json_object_set_new(model, key, vsphere_text_json(properties_text(properties, path)));
}

static const char *id_if_kind(const json_t *ref, const char *kind)
{
    return !strcmp(json_string_at(ref, "kind", ""), kind) ? json_string_at(ref, "id", "") : "";
}

static void folder_model(json_t *model, const Properties *properties)
{
    const json_t *parent = json_object_get(model, "parent");

    json_object_set_new(model, "folder", json_string(id_if_kind(parent, "Folder")));
    json_object_set_new(model, "datacenter", json_string(id_if_kind(parent, "Datacenter")));
    json_object_set_new(model, "children", refs_of(properties, "childEntity"));
}

static void datacenter_model(json_t *model, const Properties *properties)
{
    json_object_set_new(model, "datastores", ref_of(properties, "datastoreFolder"));
    json_object_set_new(model, "networks", ref_of(properties, "networkFolder"));
    json_object_set_new(model, "clusters", ref_of(properties, "hostFolder"));
    json_object_set_new(model, "vms", ref_of(properties, "vmFolder"));
}

/* The VMs that one of a cluster's per-VM lists (ClusterDasVmConfigInfo, ClusterDrsVmConfigInfo) names. */
static json_t *configured_vms(const xmlNode *configuration, const char *list)
{
    json_t *vms = json_array();
    for (xmlNode *item = soap_first(configuration); item; item = soap_next(item))
        if (soap_is(item, list))
            json_array_append_new(vms, vsphere_ref(soap_child(item, "key")));
    return vms;
}

/* VMs in groups that a VM-host rule binds. A group that no such rule names binds nothing. */
static json_t *host_affinity_vms(const xmlNode *configuration)
{
    g_autoptr(GHashTable) bound = g_hash_table_new(g_str_hash, g_str_equal);
    json_t *vms = json_array();

    for (xmlNode *rule = soap_first(configuration); rule; rule = soap_next(rule)) {
        const char *group = soap_is(rule, "rule") ? soap_peek(soap_child(rule, "vmGroupName")) : NULL;
        if (group && vsphere_bool(soap_child(rule, "enabled")))
            g_hash_table_add(bound, (gpointer)group);
    }
    for (xmlNode *group = soap_first(configuration); group; group = soap_next(group)) {
        const char *name = soap_is(group, "group") ? soap_peek(soap_child(group, "name")) : NULL;
        if (!name || !g_hash_table_contains(bound, name))
            continue;
        for (xmlNode *vm = soap_first(group); vm; vm = soap_next(vm))
            if (soap_is(vm, "vm"))
                json_array_append_new(vms, vsphere_ref(vm));
    }
    return vms;
}

static void cluster_model(json_t *model, const Properties *properties)
{
    const xmlNode *configuration = properties_node(properties, "configurationEx");
    const xmlNode *das = soap_child(configuration, "dasConfig"),
                  *drs = soap_child(configuration, "drsConfig");
    const xmlNode *dpm = soap_child(configuration, "dpmConfigInfo");

    if (!strcmp(properties->type, "ComputeResource"))
        json_object_set_new(model, "variant", json_string("ComputeResource"));
    json_object_set_new(model, "folder", json_string(json_string_at(model, "parent.id", "")));
    json_object_set_new(model, "networks", refs_of(properties, "network"));
    json_object_set_new(model, "datastores", refs_of(properties, "datastore"));
    json_object_set_new(model, "hosts", refs_of(properties, "host"));
    json_object_set_new(model, "dasEnabled", json_boolean(vsphere_bool(soap_child(das, "enabled"))));
    json_object_set_new(model, "dasVms", configured_vms(configuration, "dasVmConfig"));
    json_object_set_new(model, "drsEnabled", json_boolean(vsphere_bool(soap_child(drs, "enabled"))));
    json_object_set_new(model, "drsBehavior",
                        vsphere_text_json(soap_peek(soap_child(drs, "defaultVmBehavior"))));
    json_object_set_new(model, "drsVms", configured_vms(configuration, "drsVmConfig"));
    json_object_set_new(model, "dpmEnabled", json_boolean(vsphere_bool(soap_child(dpm, "enabled"))));
    json_object_set_new(model, "hostAffinityVms", host_affinity_vms(configuration));
}

/* "100" for one VLAN, "1-9,20-29" for a trunk, "" where none is set. */
static char *vlan_of(const xmlNode *port_config)
{
    const xmlNode *vlan = soap_child(port_config, "vlan");
    const xmlNode *id = soap_child(vlan, "vlanId");
    g_autoptr(GString) ranges = g_string_new(NULL);

    if (id && !soap_child(id, "start"))
        return g_strdup(soap_peek(id));
    for (id = soap_first(vlan); id; id = soap_next(id))
        if (soap_is(id, "vlanId"))
            g_string_append_printf(ranges, "%s%s-%s", ranges->len ? "," : "",
                                   soap_peek(soap_child(id, "start")), soap_peek(soap_child(id, "end")));
    return g_string_free(g_steal_pointer(&ranges), FALSE);
}

static json_t *switch_members(const xmlNode *members)
{
    json_t *hosts = json_array();

    for (xmlNode *member = soap_first(members); member; member = soap_next(member)) {
        const xmlNode *config = soap_child(member, "config");
        const xmlNode *backing = soap_child(config, "backing");
        json_t *pnics = json_array();

        for (xmlNode *spec = soap_first(backing); spec; spec = soap_next(spec))
            if (soap_is(spec, "pnicSpec"))
                json_array_append_new(pnics, vsphere_text_json(soap_peek(soap_child(spec, "pnicDevice"))));
        json_array_append_new(
            hosts, json_pack("{s:o, s:o}", "Host", vsphere_ref(soap_child(config, "host")), "PNIC", pnics));
    }
    return hosts;
}

static void network_model(json_t *model, const Properties *properties)
{
    const char *type = properties->type;

    json_object_set_new(model, "vlanId", json_string(""));
    if (!strcmp(type, "DistributedVirtualPortgroup")) {
        g_autofree char *vlan = vlan_of(properties_node(properties, "config.defaultPortConfig"));
        json_object_set_new(model, "variant", json_string("DvPortGroup"));
        json_object_set_new(model, "dvSwitch", ref_of(properties, "config.distributedVirtualSwitch"));
        set_text(model, "key", properties, "key");
        json_object_set_new(model, "vlanId", json_string(vlan));
    } else if (strstr(type, "DistributedVirtualSwitch")) {
        json_object_set_new(model, "variant", json_string("DvSwitch"));
        json_object_set_new(model, "host", switch_members(properties_node(properties, "config.host")));
    } else if (!strcmp(type, "OpaqueNetwork")) {
        const xmlNode *summary = properties_node(properties, "summary");
        json_object_set_new(model, "variant", json_string("OpaqueNetwork"));
        json_object_set_new(model, "key",
                            vsphere_text_json(soap_peek(soap_child(summary, "opaqueNetworkId"))));
    } else
        json_object_set_new(model, "variant", json_string("Standard"));
    if (strstr(type, "DistributedVirtualSwitch") == NULL) {
        const xmlNode *tag = soap_first(properties_node(properties, "tag"));
        json_object_set_new(model, "tag", vsphere_text_json(soap_peek(soap_child(tag, "key"))));
    }
}

static json_t *backing_devices(const xmlNode *info)
{
    json_t *names = json_array();
    const xmlNode *vmfs = soap_child(info, "vmfs");

    for (xmlNode *extent = soap_first(vmfs); extent; extent = soap_next(extent))
        if (soap_is(extent, "extent"))
            json_array_append_new(names, vsphere_text_json(soap_peek(soap_child(extent, "diskName"))));
    return names;
}

static void nas_model(json_t *model, const xmlNode *nas)
{
    json_t *names = json_array();

    for (xmlNode *name = soap_first(nas); name; name = soap_next(name))
        if (soap_is(name, "remoteHostNames"))
            json_array_append_new(names, vsphere_text_json(soap_peek(name)));
    json_object_set_new(model, "nasRemoteHost", vsphere_text_json(soap_peek(soap_child(nas, "remoteHost"))));
    json_object_set_new(model, "nasRemotePath", vsphere_text_json(soap_peek(soap_child(nas, "remotePath"))));
    json_object_set_new(model, "nasRemoteHostNames", names);
}

/* What is not set counts as the product's default; values outside of what the product allows are brought
 * inside. */
static void iorm_model(json_t *model, const xmlNode *iorm)
{
    gint64 threshold = vsphere_int(soap_child(iorm, "congestionThreshold"));
    gint64 percent = vsphere_int(soap_child(iorm, "percentOfPeakThroughput"));
    const char *mode = soap_peek(soap_child(iorm, "congestionThresholdMode"));

    json_object_set_new(model, "iormEnabled", json_boolean(vsphere_bool(soap_child(iorm, "enabled"))));
    json_object_set_new(model, "iormCongestionThreshold",
                        json_integer(threshold < 5 ? 30 : MIN(threshold, 100)));
    json_object_set_new(model, "iormCongestionThresholdMode",
                        json_string(mode && *mode ? mode : "automatic"));
    json_object_set_new(model, "iormPercentOfPeakThroughput",
                        json_integer(percent < 50 ? 90 : MIN(percent, 100)));
}

static void datastore_model(json_t *model, const Properties *properties)
{
    const xmlNode *info = properties_node(properties, "info");
    const xmlNode *nas = soap_child(info, "nas");

    set_text(model, "type", properties, "summary.type");
    json_object_set_new(model, "capacity", json_integer(properties_int(properties, "summary.capacity")));
    json_object_set_new(model, "free", json_integer(properties_int(properties, "summary.freeSpace")));
    set_text(model, "maintenance", properties, "summary.maintenanceMode");
    json_object_set_new(model, "backingDevicesNames", backing_devices(info));
    if (nas)
        nas_model(model, nas);
    json_object_set_new(model, "storageIORMSupported",
                        json_boolean(properties_bool(properties, "capability.storageIORMSupported")));
    iorm_model(model, properties_node(properties, "iormConfiguration"));
}

static void host_model(json_t *model, const Properties *properties)
{
    vsphere_model_host(model, properties);
}

static void vm_model(json_t *model, const Properties *properties)
{
    vsphere_model_vm(model, properties);
}

json_t *vsphere_model(const Properties *properties)
{
    static const struct {
        const char *kind;
        void (*fill)(json_t *model, const Properties *properties);
    } rows[] = {
        {"Folder", folder_model},
        {"Datacenter", datacenter_model},
        {"Cluster", cluster_model},
        {"Host", host_model},
        {"VM", vm_model},
        {"Network", network_model},
        {"Datastore", datastore_model},
    };
    const char *kind = vsphere_kind(properties->type);

    if (!strcmp(properties->type, "OpaqueNetwork"))
        kind = "Network";
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(kind, rows[i].kind))
            continue;
        g_autofree char *id = vsphere_id(properties->type, properties->id);
        json_t *model = json_pack("{s:s, s:o, s:o}", "id", id, "parent", ref_of(properties, "parent"), "name",
                                  vsphere_name(properties_text(properties, "name")));
        rows[i].fill(model, properties);
        return model;
    }
    return NULL;
}
