/* rules_categories: concerns of a category that is none are reported with the place that makes them. */
#include "policy/rules_private.h"
#include <string.h>

enum { MOST_PROBLEMS = 100 }; /* that are kept */

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
void rules_check_categories(Rules *rules)
{
    g_autoptr(GRegex) regex = g_regex_new("\"category\"\\s*:\\s*\"([^\"\\n]*)\"", 0, 0, NULL);

    for (guint i = 0; i < rules->sources->len; i++) {
        const RulesSource *source = rules->sources->pdata[i];
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

static void report_category(Rules *rules, RulesBuild *build, const char *path, const RegoValue *input,
                            const char *category)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&rules->lock);
    g_autoptr(RegoEngine) engine = NULL;
    g_autofree char *package = NULL;
    const char *name;
    Search search = {rules, category};

    if (rules->problems->len >= MOST_PROBLEMS || is_known_problem(rules, category) ||
        !rules_split_path(path, &package, &name))
        return;
    engine = rego_engine_clone(build->engine);
    rego_engine_each_definition(engine, package, "concerns", input, DEFINITION_MS, note_category, &search);
}

void rules_look_at_categories(Rules *rules, RulesBuild *build, const char *path, const RegoValue *input,
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
