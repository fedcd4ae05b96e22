/* model: property sets as vSphere sends them to the documents that clients and rules read. */
#include "source/vsphere/vsphere.h"
#include <string.h>

#define OBJECT(type, id, properties)                                                                         \
    "<objectSet xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns='urn:vim25'><kind>enter</kind>"  \
    "<obj type='" type "'>" id "</obj>" properties "</objectSet>"
#define P(name, value)      "<changeSet><name>" name "</name><op>assign</op>" value "</changeSet>"
#define REF(type, id)       "<val type='" type "' xsi:type='ManagedObjectReference'>" id "</val>"
#define DEVICE(type, inner) "<VirtualDevice xsi:type='" type "'>" inner "</VirtualDevice>"

static gboolean model_of(xmlNode *element, gpointer user_data, GError **error)
{
    g_autoptr(Properties) properties = properties_new();

    properties_read(properties, element);
    *(json_t **)user_data = vsphere_model(properties);
    return FALSE;
}

static json_t *read_model(const char *text)
{
    static const char *const names[] = {"objectSet", NULL};
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
    g_autoptr(GError) error = NULL;
    json_t *model = NULL;

    soap_read(bytes, names, model_of, &model, &error);
    g_assert_no_error(error);
    return model;
}

static void same_json(const json_t *value, const char *expected)
{
    g_autofree char *text = value ? json_text(value) : g_strdup("absent"), *quoted = g_strdup(expected);

    g_strdelimit(quoted, "'", '"');
    g_assert_cmpstr(text, ==, quoted);
}

static void keys_are_there_with_their_zero_values(void)
{
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"changeTrackingEnabled", "false"},
        {"cpuAffinity", "[]"},
        {"numaNodeAffinity", "[]"},
        {"devices", "[]"},
        {"disks", "[]"},
        {"nics", "[]"},
        {"faultToleranceEnabled", "false"},
        {"ipAddress", "''"},
        {"balloonedMemory", "0"},
        {"guestNetworks", "[]"},
        {"guestDisks", "[]"},
        {"guestApps", "[]"},
        {"snapshot", "{'id':'','kind':''}"},
        {"tpmEnabled", "false"},
        {"hostName", "''"},
        {"storageUsed", "0"},
        {"networks", "[]"},
        {"isTemplate", "false"},
        {"tags", "[]"},
        {"parent", "{'id':'','kind':''}"},
        {"host", "''"},
        {"firmware", "''"},
    };
    /* An unset property comes without a value, or not at all. */
    g_autoptr(json_t) vm =
        read_model(OBJECT("VirtualMachine", "vm-1", P("name", "<val>a</val>") P("guest.net", "")));

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        same_json(json_object_get(vm, rows[i].key), rows[i].value);
}

#define DISK_DEVICES                                                                                         \
    "<val xsi:type='ArrayOfVirtualDevice'>" DEVICE("ParaVirtualSCSIController", "<key>1000</key>")           \
        DEVICE("VirtualAHCIController", "<key>15000</key>") DEVICE(                                          \
            "VirtualDisk",                                                                                   \
            "<key>2000</key><backing xsi:type='VirtualDiskFlatVer2BackingInfo'><fileName>[ds] "              \
            "a/a.vmdk</fileName>"                                                                            \
            "<datastore type='Datastore'>datastore-1</datastore><diskMode>independent_persistent</diskMode>" \
            "<uuid>6000C29d</uuid><sharing>sharingMultiWriter</sharing></backing>"                           \
            "<controllerKey>1000</controllerKey><unitNumber>1</unitNumber><capacityInKB>2</capacityInKB>")   \
            DEVICE(                                                                                          \
                "VirtualDisk",                                                                               \
                "<key>2001</key><backing xsi:type='VirtualDiskRawDiskMappingVer1BackingInfo'>"               \
                "<fileName>[ds] a/rdm.vmdk</fileName><lunUuid>0200</lunUuid><deviceName>vml.02</deviceName>" \
                "<compatibilityMode>physicalMode</compatibilityMode></backing><controllerKey>15000</"        \
                "controllerKey>"                                                                             \
                "<unitNumber>0</unitNumber><capacityInBytes>4096</capacityInBytes>")                         \
                DEVICE("VirtualDisk",                                                                        \
                       "<key>2002</key><backing xsi:type='VirtualDiskSeSparseBackingInfo'>"                  \
                       "<fileName>[ds] a/a_2-000001.vmdk</fileName><parent><fileName>[ds] "                  \
                       "a/a_2.vmdk</fileName>"                                                               \
                       "</parent></backing><controllerKey>1000</controllerKey><unitNumber>2</unitNumber>"    \
                       "<capacityInBytes>512</capacityInBytes>") "</val>"
#define EXTRA_CONFIG                                                                                         \
    "<val "                                                                                                  \
    "xsi:type='ArrayOfOptionValue'><OptionValue><key>SCSI0:1.ctkEnabled</key><value>TRUE</value></"          \
    "OptionValue>"                                                                                           \
    "<OptionValue><key>numa.nodeAffinity</key><value>0, 1</value></OptionValue>"                             \
    "<OptionValue><key>disk.EnableUUID</key><value>true</value></OptionValue></val>"

static void disks_of_every_backing_are_listed(void)
{
    static const struct {
        const char *path, *value;
    } rows[] = {
        {"bus", "'scsi'"},
        {"capacity", "2048"},
        {"changeTrackingEnabled", "true"},
        {"shared", "true"},
        {"rdm", "false"},
        {"serial", "'6000C29d'"},
        {"mode", "'independent_persistent'"},
        {"file", "'[ds] a/a.vmdk'"},
        {"datastore", "{'id':'datastore-1','kind':'Datastore'}"},
    };
    g_autoptr(json_t) vm =
        read_model(OBJECT("VirtualMachine", "vm-1",
                          P("config.hardware.device", DISK_DEVICES) P("config.extraConfig", EXTRA_CONFIG)));
    json_t *disks = json_object_get(vm, "disks");

    g_assert_cmpuint(json_array_size(disks), ==, 3);
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        same_json(json_object_get(json_array_get(disks, 0), rows[i].path), rows[i].value);
    same_json(json_object_get(json_array_get(disks, 1), "rdm"), "true");
    same_json(json_object_get(json_array_get(disks, 1), "physicalMode"), "true");
    same_json(json_object_get(json_array_get(disks, 1), "shared"), "false"); /* absent: not shared */
    same_json(json_object_get(json_array_get(disks, 1), "bus"), "'sata'");
    same_json(json_object_get(json_array_get(disks, 2), "parent"), "'[ds] a/a_2.vmdk'");
    same_json(json_object_get(vm, "numaNodeAffinity"), "['0','1']");
    same_json(json_object_get(vm, "diskEnableUuid"), "true");
}

#define CARD(key, mac, backing)                                                                              \
    "<key>" key "</key><backing>" backing "</backing><macAddress>" mac "</macAddress>"
#define CARDS                                                                                                \
    "<val xsi:type='ArrayOfVirtualDevice'>" DEVICE(                                                          \
        "VirtualVmxnet3", CARD("4000", "00:50:56:AA:00:01", "<network type='Network'>network-7</network>"))  \
        DEVICE("VirtualE1000e", CARD("4001", "00:50:56:aa:00:02",                                            \
                                     "<port><portgroupKey>dvportgroup-12</portgroupKey></port>"))            \
            DEVICE("VirtualVmxnet3",                                                                         \
                   CARD("4002", "00:50:56:aa:00:03", "<opaqueNetworkId>nsx-1</opaqueNetworkId>"))            \
                DEVICE("VirtualSriovEthernetCard", CARD("4003", "00:50:56:aa:00:04", ""))                    \
                    DEVICE("VirtualPCIPassthrough", "<key>13000</key>")                                      \
                        DEVICE("VirtualUSBController", "<key>7000</key>")                                    \
                            DEVICE("VirtualUSBXHCIController", "<key>7001</key>") "</val>"

static void cards_name_their_networks_and_devices_their_kinds(void)
{
    g_autoptr(json_t) vm = read_model(OBJECT("VirtualMachine", "vm-1", P("config.hardware.device", CARDS)));
    json_t *nics = json_object_get(vm, "nics"), *device;
    g_autoptr(GString) kinds = g_string_new(NULL);
    size_t at;

    g_assert_cmpuint(json_array_size(nics), ==, 3);
    g_assert_cmpstr(json_string_at(json_array_get(nics, 0), "mac", ""), ==, "00:50:56:aa:00:01");
    g_assert_cmpstr(json_string_at(json_array_get(nics, 0), "network.id", ""), ==, "network-7");
    g_assert_cmpstr(json_string_at(json_array_get(nics, 1), "network.id", ""), ==, "dvportgroup-12");
    g_assert_cmpstr(json_string_at(json_array_get(nics, 2), "network.id", ""), ==, "nsx-1");
    json_array_foreach(json_object_get(vm, "devices"), at, device)
    {
        g_string_append_printf(kinds, "%s ", json_string_at(device, "kind", ""));
    }
    g_assert_cmpstr(
        kinds->str, ==,
        "VirtualVmxnet3 VirtualE1000e VirtualVmxnet3 VirtualSriovEthernetCard VirtualPCIPassthrough "
        "VirtualUSBController ");
}

#define OPTION(key, value) "<OptionValue><key>" key "</key><value>" value "</value></OptionValue>"
#define SLOT(number)       "<slotInfo><pciSlotNumber>" number "</pciSlotNumber></slotInfo>"
#define GUEST_NIC(mac)                                                                                       \
    "<GuestNicInfo><macAddress>" mac "</macAddress><ipConfig><ipAddress><ipAddress>192.0.2.1</ipAddress>"    \
    "<prefixLength>24</prefixLength></ipAddress></ipConfig></GuestNicInfo>"

static void cards_stand_in_the_guests_order(void)
{
    g_autoptr(json_t) vm = read_model(
        OBJECT("VirtualMachine", "vm-1",
               P("config.hardware.device", CARDS)
                   P("guest.net", "<val xsi:type='ArrayOfGuestNicInfo'>" GUEST_NIC("00:50:56:AA:00:03")
                                      GUEST_NIC("00:50:56:aa:00:02") "</val>")));
    static const struct {
        const char *mac, *order;
    } rows[] = {{"'00:50:56:aa:00:03'", "2"}, {"'00:50:56:aa:00:02'", "1"}, {"'00:50:56:aa:00:01'", "0"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const json_t *nic = json_array_get(json_object_get(vm, "nics"), i);
        same_json(json_object_get(nic, "mac"), rows[i].mac);
        same_json(json_object_get(nic, "order"), rows[i].order);
    }
}

static void a_cards_place_on_the_guests_bus_is_worked_out_from_its_slot(void)
{
    static const struct {
        const char *slot, *address;
    } rows[] = {
        {"0", ""},
        {"-1", ""},
        {"17", "0000:00:11.0"},   /* on the root bus */
        {"32", "0000:02:00.0"},   /* behind bridge 0, which has one bus */
        {"160", "0000:03:00.0"},  /* behind bridge 4, which has eight */
        {"2208", "0000:05:00.0"}, /* its third function */
        {"192", "0000:0b:00.0"},  /* behind bridge 5 */
        {"320", ""},              /* behind one that there is not */
        {"99999999999", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(
            OBJECT("VirtualMachine", "vm-1",
                   P("config.hardware.device",
                     "<val xsi:type='ArrayOfVirtualDevice'>" DEVICE(
                         "VirtualVmxnet3", SLOT("%s") "<macAddress>00:50:56:aa:00:01</macAddress>") "</val>")
                       P("config.extraConfig",
                         "<val xsi:type='ArrayOfOptionValue'>" OPTION("pciBridge0.pciSlotNumber", "17")
                             OPTION("pciBridge5.pciSlotNumber", "22") OPTION("pciBridge5.functions", "8")
                                 OPTION("pciBridge4.functions", "8") OPTION("pciBridge4.pciSlotNumber", "21")
                                     OPTION("pciBridge77.pciSlotNumber", "3")
                                         OPTION("pciBridge.pciSlotNumber", "3") "</val>")),
            rows[i].slot);
        g_autoptr(json_t) vm = read_model(text);
        g_assert_cmpstr(json_string_at(json_array_get(json_object_get(vm, "nics"), 0), "pciAddress", "none"),
                        ==, rows[i].address);
    }
}

static void what_runs_in_the_guest_is_listed(void)
{
    static const struct {
        const char *said, *apps;
    } rows[] = {
        {"{\"version\":\"1\",\"applications\":[{\"a\":\"sshd\",\"v\":\"9.2\"},{\"a\":\"cron\"},{\"v\":\"1\"},"
         "7]}",
         "[{'name':'sshd','version':'9.2'},{'name':'cron','version':''}]"},
        {"{\"applications\":{\"a\":\"x\"}}", "[]"},
        {"{\"applications\":[{\"a\":", "[]"},
        {"", "[]"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(
            OBJECT("VirtualMachine", "vm-1",
                   P("config.extraConfig",
                     "<val xsi:type='ArrayOfOptionValue'>" OPTION("guestinfo.appInfo", "%s") "</val>")),
            rows[i].said);
        g_autoptr(json_t) vm = read_model(text);
        same_json(json_object_get(vm, "guestApps"), rows[i].apps);
    }
}

static void a_clusters_settings_are_read_from_its_whole_configuration(void)
{
    g_autoptr(json_t) cluster = read_model(OBJECT(
        "ClusterComputeResource", "domain-c8",
        P("name", "<val>c</val>") P("parent", REF("Folder", "group-h1"))
            P("configurationEx",
              "<val xsi:type='ClusterConfigInfoEx'><dasConfig><enabled>true</enabled></dasConfig>"
              "<dasVmConfig><key type='VirtualMachine'>vm-1</key></dasVmConfig>"
              "<drsConfig><enabled>true</enabled><defaultVmBehavior>fullyAutomated</defaultVmBehavior></"
              "drsConfig>"
              "<drsVmConfig><key type='VirtualMachine'>vm-2</key></drsVmConfig>"
              "<rule "
              "xsi:type='ClusterVmHostRuleInfo'><enabled>true</enabled><vmGroupName>g</vmGroupName></rule>"
              "<group xsi:type='ClusterVmGroup'><name>g</name><vm type='VirtualMachine'>vm-3</vm></group>"
              "<group xsi:type='ClusterVmGroup'><name>free</name><vm type='VirtualMachine'>vm-4</vm></group>"
              "<dpmConfigInfo><enabled>true</enabled></dpmConfigInfo></val>")));

    same_json(json_object_get(cluster, "dasEnabled"), "true");
    same_json(json_object_get(cluster, "drsEnabled"), "true");
    same_json(json_object_get(cluster, "dpmEnabled"), "true");
    same_json(json_object_get(cluster, "drsBehavior"), "'fullyAutomated'");
    same_json(json_object_get(cluster, "dasVms"), "[{'id':'vm-1','kind':'VM'}]");
    same_json(json_object_get(cluster, "drsVms"), "[{'id':'vm-2','kind':'VM'}]");
    same_json(json_object_get(cluster, "hostAffinityVms"), "[{'id':'vm-3','kind':'VM'}]");
    g_assert_null(json_object_get(cluster, "variant"));
}

static void networks_have_their_variants(void)
{
    static const struct {
        const char *xml, *variant, *vlan;
    } rows[] = {
        {OBJECT("Network", "network-1", P("name", "<val>VM%2fNetwork</val>")), "Standard", ""},
        {OBJECT("DistributedVirtualPortgroup", "dvportgroup-1",
                P("config.defaultPortConfig",
                  "<val><vlan "
                  "xsi:type='VmwareDistributedVirtualSwitchVlanIdSpec'><vlanId>42</vlanId></vlan></val>")),
         "DvPortGroup", "42"},
        {OBJECT(
             "DistributedVirtualPortgroup", "dvportgroup-2",
             P("config.defaultPortConfig",
               "<val><vlan "
               "xsi:type='VmwareDistributedVirtualSwitchTrunkVlanSpec'><vlanId><start>1</start><end>9</end>"
               "</vlanId><vlanId><start>20</start><end>29</end></vlanId></vlan></val>")),
         "DvPortGroup", "1-9,20-29"},
        {OBJECT("VmwareDistributedVirtualSwitch", "dvs-1", ""), "DvSwitch", ""},
        {OBJECT("DistributedVirtualSwitch", "dvs-2", ""), "DvSwitch", ""},
        {OBJECT("OpaqueNetwork", "network-o1",
                P("summary", "<val><opaqueNetworkId>nsx-1</opaqueNetworkId></val>")),
         "OpaqueNetwork", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) network = read_model(rows[i].xml);
        g_assert_cmpstr(json_string_at(network, "variant", ""), ==, rows[i].variant);
        g_assert_cmpstr(json_string_at(network, "vlanId", ""), ==, rows[i].vlan);
    }
    g_autoptr(json_t) decoded = read_model(rows[0].xml);
    g_assert_cmpstr(json_string_at(decoded, "name", ""), ==, "VM/Network");
}

static void a_datastore_with_an_odd_id_has_one_name_everywhere(void)
{
    g_autoptr(json_t) datastore =
        read_model(OBJECT("Datastore", "10.0.0.1:/vol/nfs", P("name", "<val>nfs</val>")));
    g_autoptr(json_t) vm = read_model(OBJECT(
        "VirtualMachine", "1",
        P("config.hardware.device",
          "<val>" DEVICE("VirtualDisk",
                         "<key>2000</key><backing><fileName>[nfs] a.vmdk</fileName>"
                         "<datastore type='Datastore'>10.0.0.1:/vol/nfs</datastore></backing>") "</val>")));

    g_assert_cmpuint(strlen(json_string_at(datastore, "id", "")), ==, 32);
    g_assert_cmpstr(json_string_at(json_array_get(json_object_get(vm, "disks"), 0), "datastore.id", ""), ==,
                    json_string_at(datastore, "id", ""));
}

static void storage_settings_stay_within_bounds(void)
{
    static const struct {
        const char *iorm;
        int threshold, percent;
    } rows[] = {
        {"", 30, 90},
        {"<congestionThreshold>3</congestionThreshold><percentOfPeakThroughput>10</percentOfPeakThroughput>",
         30, 90},
        {"<congestionThreshold>700</congestionThreshold><percentOfPeakThroughput>700</"
         "percentOfPeakThroughput>",
         100, 100},
        {"<congestionThreshold>20</congestionThreshold><percentOfPeakThroughput>60</percentOfPeakThroughput>",
         20, 60},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *xml =
            g_strdup_printf(OBJECT("Datastore", "d", P("iormConfiguration", "<val>%s</val>")), rows[i].iorm);
        g_autoptr(json_t) datastore = read_model(xml);
        g_assert_cmpint(json_int_at(datastore, "iormCongestionThreshold", 0), ==, rows[i].threshold);
        g_assert_cmpint(json_int_at(datastore, "iormPercentOfPeakThroughput", 0), ==, rows[i].percent);
    }
}

static void a_hosts_cards_are_sorted_by_speed(void)
{
    g_autoptr(json_t) host = read_model(OBJECT(
        "HostSystem", "host-1",
        P("parent", REF("ClusterComputeResource", "domain-c8"))
            P("config.network.pnic",
              "<val><PhysicalNic><key>a</key><linkSpeed><speedMb>1000</speedMb></linkSpeed></PhysicalNic>"
              "<PhysicalNic><key>b</key><linkSpeed><speedMb>10000</speedMb></linkSpeed></PhysicalNic>"
              "<PhysicalNic><key>c</key></PhysicalNic></val>")));

    same_json(json_at(host, "networking.pNICs"),
              "[{'key':'b','linkSpeed':10000},{'key':'a','linkSpeed':1000},{'key':'c','linkSpeed':0}]");
    g_assert_cmpstr(json_string_at(host, "cluster", ""), ==, "domain-c8");
    same_json(json_object_get(host, "vms"), "null");
    same_json(json_object_get(host, "hostScsiDisks"), "null");
}

static void objects_that_nobody_shows_have_no_document(void)
{
    g_autoptr(json_t) pool = read_model(OBJECT("ResourcePool", "resgroup-1", P("name", "<val>r</val>")));
    g_assert_null(pool);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/source/vsphere/model/" name, function)
    TEST("keys are there with their zero values", keys_are_there_with_their_zero_values);
    TEST("disks of every backing are listed", disks_of_every_backing_are_listed);
    TEST("cards name their networks and devices their kinds",
         cards_name_their_networks_and_devices_their_kinds);
    TEST("cards stand in the guest's order", cards_stand_in_the_guests_order);
    TEST("a card's place on the guest's bus is worked out from its slot",
         a_cards_place_on_the_guests_bus_is_worked_out_from_its_slot);
    TEST("what runs in the guest is listed", what_runs_in_the_guest_is_listed);
    TEST("a cluster's settings are read from its whole configuration",
         a_clusters_settings_are_read_from_its_whole_configuration);
    TEST("networks have their variants", networks_have_their_variants);
    TEST("a datastore with an odd id has one name everywhere",
         a_datastore_with_an_odd_id_has_one_name_everywhere);
    TEST("storage settings stay within bounds", storage_settings_stay_within_bounds);
    TEST("a host's cards are sorted by speed", a_hosts_cards_are_sorted_by_speed);
    TEST("objects that nobody shows have no document", objects_that_nobody_shows_have_no_document);
    return g_test_run();
}
