/* rule_files: finds and reads policy files. */
#include "policy/rule_files.h"
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

enum { MOST_FILES = 2000, FILE_LIMIT = 1024 * 1024, DEPTH_LIMIT = 16 };

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XXH3_state_t, XXH3_freeState)

static void rule_file_free(gpointer data)
{
    RuleFile *file = data;

    g_free(file->path);
    g_free(file->text);
    g_free(file);
}

RuleFiles *rule_files_new(void)
{
    RuleFiles *files = g_new0(RuleFiles, 1);
    files->files = g_ptr_array_new_with_free_func(rule_file_free);
    return files;
}

void rule_files_free(RuleFiles *files)
{
    g_ptr_array_unref(files->files);
    g_free(files);
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static gboolean find(const char *directory, int depth, gboolean with_tests, GPtrArray *found, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(directory, 0, error);
    const char *name;

    if (!dir)
        return FALSE;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        /* A mounted ConfigMap holds its files twice: below ..data and as links to there. */
        if (g_str_has_prefix(name, ".."))
            continue;
        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            if (depth < DEPTH_LIMIT && !find(path, depth + 1, with_tests, found, error))
                return FALSE;
        } else if (g_str_has_suffix(name, ".rego") && (with_tests || !g_str_has_suffix(name, "_test.rego"))) {
            g_ptr_array_add(found, g_steal_pointer(&path));
        }
    }
    if (found->len > MOST_FILES) {
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID, "%s: more than %d policy files", directory,
                    MOST_FILES);
        return FALSE;
    }
    return TRUE;
}

/* The paths below all directories, in order. */
static GPtrArray *find_all(const char *const *directories, gboolean with_tests, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; directories[i]; i++) {
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
        if (i > 0 && !g_file_test(directories[i], G_FILE_TEST_IS_DIR))
            continue;
        if (!find(directories[i], 0, with_tests, found, error)) {
            g_prefix_error(error, "policies in %s: ", directories[i]);
            return NULL;
        }
        g_ptr_array_sort(found, by_text);
        g_ptr_array_extend_and_steal(all, g_steal_pointer(&found));
    }
    return g_steal_pointer(&all);
}

static gboolean read_file(RuleFiles *files, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    struct stat status;
    gsize size;

    if (stat(path, &status) == 0 && status.st_size > FILE_LIMIT) {
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID,
                    "%s: %" G_GINT64_FORMAT " bytes, at most %d are accepted", path, (gint64)status.st_size,
                    FILE_LIMIT);
        return FALSE;
    }
    if (!g_file_get_contents(path, &text, &size, error))
        return FALSE;
    if (!g_utf8_validate(text, size, NULL)) {
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID, "%s: not UTF-8 text", path);
        return FALSE;
    }
    rule_files_add(files, path, text);
    return TRUE;
}

RuleFiles *rule_files_read(const char *const *directories, gboolean with_tests, GError **error)
{
    g_autoptr(RuleFiles) files = rule_files_new();
    g_autoptr(GPtrArray) paths = find_all(directories, with_tests, error);

    for (guint i = 0; paths && i < paths->len; i++)
        if (!read_file(files, paths->pdata[i], error))
            return NULL;
    return paths ? g_steal_pointer(&files) : NULL;
}

void rule_files_add(RuleFiles *files, const char *path, const char *text)
{
    RuleFile *file = g_new0(RuleFile, 1);

    file->path = g_strdup(path);
    file->text = g_strdup(text);
    file->size = strlen(text);
    g_ptr_array_add(files->files, file);
}

char *rule_files_hash(const RuleFiles *files)
{
    g_autoptr(XXH3_state_t) hash = XXH3_createState();
    XXH128_hash_t digest;

    XXH3_128bits_reset(hash);
    for (guint i = 0; i < files->files->len; i++) {
        const RuleFile *file = files->files->pdata[i];
        XXH3_128bits_update(hash, file->path, strlen(file->path) + 1);
        XXH3_128bits_update(hash, file->text, file->size + 1);
    }
    digest = XXH3_128bits_digest(hash);
    return g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", digest.high64,
                           digest.low64);
}

guint64 rule_files_mark(const char *const *directories)
{
    g_autoptr(GPtrArray) paths = find_all(directories, FALSE, NULL);
    g_autoptr(XXH3_state_t) hash = XXH3_createState();

    XXH3_64bits_reset(hash);
    for (guint i = 0; paths && i < paths->len; i++) {
        const char *path = paths->pdata[i];
        struct stat status;
        if (stat(path, &status) < 0)
            continue;
        gint64 facts[] = {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
        XXH3_64bits_update(hash, path, strlen(path) + 1);
        XXH3_64bits_update(hash, facts, sizeof(facts));
    }
    return paths ? XXH3_64bits_digest(hash) : 0;
}
