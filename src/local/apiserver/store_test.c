/* store: order, conflicts, durability, lists, and watches with their history. */
#include "local/apiserver/store.h"
#include <glib/gstdio.h>
#include <string.h>

enum { history = 8 };

typedef struct {
    char *directory, *path;
    Store *store;
    GMutex lock;
    GString *seen;
} Fixture;

static void open_store(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    f->store = store_open(f->path, history, &error);
    g_assert_no_error(error);
}

static void set_up(Fixture *f, gconstpointer data)
{
    f->directory = g_dir_make_tmp("store-test-XXXXXX", NULL);
    f->path = g_build_filename(f->directory, "state.db", NULL);
    f->seen = g_string_new(NULL);
    g_mutex_init(&f->lock);
    open_store(f);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm"};

    store_close(f->store);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->directory, names[i], NULL);
        g_unlink(path);
    }
    g_assert_cmpint(g_rmdir(f->directory), ==, 0);
    g_string_free(f->seen, TRUE);
    g_mutex_clear(&f->lock);
    g_free(f->path);
    g_free(f->directory);
}

static guint64 put(Fixture *f, StoreVerb verb, const char *ns, const char *name, guint64 expected, int value)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) record = NULL;

    store_write(f->store, verb, "things", ns, name, expected,
                json_pack("{s:{}, s:i}", "metadata", "value", value), &record, &error);
    g_assert_no_error(error);
    return record->revision;
}

static void expect_error(Fixture *f, StoreVerb verb, const char *name, guint64 expected, int code)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(store_write(f->store, verb, "things", "ns", name, expected,
                               json_pack("{s:{}}", "metadata"), NULL, &error));
    g_assert_error(error, GANTRY_ERROR, code);
}

static char *names_of(GPtrArray *records)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < records->len; i++) {
        const Record *record = g_ptr_array_index(records, i);
        g_string_append_printf(text, "%s/%s ", record->ns, record->name);
    }
    return g_string_free(text, FALSE);
}

static void numbered(Fixture *f, gconstpointer data)
{
    guint64 first = put(f, STORE_CREATE, "ns", "a", 0, 1);
    guint64 second = put(f, STORE_UPDATE, "ns", "a", first, 2);
    g_autoptr(Record) record = store_get(f->store, "things", "ns", "a");
    g_autoptr(json_t) json = record_json(record);

    g_assert_cmpuint(second, ==, first + 1);
    g_assert_cmpuint(store_revision(f->store), ==, second);
    g_assert_cmpint(json_int_at(json, "value", 0), ==, 2);
    g_assert_cmpuint(g_ascii_strtoull(json_string_at(json, "metadata.resourceVersion", ""), NULL, 10), ==,
                     second);
}

static void refused(Fixture *f, gconstpointer data)
{
    guint64 first = put(f, STORE_CREATE, "ns", "a", 0, 1);
    guint64 revision;

    put(f, STORE_UPDATE, "ns", "a", 0, 2);
    revision = store_revision(f->store);
    expect_error(f, STORE_CREATE, "a", 0, ERROR_KUBE_ALREADY_EXISTS);
    expect_error(f, STORE_UPDATE, "a", first, ERROR_KUBE_CONFLICT);
    expect_error(f, STORE_DELETE, "a", first, ERROR_KUBE_CONFLICT);
    expect_error(f, STORE_UPDATE, "b", 0, ERROR_KUBE_NOT_FOUND);
    expect_error(f, STORE_DELETE, "b", 0, ERROR_KUBE_NOT_FOUND);
    g_assert_cmpuint(store_revision(f->store), ==, revision);
}

static void listed(Fixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) all = NULL;
    g_autoptr(GPtrArray) one = NULL;
    g_autoptr(GPtrArray) rest = NULL;
    g_autofree char *all_names = NULL, *one_names = NULL, *rest_names = NULL;
    guint64 revision;

    put(f, STORE_CREATE, "b", "x", 0, 1);
    put(f, STORE_CREATE, "a", "y", 0, 1);
    put(f, STORE_CREATE, "a", "b", 0, 1);
    put(f, STORE_CREATE, "aa", "c", 0, 1);
    all = store_list(f->store, "things", NULL, NULL, NULL, &revision);
    one = store_list(f->store, "things", "a", NULL, NULL, &revision);
    rest = store_list(f->store, "things", NULL, "a", "y", &revision);
    all_names = names_of(all);
    one_names = names_of(one);
    rest_names = names_of(rest);
    g_assert_cmpstr(all_names, ==, "a/b a/y aa/c b/x ");
    g_assert_cmpstr(one_names, ==, "a/b a/y ");
    g_assert_cmpstr(rest_names, ==, "aa/c b/x ");
}

static void reopened(Fixture *f, gconstpointer data)
{
    g_autoptr(Record) gone = NULL;
    g_autoptr(Record) kept = NULL;
    guint64 revision;

    put(f, STORE_CREATE, "ns", "a", 0, 7);
    put(f, STORE_CREATE, "ns", "b", 0, 8);
    revision = put(f, STORE_DELETE, "ns", "b", 0, 8);
    store_close(f->store);
    open_store(f);
    g_assert_cmpuint(store_revision(f->store), ==, revision);
    kept = store_get(f->store, "things", "ns", "a");
    gone = store_get(f->store, "things", "ns", "b");
    g_assert_nonnull(kept);
    g_assert_null(gone);
    g_assert_cmpuint(put(f, STORE_CREATE, "ns", "c", 0, 1), ==, revision + 1);
}

/* What is written after it is not in it; another store opens it and goes on. */
static void backed_up(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->directory, "backup.db", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) kept = NULL, later = NULL;
    guint64 revision = 0, last = put(f, STORE_CREATE, "ns", "a", 0, 7);

    g_assert_true(store_backup(f->store, path, &revision, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(revision, ==, last);
    put(f, STORE_CREATE, "ns", "b", 0, 8);
    g_assert_false(store_backup(f->store, path, &revision, &error)); /* nothing is written over */
    g_assert_error(error, GANTRY_ERROR, ERROR_IO);
    store_close(f->store);

    g_assert_cmpint(g_rename(path, f->path), ==, 0);
    open_store(f);
    g_assert_cmpuint(store_revision(f->store), ==, last);
    kept = store_get(f->store, "things", "ns", "a");
    later = store_get(f->store, "things", "ns", "b");
    g_assert_nonnull(kept);
    g_assert_null(later);
}

static gpointer write_many(gpointer data)
{
    static gint counter;
    int thread = g_atomic_int_add(&counter, 1);

    for (int i = 0; i < 50; i++) {
        g_autofree char *name = g_strdup_printf("t%d-%d", thread, i);
        put(data, STORE_CREATE, "ns", name, 0, i);
    }
    return NULL;
}

static void together(Fixture *f, gconstpointer data)
{
    GThread *threads[8];
    g_autoptr(GPtrArray) all = NULL;
    guint64 revision, before = store_revision(f->store);

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("writer", write_many, f);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    all = store_list(f->store, "things", NULL, NULL, NULL, &revision);
    g_assert_cmpuint(all->len, ==, 400);
    g_assert_cmpuint(revision, ==, before + 400);
}

static void note(StoreEvent *event, gpointer data)
{
    Fixture *f = data;
    g_mutex_lock(&f->lock);
    g_string_append_printf(f->seen, "%s%s ",
                           !event->before  ? "+"
                           : !event->after ? "-"
                                           : "=",
                           event->last->name);
    g_mutex_unlock(&f->lock);
}

static void watched(Fixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GPtrArray) missed = NULL;
    guint64 revision;
    StoreWatch *watch;

    put(f, STORE_CREATE, "ns", "old", 0, 1);
    watch = store_watch(f->store, "things", "ns", 0, &records, &revision, &missed, note, f, NULL);
    g_assert_cmpuint(records->len, ==, 1);
    put(f, STORE_CREATE, "ns", "a", 0, 1);
    put(f, STORE_CREATE, "other", "b", 0, 1);
    put(f, STORE_UPDATE, "ns", "a", 0, 2);
    put(f, STORE_DELETE, "ns", "a", 0, 2);
    store_unwatch(f->store, watch);
    put(f, STORE_CREATE, "ns", "late", 0, 1);
    g_assert_cmpstr(f->seen->str, ==, "+a =a -a ");
}

static void gone_back(Fixture *f, gconstpointer data)
{
    g_autoptr(GPtrArray) missed = NULL;
    g_autoptr(GError) error = NULL;
    guint64 start = store_revision(f->store), now;
    StoreWatch *watch;

    for (int i = 0; i < history; i++) {
        g_autofree char *name = g_strdup_printf("a%d", i);
        put(f, STORE_CREATE, "ns", name, 0, i);
    }
    watch = store_watch(f->store, "things", NULL, start, NULL, &now, &missed, note, f, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(missed->len, ==, history);
    store_unwatch(f->store, watch);

    put(f, STORE_CREATE, "ns", "one-more", 0, 1);
    g_clear_pointer(&missed, g_ptr_array_unref);
    g_assert_null(store_watch(f->store, "things", NULL, start, NULL, &now, &missed, note, f, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_GONE);
    g_clear_error(&error);
    g_assert_null(store_watch(f->store, "things", NULL, start + 1000, NULL, &now, &missed, note, f, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_KUBE_GONE);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *, gconstpointer);
    } cases[] = {
        {"each write has the next revision", numbered},
        {"a write that does not fit changes nothing", refused},
        {"lists are in the order of namespace and name", listed},
        {"everything is there after it was opened again", reopened},
        {"a backup is the state of one revision", backed_up},
        {"writers at once all get through", together},
        {"a watch sees changes of its namespace in order", watched},
        {"a watch goes back as far as the history and no further", gone_back},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/local/apiserver/store/", cases[i].name, NULL);
        g_test_add(path, Fixture, NULL, set_up, cases[i].run, tear_down);
    }
    return g_test_run();
}
