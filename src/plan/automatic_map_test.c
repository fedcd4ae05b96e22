/* automatic_map: what is proposed for VMs whose maps nobody wrote. */
#include "plan/automatic_map.h"

typedef struct {
    GPtrArray *vms;
    GHashTable *names;
} Fixture;

static void add_vm(Fixture *f, const char *networks, const char *storage)
{
    g_auto(GStrv) nets = g_strsplit(networks, " ", -1), disks = g_strsplit(storage, " ", -1);
    Vm *vm = vm_new();

    for (int i = 0; nets[i] && *nets[i]; i++)
        vm_add_nic(vm)->network_id = g_strdup(nets[i]);
    for (int i = 0; disks[i] && *disks[i]; i++)
        vm_add_disk(vm)->storage_id = g_strdup(disks[i]);
    g_ptr_array_add(f->vms, vm);
}

static void set_up(Fixture *f, gconstpointer data)
{
    f->vms = g_ptr_array_new_with_free_func((GDestroyNotify)vm_free);
    f->names = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(f->names, "n1", "VM Network");
    g_hash_table_insert(f->names, "n2", "Storage Network");
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_ptr_array_unref(f->vms);
    g_hash_table_unref(f->names);
}

static void check(json_t *pairs, const char *wanted)
{
    g_autofree char *text = json_text(pairs);
    g_assert_cmpstr(text, ==, wanted);
    json_decref(pairs);
}

static void most_used_goes_to_pod(Fixture *f, gconstpointer data)
{
    add_vm(f, "n2 n1", "");
    add_vm(f, "n1", "");
    check(automatic_network_pairs(f->vms, f->names, NULL),
          "[{\"destination\":{\"type\":\"ignored\"},\"source\":{\"id\":\"n2\",\"name\":\"Storage Network\"}},"
          "{\"destination\":{\"type\":\"pod\"},\"source\":{\"id\":\"n1\",\"name\":\"VM Network\"}}]");
}

static void attachments_of_the_name_are_taken(Fixture *f, gconstpointer data)
{
    g_autoptr(json_t) attachments =
        json_loads("[{\"metadata\":{\"name\":\"storage-network\",\"namespace\":\"web\"}}]", 0, NULL);

    add_vm(f, "n2 n2 n3", "");
    check(automatic_network_pairs(f->vms, f->names, attachments),
          "[{\"destination\":{\"name\":\"storage-network\",\"namespace\":\"web\",\"type\":\"multus\"},"
          "\"source\":{\"id\":\"n2\",\"name\":\"Storage "
          "Network\"}},{\"destination\":{\"type\":\"pod\"},\"source\":{\"id\":\"n3\"}}]");
}

static void each_storage_once(Fixture *f, gconstpointer data)
{
    add_vm(f, "", "d1 d2");
    add_vm(f, "", "d1");
    check(automatic_storage_pairs(f->vms, f->names, "fast"),
          "[{\"destination\":{\"storageClass\":\"fast\"},\"source\":{\"id\":\"d1\"}},{\"destination\":{"
          "\"storageClass\":\"fast\"},\"source\":{\"id\":"
          "\"d2\"}}]");
}

static void nothing_from_nothing(Fixture *f, gconstpointer data)
{
    check(automatic_network_pairs(f->vms, f->names, NULL), "[]");
    check(automatic_storage_pairs(f->vms, f->names, "fast"), "[]");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/plan/automatic_map/the network of most NICs goes to pods, others are ignored", Fixture, NULL,
               set_up, most_used_goes_to_pod, tear_down);
    g_test_add("/plan/automatic_map/an attachment of the same name is taken", Fixture, NULL, set_up,
               attachments_of_the_name_are_taken, tear_down);
    g_test_add("/plan/automatic_map/each storage is mapped once", Fixture, NULL, set_up, each_storage_once,
               tear_down);
    g_test_add("/plan/automatic_map/VMs without devices need no pairs", Fixture, NULL, set_up,
               nothing_from_nothing, tear_down);
    return g_test_run();
}
