/* properties: which properties of which objects the inventory asks vSphere for, and how it reads what comes.
 */
#include "source/vsphere/vsphere.h"
#include <stdio.h>
#include <string.h>

/* ---- reading ------------------------------------------------------------------------------------------- */

Properties *properties_new(void)
{
    Properties *properties = g_new0(Properties, 1);
    properties->values = g_hash_table_new(g_str_hash, g_str_equal);
    return properties;
}

void properties_free(Properties *properties)
{
    g_hash_table_unref(properties->values);
    g_free(properties);
}

static const char *plain_type(const xmlNode *reference)
{
    for (const xmlAttr *attribute = reference ? reference->properties : NULL; attribute;
         attribute = attribute->next)
        if (!strcmp((const char *)attribute->name, "type") && !attribute->ns)
            return soap_peek((const xmlNode *)attribute);
    return "";
}

/* A change is assigned, or removed with nothing in its place; the other operations need partial updates,
 * which we do not ask for. */
void properties_read(Properties *properties, const xmlNode *object)
{
    const xmlNode *reference = soap_child(object, "obj");

    g_hash_table_remove_all(properties->values);
    properties->type = plain_type(reference);
    properties->id = reference ? soap_peek(reference) : "";
    for (xmlNode *set = soap_first(object); set; set = soap_next(set)) {
        if (!soap_is(set, "propSet") && !soap_is(set, "changeSet"))
            continue;
        const char *name = soap_peek(soap_child(set, "name"));
        xmlNode *value = soap_child(set, "val");
        if (name && value)
            g_hash_table_replace(properties->values, (gpointer)name, value);
    }
}

xmlNode *properties_node(const Properties *properties, const char *path)
{
    return g_hash_table_lookup(properties->values, path);
}

const char *properties_text(const Properties *properties, const char *path)
{
    const char *text = soap_peek(properties_node(properties, path));
    return text ? text : "";
}

gint64 vsphere_int(const xmlNode *element)
{
    const char *text = soap_peek(element);
    return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

gboolean vsphere_bool(const xmlNode *element)
{
    const char *text = soap_peek(element);
    return text && (!strcmp(text, "true") || !strcmp(text, "1"));
}

gint64 properties_int(const Properties *properties, const char *path)
{
    return vsphere_int(properties_node(properties, path));
}

gboolean properties_bool(const Properties *properties, const char *path)
{
    return vsphere_bool(properties_node(properties, path));
}

/* ---- asking -------------------------------------------------------------------------------------------- */

typedef struct {
    const char *type;
    const char *const *paths;
} PropertySet;

static const char *const folder[] = {"name", "parent", "childEntity", NULL};
static const char *const datacenter[] = {"name",          "parent",          "vmFolder", "hostFolder",
                                         "networkFolder", "datastoreFolder", NULL};
static const char *const compute_resource[] = {"name", "parent", "host", "network", "datastore", NULL};
/* configurationEx whole: its parts are of a subclass, which a path cannot name. */
static const char *const cluster[] = {"configurationEx", NULL};
static const char *const host[] = {
    "name",
    "parent",
    "overallStatus",
    "config.product.name",
    "config.product.version",
    "summary.config.sslThumbprint",
    "config.dateTimeInfo.timeZone.name",
    "summary.managementServerIp",
    "summary.runtime.inMaintenanceMode",
    "summary.hardware.numCpuPkgs",
    "summary.hardware.numCpuCores",
    "summary.hardware.memorySize",
    "datastore",
    "network",
    "config.network.vswitch",
    "config.network.portgroup",
    "config.network.pnic",
    "config.network.vnic",
    "config.storageDevice.scsiLun",
    "config.storageDevice.hostBusAdapter",
    "config.storageDevice.scsiTopology.adapter",
    "configManager.advancedOption",
    "hardware.systemInfo.model",
    "hardware.systemInfo.vendor",
    "capability.vmotionSupported",
    "capability.storageVMotionSupported",
    NULL,
};
static const char *const network[] = {"name", "parent", "tag", NULL};
static const char *const opaque_network[] = {"summary", NULL};
static const char *const port_group[] = {"config.distributedVirtualSwitch", "config.defaultPortConfig", "key",
                                         NULL};
static const char *const virtual_switch[] = {"name", "parent", "config.host", NULL};
static const char *const datastore[] = {
    "name",
    "parent",
    "summary.type",
    "summary.capacity",
    "summary.freeSpace",
    "summary.maintenanceMode",
    "host",
    "info",
    "capability.storageIORMSupported",
    "iormConfiguration",
    NULL,
};
/* config.changeVersion and runtime.bootTime say when the VM may have written (disk.c); config.changeVersion
 * also moves with every reconfiguration, so that no change of a property that the peer forgets to announce is
 * missed. */
static const char *const virtual_machine[] = {
    "name",
    "parent",
    "parentVApp",
    "config.uuid",
    "config.instanceUuid",
    "config.changeVersion",
    "config.firmware",
    "config.ftInfo",
    "config.cpuAffinity",
    "config.cpuHotAddEnabled",
    "config.cpuHotRemoveEnabled",
    "config.memoryHotAddEnabled",
    "config.template",
    "config.changeTrackingEnabled",
    "config.extraConfig",
    "config.bootOptions",
    "config.nestedHVEnabled",
    "config.hardware.numCPU",
    "config.hardware.numCoresPerSocket",
    "config.hardware.memoryMB",
    "config.hardware.device",
    "summary.config.guestFullName",
    "summary.config.guestId",
    "summary.guest.guestId",
    "summary.guest.ipAddress",
    "summary.quickStats.balloonedMemory",
    "summary.storage.committed",
    "datastore",
    "network",
    "runtime.host",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.bootTime",
    "summary.runtime.bootTime",
    "runtime.consolidationNeeded",
    "snapshot",
    "guest.guestFullName",
    "guest.net",
    "guest.disk",
    "guest.ipStack",
    "guest.hostName",
    "guest.toolsStatus",
    "guest.toolsRunningStatus",
    "guest.toolsVersionStatus2",
    "availableField",
    "customValue",
    NULL,
};
static const char *const virtual_machine_since_6_7[] = {"summary.config.tpmPresent", NULL};

static const PropertySet property_sets[] = {
    {"Folder", folder},
    {"Datacenter", datacenter},
    {"ComputeResource", compute_resource},
    {"ClusterComputeResource", cluster},
    {"HostSystem", host},
    {"Network", network},
    {"OpaqueNetwork", opaque_network},
    {"DistributedVirtualPortgroup", port_group},
    {"DistributedVirtualSwitch", virtual_switch},
    {"Datastore", datastore},
    {"VirtualMachine", virtual_machine},
};

static gboolean has_tpm_property(const VsphereContent *content)
{
    guint major = 0, minor = 0;
    return sscanf(content->api_version, "%u.%u", &major, &minor) == 2 &&
           (major > 6 || (major == 6 && minor >= 7));
}

static void add_paths(GString *call, const char *const *paths)
{
    for (; *paths; paths++)
        soap_add(call, "pathSet", *paths);
}

void vsphere_add_property_sets(GString *call, const VsphereContent *content)
{
    for (guint i = 0; i < G_N_ELEMENTS(property_sets); i++) {
        soap_open(call, "propSet");
        soap_add(call, "type", property_sets[i].type);
        soap_add(call, "all", "false");
        add_paths(call, property_sets[i].paths);
        if (property_sets[i].paths == virtual_machine && has_tpm_property(content))
            add_paths(call, virtual_machine_since_6_7);
        soap_close(call, "propSet");
    }
}

/* The root folder, and all that a view of everything below it holds. */
void vsphere_add_collector_spec(GString *call, const VsphereContent *content, const char *view)
{
    vsphere_add_property_sets(call, content);
    soap_open(call, "objectSet");
    soap_add_ref(call, "obj", "Folder", content->root_folder);
    soap_add(call, "skip", "false");
    soap_close(call, "objectSet");
    soap_open(call, "objectSet");
    soap_add_ref(call, "obj", "ContainerView", view);
    soap_add(call, "skip", "true");
    soap_open_typed(call, "selectSet", "TraversalSpec");
    soap_add(call, "name", "view");
    soap_add(call, "type", "ContainerView");
    soap_add(call, "path", "view");
    soap_add(call, "skip", "false");
    soap_close(call, "selectSet");
    soap_close(call, "objectSet");
}
