/* rules_documents: the answers of rules, of parts of their values, and of all rules below a path. */
#include "policy/rules_private.h"
#include <string.h>

enum { RUN_MS = 2000 }; /* one document */

/* ---- a build: files that were parsed together ---------------------------------------------------------- */

RulesBuild *rules_build_new(RegoEngine *engine_take)
{
    RulesBuild *build = g_new0(RulesBuild, 1);

    g_atomic_ref_count_init(&build->references);
    build->engine = engine_take;
    build->idle = g_async_queue_new_full((GDestroyNotify)rego_engine_free);
    return build;
}

RulesBuild *rules_build_ref(RulesBuild *build)
{
    g_atomic_ref_count_inc(&build->references);
    return build;
}

void rules_build_unref(RulesBuild *build)
{
    if (!g_atomic_ref_count_dec(&build->references))
        return;
    g_async_queue_unref(build->idle);
    rego_engine_free(build->engine);
    g_free(build);
}

/* Of all files but those; they have been parsed before. */
RulesBuild *rules_build_without(const Rules *rules, GHashTable *without)
{
    RegoEngine *engine = rego_engine_new();

    for (guint i = 0; i < rules->sources->len; i++) {
        const RulesSource *source = rules->sources->pdata[i];
        g_autofree char *why = NULL;
        if (!g_hash_table_contains(without, source->path))
            rego_string_free(rules_add_source(engine, source, &why));
    }
    return rules_build_new(engine);
}

/* What is asked for every VM is made fast. Where that cannot be, it is answered all the same. */
void rules_compile(const Rules *rules, RegoEngine *engine)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < rules->packages->len; i++)
        g_ptr_array_add(entries,
                        g_strdup_printf("data.%s.validate", (const char *)rules->packages->pdata[i]));
    if (entries->len)
        rego_engine_compile(engine, (const char *const *)entries->pdata, entries->len);
}

/* ---- one rule ------------------------------------------------------------------------------------------ */

/* "io.konveyor.forklift.vmware" → "io/konveyor/forklift/vmware" */
char *rules_package_path(const char *package)
{
    return g_strdelimit(g_strdup(package), ".", '/');
}

/* The value of one rule as JSON text to be freed, "" when it is undefined, or NULL with *why. */
static char *evaluate_rule(RulesBuild *build, const char *path, const RegoValue *input, char **why)
{
    g_autofree char *rule = g_strdelimit(g_strconcat("data.", path, NULL), "/", '.');
    RegoEngine *engine = g_async_queue_try_pop(build->idle);
    char *reason = NULL, *answer, *copy;

    if (!engine)
        engine = rego_engine_clone(build->engine);
    answer = rego_engine_rule(engine, rule, input, RUN_MS, &reason);
    if (answer)
        g_async_queue_push(build->idle, engine);
    else
        rego_engine_free(engine); /* it may be half-way through */
    /* A rule whose file is left out. */
    copy = reason && strstr(reason, "not a valid rule path") ? g_strdup("") : g_strdup(answer);
    *why = reason ? g_strdup(g_strstrip(reason)) : NULL;
    rego_string_free(reason);
    rego_string_free(answer);
    return copy;
}

/* ---- documents: rules, parts of their values, and what holds rules ------------------------------------- */

/* What comes after holder in path: "b/c" of "a/b/c" and "a", "" when they are the same; NULL: path is not
 * below it. */
static const char *below(const char *path, const char *holder)
{
    gsize len = strlen(holder);

    if (!len)
        return path;
    if (strncmp(path, holder, len) || (path[len] && path[len] != '/'))
        return NULL;
    return path[len] ? path + len + 1 : path + len;
}

static char *text_of(const json_t *value)
{
    char *dumped = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY),
         *copy = g_strdup(dumped);

    free(dumped);
    return copy;
}

/* "b/c" of a value: its member b's member c; "" when there is none. */
static char *part_of(const char *value, const char *path)
{
    g_autoptr(json_t) whole = *value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    json_t *at = whole;

    for (int i = 0; names[i] && at; i++)
        at = json_object_get(at, names[i]);
    return at ? text_of(at) : g_strdup("");
}

/* Puts value where path says, making objects on the way. */
static void put_at(json_t *root, const char *path, json_t *value_take)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    json_t *at = root;

    for (int i = 0; names[i]; i++) {
        json_t *next = json_object_get(at, names[i]);
        if (!json_is_object(next)) {
            next = names[i + 1] ? json_object() : json_incref(value_take);
            json_object_set_new(at, names[i], next);
        }
        at = next;
    }
    json_decref(value_take);
}

/* All rules below path as one object. */
static char *evaluate_all(Rules *rules, RulesBuild *build, const char *path, const RegoValue *input,
                          char **why)
{
    g_autoptr(json_t) all = NULL;

    for (guint i = 0; i < rules->documents->len; i++) {
        const char *one = rules->documents->pdata[i], *rest = below(one, path);
        g_autofree char *value = rest ? evaluate_rule(build, one, input, why) : NULL;
        if (!rest)
            continue;
        if (!value)
            return NULL;
        g_clear_pointer(why, g_free);
        if (!all)
            all = json_object();
        if (*value)
            put_at(all, rest, json_loads(value, JSON_DECODE_ANY, NULL));
    }
    return all ? json_text(all) : g_strdup("");
}

/* As evaluate_rule(), of any path. */
char *rules_evaluate_document(Rules *rules, RulesBuild *build, const char *path, const RegoValue *input,
                              char **why)
{
    for (guint i = 0; i < rules->documents->len; i++) {
        const char *rule = rules->documents->pdata[i], *rest = below(path, rule);
        g_autofree char *value = rest ? evaluate_rule(build, rule, input, why) : NULL;
        if (rest)
            return value && *rest ? part_of(value, rest) : g_steal_pointer(&value);
    }
    return evaluate_all(rules, build, path, input, why);
}
