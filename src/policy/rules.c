/* rules: their life, and how they are asked. */
#include "policy/rules_private.h"
#include <string.h>

enum { MEMORY = 256 << 20 }; /* bytes that all evaluations may hold */

/* What only shows when rules are evaluated together shows now. */
static gboolean try_once(Rules *rules, GError **error)
{
    static const char document[] = "{\"name\":\"x\"}";
    g_autoptr(RegoValue) input = rego_value_parse(document, strlen(document), NULL);

    for (guint i = 0; i < rules->packages->len; i++) {
        g_autofree char *directory = rules_package_path(rules->packages->pdata[i]), *answer = NULL,
                        *path = g_strconcat(directory, "/validate", NULL);
        if (!rules_evaluate(rules, path, input, &answer, error)) {
            g_prefix_error(error, "the rules contradict each other: ");
            return FALSE;
        }
    }
    return TRUE;
}

Rules *rules_new(const RuleFiles *files, GError **error)
{
    g_autoptr(Rules) rules = g_new0(Rules, 1);
    g_autoptr(RegoEngine) engine = rego_engine_new();

    rego_limit_memory(MEMORY);
    g_atomic_ref_count_init(&rules->references);
    g_mutex_init(&rules->lock);
    g_rw_lock_init(&rules->running);
    rules->sources = g_ptr_array_new_with_free_func(rules_source_free);
    rules->packages = g_ptr_array_new_with_free_func(g_free);
    rules->documents = g_ptr_array_new_with_free_func(g_free);
    rules->tests = g_ptr_array_new_with_free_func(g_free);
    rules->problems = g_ptr_array_new_with_free_func(g_free);
    rules->strikes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    rules->left_out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    rules->hash = rule_files_hash(files);
    if (!rules_parse(rules, engine, files, error) || !rules_check(rules, engine, error))
        return NULL;
    rules_check_categories(rules);
    rules_compile(rules, engine);
    rules->reads = rego_reads_new(engine);
    rules->build = rules_build_new(g_steal_pointer(&engine));
    return try_once(rules, error) ? g_steal_pointer(&rules) : NULL;
}

Rules *rules_load(const char *const *directories, gboolean with_tests, GError **error)
{
    g_autoptr(RuleFiles) files = rule_files_read(directories, with_tests, error);
    return files ? rules_new(files, error) : NULL;
}

Rules *rules_ref(Rules *rules)
{
    g_atomic_ref_count_inc(&rules->references);
    return rules;
}

void rules_unref(Rules *rules)
{
    if (!g_atomic_ref_count_dec(&rules->references))
        return;
    g_clear_pointer(&rules->build, rules_build_unref);
    g_clear_pointer(&rules->reads, rego_reads_free);
    g_ptr_array_unref(rules->sources);
    g_ptr_array_unref(rules->packages);
    g_ptr_array_unref(rules->tests);
    g_ptr_array_unref(rules->documents);
    g_ptr_array_unref(rules->problems);
    g_hash_table_unref(rules->strikes);
    g_hash_table_unref(rules->left_out);
    g_free(rules->hash);
    g_mutex_clear(&rules->lock);
    g_rw_lock_clear(&rules->running);
    g_free(rules);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

/* Splits "a/b/concerns" into package and name. FALSE: what is asked for is not made of concerns. */
gboolean rules_split_path(const char *path, char **package, const char **name)
{
    const char *slash = strrchr(path, '/');

    *name = slash ? slash + 1 : "";
    if (strcmp(*name, "validate") && strcmp(*name, "concerns"))
        return FALSE;
    *package = g_strdelimit(g_strndup(path, slash - path), "/", '.');
    return TRUE;
}

static RulesBuild *current_build(Rules *rules, gboolean *complete)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&rules->lock);

    *complete = g_hash_table_size(rules->left_out) == 0;
    return rules_build_ref(rules->build);
}

static char *evaluate(Rules *rules, RulesBuild *build, const char *path, const RegoValue *input, char **why)
{
    g_autoptr(GRWLockReaderLocker) locker = g_rw_lock_reader_locker_new(&rules->running);
    return rules_evaluate_document(rules, build, path, input, why);
}

gboolean rules_evaluate(Rules *rules, const char *path, const RegoValue *input, char **answer, GError **error)
{
    gboolean complete;
    g_autoptr(RulesBuild) build = current_build(rules, &complete);
    g_autofree char *why = NULL, *found = evaluate(rules, build, path, input, &why);

    *answer = NULL;
    if (found && *found && !complete)
        found = rules_mark_incomplete(rules, path, found);
    if (!found)
        found = rules_evaluate_without_failures(rules, build, path, input);
    if (!found) {
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_FAILED, "%s: %s", path, why);
        return FALSE;
    }
    rules_look_at_categories(rules, build, path, input, found);
    if (*found)
        *answer = g_steal_pointer(&found);
    return TRUE;
}

RegoValue *rules_parse_request(const Rules *rules, const char *json, gsize size, char **error)
{
    return rego_reads_parse(rules->reads, json, size, error);
}

guint rules_count(const Rules *rules)
{
    return rules->sources->len;
}

const char *rules_hash(const Rules *rules)
{
    return rules->hash;
}

GPtrArray *rules_tests(const Rules *rules)
{
    return rules->tests;
}

GPtrArray *rules_problems(Rules *rules)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&rules->lock);

    for (guint i = 0; i < rules->problems->len; i++)
        g_ptr_array_add(copy, g_strdup(rules->problems->pdata[i]));
    return copy;
}
