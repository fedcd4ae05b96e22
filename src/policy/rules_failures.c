/* rules_failures: finds the rules that fail, answers without them, and leaves out those that fail again and
 * again. */
#include "policy/rules_private.h"
#include <string.h>

enum { STRIKES = 3 }; /* failures until a file is left out for good */

typedef struct {
    char *file, *why;
    guint line;
} Failure;

static void failure_free(gpointer data)
{
    Failure *failure = data;

    g_free(failure->file);
    g_free(failure->why);
    g_free(failure);
}

/* The interpreter quotes the rule before it says what is wrong. As in OPA nothing follows from a "some … in"
 * over what is no collection, which it calls an error: "". */
static char *reason_of(const char *error)
{
    const char *last = strrchr(error, '\n');

    return g_strdup(strstr(error, "expects array/set/object") ? "" : last ? last + 1 : error);
}

static void note_failure(const char *file, guint line, const char *value, const char *error,
                         gpointer failures)
{
    if (!error)
        return;
    Failure *failure = g_new0(Failure, 1);
    failure->file = g_strdup(file);
    failure->line = line;
    failure->why = reason_of(error);
    g_ptr_array_add(failures, failure);
}

static GPtrArray *find_failures(RulesBuild *build, const char *package, const RegoValue *input)
{
    GPtrArray *failures = g_ptr_array_new_with_free_func(failure_free);
    g_autoptr(RegoEngine) engine = rego_engine_clone(build->engine);

    rego_engine_each_definition(engine, package, "concerns", input, DEFINITION_MS, note_failure, failures);
    return failures;
}

static void leave_out(Rules *rules, const Failure *failure)
{
    RulesBuild *without;

    g_hash_table_insert(rules->left_out, g_strdup(failure->file), g_strdup(failure->why));
    g_ptr_array_add(
        rules->problems,
        g_strdup_printf("%s:%u: this rule has failed %d times and is left out until it is changed: %s",
                        failure->file, failure->line, STRIKES, failure->why));
    without = rules_build_without(rules, rules->left_out);
    rules_compile(rules, without->engine);
    g_clear_pointer(&rules->build, rules_build_unref);
    rules->build = without;
}

static void count_strikes(Rules *rules, GPtrArray *failures)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&rules->lock);

    for (guint i = 0; i < failures->len; i++) {
        const Failure *failure = failures->pdata[i];
        if (!strstr(failure->why, "exceeded")) /* the document's fault, perhaps; it costs no time */
            continue;
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(rules->strikes, failure->file)) + 1;
        g_hash_table_insert(rules->strikes, g_strdup(failure->file), GUINT_TO_POINTER(count));
        if (count >= STRIKES && !g_hash_table_contains(rules->left_out, failure->file))
            leave_out(rules, failure);
    }
}

/* The files that an evaluation is to do without → why: those left out for good and those that failed now. */
static GHashTable *list_without(Rules *rules, GPtrArray *failures)
{
    GHashTable *without = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&rules->lock);
    GHashTableIter iter;
    gpointer file, why;

    g_hash_table_iter_init(&iter, rules->left_out);
    while (g_hash_table_iter_next(&iter, &file, &why))
        g_hash_table_insert(without, g_strdup(file), g_strdup(why));
    for (guint i = 0; failures && i < failures->len; i++) {
        const Failure *failure = failures->pdata[i];
        g_hash_table_insert(without, g_strdup(failure->file), g_strdup(failure->why));
    }
    return without;
}

static json_t *concern_of_failure(const char *file, const char *why)
{
    g_autofree char *name = g_path_get_basename(file),
                    *label = g_strdup_printf("Validation rule %s could not be evaluated", name),
                    *assessment =
                        g_strdup_printf("The VM was not checked by %s: %s. Correct the rule.", file, why);

    return json_pack("{s:s, s:s, s:s, s:s}", "id", "gantry.rule.failed", "category", "Warning", "label",
                     label, "assessment", assessment);
}

/* The answer with a concern for each rule that it was made without. */
static char *with_failures(const char *answer, GHashTable *without)
{
    g_autoptr(json_t) document = json_loads(answer, JSON_DECODE_ANY, NULL);
    json_t *concerns = json_is_object(document) ? json_object_get(document, "concerns") : document;
    GHashTableIter iter;
    gpointer file, why;

    g_hash_table_iter_init(&iter, without);
    while (json_is_array(concerns) && g_hash_table_iter_next(&iter, &file, &why))
        if (*(const char *)why)
            json_array_append_new(concerns, concern_of_failure(file, why));
    return document ? json_text(document) : g_strdup(answer);
}

char *rules_evaluate_without_failures(Rules *rules, RulesBuild *build, const char *path,
                                      const RegoValue *input)
{
    g_autofree char *package = NULL, *why = NULL, *answer = NULL;
    g_autoptr(GPtrArray) failures = NULL;
    g_autoptr(GHashTable) without = NULL;
    g_autoptr(RulesBuild) reduced = NULL;
    g_autoptr(GRWLockWriterLocker) alone = NULL;
    const char *name;

    if (!rules_split_path(path, &package, &name))
        return NULL;
    alone = g_rw_lock_writer_locker_new(&rules->running);
    failures = find_failures(build, package, input);
    if (!failures->len)
        return NULL;
    count_strikes(rules, failures);
    without = list_without(rules, failures);
    reduced = rules_build_without(rules, without);
    answer = rules_evaluate_document(rules, reduced, path, input, &why);
    return answer ? with_failures(answer, without) : NULL;
}

char *rules_mark_incomplete(Rules *rules, const char *path, char *answer_take)
{
    g_autofree char *answer = answer_take, *package = NULL;
    g_autoptr(GHashTable) without = NULL;
    const char *name;

    if (!rules_split_path(path, &package, &name))
        return g_steal_pointer(&answer);
    without = list_without(rules, NULL);
    return with_failures(answer, without);
}
