/* vmdk_files_test: sparse VMDKs for tests, written grain by grain as a host would. */
#pragma once
#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

#define TEST_SECTOR 512

static inline void put32(GByteArray *file, gsize at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(file->data + at, &value, 4);
}

static inline void put64(GByteArray *file, gsize at, guint64 value)
{
    value = GUINT64_TO_LE(value);
    memcpy(file->data + at, &value, 8);
}

static inline guint64 get64(const GByteArray *file, gsize at)
{
    guint64 value;
    memcpy(&value, file->data + at, 8);
    return GUINT64_FROM_LE(value);
}

static inline guint32 get32(const GByteArray *file, gsize at)
{
    guint32 value;
    memcpy(&value, file->data + at, 4);
    return GUINT32_FROM_LE(value);
}

static inline gsize grow(GByteArray *file, gsize size)
{
    gsize at = file->len;
    g_byte_array_set_size(file, at + size);
    memset(file->data + at, 0, size);
    return at;
}

/* ---- COWD -------------------------------------------------------------------------------------- */

static inline GByteArray *cowd_new(guint32 sectors, guint32 grain_sectors)
{
    GByteArray *file = g_byte_array_new();
    guint64 tables = (sectors + 4096ull * grain_sectors - 1) / (4096ull * grain_sectors);

    grow(file, 4 * TEST_SECTOR + (tables * 4 + TEST_SECTOR - 1) / TEST_SECTOR * TEST_SECTOR);
    memcpy(file->data, "COWD", 4);
    put32(file, 4, 1);
    put32(file, 8, 3);
    put32(file, 12, sectors);
    put32(file, 16, grain_sectors);
    put32(file, 20, 4);
    put32(file, 24, tables);
    put32(file, 28, file->len / TEST_SECTOR);
    return file;
}

static inline void cowd_write(GByteArray *file, guint32 grain, const guint8 *data)
{
    gsize grain_size = get32(file, 16) * TEST_SECTOR, entry = 4 * TEST_SECTOR + grain / 4096 * 4, at;

    if (!get32(file, entry))
        put32(file, entry, grow(file, 4096 * 4) / TEST_SECTOR);
    entry = get32(file, entry) * (gsize)TEST_SECTOR + grain % 4096 * 4;
    if (!get32(file, entry))
        put32(file, entry, grow(file, grain_size) / TEST_SECTOR);
    at = get32(file, entry) * (gsize)TEST_SECTOR;
    memcpy(file->data + at, data, grain_size);
}

/* ---- SESPARSE ---------------------------------------------------------------------------------- */

#define SE_TABLE (64 * TEST_SECTOR)
#define SE_GRAIN (8 * TEST_SECTOR)

/* Room for every table and every grain of the disk, as it is small. */
static inline GByteArray *sesparse_new(guint64 sectors)
{
    GByteArray *file = g_byte_array_new();
    guint64 tables = (sectors * TEST_SECTOR + 4096ull * SE_GRAIN - 1) / (4096ull * SE_GRAIN),
            directory = (tables * 8 + TEST_SECTOR - 1) / TEST_SECTOR, tables_at = 16 + directory;

    grow(file, (tables_at + tables * 64) * TEST_SECTOR);
    put64(file, 0, 0xcafebabe);
    put64(file, 8, 0x0000000200000001);
    put64(file, 16, sectors);
    put64(file, 24, 8);
    put64(file, 32, 64);
    put64(file, 80, 1);
    put64(file, 88, 1);
    put64(file, 96, 2);
    put64(file, 104, 2);
    put64(file, 112, 4);
    put64(file, 120, 12);
    put64(file, 128, 16);
    put64(file, 136, directory);
    put64(file, 144, tables_at);
    put64(file, 152, tables * 64);
    put64(file, 192, tables_at + tables * 64);
    put64(file, TEST_SECTOR, 0xcafecafe);
    return file;
}

/* data NULL: a grain of zeros; kind is what its entry begins with (1 unmapped, 2 zeros). */
static inline void sesparse_write(GByteArray *file, guint64 grain, const guint8 *data, guint64 kind)
{
    gsize entry = get64(file, 128) * TEST_SECTOR + grain / 4096 * 8;
    guint64 number = grain / 4096;

    if (!get64(file, entry)) /* tables in the opposite order of the disk, as a host may have them */
        put64(file, entry, 0x1000000000000000 | (get64(file, 152) / 64 - 1 - number));
    entry = get64(file, 144) * TEST_SECTOR + (get64(file, entry) & 0xffffffff) * SE_TABLE + grain % 4096 * 8;
    if (!data) {
        put64(file, entry, kind << 60);
        return;
    }
    if (get64(file, entry) >> 60 != 3) {
        number = (file->len - get64(file, 192) * TEST_SECTOR) / SE_GRAIN;
        grow(file, SE_GRAIN);
        put64(file, entry, 3ull << 60 | (number & 0xfff) << 48 | number >> 12);
    }
    number = get64(file, entry);
    number = (number >> 48 & 0xfff) | (number & 0xffffffffffff) << 12;
    memcpy(file->data + get64(file, 192) * TEST_SECTOR + number * SE_GRAIN, data, SE_GRAIN);
}

/* ---- streams ----------------------------------------------------------------------------------- */

#define STREAM_GRAIN (128 * TEST_SECTOR)

/* A stream as a host sends it: tables between the grains, a footer, the end. */
static inline GByteArray *stream_new(const guint8 *disk, gsize size)
{
    GByteArray *file = g_byte_array_new();
    guint32 table[512] = {0};
    gsize grains = (size + STREAM_GRAIN - 1) / STREAM_GRAIN, at;

    grow(file, 128 * TEST_SECTOR);
    memcpy(file->data, "KDMV", 4);
    put32(file, 4, 3);
    put32(file, 8, 0x30001);
    put64(file, 12, size / TEST_SECTOR);
    put64(file, 20, 128);
    put32(file, 44, 512);
    put64(file, 56, G_MAXUINT64);
    put64(file, 64, 128);
    file->data[77] = 1;
    for (gsize i = 0; i < grains; i++) {
        guint8 plain[STREAM_GRAIN] = {0}, packed[2 * STREAM_GRAIN];
        uLongf length = sizeof packed;

        memcpy(plain, disk + i * STREAM_GRAIN, MIN((gsize)STREAM_GRAIN, size - i * STREAM_GRAIN));
        if (plain[0] || memcmp(plain, plain + 1, STREAM_GRAIN - 1)) {
            compress(packed, &length, plain, STREAM_GRAIN);
            at = grow(file, (12 + length + TEST_SECTOR - 1) / TEST_SECTOR * TEST_SECTOR);
            put64(file, at, i * 128);
            put32(file, at + 8, length);
            memcpy(file->data + at + 12, packed, length);
            table[i % 512] = GUINT32_TO_LE(at / TEST_SECTOR);
        }
        if (i % 512 == 511 || i == grains - 1) {
            at = grow(file, 5 * TEST_SECTOR);
            put64(file, at, 4);
            put32(file, at + 12, 1);
            memcpy(file->data + at + TEST_SECTOR, table, sizeof table);
            memset(table, 0, sizeof table);
        }
    }
    at = grow(file, 5 * TEST_SECTOR); /* directory, footer, end */
    put64(file, at, 1);
    put32(file, at + 12, 2);
    put64(file, at + 2 * TEST_SECTOR, 1);
    put32(file, at + 2 * TEST_SECTOR + 12, 3);
    memcpy(file->data + at + 3 * TEST_SECTOR, "KDMV", 4);
    return file;
}

/* ---- descriptors ------------------------------------------------------------------------------- */

static inline char *descriptor_text(const char *type, guint32 cid, guint32 parent_cid, const char *parent,
                                    const char *extents)
{
    g_autofree char *hint = parent ? g_strdup_printf("parentFileNameHint=\"%s\"\n", parent) : g_strdup("");
    return g_strdup_printf("# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=%08x\nparentCID=%08x\n"
                           "createType=\"%s\"\n%s\n# Extent description\n%s\n"
                           "# The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\n",
                           cid, parent_cid, type, hint, extents);
}
