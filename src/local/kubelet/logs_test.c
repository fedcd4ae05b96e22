/* logs: heads, tails, limits and trimming. */
#include "local/kubelet/logs.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

static gboolean gather(GBytes *piece, gpointer writer)
{
    gsize size;
    const char *data = g_bytes_get_data(piece, &size);
    g_string_append_len(writer, data, size);
    return TRUE;
}

static gboolean never(gpointer user_data)
{
    return FALSE;
}

static char *make_file(const char *text, gsize size)
{
    char *path = g_build_filename(g_get_tmp_dir(), "gantry-log-XXXXXX", NULL);
    g_close(g_mkstemp(path), NULL);
    g_assert_true(g_file_set_contents(path, text, size, NULL));
    return path;
}

static void tails(void)
{
    static const struct {
        const char *text;
        gint64 lines, bytes;
        const char *wanted;
    } rows[] = {
        {"a\nb\nc\n", -1, -1, "a\nb\nc\n"},
        {"a\nb\nc\n", 2, -1, "b\nc\n"},
        {"a\nb\nc", 1, -1, "c"},
        {"a\nb\nc\n", 9, -1, "a\nb\nc\n"},
        {"a\nb\n", 0, -1, ""},
        {"a\nb\nc\n", -1, 3, "a\nb"},
        {"", 5, -1, ""},
        {"\n\n", 1, -1, "\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = make_file(rows[i].text, strlen(rows[i].text));
        g_autoptr(GString) out = g_string_new(NULL);
        PodLogOptions options = {
            .tail_lines = rows[i].lines, .limit_bytes = rows[i].bytes, .since_us = -1, .follow = i % 2};
        g_assert_true(log_write(path, &options, gather, out, never, NULL, NULL, NULL));
        g_assert_cmpstr(out->str, ==, rows[i].wanted);
        g_unlink(path);
    }
}

static void trimming(void)
{
    g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
    for (guint i = 0; i < 100000; i++)
        g_string_append_printf(text, "line %06u\n", i);
    g_autofree char *path = make_file(text->str, text->len);
    PodLogOptions options = {.tail_lines = -1, .limit_bytes = -1, .since_us = -1};
    struct stat info;

    log_trim(path, 256 << 10);
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_true(log_write(path, &options, gather, out, never, NULL, NULL, NULL));
    if (info.st_blocks * 512 < 256 << 10) { /* a file system without holes keeps everything */
        g_assert_cmpuint(out->len, <, 140 << 10);
        g_assert_true(g_str_has_prefix(out->str, "line 0"));
    }
    g_assert_true(g_str_has_suffix(out->str, "line 099999\n"));
    g_unlink(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kubelet/logs/a tail has whole lines and a limit cuts bytes", tails);
    g_test_add_func("/kubelet/logs/a trimmed log begins with a whole line", trimming);
    return g_test_run();
}
