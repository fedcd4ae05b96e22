/* rate_limit: what a second carries, by a clock of the test's own, and files that change. */
#include "copy/rate_limit.h"
#include <glib/gstdio.h>
#include <string.h>

#define MIB    ((gsize)1 << 20)
#define SECOND G_USEC_PER_SEC

typedef struct {
    char *directory, *plan, *host;
    RateLimit *limit;
} Files;

static void say(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void set_up(Files *files, gconstpointer data)
{
    const char *paths[3] = {0};

    files->directory = g_dir_make_tmp("rate-XXXXXX", NULL);
    paths[0] = files->plan = g_build_filename(files->directory, "plan", NULL);
    paths[1] = files->host = g_build_filename(files->directory, "host", NULL);
    files->limit = rate_limit_new(paths);
}

static void tear_down(Files *files, gconstpointer data)
{
    rate_limit_free(files->limit);
    g_unlink(files->plan);
    g_unlink(files->host);
    g_rmdir(files->directory);
    g_free(files->plan);
    g_free(files->host);
    g_free(files->directory);
}

/* Bytes that get through in so many seconds from then on, when each read takes no time. */
static guint64 read_for(const Files *files, gint64 *now, guint seconds)
{
    gint64 end = *now + seconds * SECOND, wait;
    guint64 bytes = 0;

    while (*now < end) {
        bytes += rate_limit_book(files->limit, 4 * MIB, *now, &wait);
        *now += wait;
        if (bytes > 4096 * MIB)
            break; /* no limit at all */
    }
    return bytes;
}

static void without_files_nothing_waits(Files *files, gconstpointer data)
{
    gint64 wait;
    g_assert_cmpuint(rate_limit_book(files->limit, 4 * MIB, 1, &wait), ==, 4 * MIB);
    g_assert_cmpint(wait, ==, 0);
}

static void the_lowest_number_counts(Files *files, gconstpointer data)
{
    gint64 now = 1;

    say(files->plan, "10485760\n");
    say(files->host, "2097152");
    g_assert_cmpuint(read_for(files, &now, 10), <=, 21 * MIB);
    g_assert_cmpuint(rate_limit_get(files->limit), ==, 2 * MIB);
}

static void a_change_counts_within_a_second(Files *files, gconstpointer data)
{
    gint64 now = 1;
    guint64 bytes;

    say(files->plan, "1048576");
    bytes = read_for(files, &now, 10);
    g_assert_cmpuint(bytes, >=, 9 * MIB);
    g_assert_cmpuint(bytes, <=, 11 * MIB);
    say(files->plan, "104857600");
    now += SECOND;
    g_assert_cmpuint(read_for(files, &now, 10), >=, 900 * MIB);
    say(files->plan, "0");
    now += SECOND;
    g_assert_cmpuint(read_for(files, &now, 1), >, 4096 * MIB);
}

static void what_is_no_number_changes_nothing(Files *files, gconstpointer data)
{
    static const char *const texts[] = {"fast", "-1", "1e9", "10 MiB", "99999999999999999999999"};
    gint64 now = 1;

    say(files->plan, "1048576");
    read_for(files, &now, 1);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        say(files->plan, texts[i]);
        now += SECOND;
        read_for(files, &now, 1);
        g_assert_cmpuint(rate_limit_get(files->limit), ==, MIB);
    }
}

static void nothing_is_slower_than_64_kib(Files *files, gconstpointer data)
{
    gint64 now = 1;
    say(files->host, "1");
    read_for(files, &now, 1);
    g_assert_cmpuint(rate_limit_get(files->limit), ==, 64 * 1024);
}

#define TEST(name, function) g_test_add("/copy/rate_limit/" name, Files, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("without files nothing waits", without_files_nothing_waits);
    TEST("the lowest number counts", the_lowest_number_counts);
    TEST("a change counts within a second", a_change_counts_within_a_second);
    TEST("what is no number changes nothing", what_is_no_number_changes_nothing);
    TEST("nothing is slower than 64 KiB", nothing_is_slower_than_64_kib);
    return g_test_run();
}
