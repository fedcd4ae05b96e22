/* vmdk_descriptor: what vSphere writes is read; what is wrong is named by its line. */
#include "copy/vmdk_descriptor.h"
#include <string.h>

static const char thin[] =
    "# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=fffffffe\nparentCID=ffffffff\n"
    "createType=\"vmfs\"\n\n# Extent description\nRW 2097153 VMFS \"my disk-flat.vmdk\"\n\n"
    "# The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\nddb.thinProvisioned = \"1\"\n";

static VmdkDescriptor *parse(const char *text, GError **error)
{
    return vmdk_descriptor_parse(text, strlen(text), error);
}

static void what_vsphere_writes_is_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmdkDescriptor) descriptor = parse(thin, &error);
    const VmdkExtent *extent;

    g_assert_no_error(error);
    g_assert_cmpstr(descriptor->create_type, ==, "vmfs");
    g_assert_cmphex(descriptor->cid, ==, 0xfffffffe);
    g_assert_cmphex(descriptor->parent_cid, ==, VMDK_NO_PARENT);
    g_assert_cmpuint(descriptor->size, ==, G_GUINT64_CONSTANT(2097153) * 512);
    g_assert_cmpuint(descriptor->extents->len, ==, 1);
    extent = descriptor->extents->pdata[0];
    g_assert_cmpint(extent->kind, ==, VMDK_FLAT);
    g_assert_cmpstr(extent->file, ==, "my disk-flat.vmdk");
}

static void several_extents_and_offsets_add_up(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmdkDescriptor) descriptor = parse(
        "# Disk DescriptorFile\r\nRW 100 FLAT \"a\" 63\r\nRW 28 ZERO\r\nRDONLY 2 FLAT \"b\" 0\r\n", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(descriptor->size, ==, 130 * 512);
    g_assert_cmpuint(((VmdkExtent *)descriptor->extents->pdata[0])->offset, ==, 63 * 512);
    g_assert_cmpint(((VmdkExtent *)descriptor->extents->pdata[1])->kind, ==, VMDK_ZERO);
}

static void a_snapshot_names_its_parent(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmdkDescriptor) descriptor =
        parse("# Disk DescriptorFile\nCID=1\nparentCID=0a\nparentFileNameHint=\"d.vmdk\"\nRW 8 VMFSSPARSE "
              "\"d-delta.vmdk\"\n",
              &error);

    g_assert_no_error(error);
    g_assert_cmpstr(descriptor->parent, ==, "d.vmdk");
    g_assert_cmphex(descriptor->parent_cid, ==, 10);
    g_assert_cmpint(((VmdkExtent *)descriptor->extents->pdata[0])->kind, ==, VMDK_VMFS_SPARSE);
}

static void what_is_wrong_is_named_by_its_line(void)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"hello\nRW 1 FLAT \"a\"\n", "'# Disk DescriptorFile' is missing"},
        {"# Disk DescriptorFile\n", "no extent"},
        {"# Disk DescriptorFile\nRW 0 FLAT \"a\"\n", "line 2: the extent's number of sectors"},
        {"# Disk DescriptorFile\nRW -1 FLAT \"a\"\n", "line 2: the extent's number of sectors"},
        {"# Disk DescriptorFile\nRW 99999999999999999999 FLAT \"a\"\n",
         "line 2: the extent's number of sectors"},
        {"# Disk DescriptorFile\nRW 1 VSAN \"a\"\n", "line 2: the extent's kind"},
        {"# Disk DescriptorFile\nRW 1 FLAT\n", "line 2: the extent names no file"},
        {"# Disk DescriptorFile\nRW 1 FLAT \"a\n", "line 2: an extent is"},
        {"# Disk DescriptorFile\nRW 1\n", "line 2: an extent is"},
        {"# Disk DescriptorFile\nRW 1 FLAT \"a\" x\n", "line 2: the extent's offset"},
        {"# Disk DescriptorFile\nCID=xyz\n", "line 2: CID"},
        {"# Disk DescriptorFile\nRW 2199023255552 FLAT \"a\"\nRW 1 FLAT \"b\"\n", "line 3: more extents"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].says);
        g_assert_null(parse(cases[i].text, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_DISK_DESCRIPTOR);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

static void a_data_file_is_no_descriptor(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(vmdk_descriptor_parse("KDMV\1\0\0\0", 8, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/vmdk_descriptor/what vSphere writes is read", what_vsphere_writes_is_read);
    g_test_add_func("/copy/vmdk_descriptor/several extents and offsets add up",
                    several_extents_and_offsets_add_up);
    g_test_add_func("/copy/vmdk_descriptor/a snapshot names its parent", a_snapshot_names_its_parent);
    g_test_add_func("/copy/vmdk_descriptor/what is wrong is named by its line",
                    what_is_wrong_is_named_by_its_line);
    g_test_add_func("/copy/vmdk_descriptor/a data file is no descriptor", a_data_file_is_no_descriptor);
    return g_test_run();
}
