/* rules: finds, checks and asks policy files. */
#include "policy/rules.h"
#include "policy/rego.h"
#include <string.h>
#include <xxhash.h>

enum { MOST_FILES = 2000, FILE_LIMIT = 1024 * 1024, DEPTH_LIMIT = 16 };

G_DEFINE_AUTOPTR_CLEANUP_FUNC(XXH3_state_t, XXH3_freeState)

struct Rules {
    RegoEngine *engine; /* never asked itself, only cloned */
    GAsyncQueue *idle;  /* clones that no thread uses now */
    guint count;
    char *hash;
    GPtrArray *tests;
};

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static gboolean find_files(const char *directory, int depth, gboolean with_tests, GPtrArray *found,
                           GError **error)
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
            if (depth < DEPTH_LIMIT && !find_files(path, depth + 1, with_tests, found, error))
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

/* The name that a line "default NAME := …" (or "=") sets, or NULL. */
static char *defaulted_name(const char *line)
{
    const char *name = line + strlen("default ");
    gsize len;

    if (!g_str_has_prefix(line, "default "))
        return NULL;
    name += strspn(name, " \t");
    len = strcspn(name, " \t:=");
    return len ? g_strndup(name, len) : NULL;
}

/* OPA does not start when a name has two defaults in a package; neither do we, and we say where they are. */
static gboolean check_defaults(GHashTable *defaults, const char *package, const char *path, char **lines,
                               GError **error)
{
    for (int i = 0; lines[i]; i++) {
        g_autofree char *name = defaulted_name(lines[i]);
        if (!name)
            continue;
        g_autofree char *key = g_strdup_printf("%s.%s", package, name);
        const char *other = g_hash_table_lookup(defaults, key);
        if (other) {
            g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID,
                        "%s:%d: default %s is set already, in %s; a custom rule cannot change a default "
                        "rule's default",
                        path, i + 1, name, other);
            return FALSE;
        }
        g_hash_table_insert(defaults, g_steal_pointer(&key), g_strdup_printf("%s:%d", path, i + 1));
    }
    return TRUE;
}

static void collect_tests(GPtrArray *tests, const char *package, char **lines)
{
    g_autofree char *prefix = g_strdelimit(g_strdup(package + strlen("data.")), ".", '/');

    for (; *lines; lines++)
        if (g_str_has_prefix(*lines, "test_")) {
            int len = (int)strcspn(*lines, " \t{:=");
            g_ptr_array_add(tests, g_strdup_printf("%s/%.*s", prefix, len, *lines));
        }
}

static gboolean add_file(Rules *rules, GHashTable *defaults, XXH3_state_t *hash, const char *path,
                         GError **error)
{
    g_autofree char *text = NULL;
    char *package, *why = NULL;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, error))
        return FALSE;
    if (size > FILE_LIMIT) {
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID,
                    "%s: %" G_GSIZE_FORMAT " bytes, at most %d are accepted", path, size, FILE_LIMIT);
        return FALSE;
    }
    package = rego_engine_add(rules->engine, path, text, strstr(text, "import rego.v1") == NULL, &why);
    if (!package) {
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID, "%s: %s", path, g_strstrip(why));
        rego_string_free(why);
        return FALSE;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gboolean sound = check_defaults(defaults, package, path, lines, error);
    collect_tests(rules->tests, package, lines);
    rego_string_free(package);
    XXH3_128bits_update(hash, path, strlen(path) + 1);
    XXH3_128bits_update(hash, text, size + 1);
    rules->count++;
    return sound;
}

static gboolean load(Rules *rules, const char *const *directories, gboolean with_tests, GError **error)
{
    g_autoptr(GHashTable) defaults = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(XXH3_state_t) hash = XXH3_createState();

    XXH3_128bits_reset(hash);
    for (int i = 0; directories[i]; i++) {
        g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
        if (i > 0 && !g_file_test(directories[i], G_FILE_TEST_IS_DIR))
            continue;
        if (!find_files(directories[i], 0, with_tests, files, error)) {
            g_prefix_error(error, "policies in %s: ", directories[i]);
            return FALSE;
        }
        g_ptr_array_sort(files, by_text);
        for (guint j = 0; j < files->len; j++)
            if (!add_file(rules, defaults, hash, files->pdata[j], error))
                return FALSE;
    }
    XXH128_hash_t digest = XXH3_128bits_digest(hash);
    rules->hash =
        g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", digest.high64, digest.low64);
    return TRUE;
}

/* What only shows when rules are evaluated together (a rule that is a set here and a value there) shows now.
 */
static gboolean try_once(Rules *rules, GError **error)
{
    static const char *const packages[] = {"vmware", "ovirt"};
    g_autoptr(json_t) input = json_pack("{s:s}", "name", "x");

    for (gsize i = 0; i < G_N_ELEMENTS(packages); i++) {
        g_autofree char *path = g_strdup_printf("io/konveyor/forklift/%s/validate", packages[i]);
        g_autoptr(json_t) value = NULL;
        if (!rules_evaluate(rules, path, input, &value, error)) {
            g_prefix_error(error, "the rules contradict each other: ");
            return FALSE;
        }
    }
    return TRUE;
}

Rules *rules_load(const char *const *directories, gboolean with_tests, GError **error)
{
    g_autoptr(Rules) rules = g_new0(Rules, 1);

    rules->engine = rego_engine_new();
    rules->idle = g_async_queue_new_full((GDestroyNotify)rego_engine_free);
    rules->tests = g_ptr_array_new_with_free_func(g_free);
    if (!load(rules, directories, with_tests, error) || !try_once(rules, error))
        return NULL;
    return g_steal_pointer(&rules);
}

void rules_free(Rules *rules)
{
    g_async_queue_unref(rules->idle);
    rego_engine_free(rules->engine);
    g_ptr_array_unref(rules->tests);
    g_free(rules->hash);
    g_free(rules);
}

gboolean rules_evaluate(Rules *rules, const char *path, const json_t *input, json_t **value, GError **error)
{
    g_autofree char *rule = g_strdelimit(g_strconcat("data.", path, NULL), "/", '.');
    g_autofree char *text = input ? json_text(input) : g_strdup("{}");
    RegoEngine *engine = g_async_queue_try_pop(rules->idle);
    char *why = NULL, *result;

    *value = NULL;
    if (!engine)
        engine = rego_engine_clone(rules->engine);
    result = rego_engine_eval(engine, text, rule, &why);
    if (result) {
        g_async_queue_push(rules->idle, engine);
        if (*result)
            *value = json_loads(result, JSON_DECODE_ANY, NULL);
        rego_string_free(result);
        return TRUE;
    }
    rego_engine_free(engine); /* after an error it may be half-way through */
    gboolean unknown = strstr(why, "not a valid rule path") != NULL;
    if (!unknown)
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_FAILED, "%s: %s", rule, g_strstrip(why));
    rego_string_free(why);
    return unknown;
}

guint rules_count(const Rules *rules)
{
    return rules->count;
}

const char *rules_hash(const Rules *rules)
{
    return rules->hash;
}

GPtrArray *rules_tests(const Rules *rules)
{
    return rules->tests;
}
