/* chunk: hashes agree with themselves and with xxhsum; zeros are found. */
#include "copy/chunk.h"
#include <string.h>

static void a_hash_is_written_as_xxhsum_writes_it(void)
{
    Hash hash = hash_of("", 0), back;
    char text[33];

    hash_text(&hash, text);
    g_assert_cmpstr(text, ==, "99aa06d3014798d86001c324468d497f");
    g_assert_true(hash_parse(text, &back));
    g_assert_true(hash_equal(&hash, &back));
    g_assert_false(hash_parse("99aa06d3014798d86001c324468d497", &back));
    g_assert_false(hash_parse("99aa06d3014798d86001c324468d497g", &back));
    g_assert_false(hash_parse("99aa06d3014798d86001c324468d497f0", &back));
}

static void zeros_hash_alike_however_they_are_counted(void)
{
    g_autofree guint8 *zeros = g_malloc0(CHUNK_SIZE);
    const gsize sizes[] = {512, GRANULE - 512, GRANULE, GRANULE + 512, CHUNK_SIZE, CHUNK_SIZE};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Hash one = hash_of(zeros, sizes[i]), other = hash_of_zeros(sizes[i]);
        g_assert_true(hash_equal(&one, &other));
    }
}

static void one_bit_anywhere_is_not_zero(void)
{
    g_autofree guint8 *data = g_malloc0(GRANULE);

    g_assert_true(is_zero(data, GRANULE));
    g_assert_true(is_zero(data, 0));
    for (gsize at = 0; at < GRANULE; at += 4095) {
        data[at] = 1;
        g_assert_false(is_zero(data, GRANULE));
        data[at] = 0;
    }
}

static void the_last_chunk_is_what_is_left(void)
{
    g_assert_cmpuint(chunk_count(0), ==, 0);
    g_assert_cmpuint(chunk_count(512), ==, 1);
    g_assert_cmpuint(chunk_size(512, 0), ==, 512);
    g_assert_cmpuint(chunk_count(CHUNK_SIZE), ==, 1);
    g_assert_cmpuint(chunk_count(CHUNK_SIZE + 512), ==, 2);
    g_assert_cmpuint(chunk_size(CHUNK_SIZE + 512, 1), ==, 512);
    g_assert_cmpuint(chunk_count(G_GUINT64_CONSTANT(62) << 40), ==, 62 * 262144);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/chunk/a hash is written as xxhsum writes it",
                    a_hash_is_written_as_xxhsum_writes_it);
    g_test_add_func("/copy/chunk/zeros hash alike however they are counted",
                    zeros_hash_alike_however_they_are_counted);
    g_test_add_func("/copy/chunk/one bit anywhere is not zero", one_bit_anywhere_is_not_zero);
    g_test_add_func("/copy/chunk/the last chunk is what is left", the_last_chunk_is_what_is_left);
    return g_test_run();
}
