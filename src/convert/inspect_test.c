/* inspect: what virt-inspector prints. */
#include "convert/inspect.h"
#include <string.h>

static void an_operating_system_is_read(void)
{
    static const char xml[] =
        "<?xml version=\"1.0\"?>\n<operatingsystems><operatingsystem><root>/dev/sda1</root>"
        "<name>linux</name><arch>x86_64</arch><distro>debian</distro><product_name>12.15</product_name>"
        "<major_version>12</major_version><minor_version>15</minor_version><osinfo>debian12</osinfo>"
        "</operatingsystem></operatingsystems>";
    g_autoptr(GError) error = NULL;
    gboolean found;
    g_autoptr(json_t) guest = inspect_parse(xml, strlen(xml), &found, &error);

    g_assert_no_error(error);
    g_assert_true(found);
    g_assert_cmpstr(json_string_at(guest, "id", NULL), ==, "debian12");
    g_assert_cmpstr(json_string_at(guest, "version", NULL), ==, "12.15");
    g_assert_cmpstr(json_string_at(guest, "root", NULL), ==, "/dev/sda1");
}

static void no_operating_system_is_no_error(void)
{
    static const char xml[] = "<operatingsystems/>";
    g_autoptr(GError) error = NULL;
    gboolean found;

    g_assert_null(inspect_parse(xml, strlen(xml), &found, &error));
    g_assert_no_error(error);
    g_assert_false(found);
}

static void another_document_is_refused(void)
{
    static const char *const texts[] = {"", "hello", "<a/>", "<operatingsystems>",
                                        "<!DOCTYPE operatingsystems [<!ENTITY a 'b'>]><operatingsystems/>"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        gboolean found;
        g_assert_null(inspect_parse(texts[i], strlen(texts[i]), &found, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
    }
}

static void blkid_tells_what_is_encrypted(void)
{
    static const struct {
        const char *line, *device, *id; /* device NULL: it is not */
    } rows[] = {
        {"/dev/sda2: UUID=\"0b5f-a9b0\" TYPE=\"crypto_LUKS\" PARTUUID=\"1-02\"", "/dev/sda2", "0b5f-a9b0"},
        {"/dev/mapper/vg-root: UUID=\"0b\" TYPE=\"crypto_LUKS\"", "/dev/mapper/vg-root", "0b"},
        {"/dev/sda2: UUID=\"x:key:y\" TYPE=\"crypto_LUKS\"", "/dev/sda2", "/dev/sda2"},
        {"/dev/sda3: TYPE=\"BitLocker\" PARTUUID=\"1-03\"", "/dev/sda3", "/dev/sda3"},
        {"/dev/sda1: LABEL=\"crypto_LUKS\" UUID=\"0b\" TYPE=\"ext4\"", NULL, NULL},
        {"/dev/sda1: UUID=\"0b\" TYPE=\"crypto_LUKS", NULL, NULL},
        {"sda1: TYPE=\"crypto_LUKS\"", NULL, NULL},
        {"", NULL, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *device = NULL, *type = NULL, *id = NULL;
        g_assert_cmpint(guestfs_read_blkid(rows[i].line, &device, &type, &id), ==, rows[i].device != NULL);
        g_assert_cmpstr(device, ==, rows[i].device);
        g_assert_cmpstr(id, ==, rows[i].id);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convert/inspect/an operating system is read", an_operating_system_is_read);
    g_test_add_func("/convert/inspect/no operating system is no error", no_operating_system_is_no_error);
    g_test_add_func("/convert/inspect/another document is refused", another_document_is_refused);
    g_test_add_func("/convert/inspect/blkid tells what is encrypted", blkid_tells_what_is_encrypted);
    return g_test_run();
}
