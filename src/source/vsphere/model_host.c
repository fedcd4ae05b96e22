/* model_host: the inventory's document of an ESXi host. Its networkAdapters are made by the inventory, which
 * knows the names of the distributed switches. */
#include "source/vsphere/vsphere.h"
#include <stdlib.h>
#include <string.h>

static void set_text(json_t *item, const char *key, const xmlNode *element)
{
    json_object_set_new(item, key, vsphere_text_json(soap_peek(element)));
}

/* Largest first; equals keep the host's order. */
static json_t *sorted_by(json_t *items, const char *key)
{
    json_t *sorted = json_array();
    json_t *item;
    size_t at;

    json_array_foreach(items, at, item)
    {
        size_t to = json_array_size(sorted);
        while (to > 0 && json_int_at(json_array_get(sorted, to - 1), key, 0) < json_int_at(item, key, 0))
            to--;
        json_array_insert(sorted, to, item);
    }
    json_decref(items);
    return sorted;
}

static json_t *physical_nics(const xmlNode *array)
{
    json_t *nics = json_array();

    for (xmlNode *nic = soap_first(array); nic; nic = soap_next(nic)) {
        json_t *item = json_object();
        set_text(item, "key", soap_child(nic, "key"));
        json_object_set_new(item, "linkSpeed",
                            json_integer(vsphere_int(soap_child(soap_child(nic, "linkSpeed"), "speedMb"))));
        json_array_append_new(nics, item);
    }
    return sorted_by(nics, "linkSpeed");
}

static json_t *ipv6_addresses(const xmlNode *ip)
{
    json_t *addresses = json_array();
    const xmlNode *config = soap_child(ip, "ipV6Config");

    for (xmlNode *address = soap_first(config); address; address = soap_next(address))
        if (soap_is(address, "ipV6Address"))
            json_array_append_new(addresses, vsphere_text_json(soap_peek(soap_child(address, "ipAddress"))));
    return addresses;
}

static json_t *virtual_nics(const xmlNode *array)
{
    json_t *nics = json_array();

    for (xmlNode *nic = soap_first(array); nic; nic = soap_next(nic)) {
        const xmlNode *spec = soap_child(nic, "spec"), *ip = soap_child(spec, "ip");
        json_t *item = json_object();
        set_text(item, "key", soap_child(nic, "key"));
        set_text(item, "device", soap_child(nic, "device"));
        set_text(item, "portGroup", soap_child(nic, "portgroup"));
        set_text(item, "dPortGroup", soap_child(soap_child(spec, "distributedVirtualPort"), "portgroupKey"));
        set_text(item, "ipAddress", soap_child(ip, "ipAddress"));
        set_text(item, "subnetMask", soap_child(ip, "subnetMask"));
        json_object_set_new(item, "ipV6Address", ipv6_addresses(ip));
        json_object_set_new(item, "mtu", json_integer(vsphere_int(soap_child(spec, "mtu"))));
        json_array_append_new(nics, item);
    }
    return sorted_by(nics, "mtu");
}

static json_t *port_groups(const xmlNode *array)
{
    json_t *groups = json_array();

    for (xmlNode *group = soap_first(array); group; group = soap_next(group)) {
        const xmlNode *spec = soap_child(group, "spec");
        json_t *item = json_object();
        set_text(item, "key", soap_child(group, "key"));
        set_text(item, "name", soap_child(spec, "name"));
        set_text(item, "vSwitch", soap_child(group, "vswitch"));
        json_object_set_new(item, "vlanId", json_integer(vsphere_int(soap_child(spec, "vlanId"))));
        json_array_append_new(groups, item);
    }
    return groups;
}

static json_t *texts_named(const xmlNode *element, const char *name)
{
    json_t *texts = json_array();
    for (xmlNode *child = soap_first(element); child; child = soap_next(child))
        if (soap_is(child, name))
            json_array_append_new(texts, vsphere_text_json(soap_peek(child)));
    return texts;
}

static json_t *virtual_switches(const xmlNode *array)
{
    json_t *switches = json_array();

    for (xmlNode *vswitch = soap_first(array); vswitch; vswitch = soap_next(vswitch)) {
        json_t *item = json_object();
        set_text(item, "key", soap_child(vswitch, "key"));
        set_text(item, "name", soap_child(vswitch, "name"));
        json_object_set_new(item, "portGroups", texts_named(vswitch, "portgroup"));
        json_object_set_new(item, "pNICs", texts_named(vswitch, "pnic"));
        json_array_append_new(switches, item);
    }
    return switches;
}

/* null when there is none, as clients expect. */
static json_t *scsi_disks(const xmlNode *luns)
{
    json_t *disks = json_array();

    for (xmlNode *lun = soap_first(luns); lun; lun = soap_next(lun)) {
        g_autofree char *type = soap_type(lun);
        json_t *item;
        if (g_strcmp0(type, "HostScsiDisk"))
            continue;
        item = json_object();
        set_text(item, "canonicalName", soap_child(lun, "canonicalName"));
        set_text(item, "vendor", soap_child(lun, "vendor"));
        set_text(item, "model", soap_child(lun, "model"));
        set_text(item, "key", soap_child(lun, "key"));
        json_array_append_new(disks, item);
    }
    if (json_array_size(disks))
        return disks;
    json_decref(disks);
    return json_null();
}

void vsphere_model_host(json_t *model, const Properties *properties)
{
    static const struct {
        const char *key, *path;
    } texts[] =
        {
            {"status", "overallStatus"},
            {"managementServerIp", "summary.managementServerIp"},
            {"thumbprint", "summary.config.sslThumbprint"},
            {"timezone", "config.dateTimeInfo.timeZone.name"},
            {"productName", "config.product.name"},
            {"productVersion", "config.product.version"},
            {"model", "hardware.systemInfo.model"},
            {"vendor", "hardware.systemInfo.vendor"},
        },
      integers[] =
          {
              {"cpuSockets", "summary.hardware.numCpuPkgs"},
              {"cpuCores", "summary.hardware.numCpuCores"},
              {"memoryBytes", "summary.hardware.memorySize"},
          },
      booleans[] = {
          {"inMaintenance", "summary.runtime.inMaintenanceMode"},
          {"vmotionSupported", "capability.vmotionSupported"},
          {"storageVmotionSupported", "capability.storageVMotionSupported"},
      };
    json_object_set_new(model, "cluster", json_string(json_string_at(model, "parent.id", "")));
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        json_object_set_new(model, texts[i].key, json_string(properties_text(properties, texts[i].path)));
    for (guint i = 0; i < G_N_ELEMENTS(integers); i++)
        json_object_set_new(model, integers[i].key,
                            json_integer(properties_int(properties, integers[i].path)));
    for (guint i = 0; i < G_N_ELEMENTS(booleans); i++)
        json_object_set_new(model, booleans[i].key,
                            json_boolean(properties_bool(properties, booleans[i].path)));
    json_object_set_new(
        model, "networking",
        json_pack("{s:o, s:o, s:o, s:o}", "pNICs",
                  physical_nics(properties_node(properties, "config.network.pnic")), "vNICs",
                  virtual_nics(properties_node(properties, "config.network.vnic")), "portGroups",
                  port_groups(properties_node(properties, "config.network.portgroup")), "switches",
                  virtual_switches(properties_node(properties, "config.network.vswitch"))));
    json_object_set_new(model, "networks", vsphere_refs(properties_node(properties, "network")));
    json_object_set_new(model, "datastores", vsphere_refs(properties_node(properties, "datastore")));
    json_object_set_new(model, "vms", json_null());
    json_object_set_new(model, "networkAdapters", json_array());
    json_object_set_new(model, "hostScsiDisks",
                        scsi_disks(properties_node(properties, "config.storageDevice.scsiLun")));
    json_object_set_new(model, "advancedOptions", json_null());
}
