/* log_filter: plans, words and a time. */
#include "gather/log_filter.h"
#include <string.h>

struct LogFilter {
    char *since;
    GHashTable *plans;
    GPtrArray *words;
    gboolean kept_last;
};

LogFilter *log_filter_new(const char *since)
{
    LogFilter *filter = g_new0(LogFilter, 1);
    filter->since = g_strdup(since);
    filter->plans = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    filter->words = g_ptr_array_new_with_free_func(g_free);
    return filter;
}

void log_filter_free(LogFilter *filter)
{
    g_free(filter->since);
    g_hash_table_unref(filter->plans);
    g_ptr_array_unref(filter->words);
    g_free(filter);
}

void log_filter_add_plan(LogFilter *filter, const char *key)
{
    g_hash_table_add(filter->plans, g_strdup(key));
}

void log_filter_add(LogFilter *filter, const char *word)
{
    if (*word)
        g_ptr_array_add(filter->words, g_strdup(word));
}

/* Characters of names: a word must not go on in one of these. */
static gboolean goes_on(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '_';
}

static gboolean holds_word(const char *line, const char *word)
{
    gsize size = strlen(word);

    for (const char *at = line; (at = strstr(at, word)); at++)
        if ((at == line || !goes_on(at[-1])) && !goes_on(at[size]))
            return TRUE;
    return FALSE;
}

/* "2026-11-23T…": all of our services and Kubernetes' write UTC, so that text order is time order to the
 * second. */
static gboolean begins_with_time(const char *line)
{
    return strlen(line) > 19 && g_ascii_isdigit(line[0]) && line[4] == '-' && line[10] == 'T' &&
           line[13] == ':';
}

/* The plan that a line names; NULL: it names none. */
static char *plan_of(const char *line)
{
    static const char key[] = " plan=";
    const char *at = strstr(line, key);

    return at ? g_strndup(at + strlen(key), strcspn(at + strlen(key), " ")) : NULL;
}

static gboolean is_about(const LogFilter *filter, const char *line)
{
    g_autofree char *plan = plan_of(line);

    if (plan)
        return g_hash_table_contains(filter->plans, plan);
    for (guint i = 0; i < filter->words->len; i++)
        if (holds_word(line, filter->words->pdata[i]))
            return TRUE;
    return FALSE;
}

gboolean log_filter_keeps(LogFilter *filter, const char *line)
{
    if (!begins_with_time(line))
        return filter->kept_last;
    filter->kept_last = (!filter->since || strncmp(line, filter->since, 19) >= 0) && is_about(filter, line);
    return filter->kept_last;
}
