/* rules_parse: files become rules, or are refused with the place and what is wrong there. */
#include "policy/recursion.h"
#include "policy/rules_private.h"
#include <string.h>

enum { MOST_NESTED = 16 }; /* brackets in brackets: each level doubles the time that the parser takes */

/* ---- one file ------------------------------------------------------------------------------------------ */

void rules_source_free(gpointer data)
{
    RulesSource *source = data;

    g_free(source->path);
    g_free(source->text);
    g_free(source);
}

char *rules_add_source(RegoEngine *engine, const RulesSource *source, char **why)
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

static gboolean check_nesting(const RulesSource *source, GError **error)
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
static gboolean check_widths(const RulesSource *source, GError **error)
{
    if (!g_regex_match_simple("%[-+ #0]*[0-9]{7,}", source->text, 0, 0))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_POLICY_INVALID, "%s: a width of more than six digits after %%",
                source->path);
    return FALSE;
}

/* Reads it as the newer language first: what is meant as the older has rules without "if", which the newer
 * refuses. */
static gboolean parse(RegoEngine *engine, RulesSource *source, GError **error)
{
    g_autofree char *newer = NULL, *older = NULL;
    char *package = rules_add_source(engine, source, &newer);

    if (!package) {
        source->v0 = TRUE;
        package = rules_add_source(engine, source, &older);
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

gboolean rules_parse(Rules *rules, RegoEngine *engine, const RuleFiles *files, GError **error)
{
    for (guint i = 0; i < files->files->len; i++) {
        const RuleFile *file = files->files->pdata[i];
        RulesSource *source = g_new0(RulesSource, 1);
        source->path = g_strdup(file->path);
        source->text = g_strdup(file->text);
        g_ptr_array_add(rules->sources, source);
        if (!check_nesting(source, error) || !check_widths(source, error) || !parse(engine, source, error))
            return FALSE;
    }
    return TRUE;
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
        const RulesSource *source = rules->sources->pdata[i];
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
    g_autofree char *path = rules_package_path(key);
    if (g_str_has_prefix(name, "test_"))
        g_ptr_array_add(checking->rules->tests, g_strdup(path));
    if (strcmp(kind, "function") &&
        !g_ptr_array_find_with_equal_func(checking->rules->documents, path, g_str_equal, NULL))
        g_ptr_array_add(checking->rules->documents, g_steal_pointer(&path));
}

gboolean rules_check(Rules *rules, RegoEngine *engine, GError **error)
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
