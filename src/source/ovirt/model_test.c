/* model, list: what an engine sends, in its strings, to the documents that clients and rules read. */
#include "source/ovirt/ovirt.h"
#include <string.h>

static json_t *parse(const char *text)
{
    g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
    g_autoptr(GError) error = NULL;
    json_t *json = json_parse(quoted, strlen(quoted), 1 << 20, "test", &error);

    g_assert_no_error(error);
    return json;
}

static json_t *model_of(const char *kind, const char *text)
{
    g_autoptr(json_t) object = parse(text);
    json_t *model = ovirt_model(ovirt_kind(kind), object);

    g_assert_nonnull(model);
    return model;
}

static void same_json(const json_t *value, const char *expected)
{
    g_autofree char *text = value ? json_text(value) : g_strdup("absent"), *quoted = g_strdup(expected);

    g_strdelimit(quoted, "'", '"');
    g_assert_cmpstr(text, ==, quoted);
}

/* ---- models -------------------------------------------------------------------------------------------- */

static void strings_become_numbers_and_booleans(void)
{
    static const struct {
        const char *kind, *object, *path, *value;
    } rows[] = {
        {"VM", "{'id':'v','memory':'1073741824'}", "memory", "1073741824"},
        {"VM", "{'id':'v','memory':1024}", "memory", "1024"},
        {"VM", "{'id':'v','memory':'much'}", "memory", "0"},
        {"VM", "{'id':'v','memory':'99999999999999999999'}", "memory", "0"},
        {"VM", "{'id':'v','usb':{'enabled':'true'}}", "usbEnabled", "true"},
        {"VM", "{'id':'v','usb':{'enabled':true}}", "usbEnabled", "true"},
        {"VM", "{'id':'v','usb':[]}", "usbEnabled", "false"},
        {"VM", "{'id':'v','cpu':{'topology':{'sockets':'2','cores':'4','threads':'1'}}}", "cpuCores", "4"},
        {"VM",
         "{'id':'v','guest_operating_system':{'distribution':'Red Hat','version':{'full_version':'8.6'}}}",
         "guestName", "'Red Hat 8.6'"},
        {"VM", "{'id':'v'}", "cpuPinningPolicy", "'none'"},
        {"VM", "{'id':'v','cpu_pinning_policy':'dedicated'}", "cpuPinningPolicy", "'dedicated'"},
        {"VM", "{'id':'v','cpu':{'cpu_tune':{'vcpu_pins':{'vcpu_pin':[{'cpu_set':'1','vcpu':'0'}]}}}}",
         "cpuAffinity", "[{'cpu':0,'set':1}]"},
        {"VM", "{'id':'v','cdroms':{'cdrom':[{'id':'c1'},{'id':'c2','file':{'id':'a.iso'}}]}}", "cdroms",
         "[{'id':'c1'},{'file':'a.iso','id':'c2'}]"},
        {"VM",
         "{'id':'v','nics':{'nic':[{'id':'n','interface':'virtio','plugged':'true','mac':{'address':'00:1A'},"
         "'vnic_profile':{'id':'p'},'reported_devices':{'reported_device':[{'ips':{'ip':[{'address':'192.0.2."
         "1',"
         "'version':'v4'}]}}]}}]}}",
         "nics",
         "[{'id':'n','interface':'virtio','ipAddress':[{'address':'192.0.2.1','version':'v4'}],'mac':'00:1A',"
         "'name':'',"
         "'plugged':true,'profile':'p'}]"},
        {"Host",
         "{'id':'h','nics':{'host_nic':[{'id':'n','name':'eth0','speed':'10000000000','mtu':'9000','ip':"
         "{'address':'192.0.2.7','netmask':'255.255.255.0'}}]}}",
         "nics",
         "[{'id':'n','ipAddress':'192.0.2.7','linkSpeed':10000000000,'mtu':9000,'name':'eth0','subnetMask':"
         "'255.255.255.0','vlan':''}]"},
        {"VM",
         "{'id':'v','disk_attachments':{'disk_attachment':[{'id':'d','interface':'ide','bootable':'true','"
         "disk':{'id':'d'}}]}}",
         "diskAttachments",
         "[{'bootable':true,'disk':'d','id':'d','interface':'ide','scsiReservation':false}]"},
        {"VM",
         "{'id':'v','numa_nodes':{'vm_numa_node':[{'index':'0','numa_node_pins':{'numa_node_pin':[{'index':'"
         "1'},"
         "{'index':'0'}]}},{'index':'1','numa_node_pins':{'numa_node_pin':[{'index':'1'}]}},{'index':'2'}]}}",
         "numaNodeAffinity", "['1','0']"},
        {"VM", "{'id':'v','custom_properties':{'custom_property':[{'name':'a','value':'b'}]}}", "properties",
         "[{'name':'a','value':'b'}]"},
        {"Disk", "{'id':'d','shareable':'true'}", "shared", "true"},
        {"Disk", "{'id':'d','sharable':'true'}", "shared", "true"},
        {"Disk", "{'id':'d','storage_domains':{'storage_domain':[{'id':'s1'},{'id':'s2'}]}}", "storageDomain",
         "'s1'"},
        {"Disk",
         "{'id':'d','lun_storage':{'logical_units':{'logical_unit':[{'id':'36','address':'192.0.2.9','port':'"
         "3260',"
         "'target':'iqn.x','lun_mapping':'1','size':'1024'}]}}}",
         "lunStorage",
         "{'LogicalUnits':{'logicalUnit':[{'address':'192.0.2.9','lunId':'36','lunMapping':1,'port':'3260','"
         "size':1024,"
         "'target':'iqn.x'}]}}"},
        {"StorageDomain", "{'id':'s','available':'100','used':'50'}", "capacity", "150"},
        {"StorageDomain", "{'id':'s','available':'100','used':'50'}", "free", "100"},
        {"StorageDomain", "{'id':'s','data_centers':{'data_center':[{'id':'c'}]}}", "dataCenter", "'c'"},
        {"NICProfile", "{'id':'p','pass_through':{'mode':'enabled'}}", "passThrough", "true"},
        {"Network", "{'id':'n','usages':{'usage':['vm','management']}}", "usages", "['vm','management']"},
        {"Network", "{'id':'n','vnic_profiles':{'vnic_profile':[{'id':'p1'},{'id':'p2'}]}}", "nicProfiles",
         "['p1','p2']"},
        {"Host", "{'id':'h','status':'maintenance'}", "inMaintenance", "true"},
        {"Cluster", "{'id':'c','version':{'major':'4','minor':'7'}}", "version", "{'major':'4','minor':'7'}"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) model = model_of(rows[i].kind, rows[i].object);
        same_json(json_at(model, rows[i].path), rows[i].value);
    }
}

static void keys_are_there_with_their_zero_values(void)
{
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"cpuAffinity", "[]"},
        {"numaNodeAffinity", "[]"},
        {"hostDevices", "[]"},
        {"watchDogs", "[]"},
        {"properties", "[]"},
        {"snapshots", "[]"},
        {"diskAttachments", "[]"},
        {"nics", "[]"},
        {"balloonedMemory", "false"},
        {"haEnabled", "false"},
        {"bootMenuEnabled", "false"},
        {"cpuShares", "0"},
        {"ioThreads", "0"},
        {"display", "''"},
        {"serialNumber", "''"},
        {"customCpuModel", "''"},
        {"leaseStorageDomain", "''"},
        {"hasIllegalImages", "false"},
        {"placementPolicyAffinity", "''"},
    };
    g_autoptr(json_t) model = model_of("VM", "{'id':'v','name':'web'}");

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        same_json(json_at(model, rows[i].key), rows[i].value);
    same_json(json_at(model, "description"), "absent");
}

static void an_object_without_an_id_is_none(void)
{
    g_autoptr(json_t) object = parse("{'name':'x'}");
    for (const OvirtKind *kind = ovirt_kinds; kind->kind; kind++)
        g_assert_null(ovirt_model(kind, object));
}

/* ---- lists --------------------------------------------------------------------------------------------- */

static gboolean add_id(const json_t *one, gpointer ids, GError **error)
{
    g_string_append_printf(ids, "%s ", ovirt_text(one, "id"));
    return TRUE;
}

static void a_list_is_walked_object_by_object(void)
{
    static const struct {
        const char *text, *ids; /* NULL: it is no list */
    } rows[] = {
        {"{'vm':[{'id':'a'},{'id':'b','x':[1,{'y':']}'}]}]}", "a b "},
        {" { 'size' : '2' , 'vm' : [ { 'id' : 'a' } ] , 'more' : { 'vm' : [ { 'id' : 'z' } ] } } ", "a "},
        {"{}", ""},
        {"{'vm':[]}", ""},
        {"{'disk':[{'id':'a'}]}", ""},
        {"{'vm':[{'id':'\\u00e4'}]}", "\xc3\xa4 "},
        {"", NULL},
        {"[]", NULL},
        {"{'vm':{'id':'a'}}", NULL},
        {"{'vm':[{'id':'a'}", NULL},
        {"{'vm':[{'id':'a'},]}", NULL},
        {"{'vm':[{'id':'a'}]", NULL},
        {"{'vm':[{'id':'a' 'b'}]}", NULL},
        {"{1:[]}", NULL},
        {"{'vm'", NULL},
        {"<html>", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdelimit(g_strdup(rows[i].text), "'", '"');
        g_autoptr(GString) ids = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        gboolean good = ovirt_list_each(text, strlen(text), "vm", add_id, ids, &error);

        g_assert_cmpint(good, ==, rows[i].ids != NULL);
        g_assert_cmpint(good, ==, error == NULL);
        if (good)
            g_assert_cmpstr(ids->str, ==, rows[i].ids);
        else
            g_assert_error(error, GANTRY_ERROR, ERROR_BAD_JSON);
    }
}

static void deep_nesting_is_refused(void)
{
    g_autoptr(GString) text = g_string_new("{\"vm\":[");
    g_autoptr(GString) ids = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 100000; i++)
        g_string_append_c(text, '[');
    g_assert_false(ovirt_list_each(text->str, text->len, "vm", add_id, ids, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_JSON);
}

/* ---- warm ---------------------------------------------------------------------------------------------- */

#define DISK(members) "'diskAttachments':[{'id':'d','disk':{'id':'d'," members "}}]"

static void each_disk_says_what_its_changes_are_known_by(void)
{
    static const struct {
        const char *workload;
        SourceTracking tracking;
    } rows[] = {
        {"{'cluster':{'version':{'major':'4','minor':'7'}}," DISK("'backup':'incremental'") "}",
         CHANGES_TRACKED},
        {"{" DISK("'backup':'incremental'") "}", CHANGES_TRACKED},
        {"{'cluster':{'version':{'major':'4','minor':'5'}}," DISK("'backup':'none'") "}", CHANGES_NOT_KEPT},
        {"{'cluster':{'version':{'major':'4','minor':'4'}}," DISK("'backup':'incremental'") "}",
         CHANGES_NOT_FROZEN},
        {"{'cluster':{'version':{'major':'4','minor':'7'}}," DISK("'shared':true") "}", CHANGES_NOT_FROZEN},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) workload = parse(rows[i].workload);
        const char *why;
        g_assert_cmpint(source_tracking("ovirt", workload, "d", &why), ==, rows[i].tracking);
        g_assert_true((why != NULL) == (rows[i].tracking == CHANGES_NOT_FROZEN));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func("/source/ovirt/model/" name, function)
    TEST("strings become numbers and booleans", strings_become_numbers_and_booleans);
    TEST("keys are there with their zero values", keys_are_there_with_their_zero_values);
    TEST("an object without an id is none", an_object_without_an_id_is_none);
    TEST("a list is walked object by object", a_list_is_walked_object_by_object);
    TEST("deep nesting is refused", deep_nesting_is_refused);
    g_test_add_func("/source/ovirt/warm/each disk says what its changes are known by",
                    each_disk_says_what_its_changes_are_known_by);
    return g_test_run();
}
