/* rule_watch: loads rules again when their files have changed. */
#include "policy/rule_watch.h"

enum { LOOK_MS = 1000 };

struct RuleWatch {
    char **directories;
    RuleWatchEvents events;
    GThread *thread;

    GMutex lock;
    GCond woken;
    gboolean stop;
    Rules *rules;  /* NULL: they do not load */
    GError *error; /* why */
    GHashTable *texts;
    gboolean texts_changed;

    /* of the thread alone */
    guint64 mark, seen_mark; /* of what is loaded; of the last look */
    guint problems;          /* that were told */
};

static RuleFiles *read_files(RuleWatch *watch, GError **error)
{
    g_autoptr(RuleFiles) files = rule_files_read((const char *const *)watch->directories, FALSE, error);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watch->lock);
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(watch->texts), (GCompareFunc)g_strcmp0);

    watch->texts_changed = FALSE;
    for (GList *name = files ? names : NULL; name; name = name->next)
        rule_files_add(files, name->data, g_hash_table_lookup(watch->texts, name->data));
    return g_steal_pointer(&files);
}

static void replace(RuleWatch *watch, Rules *rules_take, GError *error_take)
{
    g_mutex_lock(&watch->lock);
    g_clear_pointer(&watch->rules, rules_unref);
    g_clear_error(&watch->error);
    watch->rules = rules_take;
    watch->error = error_take;
    g_mutex_unlock(&watch->lock);
    watch->problems = 0;
    if (watch->events.changed)
        watch->events.changed(rules_take, error_take, watch->events.user_data);
}

static gboolean is_in_force(RuleWatch *watch, const RuleFiles *files)
{
    g_autofree char *hash = rule_files_hash(files);
    return watch->rules && g_str_equal(hash, rules_hash(watch->rules));
}

static void load(RuleWatch *watch)
{
    GError *error = NULL;
    g_autoptr(RuleFiles) files = NULL;

    watch->mark = rule_files_mark((const char *const *)watch->directories);
    files = read_files(watch, &error);
    if (!files || !is_in_force(watch, files)) {
        Rules *rules = files ? rules_new(files, &error) : NULL;
        replace(watch, rules, error);
    }
}

static void tell_problems(RuleWatch *watch)
{
    g_autoptr(GPtrArray) problems = watch->rules ? rules_problems(watch->rules) : NULL;

    for (; problems && watch->problems < problems->len; watch->problems++)
        if (watch->events.problem)
            watch->events.problem(problems->pdata[watch->problems], watch->events.user_data);
}

/* Whoever writes several files, or one in several steps, is through when nothing has changed for a look. */
static gboolean is_due(RuleWatch *watch)
{
    guint64 mark = rule_files_mark((const char *const *)watch->directories);
    gboolean settled = mark == watch->seen_mark;

    watch->seen_mark = mark;
    return settled && mark != watch->mark;
}

/* TRUE: it is time to look; FALSE: to stop. */
static gboolean wait_for_look(RuleWatch *watch, gboolean *texts_changed)
{
    gint64 until = g_get_monotonic_time() + LOOK_MS * G_TIME_SPAN_MILLISECOND;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watch->lock);

    while (!watch->stop && !watch->texts_changed && g_get_monotonic_time() < until)
        g_cond_wait_until(&watch->woken, &watch->lock, until);
    *texts_changed = watch->texts_changed;
    return !watch->stop;
}

static gpointer run(gpointer data)
{
    RuleWatch *watch = data;
    gboolean texts_changed;

    while (wait_for_look(watch, &texts_changed)) {
        if (texts_changed || is_due(watch))
            load(watch);
        tell_problems(watch);
    }
    return NULL;
}

RuleWatch *rule_watch_new(const char *const *directories, const RuleWatchEvents *events)
{
    RuleWatch *watch = g_new0(RuleWatch, 1);

    watch->directories = g_strdupv((char **)directories);
    watch->events = *events;
    watch->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_mutex_init(&watch->lock);
    g_cond_init(&watch->woken);
    load(watch);
    tell_problems(watch);
    watch->seen_mark = watch->mark;
    watch->thread = g_thread_new("rules", run, watch);
    return watch;
}

void rule_watch_free(RuleWatch *watch)
{
    g_mutex_lock(&watch->lock);
    watch->stop = TRUE;
    g_cond_signal(&watch->woken);
    g_mutex_unlock(&watch->lock);
    g_thread_join(watch->thread);
    g_clear_pointer(&watch->rules, rules_unref);
    g_clear_error(&watch->error);
    g_hash_table_unref(watch->texts);
    g_strfreev(watch->directories);
    g_mutex_clear(&watch->lock);
    g_cond_clear(&watch->woken);
    g_free(watch);
}

Rules *rule_watch_get(RuleWatch *watch, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watch->lock);

    if (!watch->rules && error)
        *error = g_error_copy(watch->error);
    return watch->rules ? rules_ref(watch->rules) : NULL;
}

void rule_watch_set_texts(RuleWatch *watch, GHashTable *texts)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watch->lock);
    GHashTableIter iter;
    gpointer name, text;

    g_hash_table_remove_all(watch->texts);
    g_hash_table_iter_init(&iter, texts);
    while (g_hash_table_iter_next(&iter, &name, &text))
        g_hash_table_insert(watch->texts, g_strdup(name), g_strdup(text));
    watch->texts_changed = TRUE;
    g_cond_signal(&watch->woken);
}
