/* vmdk_chain: chains of every format read as qemu-img reads them; what cannot be true is refused by name. */
#include "copy/vmdk_chain.h"
#include "copy/vmdk_files_test.h"
#include "copy/vmdk_folder.h"

#define MIB ((gsize)1 << 20)

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void save(const char *name, gconstpointer data, gsize size)
{
    g_autofree char *path = in_folder(name);

    g_unlink(path);
    g_assert_true(g_file_set_contents_full(path, data, size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void save_layer(const char *name, const char *type, guint32 cid, guint32 parent_cid,
                       const char *parent, const char *extents)
{
    g_autofree char *text = descriptor_text(type, cid, parent_cid, parent, extents);
    save(name, text, strlen(text));
}

static void remove_all(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = in_folder(name);
        g_unlink(path);
    }
}

static gboolean have_qemu_img(void)
{
    g_autofree char *path = g_find_program_in_path("qemu-img");
    if (!path)
        g_test_skip("qemu-img is not installed");
    return path != NULL;
}

static void qemu_img(const char *const *arguments)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *err = NULL;
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_ptr_array_add(argv, (gpointer) "qemu-img");
    for (; *arguments; arguments++)
        g_ptr_array_add(argv, (gpointer)*arguments);
    g_ptr_array_add(argv, NULL);
    g_assert_true(g_spawn_sync(folder, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               &err, &status, &error));
    if (!g_spawn_check_wait_status(status, NULL))
        g_error("qemu-img %s: %s", (char *)argv->pdata[1], err);
}

static VmdkChain *open_chain(const char *name, GError **error)
{
    g_autofree char *path = in_folder(name);
    return vmdk_chain_open(&vmdk_folder, path, 0, NULL, NULL, error);
}

/* The whole disk, by reads of odd sizes; its extents have to cover it and to be right about zeros. */
static guint8 *read_all(const char *name, gsize *size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmdkChain) chain = open_chain(name, &error);
    g_autoptr(GArray) extents = g_array_new(FALSE, FALSE, sizeof(Extent));
    guint8 *bytes;
    guint64 at = 0;

    g_assert_no_error(error);
    *size = vmdk_chain_size(chain);
    bytes = g_malloc(*size);
    memset(bytes, 0xee, *size);
    for (gsize start = 0; start < *size; start += 3 * MIB + 512) {
        gsize done = 0, part = MIN(3 * MIB + 512, *size - start);
        vmdk_chain_read(chain, start, part, bytes + start, &done, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(done, ==, part);
    }
    vmdk_chain_extents(chain, 0, *size, extents, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < extents->len; i++) {
        const Extent *extent = &g_array_index(extents, Extent, i);
        g_assert_cmpuint(extent->start, ==, at);
        for (gsize j = 0; extent->zero && j < extent->size; j++)
            g_assert_cmpint(bytes[extent->start + j], ==, 0);
        at += extent->size;
    }
    g_assert_cmpuint(at, ==, *size);
    return bytes;
}

static void assert_reads_as(const char *name, const guint8 *wanted, gsize wanted_size)
{
    gsize size;
    g_autofree guint8 *bytes = read_all(name, &size);

    g_assert_cmpuint(size, ==, wanted_size);
    for (gsize at = 0; at < size; at += 512)
        if (memcmp(bytes + at, wanted + at, 512))
            g_error("%s differs at byte %" G_GSIZE_FORMAT, name, at);
}

/* As qemu-img converts it. */
static void assert_reads_as_qemu_img_says(const char *name)
{
    g_autofree char *raw = in_folder("as-qemu.raw"), *wanted = NULL;
    gsize size;

    qemu_img((const char *[]){"convert", "-f", "vmdk", "-O", "raw", name, "as-qemu.raw", NULL});
    g_assert_true(g_file_get_contents(raw, &wanted, &size, NULL));
    assert_reads_as(name, (guint8 *)wanted, size);
}

/* Runs of random bytes and of zeros. */
static guint8 *make_disk(gsize size, guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    guint8 *disk = g_malloc0(size);

    for (gsize at = 0; at < size;) {
        gsize run = MIN((gsize)g_rand_int_range(random, 1, 900) * 512, size - at);
        if (g_rand_boolean(random))
            for (gsize i = 0; i < run; i++)
                disk[at + i] = g_rand_int(random);
        at += run;
    }
    return disk;
}

/* ---- what qemu-img makes ----------------------------------------------------------------------- */

static void what_qemu_img_makes_is_read(gconstpointer data)
{
    const gsize size = 37 * MIB + 3 * 512;
    g_autofree guint8 *disk = NULL;
    g_autofree char *option = g_strdup_printf("subformat=%s", (const char *)data);

    if (!have_qemu_img())
        return;
    disk = make_disk(size, 7);
    save("source.raw", disk, size);
    qemu_img((const char *[]){"convert", "-f", "raw", "-O", "vmdk", "-o", option, "source.raw", "made.vmdk",
                              NULL});
    assert_reads_as("made.vmdk", disk, size);
}

static void a_compressed_stream_is_refused(void)
{
    g_autofree guint8 *disk = make_disk(MIB, 1);
    g_autoptr(GError) error = NULL;

    if (!have_qemu_img())
        return;
    save("source.raw", disk, MIB);
    qemu_img((const char *[]){"convert", "-O", "vmdk", "-o", "subformat=streamOptimized", "source.raw",
                              "made.vmdk", NULL});
    g_assert_null(open_chain("made.vmdk", &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_DISK_FORMAT);
}

/* ---- snapshots by hand ------------------------------------------------------------------------- */

static void set_bytes(guint8 *bytes, gsize size, guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    for (gsize i = 0; i < size; i++)
        bytes[i] = g_rand_int(random);
}

/* Writes some grains into a delta and into the disk that it should be with it. */
static GByteArray *write_cowd(guint8 *disk, gsize size, guint32 grain_sectors, guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    GByteArray *file = cowd_new(size / 512, grain_sectors);
    gsize grain = grain_sectors * 512;

    for (guint i = 0; i < 300; i++) {
        guint at = g_rand_int_range(random, 0, (size + grain - 1) / grain);
        g_autofree guint8 *data = g_malloc0(grain);

        set_bytes(data, grain, seed + i);
        if (i % 10 == 0)
            memset(data, 0, grain); /* zeros in a delta hide what is below */
        cowd_write(file, at, data);
        memcpy(disk + at * grain, data, MIN(grain, size - at * grain));
    }
    return file;
}

static GByteArray *write_sesparse(guint8 *disk, gsize size, guint32 seed)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    GByteArray *file = sesparse_new(size / 512);

    for (guint i = 0; i < 600; i++) {
        gsize at = g_rand_int_range(random, 0, (size + SE_GRAIN - 1) / SE_GRAIN);
        guint8 data[SE_GRAIN] = {0};
        gboolean zeros = i % 7 == 0;

        if (!zeros)
            set_bytes(data, sizeof data, seed + i);
        sesparse_write(file, at, zeros ? NULL : data, 1 + i % 2);
        memcpy(disk + at * SE_GRAIN, data, MIN(sizeof data, size - at * SE_GRAIN));
    }
    return file;
}

static void save_extent(const char *name, const char *type, gsize size, guint32 cid, guint32 parent_cid,
                        const char *parent, GByteArray *file)
{
    g_autofree char *extent_file = g_strdup_printf("%s-extent.vmdk", name),
                    *line =
                        g_strdup_printf("RW %" G_GSIZE_FORMAT " %s \"%s\"\n", size / 512,
                                        strcmp(type, "seSparse") ? "VMFSSPARSE" : "SESPARSE", extent_file),
                    *descriptor = g_strdup_printf("%s.vmdk", name);

    save(extent_file, file->data, file->len);
    save_layer(descriptor, type, cid, parent_cid, parent, line);
}

static void save_base(const guint8 *disk, gsize size, guint32 cid)
{
    g_autofree char *line = g_strdup_printf("RW %" G_GSIZE_FORMAT " VMFS \"base-flat.vmdk\"\n", size / 512);

    save("base-flat.vmdk", disk, size);
    save_layer("base.vmdk", "vmfs", cid, 0xffffffff, NULL, line);
}

static void snapshots_of_both_kinds_are_read_through_their_chain(void)
{
    const gsize size = 35 * MIB + 5 * 512;
    g_autofree guint8 *disk = make_disk(size, 3);
    g_autoptr(GByteArray) first = NULL, second = NULL, third = NULL;

    save_base(disk, size, 0x11111111);
    first = write_cowd(disk, size, 1, 100);
    save_extent("first", "vmfsSparse", size, 0x22222222, 0x11111111, "base.vmdk", first);
    second = write_sesparse(disk, size, 200);
    save_extent("second", "seSparse", size, 0x33333333, 0x22222222, "first.vmdk", second);
    third = write_cowd(disk, size, 128, 300);
    save_extent("third", "vmfsSparse", size, 0x44444444, 0x33333333, "second.vmdk", third);
    assert_reads_as("third.vmdk", disk, size);
    if (have_qemu_img()) {
        assert_reads_as_qemu_img_says("first.vmdk");
        assert_reads_as_qemu_img_says("second.vmdk");
        assert_reads_as_qemu_img_says("third.vmdk");
    }
}

static void a_delta_alone_reads_zeros_where_it_has_nothing(void)
{
    const gsize size = 20 * MIB;
    g_autofree guint8 *disk = g_malloc0(size);
    g_autoptr(GByteArray) file = write_sesparse(disk, size, 4);

    save_extent("alone", "seSparse", size, 5, 0xffffffff, NULL, file);
    assert_reads_as("alone.vmdk", disk, size);
}

static void a_parent_that_is_smaller_ends_in_zeros(void)
{
    const gsize size = 4 * MIB;
    g_autofree guint8 *disk = g_malloc0(size);
    g_autoptr(GByteArray) file = NULL;

    set_bytes(disk, 2 * MIB, 9);
    save_base(disk, 2 * MIB, 1);
    file = write_cowd(disk, size, 8, 10);
    save_extent("child", "vmfsSparse", size, 2, 1, "base.vmdk", file);
    assert_reads_as("child.vmdk", disk, size);
}

static void as_many_layers_as_a_chain_may_have_are_read(void)
{
    const gsize size = MIB;
    g_autofree guint8 *disk = make_disk(size, 6);

    save_base(disk, size, 1);
    for (guint i = 1; i < VMDK_MOST_LAYERS; i++) {
        g_autofree char *name = g_strdup_printf("layer-%u", i),
                        *parent = i == 1 ? g_strdup("base.vmdk") : g_strdup_printf("layer-%u.vmdk", i - 1);
        g_autoptr(GByteArray) file = cowd_new(size / 512, 1);
        guint8 data[512];

        set_bytes(data, sizeof data, i);
        cowd_write(file, i * 7 % 2048, data);
        memcpy(disk + i * 7 % 2048 * 512, data, sizeof data);
        save_extent(name, "vmfsSparse", size, i + 1, i, parent, file);
    }
    assert_reads_as("layer-255.vmdk", disk, size);
}

/* ---- chains that are broken -------------------------------------------------------------------- */

static void assert_refused(const char *name, int code, const char *says)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(open_chain(name, &error));
    g_assert_error(error, GANTRY_ERROR, code);
    if (!strstr(error->message, says))
        g_error("'%s' does not say '%s'", error->message, says);
}

static void a_parent_that_was_written_to_is_noticed(void)
{
    g_autofree guint8 *disk = g_malloc0(MIB);
    g_autoptr(GByteArray) file = cowd_new(MIB / 512, 1);

    save_base(disk, MIB, 0xaaaa);
    save_extent("child", "vmfsSparse", MIB, 2, 0xbbbb, "base.vmdk", file);
    assert_refused("child.vmdk", ERROR_DISK_CHAIN, "content id 0000bbbb, which is 0000aaaa now");
}

static void a_parent_that_is_missing_is_named(void)
{
    g_autoptr(GByteArray) file = cowd_new(MIB / 512, 1);

    save_extent("child", "vmfsSparse", MIB, 2, 1, "gone.vmdk", file);
    assert_refused("child.vmdk", ERROR_SOURCE_NOT_FOUND, "gone.vmdk");
    save_extent("child", "vmfsSparse", MIB, 2, 1, NULL, file);
    assert_refused("child.vmdk", ERROR_DISK_CHAIN, "names no parent");
}

static void a_chain_that_bites_its_tail_ends(void)
{
    g_autoptr(GByteArray) file = cowd_new(MIB / 512, 1);

    save_extent("round", "vmfsSparse", MIB, 7, 7, "round.vmdk", file);
    assert_refused("round.vmdk", ERROR_DISK_CHAIN, "its own parent");
}

static void a_flat_file_that_is_too_short_is_noticed(void)
{
    save("base-flat.vmdk", "abc", 3);
    save_layer("base.vmdk", "vmfs", 1, 0xffffffff, NULL, "RW 2048 VMFS \"base-flat.vmdk\"\n");
    assert_refused("base.vmdk", ERROR_DISK_DESCRIPTOR, "has 3 bytes, but the descriptor says 1048576");
}

/* ---- headers and tables that lie --------------------------------------------------------------- */

typedef struct {
    const char *type;
    gsize at;
    guint64 value; /* in place of the 4 or 8 bytes there */
    const char *says;
} Lie;

static const Lie lies[] = {
    {"vmfsSparse", 0, 0, "does not begin with COWD"},
    {"vmfsSparse", 4, 2, "version 1"},
    {"vmfsSparse", 12, 100, "its header says 51200 bytes of disk"},
    {"vmfsSparse", 16, 0, "a grain has 0 bytes"},
    {"vmfsSparse", 16, 3, "a grain has 1536 bytes"},
    {"vmfsSparse", 16, 0x80000000, "a grain has 1099511627776 bytes"},
    {"vmfsSparse", 20, 0, "its directory (at 0"},
    {"vmfsSparse", 20, 0xffffffff, "lies outside the file"},
    {"vmfsSparse", 24, 0, "its directory has 0 entries"},
    {"seSparse", 0, 1, "does not begin with an SESPARSE header"},
    {"seSparse", 8, 1, "version 2.1"},
    {"seSparse", 16, 1, "its header says 512 bytes of disk"},
    {"seSparse", 16, G_MAXUINT64, "byte 16 of its header says 18446744073709551615 sectors"},
    {"seSparse", 24, 16, "grains have 16 sectors"},
    {"seSparse", 32, 1, "tables 1"},
    {"seSparse", 40, 1, "flags or a layout"},
    {"seSparse", 128, G_MAXUINT64 / 2, "byte 128 of its header"},
    {"seSparse", 128, 1 << 30, "lies outside the file"},
    {"seSparse", 136, 0, "its directory has 0 entries"},
    {"seSparse", 512, 0, "flags or a layout"},
    {"seSparse", 512 + 24, 1, "journal has not been replayed"},
};

static void a_header_that_lies_is_refused(gconstpointer data)
{
    const Lie *lie = data;
    gboolean wide = !strcmp(lie->type, "seSparse");
    g_autoptr(GByteArray) file = wide ? sesparse_new(MIB / 512) : cowd_new(MIB / 512, 1);

    if (wide)
        put64(file, lie->at, lie->value);
    else
        put32(file, lie->at, lie->value);
    save_extent("lie", lie->type, MIB, 1, 0xffffffff, NULL, file);
    assert_refused("lie.vmdk", ERROR_DISK_TABLES, lie->says);
}

static void assert_table_refused(const char *type, GByteArray *file, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmdkChain) chain = NULL;
    g_autofree guint8 *bytes = g_malloc(MIB);
    gsize done = 0;

    save_extent("lie", type, MIB, 1, 0xffffffff, NULL, file);
    chain = open_chain("lie.vmdk", &error);
    g_assert_no_error(error);
    g_assert_false(vmdk_chain_read(chain, 0, MIB, bytes, &done, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_DISK_TABLES);
    if (!strstr(error->message, says))
        g_error("'%s' does not say '%s'", error->message, says);
}

static void a_table_that_lies_is_refused_when_it_is_read(void)
{
    g_autoptr(GByteArray) cowd = cowd_new(MIB / 512, 1), sesparse = sesparse_new(MIB / 512);
    guint8 data[SE_GRAIN] = {1};
    gsize table;

    put32(cowd, 2048, 0xfffffff0);
    assert_table_refused("vmfsSparse", cowd, "table 0 (at 2199023247360) lies outside");
    put32(cowd, 2048, 1);
    assert_table_refused("vmfsSparse", cowd, "table 0 (at 512) lies outside");
    put32(cowd, 2048, 0);
    cowd_write(cowd, 5, data);
    table = get32(cowd, 2048) * (gsize)512;
    put32(cowd, table + 5 * 4, 0xffffffff);
    assert_table_refused("vmfsSparse", cowd, "the grain of byte 2560 (at 2199023255040) lies outside");
    put32(cowd, table + 5 * 4, 1);
    assert_table_refused("vmfsSparse", cowd, "the grain of byte 2560 (at 512) lies outside");

    sesparse_write(sesparse, 3, data, 0);
    put64(sesparse, 16 * 512, 0x2000000000000000);
    assert_table_refused("seSparse", sesparse, "an entry of its directory is 0x2000000000000000");
    put64(sesparse, 16 * 512, 0x1000000000000077);
    assert_table_refused("seSparse", sesparse, "table 0 (at 3908096) lies outside");
    put64(sesparse, 16 * 512, 0x1000000000000000);
    table = get64(sesparse, 144) * 512;
    put64(sesparse, table + 3 * 8, 0x4000000000000000);
    assert_table_refused("seSparse", sesparse, "0x4000000000000000, which means nothing known");
    put64(sesparse, table + 3 * 8, 7);
    assert_table_refused("seSparse", sesparse, "0x7, which means nothing known");
    put64(sesparse, table + 3 * 8, 0x3fffffffffffffff);
    assert_table_refused("seSparse", sesparse, "the grain of byte 12288");
}

/* ---- main -------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    static const char *const subformats[] = {"monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse",
                                             "twoGbMaxExtentFlat"};
    int result;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("vmdk-chain-XXXXXX", NULL);
    for (guint i = 0; i < G_N_ELEMENTS(subformats); i++) {
        g_autofree char *name =
            g_strdup_printf("/copy/vmdk_chain/a %s disk of qemu-img is read", subformats[i]);
        g_test_add_data_func(name, subformats[i], what_qemu_img_makes_is_read);
    }
    g_test_add_func("/copy/vmdk_chain/a compressed stream is refused", a_compressed_stream_is_refused);
    g_test_add_func("/copy/vmdk_chain/snapshots of both kinds are read through their chain",
                    snapshots_of_both_kinds_are_read_through_their_chain);
    g_test_add_func("/copy/vmdk_chain/a delta alone reads zeros where it has nothing",
                    a_delta_alone_reads_zeros_where_it_has_nothing);
    g_test_add_func("/copy/vmdk_chain/a parent that is smaller ends in zeros",
                    a_parent_that_is_smaller_ends_in_zeros);
    g_test_add_func("/copy/vmdk_chain/as many layers as a chain may have are read",
                    as_many_layers_as_a_chain_may_have_are_read);
    g_test_add_func("/copy/vmdk_chain/a parent that was written to is noticed",
                    a_parent_that_was_written_to_is_noticed);
    g_test_add_func("/copy/vmdk_chain/a parent that is missing is named", a_parent_that_is_missing_is_named);
    g_test_add_func("/copy/vmdk_chain/a chain that bites its tail ends", a_chain_that_bites_its_tail_ends);
    g_test_add_func("/copy/vmdk_chain/a flat file that is too short is noticed",
                    a_flat_file_that_is_too_short_is_noticed);
    for (guint i = 0; i < G_N_ELEMENTS(lies); i++) {
        g_autofree char *name = g_strdup_printf("/copy/vmdk_chain/a header that lies is refused/%s %u %s",
                                                lies[i].type, i, lies[i].says);
        g_test_add_data_func(name, &lies[i], a_header_that_lies_is_refused);
    }
    g_test_add_func("/copy/vmdk_chain/a table that lies is refused when it is read",
                    a_table_that_lies_is_refused_when_it_is_read);
    result = g_test_run();
    remove_all();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
