/* vmdk_stream: what qemu-img and a host write is decoded; what is broken off or damaged does not end well. */
#include "copy/vmdk_files_test.h"
#include "copy/vmdk_stream.h"

#define MIB ((gsize)1 << 20)

static guint8 *make_disk(gsize size)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    guint8 *disk = g_malloc0(size);

    for (gsize at = 0; at < size; at += 512)
        if (at / (256 * 1024) % 3)
            for (gsize i = 0; i < 512; i++)
                disk[at + i] = g_rand_int_range(random, 0, 40);
    return disk;
}

/* The disk that a stream holds, or NULL with an error. */
static guint8 *decode(gconstpointer data, gsize size, gsize *disk_size, GError **error)
{
    g_autoptr(GInputStream) input = g_memory_input_stream_new_from_data(data, size, NULL);
    g_autoptr(VmdkStream) stream = vmdk_stream_open(input, NULL, error);
    g_autofree guint8 *disk = NULL;
    const guint8 *bytes;
    guint64 start;
    gsize length;

    if (!stream)
        return NULL;
    *disk_size = vmdk_stream_size(stream);
    disk = g_malloc0(*disk_size);
    do {
        if (!vmdk_stream_next(stream, &start, &bytes, &length, NULL, error))
            return NULL;
        if (length)
            memcpy(disk + start, bytes, length);
    } while (length);
    return g_steal_pointer(&disk);
}

static void what_a_host_sends_is_decoded(void)
{
    const gsize size = 70 * MIB + 7 * 512;
    g_autofree guint8 *disk = make_disk(size), *seen = NULL;
    g_autoptr(GByteArray) file = stream_new(disk, size);
    g_autoptr(GError) error = NULL;
    gsize seen_size;

    seen = decode(file->data, file->len, &seen_size, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(seen, seen_size, disk, size);
}

static void what_qemu_img_makes_is_decoded(void)
{
    const gsize size = 9 * MIB + 512;
    g_autofree char *folder = g_dir_make_tmp("vmdk-stream-XXXXXX", NULL),
                    *raw = g_build_filename(folder, "a.raw", NULL),
                    *vmdk = g_build_filename(folder, "a.vmdk", NULL), *text = NULL,
                    *program = g_find_program_in_path("qemu-img");
    g_autofree guint8 *disk = make_disk(size), *seen = NULL;
    g_autoptr(GError) error = NULL;
    gsize file_size, seen_size;
    const char *argv[] = {"qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized",
                          raw,        vmdk,      NULL};
    int status;

    if (program) {
        g_assert_true(g_file_set_contents(raw, (char *)disk, size, NULL));
        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                                   &status, &error));
        g_assert_true(g_spawn_check_wait_status(status, &error));
        g_assert_true(g_file_get_contents(vmdk, &text, &file_size, NULL));
        seen = decode(text, file_size, &seen_size, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(seen, seen_size, disk, size);
        g_unlink(raw);
        g_unlink(vmdk);
    } else {
        g_test_skip("qemu-img is not installed");
    }
    g_rmdir(folder);
}

static void a_stream_that_breaks_off_anywhere_is_noticed(void)
{
    g_autofree guint8 *disk = make_disk(2 * MIB);
    g_autoptr(GByteArray) file = stream_new(disk, 2 * MIB);

    for (gsize size = 0; size < file->len; size += size < 1024 || size > file->len - 4096 ? 16 : 4099) {
        g_autoptr(GError) error = NULL;
        gsize seen_size;
        /* what follows the first bytes of the end marker says nothing more */
        if (size > file->len - TEST_SECTOR + 512)
            break;
        g_assert_null(decode(file->data, size, &seen_size, &error));
        g_assert_error(error, GANTRY_ERROR, ERROR_SOURCE_READ);
    }
}

typedef struct {
    gsize at, size;
    guint64 value;
    int code;
    const char *says;
} Damage;

static const Damage damages[] = {
    {0, 4, 0, ERROR_DISK_FORMAT, "no streamOptimized VMDK"},
    {8, 4, 3, ERROR_DISK_FORMAT, "no streamOptimized VMDK"},
    {12, 8, 0, ERROR_DISK_FORMAT, "0 sectors"},
    {12, 8, G_MAXUINT64, ERROR_DISK_FORMAT, "18446744073709551615 sectors"},
    {20, 8, 7, ERROR_DISK_FORMAT, "grains of 7"},
    {20, 8, 4096, ERROR_DISK_FORMAT, "grains of 4096"},
    {64, 8, 0, ERROR_DISK_FORMAT, "begin at sector 0"},
    {64, 8, 100000, ERROR_SOURCE_READ, "broke off"},
    {65536, 8, 64, ERROR_SOURCE_READ, "not where one could be"},
    {65536, 8, 1 << 20, ERROR_SOURCE_READ, "not where one could be"},
    {65536 + 8, 4, 0x7fffffff, ERROR_SOURCE_READ, "more than twice its size"},
    {65536 + 8, 4, 3, ERROR_SOURCE_READ, "into nothing"},
    {65536 + 12, 4, 0, ERROR_SOURCE_READ, "does not inflate"},
};

static void what_is_damaged_is_said(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autofree guint8 *disk = g_malloc0(2 * MIB);
        g_autoptr(GByteArray) file = NULL;
        g_autoptr(GError) error = NULL;
        gsize seen_size;

        memset(disk, 'x', 2 * MIB);
        disk[0] = 'y';
        for (gsize at = 0; at < 2 * MIB; at += STREAM_GRAIN)
            disk[at] = 'y';
        file = stream_new(disk, 2 * MIB);
        if (damages[i].size == 8)
            put64(file, damages[i].at, damages[i].value);
        else
            put32(file, damages[i].at, damages[i].value);
        g_assert_null(decode(file->data, file->len, &seen_size, &error));
        g_assert_error(error, GANTRY_ERROR, damages[i].code);
        if (!strstr(error->message, damages[i].says))
            g_error("'%s' does not say '%s'", error->message, damages[i].says);
    }
}

static void a_grain_that_got_lost_is_missed_by_the_tables(void)
{
    g_autofree guint8 *disk = make_disk(2 * MIB);
    g_autoptr(GByteArray) file = stream_new(disk, 2 * MIB);
    g_autoptr(GError) error = NULL;
    gsize at = 65536, seen_size,
          length = (12 + get32(file, at + 8) + TEST_SECTOR - 1) / TEST_SECTOR * TEST_SECTOR;

    g_byte_array_remove_range(file, at, length);
    g_assert_null(decode(file->data, file->len, &seen_size, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_SOURCE_READ);
    g_assert_nonnull(strstr(error->message, "its tables name"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/vmdk_stream/what a host sends is decoded", what_a_host_sends_is_decoded);
    g_test_add_func("/copy/vmdk_stream/what qemu-img makes is decoded", what_qemu_img_makes_is_decoded);
    g_test_add_func("/copy/vmdk_stream/a stream that breaks off anywhere is noticed",
                    a_stream_that_breaks_off_anywhere_is_noticed);
    g_test_add_func("/copy/vmdk_stream/what is damaged is said", what_is_damaged_is_said);
    g_test_add_func("/copy/vmdk_stream/a grain that got lost is missed by the tables",
                    a_grain_that_got_lost_is_missed_by_the_tables);
    return g_test_run();
}
