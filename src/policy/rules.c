/* rules: parses, checks and asks policies, and leaves out those that do not end. */
#include "policy/rules.h"
#include "base/json.h"
#include "policy/recursion.h"
#include <string.h>

enum {
    RUN_MS = 2000,        /* one document */
    DEFINITION_MS = 1000, /* one definition of a rule, when something is wrong */
    MEMORY = 256 << 20,   /* bytes that all evaluations may hold */
    STRIKES = 3,          /* failures until a file is left out for good */
    MOST_PROBLEMS = 100,  /* that are kept */
    MOST_NESTED = 16,     /* brackets in brackets: each level doubles the time that the parser takes */
};

/* ---- a build: files that were parsed together ---------------------------------------------------------- */

typedef struct {
    gatomicrefcount references;
    RegoEngine *engine; /* never asked itself, only cloned */
    GAsyncQueue *idle;  /* clones that no thread uses now */
} Build;

static Build *build_new(RegoEngine *engine_take)
{
    Build *build = g_new0(Build, 1);

    g_atomic_ref_count_init(&build->references);
    build->engine = engine_take;
    build->idle = g_async_queue_new_full((GDestroyNotify)rego_engine_free);
    return build;
}

static Build *build_ref(Build *build)
{
    g_atomic_ref_count_inc(&build->references);
    return build;
}

static void build_unref(Build *build)
{
    if (!g_atomic_ref_count_dec(&build->references))
        return;
    g_async_queue_unref(build->idle);
    rego_engine_free(build->engine);
    g_free(build);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Build, build_unref)

/* "io.konveyor.forklift.vmware" → "io/konveyor/forklift/vmware" */
static char *package_path(const char *package)
{
    return g_strdelimit(g_strdup(package), ".", '/');
}

/* The value of one rule as JSON text to be freed, "" when it is undefined, or NULL with *why. */
static char *evaluate_rule(Build *build, const char *path, const RegoValue *input, char **why)
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

/* ---- rules --------------------------------------------------------------------------------------------- */

typedef struct {
    char *path, *text;
    gboolean v0;
} Source;

struct Rules {
    gatomicrefcount references;
    GPtrArray *sources;  /* of Source */
    GPtrArray *packages; /* that have a validate */
    GPtrArray *tests;
    GPtrArray *documents; /* paths of rules that are no functions, "io/konveyor/forklift/vmware/concerns" */
    RegoReads *reads;
    char *hash;

    GRWLock running; /* held for writing while a failure is looked into: what others hold is no fault of the
                        rule */
    GMutex lock;
    Build *build;         /* of the files that are not left out */
    GHashTable *strikes;  /* path → how often it has failed */
    GHashTable *left_out; /* path → why */
    GPtrArray *problems;
};

static void source_free(gpointer data)
{
    Source *source = data;

    g_free(source->path);
    g_free(source->text);
    g_free(source);
}

static char *try_add(RegoEngine *engine, const Source *source, char **why)
{
    char *reason = NULL, *package = rego_engine_add(engine, source->path, source->text, source->v0, &reason);

    if (!package)
        *why = g_strdup(g_strstrip(reason));
    rego_string_free(reason);
    return package;
}

/* What follows a string or a comment that begins at text, or text itself when none does. */
static const char *skip_words(const char *text)
{
    char quote = *text;
    const char *at = text + 1;

    if (quote == '#')
        return text + strcspn(text, "\n");
    if (quote != '"' && quote != '`')
        return text;
    while (*at && *at != quote && (quote == '`' || *at != '\n'))
        at += quote == '"' && *at == '\\' && at[1] ? 2 : 1;
    return *at ? at + 1 : at;
}

static gboolean check_nesting(const Source *source, GError **error)
{
    guint line = 1;
    int depth = 0;

    for (const char *at = source->text; *at;) {
        const char *next = skip_words(at);
        for (const char *skipped = at; skipped < next; skipped++)
            line += *skipped == '\n';
        if (next != at) {
            at = next;
            continue;
        }
        line += *at == '\n';
        depth += *at == '[' || *at == '{' ? 1 : *at == ']' || *at == '}' ? -1 : 0;
        if (depth > MOST_NESTED) {
            g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID,
                        "%s:%u: brackets are nested deeper than %d levels; name the inner parts by rules of "
                        "their own",
                        source->path, line, MOST_NESTED);
            return FALSE;
        }
        at++;
    }
    return TRUE;
}

/* A width of millions in a sprintf() makes one builtin fill the memory before anything can stop it. */
static gboolean check_widths(const Source *source, GError **error)
{
    if (!g_regex_match_simple("%[-+ #0]*[0-9]{7,}", source->text, 0, 0))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID, "%s: a width of more than six digits after %%",
                source->path);
    return FALSE;
}

/* Reads it as the newer language first: what is meant as the older has rules without "if", which the newer
 * refuses. */
static gboolean parse(RegoEngine *engine, Source *source, GError **error)
{
    g_autofree char *newer = NULL, *older = NULL;
    char *package = try_add(engine, source, &newer);

    if (!package) {
        source->v0 = TRUE;
        package = try_add(engine, source, &older);
    }
    if (!package) {
        gboolean meant_newer = strstr(source->text, "rego.v1") || strstr(source->text, " if ");
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID, "%s: %s", source->path,
                    meant_newer ? newer : older);
        return FALSE;
    }
    rego_string_free(package);
    return TRUE;
}

static gboolean parse_all(Rules *rules, RegoEngine *engine, const RuleFiles *files, GError **error)
{
    for (guint i = 0; i < files->files->len; i++) {
        const RuleFile *file = files->files->pdata[i];
        Source *source = g_new0(Source, 1);
        source->path = g_strdup(file->path);
        source->text = g_strdup(file->text);
        g_ptr_array_add(rules->sources, source);
        if (!check_nesting(source, error) || !check_widths(source, error) || !parse(engine, source, error))
            return FALSE;
    }
    return TRUE;
}

/* Of all files but those; they have been parsed before. */
static Build *build_without(const Rules *rules, GHashTable *without)
{
    RegoEngine *engine = rego_engine_new();

    for (guint i = 0; i < rules->sources->len; i++) {
        const Source *source = rules->sources->pdata[i];
        g_autofree char *why = NULL;
        if (!g_hash_table_contains(without, source->path))
            rego_string_free(try_add(engine, source, &why));
    }
    return build_new(engine);
}

/* ---- checks of what was parsed ------------------------------------------------------------------------- */

typedef struct {
    char *file, *package, *name;
    guint line;
    gboolean is_function;
} Definition;

typedef struct {
    Rules *rules;
    GPtrArray *definitions;       /* in the order of the files */
    GHashTable *defaults, *kinds; /* "PACKAGE.NAME" → "FILE:LINE"; → "KIND FILE:LINE" */
    GError *error;
} Checking;

static void definition_free(gpointer data)
{
    Definition *definition = data;

    g_free(definition->file);
    g_free(definition->package);
    g_free(definition->name);
    g_free(definition);
}

static const char *text_of_file(const Rules *rules, const char *path)
{
    for (guint i = 0; i < rules->sources->len; i++) {
        const Source *source = rules->sources->pdata[i];
        if (!strcmp(source->path, path))
            return source->text;
    }
    return "";
}

static const char *start_of_line(const char *text, guint line)
{
    for (; line > 1 && *text; text++)
        line -= *text == '\n';
    return text;
}

/* The line at which the text of a definition ends: that of the next one of its file which begins on another;
 * 0: the file's end. */
static guint end_of(const Checking *checking, guint at)
{
    const Definition *one = checking->definitions->pdata[at];

    for (guint i = at + 1; i < checking->definitions->len; i++) {
        const Definition *next = checking->definitions->pdata[i];
        if (strcmp(next->file, one->file))
            return 0;
        if (next->line > one->line)
            return next->line;
    }
    return 0;
}

static void add_function(const Checking *checking, Recursion *recursion, guint at)
{
    const Definition *one = checking->definitions->pdata[at];
    const char *text = start_of_line(text_of_file(checking->rules, one->file), one->line);
    guint end = end_of(checking, at);
    gsize size = end ? (gsize)(start_of_line(text, end - one->line + 1) - text) : strlen(text);
    g_autofree char *place = g_strdup_printf("%s:%u", one->file, one->line);

    recursion_add(recursion, one->package, one->name, place, text, size);
}

static gboolean check_functions(const Checking *checking, GError **error)
{
    g_autoptr(Recursion) recursion = recursion_new();

    for (guint i = 0; i < checking->definitions->len; i++)
        if (((const Definition *)checking->definitions->pdata[i])->is_function)
            add_function(checking, recursion, i);
    return recursion_check(recursion, error);
}

/* OPA does not start when a name has two defaults in a package; neither do we, and we say where they are. */
static void check_default(Checking *checking, const char *key, const char *name, const char *place)
{
    const char *other = g_hash_table_lookup(checking->defaults, key);

    if (other)
        g_set_error(
            &checking->error, GANTRY_ERROR, ERROR_POLICY_INVALID,
            "%s: default %s is set already, in %s; a custom rule cannot change a default rule's default",
            place, name, other);
    else
        g_hash_table_insert(checking->defaults, g_strdup(key), g_strdup(place));
}

/* Definitions of one name are alternatives, so they have to make the same kind of document. */
static void check_kind(Checking *checking, const char *key, const char *name, const char *kind,
                       const char *place)
{
    const char *other = g_hash_table_lookup(checking->kinds, key);
    gsize len = other ? strcspn(other, " ") : 0;

    if (!other)
        g_hash_table_insert(checking->kinds, g_strdup(key), g_strdup_printf("%s %s", kind, place));
    else if (strncmp(other, kind, len) || kind[len])
        g_set_error(&checking->error, GANTRY_ERROR, ERROR_POLICY_INVALID,
                    "%s: %s is a %s here and a %.*s in %s; choose another name", place, name, kind, (int)len,
                    other, other + len + 1);
}

static void check_rule(const char *file, guint line, const char *package, const char *name, const char *kind,
                       gpointer user_data)
{
    Checking *checking = user_data;
    g_autofree char *key = g_strdup_printf("%s.%s", package, name),
                    *place = g_strdup_printf("%s:%u", file, line);

    if (checking->error)
        return;
    Definition *definition = g_new(Definition, 1);
    *definition =
        (Definition){g_strdup(file), g_strdup(package), g_strdup(name), line, !strcmp(kind, "function")};
    g_ptr_array_add(checking->definitions, definition);
    if (!strcmp(kind, "default"))
        check_default(checking, key, name, place);
    else
        check_kind(checking, key, name, kind, place);
    if (!strcmp(name, "validate") &&
        !g_ptr_array_find_with_equal_func(checking->rules->packages, package, g_str_equal, NULL))
        g_ptr_array_add(checking->rules->packages, g_strdup(package));
    g_autofree char *path = package_path(key);
    if (g_str_has_prefix(name, "test_"))
        g_ptr_array_add(checking->rules->tests, g_strdup(path));
    if (strcmp(kind, "function") &&
        !g_ptr_array_find_with_equal_func(checking->rules->documents, path, g_str_equal, NULL))
        g_ptr_array_add(checking->rules->documents, g_steal_pointer(&path));
}

static gboolean check_rules(Rules *rules, RegoEngine *engine, GError **error)
{
    g_autoptr(GHashTable) defaults = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) kinds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) definitions = g_ptr_array_new_with_free_func(definition_free);
    Checking checking = {.rules = rules, .definitions = definitions, .defaults = defaults, .kinds = kinds};

    rego_engine_each_rule(engine, check_rule, &checking);
    if (checking.error)
        g_propagate_error(error, checking.error);
    return !checking.error && check_functions(&checking, error);
}

static gboolean is_category(const char *name)
{
    static const char *const names[] = {"Critical", "Warning", "Information", NULL};
    return g_strv_contains(names, name);
}

static char *category_problem(const char *file, guint line, const char *category)
{
    return g_strdup_printf("%s:%u: category \"%s\" is none; use Critical, Warning or Information", file, line,
                           category);
}

static guint line_of(const char *text, int offset)
{
    guint line = 1;
    for (int i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* Categories that stand in the text; those that a rule computes are seen when it fires. */
static void check_categories(Rules *rules)
{
    g_autoptr(GRegex) regex = g_regex_new("\"category\"\\s*:\\s*\"([^\"\\n]*)\"", 0, 0, NULL);

    for (guint i = 0; i < rules->sources->len; i++) {
        const Source *source = rules->sources->pdata[i];
        g_autoptr(GMatchInfo) match = NULL;
        for (g_regex_match(regex, source->text, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL)) {
            g_autofree char *category = g_match_info_fetch(match, 1);
            int start = 0, end;
            g_match_info_fetch_pos(match, 1, &start, &end);
            if (!is_category(category))
                g_ptr_array_add(rules->problems,
                                category_problem(source->path, line_of(source->text, start), category));
        }
    }
}

/* What is asked for every VM is made fast. Where that cannot be, it is answered all the same. */
static void compile(const Rules *rules, RegoEngine *engine)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < rules->packages->len; i++)
        g_ptr_array_add(entries,
                        g_strdup_printf("data.%s.validate", (const char *)rules->packages->pdata[i]));
    if (entries->len)
        rego_engine_compile(engine, (const char *const *)entries->pdata, entries->len);
}

/* What only shows when rules are evaluated together shows now. */
static gboolean try_once(Rules *rules, GError **error)
{
    static const char document[] = "{\"name\":\"x\"}";
    g_autoptr(RegoValue) input = rego_value_parse(document, strlen(document), NULL);

    for (guint i = 0; i < rules->packages->len; i++) {
        g_autofree char *directory = package_path(rules->packages->pdata[i]), *answer = NULL,
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
    rules->sources = g_ptr_array_new_with_free_func(source_free);
    rules->packages = g_ptr_array_new_with_free_func(g_free);
    rules->documents = g_ptr_array_new_with_free_func(g_free);
    rules->tests = g_ptr_array_new_with_free_func(g_free);
    rules->problems = g_ptr_array_new_with_free_func(g_free);
    rules->strikes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    rules->left_out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    rules->hash = rule_files_hash(files);
    if (!parse_all(rules, engine, files, error) || !check_rules(rules, engine, error))
        return NULL;
    check_categories(rules);
    compile(rules, engine);
    rules->reads = rego_reads_new(engine);
    rules->build = build_new(g_steal_pointer(&engine));
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
    g_clear_pointer(&rules->build, build_unref);
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
static char *evaluate_all(Rules *rules, Build *build, const char *path, const RegoValue *input, char **why)
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
static char *evaluate_document(Rules *rules, Build *build, const char *path, const RegoValue *input,
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

/* ---- rules that fail ----------------------------------------------------------------------------------- */

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

/* Splits "a/b/concerns" into package and name. FALSE: what is asked for is not made of concerns. */
static gboolean split_path(const char *path, char **package, const char **name)
{
    const char *slash = strrchr(path, '/');

    *name = slash ? slash + 1 : "";
    if (strcmp(*name, "validate") && strcmp(*name, "concerns"))
        return FALSE;
    *package = g_strdelimit(g_strndup(path, slash - path), "/", '.');
    return TRUE;
}

static GPtrArray *find_failures(Build *build, const char *package, const RegoValue *input)
{
    GPtrArray *failures = g_ptr_array_new_with_free_func(failure_free);
    g_autoptr(RegoEngine) engine = rego_engine_clone(build->engine);

    rego_engine_each_definition(engine, package, "concerns", input, DEFINITION_MS, note_failure, failures);
    return failures;
}

static void leave_out(Rules *rules, const Failure *failure)
{
    Build *without;

    g_hash_table_insert(rules->left_out, g_strdup(failure->file), g_strdup(failure->why));
    g_ptr_array_add(
        rules->problems,
        g_strdup_printf("%s:%u: this rule has failed %d times and is left out until it is changed: %s",
                        failure->file, failure->line, STRIKES, failure->why));
    without = build_without(rules, rules->left_out);
    compile(rules, without->engine);
    g_clear_pointer(&rules->build, build_unref);
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

static char *evaluate_without_failures(Rules *rules, Build *build, const char *path, const RegoValue *input)
{
    g_autofree char *package = NULL, *why = NULL, *answer = NULL;
    g_autoptr(GPtrArray) failures = NULL;
    g_autoptr(GHashTable) without = NULL;
    g_autoptr(Build) reduced = NULL;
    g_autoptr(GRWLockWriterLocker) alone = NULL;
    const char *name;

    if (!split_path(path, &package, &name))
        return NULL;
    alone = g_rw_lock_writer_locker_new(&rules->running);
    failures = find_failures(build, package, input);
    if (!failures->len)
        return NULL;
    count_strikes(rules, failures);
    without = list_without(rules, failures);
    reduced = build_without(rules, without);
    answer = evaluate_document(rules, reduced, path, input, &why);
    return answer ? with_failures(answer, without) : NULL;
}

/* ---- categories that rules compute --------------------------------------------------------------------- */

typedef struct {
    Rules *rules;
    const char *category;
} Search;

static void note_category(const char *file, guint line, const char *value, const char *error,
                          gpointer user_data)
{
    const Search *search = user_data;
    g_autofree char *wanted = g_strdup_printf("\"category\":\"%s\"", search->category),
                    *problem = category_problem(file, line, search->category);

    if (value && strstr(value, wanted) &&
        !g_ptr_array_find_with_equal_func(search->rules->problems, problem, g_str_equal, NULL))
        g_ptr_array_add(search->rules->problems, g_steal_pointer(&problem));
}

static gboolean is_known_problem(Rules *rules, const char *category)
{
    g_autofree char *words = g_strdup_printf(": category \"%s\" is none", category);

    for (guint i = 0; i < rules->problems->len; i++)
        if (strstr(rules->problems->pdata[i], words))
            return TRUE;
    return FALSE;
}

static void report_category(Rules *rules, Build *build, const char *path, const RegoValue *input,
                            const char *category)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&rules->lock);
    g_autoptr(RegoEngine) engine = NULL;
    g_autofree char *package = NULL;
    const char *name;
    Search search = {rules, category};

    if (rules->problems->len >= MOST_PROBLEMS || is_known_problem(rules, category) ||
        !split_path(path, &package, &name))
        return;
    engine = rego_engine_clone(build->engine);
    rego_engine_each_definition(engine, package, "concerns", input, DEFINITION_MS, note_category, &search);
}

static void look_at_categories(Rules *rules, Build *build, const char *path, const RegoValue *input,
                               const char *answer)
{
    static const char key[] = "\"category\":\"";

    for (const char *at = strstr(answer, key); at; at = strstr(at, key)) {
        at += strlen(key);
        g_autofree char *category = g_strndup(at, strcspn(at, "\"\\"));
        if (!is_category(category))
            report_category(rules, build, path, input, category);
    }
}

/* ---- asking -------------------------------------------------------------------------------------------- */

static Build *current_build(Rules *rules, gboolean *complete)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&rules->lock);

    *complete = g_hash_table_size(rules->left_out) == 0;
    return build_ref(rules->build);
}

static char *evaluate(Rules *rules, Build *build, const char *path, const RegoValue *input, char **why)
{
    g_autoptr(GRWLockReaderLocker) locker = g_rw_lock_reader_locker_new(&rules->running);
    return evaluate_document(rules, build, path, input, why);
}

static char *mark_incomplete(Rules *rules, const char *path, char *answer_take)
{
    g_autofree char *answer = answer_take, *package = NULL;
    g_autoptr(GHashTable) without = NULL;
    const char *name;

    if (!split_path(path, &package, &name))
        return g_steal_pointer(&answer);
    without = list_without(rules, NULL);
    return with_failures(answer, without);
}

gboolean rules_evaluate(Rules *rules, const char *path, const RegoValue *input, char **answer, GError **error)
{
    gboolean complete;
    g_autoptr(Build) build = current_build(rules, &complete);
    g_autofree char *why = NULL, *found = evaluate(rules, build, path, input, &why);

    *answer = NULL;
    if (found && *found && !complete)
        found = mark_incomplete(rules, path, found);
    if (!found)
        found = evaluate_without_failures(rules, build, path, input);
    if (!found) {
        g_set_error(error, GANTRY_ERROR, ERROR_POLICY_FAILED, "%s: %s", path, why);
        return FALSE;
    }
    look_at_categories(rules, build, path, input, found);
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
