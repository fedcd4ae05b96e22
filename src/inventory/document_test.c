/* document: models become rows, and rows the documents that clients know. */
#include "inventory/document.h"
#include <glib/gstdio.h>
#include <string.h>

static const char *const world[][2] = {
    {"Folder", "{'id':'group-d1','name':'Datacenters','parent':{'kind':'','id':''}}"},
    {"Datacenter", "{'id':'datacenter-1','name':'DC0','parent':{'kind':'Folder','id':'group-d1'}}"},
    {"Folder", "{'id':'group-v1','name':'vm','parent':{'kind':'Datacenter','id':'datacenter-1'}}"},
    {"Folder", "{'id':'group-v2','name':'web','parent':{'kind':'Folder','id':'group-v1'}}"},
    {"Folder", "{'id':'group-h1','name':'host','parent':{'kind':'Datacenter','id':'datacenter-1'}}"},
    {"Cluster", "{'id':'domain-c1','name':'C','parent':{'kind':'Folder','id':'group-h1'},'drsEnabled':true}"},
    {"Host",
     "{'id':'host-1','name':'h','parent':{'kind':'Cluster','id':'domain-c1'},'cluster':'domain-c1',"
     "'networking':{'pNICs':[{'key':'p1','linkSpeed':10000}],'vNICs':["
     "{'portGroup':'','dPortGroup':'dvportgroup-1','ipAddress':'10.0.0.2','subnetMask':'255.0.0.0','mtu':"
     "9000},"
     "{'portGroup':'Mgmt','dPortGroup':'','ipAddress':'10.0.0.1','subnetMask':'255.0.0.0','mtu':1500},"
     "{'portGroup':'','dPortGroup':'gone','ipAddress':'10.0.0.3','subnetMask':'255.0.0.0','mtu':1500}],"
     "'portGroups':[{'key':'g','name':'Mgmt','vSwitch':'s'}],'switches':[{'key':'s','pNICs':['p0','p1']}]}}"},
    {"Network",
     "{'id':'dvs-1','name':'Switch','variant':'DvSwitch','parent':{'kind':'Folder','id':'group-v1'},"
     "'host':[{'Host':{'kind':'Host','id':'host-1'},'PNIC':['p1']}]}"},
    {"Network",
     "{'id':'dvportgroup-1','name':'PG','variant':'DvPortGroup','parent':{'kind':'Folder','id':'group-v1'},"
     "'dvSwitch':{'kind':'Network','id':'dvs-1'}}"},
    {"VM", "{'id':'vm-1','name':'a "
           "\\u0022x\\u0022','parent':{'kind':'Folder','id':'group-v2'},'powerState':'poweredOn',"
           "'host':'host-1','disks':[],'networks':[],'isTemplate':false,'memoryMB':64}"},
    {"VM",
     "{'id':'vm-2','name':'lost','parent':{'kind':'Folder','id':'nowhere'},'host':'host-9','disks':[]}"},
    {"Folder", "{'id':'loop-1','name':'l1','parent':{'kind':'Folder','id':'loop-2'}}"},
    {"Folder", "{'id':'loop-2','name':'l2','parent':{'kind':'Folder','id':'loop-1'}}"},
};

typedef struct {
    char *folder, *path;
    Database *database;
    Snapshot *snapshot;
    DocumentView *view;
} Fixture;

static json_t *parse(const char *text)
{
    g_autofree char *json = g_strdup(text);
    json_error_t at;
    json_t *parsed;

    g_strdelimit(json, "'", '"');
    parsed = json_loads(json, 0, &at);
    if (!parsed)
        g_error("%s: %s", text, at.text);
    return parsed;
}

static void ignore(const Row *before, const Row *after, gpointer unused) {}

static void put_model(Fixture *f, const char *kind, const char *text)
{
    g_autoptr(json_t) model = parse(text);
    g_auto(DocumentTexts) texts = {0};
    Row row;

    g_assert_true(
        document_row(&provider_type_vsphere, kind, json_string_at(model, "id", ""), model, &texts, &row));
    g_assert_true(database_put(f->database, &row, ignore, NULL, NULL));
}

static void set_up(Fixture *f, gconstpointer unused)
{
    f->folder = g_dir_make_tmp("gantry-document-XXXXXX", NULL);
    f->path = g_build_filename(f->folder, "uid.db", NULL);
    f->database = database_open(f->path, NULL);
    database_begin(f->database, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(world); i++)
        put_model(f, world[i][0], world[i][1]);
    g_assert_true(database_commit(f->database, NULL));
    f->snapshot = database_snapshot(f->database, NULL);
    f->view = document_view_new(&provider_type_vsphere, "u1", f->snapshot);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    document_view_free(f->view);
    snapshot_free(f->snapshot);
    database_close(f->database);
    database_remove(f->path);
    g_rmdir(f->folder);
    g_free(f->folder);
    g_free(f->path);
}

typedef struct {
    DocumentView *view;
    guint detail;
    GString *text;
} Writing;

static gboolean write_row(const Row *row, gpointer user_data)
{
    Writing *writing = user_data;
    document_append(writing->text, writing->view, row, writing->detail);
    return FALSE;
}

static json_t *document_at(Fixture *f, const char *kind, const char *id, guint detail)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Writing writing = {f->view, detail, text};
    Query query = {.kind = kind, .id = id, .full = TRUE, .limit = 1};
    json_error_t at;
    json_t *parsed;

    snapshot_each(f->snapshot, &query, write_row, &writing, NULL);
    parsed = json_loads(text->str, JSON_REJECT_DUPLICATES, &at);
    if (!parsed)
        g_error("%s: %s", at.text, text->str);
    return parsed;
}

static void a_vm_has_three_levels(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *key;
        guint from;
    } rows[] = {
        {"id", 0},
        {"name", 0},
        {"parent", 0},
        {"path", 0},
        {"revision", 0},
        {"selfLink", 0},
        {"powerState", 1},
        {"isTemplate", 1},
        {"disks", 1},
        {"networks", 1},
        {"host", 1},
        {"concerns", 1},
        {"revisionValidated", 1},
        {"memoryMB", 2},
        {"policyVersion", 2},
    };
    for (guint detail = 0; detail <= 2; detail++) {
        g_autoptr(json_t) vm = document_at(f, "VM", "vm-1", detail);
        for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
            if ((json_object_get(vm, rows[i].key) != NULL) != (detail >= rows[i].from))
                g_error("%s at level %u", rows[i].key, detail);
    }
}

static void names_links_and_paths_are_whole(Fixture *f, gconstpointer unused)
{
    g_autoptr(json_t) vm = document_at(f, "VM", "vm-1", 0);

    g_assert_cmpstr(json_string_at(vm, "name", ""), ==, "a \"x\"");
    g_assert_cmpstr(json_string_at(vm, "path", ""), ==, "/DC0/vm/web/a \"x\"");
    g_assert_cmpstr(json_string_at(vm, "selfLink", ""), ==, "providers/vsphere/u1/vms/vm-1");
}

static void a_missing_or_circular_parent_gives_no_path(Fixture *f, gconstpointer unused)
{
    static const char *const rows[][2] = {{"VM", "vm-2"}, {"Folder", "loop-1"}, {"Folder", "group-d1"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(json_t) document = document_at(f, rows[i][0], rows[i][1], 0);
        g_assert_null(json_object_get(document, "path"));
    }
}

static void a_workload_holds_host_cluster_and_datacenter(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) workload = document_workload(f->view, "vm-1", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(json_string_at(workload, "selfLink", ""), ==, "providers/vsphere/u1/workloads/vm-1");
    g_assert_cmpstr(json_string_at(workload, "host.id", ""), ==, "host-1");
    g_assert_true(json_bool_at(workload, "host.cluster.drsEnabled", FALSE));
    g_assert_cmpstr(json_string_at(workload, "host.cluster.datacenter.path", ""), ==, "/DC0");
    g_assert_null(json_object_get(workload, "path"));
    g_assert_cmpuint(json_array_size(json_at(workload, "host.networkAdapters")), ==, 0);
}

static void a_workload_that_lacks_a_part_says_which(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) lost = NULL, unknown = NULL;

    g_assert_null(document_workload(f->view, "vm-2", &lost));
    g_assert_error(lost, GANTRY_ERROR, ERROR_INVENTORY_DATABASE);
    g_assert_nonnull(strstr(lost->message, "host-9"));
    g_assert_null(document_workload(f->view, "vm-3", &unknown));
    g_assert_error(unknown, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND);
}

static void network_adapters_have_the_speed_of_their_cards(Fixture *f, gconstpointer unused)
{
    g_autoptr(json_t) host = document_load(f->view, "Host", "host-1", TRUE, NULL);
    g_autofree char *text = json_text(json_object_get(host, "networkAdapters"));

    g_assert_cmpstr(
        text, ==,
        "[{\"ipAddress\":\"10.0.0.2\",\"linkSpeed\":10000,\"mtu\":9000,\"name\":\"Switch\","
        "\"subnetMask\":\"255.0.0.0\"},{\"ipAddress\":\"10.0.0.1\",\"linkSpeed\":10000,\"mtu\":1500,"
        "\"name\":\"Mgmt\",\"subnetMask\":\"255.0.0.0\"},{\"ipAddress\":\"10.0.0.3\",\"linkSpeed\":0,\"mtu\":1500,"
        "\"name\":\"\",\"subnetMask\":\"255.0.0.0\"}]");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *, gconstpointer);
    } tests[] = {
        {"a VM has three levels", a_vm_has_three_levels},
        {"names, links and paths are whole", names_links_and_paths_are_whole},
        {"a missing or circular parent gives no path", a_missing_or_circular_parent_gives_no_path},
        {"a workload holds host, cluster and datacenter", a_workload_holds_host_cluster_and_datacenter},
        {"a workload that lacks a part says which", a_workload_that_lacks_a_part_says_which},
        {"network adapters have the speed of their cards", network_adapters_have_the_speed_of_their_cards},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/inventory/document/", tests[i].name, NULL);
        g_test_add(path, Fixture, NULL, set_up, tests[i].run, tear_down);
    }
    return g_test_run();
}
