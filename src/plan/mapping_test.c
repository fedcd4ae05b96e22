/* mapping: pairs by id, by resolved name, pools, modes. */
#include "plan/mapping.h"
#include <string.h>

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    g_assert_nonnull(json);
    return json;
}

static Vm *vm_on(const char *first, const char *second)
{
    Vm *vm = vm_new();
    vm_add_nic(vm)->network_id = g_strdup(first);
    if (second)
        vm_add_nic(vm)->network_id = g_strdup(second);
    return vm;
}

static void a_pair_is_found_by_id_or_by_its_resolved_name(void)
{
    g_autoptr(json_t) map =
        parse("{\"metadata\":{\"name\":\"m\"},\"spec\":{\"map\":[{\"source\":{\"id\":\"network-1\"},"
              "\"destination\":{\"type\":\"pod\"}},"
              "{\"source\":{\"name\":\"VLAN "
              "5\"},\"destination\":{\"type\":\"multus\",\"namespace\":\"ns\",\"name\":\"five\"}}]},"
              "\"status\":{\"references\":[{\"id\":\"network-1\"},{\"id\":\"dvportgroup-5\",\"name\":\"VLAN "
              "5\"}]}}");
    g_autoptr(Vm) vm = vm_on("dvportgroup-5", "network-1");
    g_auto(NicMapping) mapping = {0};
    g_autoptr(GError) error = NULL;

    g_assert_true(mapping_nics(map, vm, &mapping, &error));
    g_assert_cmpint(mapping.nics[0].kind, ==, NIC_MULTUS);
    g_assert_cmpstr(mapping.nics[0].network, ==, "ns/five");
    g_assert_cmpint(mapping.nics[1].kind, ==, NIC_POD);
}

static void an_unmapped_network_is_named(void)
{
    g_autoptr(json_t) map = parse("{\"metadata\":{\"name\":\"m\"},\"spec\":{\"map\":[]}}");
    g_autoptr(Vm) vm = vm_on("network-9", NULL);
    g_auto(NicMapping) mapping = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(mapping_nics(map, vm, &mapping, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_NOT_MAPPED);
    g_assert_nonnull(strstr(error->message, "network-9"));
}

static void several_attachments_for_one_network_are_a_pool(void)
{
    g_autoptr(json_t) map = parse("{\"spec\":{\"map\":[{\"source\":{\"id\":\"n\"},\"destination\":{\"type\":"
                                  "\"multus\",\"namespace\":\"ns\",\"name\":\"a\"}},"
                                  "{\"source\":{\"id\":\"n\"},\"destination\":{\"type\":\"multus\","
                                  "\"namespace\":\"ns\",\"name\":\"b\"}}]}}");
    g_autoptr(Vm) two = vm_on("n", "n"), three = vm_on("n", "n");
    g_auto(NicMapping) mapping = {0}, over = {0};

    vm_add_nic(three)->network_id = g_strdup("n");
    g_assert_true(mapping_nics(map, two, &mapping, NULL));
    g_assert_cmpstr(mapping.nics[0].network, ==, "ns/a");
    g_assert_cmpstr(mapping.nics[1].network, ==, "ns/b");
    g_assert_false(mapping_nics(map, three, &over, NULL));
}

static void one_attachment_serves_any_number_of_nics(void)
{
    g_autoptr(json_t) map = parse("{\"spec\":{\"map\":[{\"source\":{\"id\":\"n\"},\"destination\":{\"type\":"
                                  "\"multus\",\"namespace\":\"ns\",\"name\":\"a\"}}]}}");
    g_autoptr(Vm) vm = vm_on("n", "n");
    g_auto(NicMapping) mapping = {0};

    g_assert_true(mapping_nics(map, vm, &mapping, NULL));
    g_assert_cmpstr(mapping.nics[1].network, ==, "ns/a");
}

static void storage_says_class_and_modes(void)
{
    g_autoptr(json_t) map =
        parse("{\"metadata\":{\"name\":\"s\"},\"spec\":{\"map\":[{\"source\":{\"id\":\"datastore-1\"},"
              "\"destination\":{\"storageClass\":\"fast\",\"accessMode\":\"ReadWriteMany\"}}]}}");
    VmDisk mapped = {.name = (char *)"d", .storage_id = (char *)"datastore-1"};
    VmDisk other = {.name = (char *)"[ds] x.vmdk", .storage_id = (char *)"datastore-2"};
    g_autoptr(GError) error = NULL;
    TargetStorage storage;

    g_assert_true(mapping_storage(map, &mapped, &storage, NULL));
    g_assert_cmpstr(storage.storage_class, ==, "fast");
    g_assert_cmpstr(storage.access_mode, ==, "ReadWriteMany");
    g_assert_null(storage.volume_mode);
    g_assert_false(mapping_storage(map, &other, &storage, &error));
    g_assert_nonnull(strstr(error->message, "[ds] x.vmdk"));
}

static void default_modes_follow_the_guide(void)
{
    TargetStorage rbd = {0}, unknown = {0}, half = {.access_mode = "ReadWriteMany"};

    mapping_default_modes("openshift-storage.rbd.csi.ceph.com", &rbd);
    g_assert_cmpstr(rbd.volume_mode, ==, "Block");
    mapping_default_modes("gantry.io/folder", &unknown);
    g_assert_cmpstr(unknown.volume_mode, ==, "Filesystem");
    g_assert_cmpstr(unknown.access_mode, ==, "ReadWriteOnce");
    mapping_default_modes("kubernetes.io/rbd", &half);
    g_assert_cmpstr(half.access_mode, ==, "ReadWriteMany");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/mapping/" text, function)
    CASE("a pair is found by id or by its resolved name", a_pair_is_found_by_id_or_by_its_resolved_name);
    CASE("an unmapped network is named", an_unmapped_network_is_named);
    CASE("several attachments for one network are a pool", several_attachments_for_one_network_are_a_pool);
    CASE("one attachment serves any number of NICs", one_attachment_serves_any_number_of_nics);
    CASE("storage says class and modes", storage_says_class_and_modes);
    CASE("default modes follow the guide", default_modes_follow_the_guide);
    return g_test_run();
}
