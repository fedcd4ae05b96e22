/* share: the places where installed and uninstalled builds keep their files. */
#include "base/share.h"
#include <stdarg.h>

static GPtrArray *share_places(void)
{
    GPtrArray *places = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = program ? g_path_get_dirname(program) : NULL;
    const char *set = g_getenv("GANTRY_SHARE");

    if (set && *set)
        g_ptr_array_add(places, g_strdup(set));
    if (dir) {
        g_ptr_array_add(places, g_build_filename(dir, "..", "share", "gantry", NULL));
        g_ptr_array_add(places, g_build_filename(dir, "..", NULL));
    }
    g_ptr_array_add(places, g_strdup(GANTRY_SOURCE));
    return places;
}

char *share_find(GError **error, const char *name, ...)
{
    g_autoptr(GPtrArray) places = share_places();
    g_autoptr(GString) tried = g_string_new(NULL);

    for (guint i = 0; i < places->len; i++) {
        va_list names;

        va_start(names, name);
        for (const char *each = name; each; each = va_arg(names, const char *)) {
            g_autofree char *path = g_build_filename(g_ptr_array_index(places, i), each, NULL);

            if (g_file_test(path, G_FILE_TEST_EXISTS)) {
                va_end(names);
                return g_canonicalize_filename(path, NULL);
            }
            g_string_append_printf(tried, "%s%s", tried->len ? ", " : "", path);
        }
        va_end(names);
    }
    g_set_error(error, GANTRY_ERROR, ERROR_IO,
                "%s: not found among the files that come with Gantry (looked for %s)", name, tried->str);
    return NULL;
}
