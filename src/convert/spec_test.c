/* spec: a good document decodes, a wrong one is named; and the domain that is made of it. */
#include "convert/domain_xml.h"
#include "convert/spec.h"
#include <string.h>

static const char good[] =
    "{\"version\":1,\"vm\":{\"id\":\"vm-1\",\"name\":\"a "
    "<b>\"},\"firmware\":\"efi\",\"memory\":1073741824,\"cpus\":2,"
    "\"disks\":[{\"id\":\"2000\",\"path\":\"/mnt/disks/disk0/disk.img\",\"overlay\":\"/state/"
    "2000.qcow2\",\"manifest\":\"/m\"},"
    "{\"id\":\"2001\",\"path\":\"/dev/block1\",\"overlay\":\"/state/it's.qcow2\",\"manifest\":\"/m\"}]}";

static void a_good_document_decodes(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(ConvertSpec) spec = convert_spec_parse(good, strlen(good), &error);

    g_assert_no_error(error);
    g_assert_true(spec->efi);
    g_assert_cmpuint(spec->n_disks, ==, 2);
    g_assert_cmpstr(spec->disks[1].path, ==, "/dev/block1");
}

static void the_domain_names_the_overlays_in_order_and_escapes(void)
{
    g_autoptr(ConvertSpec) spec = convert_spec_parse(good, strlen(good), NULL);
    g_autofree char *xml = conversion_domain_xml(spec);

    g_assert_nonnull(strstr(xml, "<name>a &lt;b&gt;</name>"));
    g_assert_nonnull(strstr(xml, "<os firmware='efi'>"));
    g_assert_nonnull(strstr(xml, "<source file='/state/it&apos;s.qcow2'/>"));
    g_assert_true(strstr(xml, "/state/2000.qcow2") < strstr(xml, "it&apos;s"));
    g_assert_nonnull(strstr(xml, "<target dev='sdb' bus='scsi'/>"));
}

static void disks_are_named_as_the_kernel_names_them(void)
{
    static const struct {
        guint index;
        const char *name;
    } cases[] = {{0, "sda"},   {25, "sdz"},   {26, "sdaa"},  {51, "sdaz"},
                 {52, "sdba"}, {701, "sdzz"}, {702, "sdaaa"}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = domain_disk_name(cases[i].index);
        g_assert_cmpstr(name, ==, cases[i].name);
    }
}

static void each_wrong_member_is_named(void)
{
    static const struct {
        const char *path, *value, *says;
    } cases[] = {
        {"version", "7", "version is 7; it must be a number from 1 to 1"},
        {"vm.id", "7", "vm.id is 7; it must be a text"},
        {"firmware", "\"uefi\"", "firmware is \"uefi\"; it must be \"bios\" or \"efi\""},
        {"memory", "0", "memory is 0; it must be a number from 1048576"},
        {"cpus", "\"2\"", "cpus is \"2\"; it must be a number from 1 to 4096"},
        {"root", "\"-x\"", "root is \"-x\"; it must be \"first\" or a device"},
        {"keys", "\"x\"", "keys is \"x\"; it must be an absolute path"},
        {"nics", "[{\"mac\":\"x\"}]",
         "network card number 1: convert spec: mac is \"x\"; it must be of the form"},
        {"nics", "[{\"mac\":\"00:50:56:00:00:01\",\"addresses\":[\"192.0.2.1\"]}]",
         "addresses is [\"192.0.2.1\"]; it must be a list of ADDRESS/LENGTH"},
        {"nics", "[{\"mac\":\"00:50:56:00:00:01\",\"gateway\":\"x y\"}]",
         "gateway is \"x y\"; it must be an address"},
        {"disks", "[]", "disks is []; it must be a list of 1 to 256 disks"},
        {"disks", "[{\"id\":\"1\",\"path\":\"x\"}]",
         "disk number 1: convert spec: path is \"x\"; it must be an absolute path"},
        {"disks", "[{\"id\":\"1\",\"path\":\"/x\"}]", "disk number 1: convert spec: overlay is missing"},
        {"state", "\"/state\"", "disk number 1: convert spec: copy is missing"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) json = json_parse(good, strlen(good), sizeof good, "good", NULL);
        g_autofree char *text = NULL;

        json_set_at_new(json, cases[i].path,
                        json_parse(cases[i].value, strlen(cases[i].value), 200, "value", NULL));
        text = json_text(json);
        g_test_message("%s", cases[i].says);
        g_assert_null(convert_spec_parse(text, strlen(text), &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convert/spec/a good document decodes", a_good_document_decodes);
    g_test_add_func("/convert/spec/the domain names the overlays in order and escapes",
                    the_domain_names_the_overlays_in_order_and_escapes);
    g_test_add_func("/convert/spec/disks are named as the kernel names them",
                    disks_are_named_as_the_kernel_names_them);
    g_test_add_func("/convert/spec/each wrong member is named", each_wrong_member_is_named);
    return g_test_run();
}
