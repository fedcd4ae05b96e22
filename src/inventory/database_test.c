/* database: an unchanged object keeps its revision, readers see whole commits, a damaged file is made anew.
 */
#include "inventory/database.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *folder, *path;
    Database *database;
    GString *changes; /* "+id" new, "~id" changed, "-id" deleted */
} Fixture;

static void set_up(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    f->folder = g_dir_make_tmp("gantry-database-XXXXXX", &error);
    g_assert_no_error(error);
    f->path = g_build_filename(f->folder, "ns", "name", "uid.db", NULL);
    f->database = database_open(f->path, &error);
    g_assert_no_error(error);
    f->changes = g_string_new(NULL);
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    g_autofree char *name = g_path_get_dirname(f->path), *ns = g_path_get_dirname(name);

    g_clear_pointer(&f->database, database_close);
    database_remove(f->path);
    g_rmdir(name);
    g_rmdir(ns);
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
    g_free(f->path);
    g_string_free(f->changes, TRUE);
}

static void note(const Row *before, const Row *after, gpointer user_data)
{
    Fixture *f = user_data;
    g_string_append_printf(f->changes, "%c%s",
                           !before  ? '+'
                           : !after ? '-'
                                    : '~',
                           after ? after->id : before->id);
}

static Row row_of(const char *kind, const char *id, const char *name, const char *full)
{
    return (Row){.kind = kind,
                 .id = id,
                 .name = name,
                 .parent_kind = "Folder",
                 .parent_id = "group-1",
                 .base = name,
                 .brief = "\"host\":\"host-1\"",
                 .full = full};
}

static void put(Fixture *f, const char *kind, const char *id, const char *name, const char *full)
{
    g_autoptr(GError) error = NULL;
    Row row = row_of(kind, id, name, full);

    database_begin(f->database, &error);
    database_put(f->database, &row, note, f, &error);
    database_commit(f->database, &error);
    g_assert_no_error(error);
}

typedef struct {
    GString *text;
    gboolean found;
    gint64 revision, validated, policy;
} Seen;

static gboolean see(const Row *row, gpointer user_data)
{
    Seen *seen = user_data;

    seen->found = TRUE;
    seen->revision = row->revision;
    seen->validated = row->revision_validated;
    seen->policy = row->policy_version;
    if (seen->text)
        g_string_append_printf(seen->text, "%s%s", seen->text->len ? "," : "", row->id);
    return TRUE;
}

static Seen look(Fixture *f, const char *kind, const char *id)
{
    g_autoptr(Snapshot) snapshot = database_snapshot(f->database, NULL);
    Query query = {.kind = kind, .id = id, .limit = -1};
    Seen seen = {0};

    g_assert_true(snapshot_each(snapshot, &query, see, &seen, NULL));
    return seen;
}

static void an_unchanged_object_keeps_its_revision(Fixture *f, gconstpointer unused)
{
    put(f, "VM", "vm-1", "a", "1");
    put(f, "VM", "vm-1", "a", "1");
    g_assert_cmpint(look(f, "VM", "vm-1").revision, ==, 1);
    put(f, "VM", "vm-1", "a", "2");
    g_assert_cmpint(look(f, "VM", "vm-1").revision, ==, 2);
    g_assert_cmpstr(f->changes->str, ==, "+vm-1~vm-1");
}

static void it_also_keeps_it_across_a_restart(Fixture *f, gconstpointer unused)
{
    put(f, "VM", "vm-1", "a", "1");
    put(f, "VM", "vm-1", "a", "2");
    database_close(f->database);
    f->database = database_open(f->path, NULL);
    put(f, "VM", "vm-1", "a", "2");
    g_assert_cmpint(look(f, "VM", "vm-1").revision, ==, 2);
}

static void a_validation_counts_for_its_revision_only(Fixture *f, gconstpointer unused)
{
    put(f, "VM", "vm-1", "a", "1");
    put(f, "VM", "vm-1", "a", "2");
    database_begin(f->database, NULL);
    g_assert_true(database_put_validation(f->database, "VM", "vm-1", 1, 5, "[{}]", note, f, NULL));
    database_commit(f->database, NULL);
    g_assert_cmpint(look(f, "VM", "vm-1").validated, ==, 0);

    database_begin(f->database, NULL);
    g_assert_true(database_put_validation(f->database, "VM", "vm-1", 2, 5, "[{}]", note, f, NULL));
    database_commit(f->database, NULL);
    g_assert_cmpint(look(f, "VM", "vm-1").validated, ==, 2);
    g_assert_cmpint(look(f, "VM", "vm-1").revision, ==, 2);
    g_assert_cmpint(look(f, "VM", "vm-1").policy, ==, 5);

    put(f, "VM", "vm-1", "a", "3");
    g_assert_cmpint(look(f, "VM", "vm-1").validated, ==, 2);
    g_assert_cmpint(look(f, "VM", "vm-1").revision, ==, 3);
}

static void validations_are_forgotten_by_host(Fixture *f, gconstpointer unused)
{
    put(f, "VM", "vm-1", "a", "1");
    database_begin(f->database, NULL);
    database_put_validation(f->database, "VM", "vm-1", 1, 5, "[]", note, f, NULL);
    g_assert_true(database_forget_validation(f->database, "host-2", NULL));
    database_commit(f->database, NULL);
    g_assert_cmpint(look(f, "VM", "vm-1").validated, ==, 1);
    database_begin(f->database, NULL);
    g_assert_true(database_forget_validation(f->database, "host-1", NULL));
    database_commit(f->database, NULL);
    g_assert_cmpint(look(f, "VM", "vm-1").validated, ==, 0);
}

static void readers_see_whole_commits(Fixture *f, gconstpointer unused)
{
    g_autoptr(Snapshot) before = NULL;
    Row row = row_of("VM", "vm-1", "a", "1");
    Query query = {.kind = "VM", .limit = -1};
    Seen seen = {0};

    database_begin(f->database, NULL);
    database_put(f->database, &row, note, f, NULL);
    g_assert_false(look(f, "VM", "vm-1").found);
    before = database_snapshot(f->database, NULL);
    database_commit(f->database, NULL);
    g_assert_true(look(f, "VM", "vm-1").found);
    g_assert_true(snapshot_each(before, &query, see, &seen, NULL));
    g_assert_false(seen.found);
}

static void what_was_rolled_back_never_was(Fixture *f, gconstpointer unused)
{
    Row row = row_of("VM", "vm-1", "a", "1");

    database_begin(f->database, NULL);
    database_put(f->database, &row, note, f, NULL);
    database_roll_back(f->database);
    g_assert_false(look(f, "VM", "vm-1").found);
}

static void deleting_says_what_was_there(Fixture *f, gconstpointer unused)
{
    put(f, "Host", "host-1", "h", "");
    database_begin(f->database, NULL);
    g_assert_true(database_delete(f->database, "Host", "host-1", note, f, NULL));
    g_assert_true(database_delete(f->database, "Host", "host-1", note, f, NULL));
    database_commit(f->database, NULL);
    g_assert_cmpstr(f->changes->str, ==, "+host-1-host-1");
}

static void lists_come_in_order_and_in_pages(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *name;
        gint64 limit, offset;
        const char *ids;
    } rows[] = {
        {NULL, -1, 0, "vm-3,vm-1,vm-2"}, {NULL, 2, 0, "vm-3,vm-1"}, {NULL, 2, 2, "vm-2"}, {NULL, 0, 0, ""},
        {"b", -1, 0, "vm-1,vm-2"},       {"none", -1, 0, ""},
    };
    put(f, "VM", "vm-3", "a", "");
    put(f, "VM", "vm-1", "b", "");
    put(f, "Host", "vm-9", "b", "");
    put(f, "VM", "vm-2", "b", "");
    put(f, "VM", "vm-3", "a", "changed");
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(Snapshot) snapshot = database_snapshot(f->database, NULL);
        g_autoptr(GString) text = g_string_new(NULL);
        Query query = {.kind = "VM", .name = rows[i].name, .limit = rows[i].limit, .offset = rows[i].offset};
        Seen seen = {.text = text};
        g_assert_true(snapshot_each(snapshot, &query, see, &seen, NULL));
        g_assert_cmpstr(text->str, ==, rows[i].ids);
    }
}

typedef struct {
    Snapshot *snapshot;
    GString *text;
} Nested;

static gboolean copy_full(const Row *row, gpointer user_data)
{
    g_string_append(user_data, row->full);
    return FALSE;
}

static void read_one(Snapshot *snapshot, const char *id, GString *text)
{
    Query query = {.kind = "VM", .id = id, .full = TRUE, .limit = 1};
    g_assert_true(snapshot_each(snapshot, &query, copy_full, text, NULL));
}

/* Reads another one before it looks at its own. */
static gboolean read_other(const Row *row, gpointer user_data)
{
    Nested *nested = user_data;

    read_one(nested->snapshot, "vm-2", nested->text);
    g_string_append(nested->text, row->full);
    return FALSE;
}

static void one_object_is_read_within_another(Fixture *f, gconstpointer unused)
{
    const Query query = {.kind = "VM", .id = "vm-1", .full = TRUE, .limit = 1};

    put(f, "VM", "vm-1", "a", "first ");
    put(f, "VM", "vm-2", "b", "second ");
    for (int round = 0; round < 2; round++) { /* the second on the connection of the first */
        g_autoptr(Snapshot) snapshot = database_snapshot(f->database, NULL);
        g_autoptr(GString) text = g_string_new(NULL);
        Nested nested = {snapshot, text};
        g_assert_true(snapshot_each(snapshot, &query, read_other, &nested, NULL));
        read_one(snapshot, "vm-1", text);
        read_one(snapshot, "none", text);
        g_assert_cmpstr(text->str, ==, round ? "2nd first first " : "second first first ");
        put(f, "VM", "vm-2", "b", "2nd ");
        g_string_truncate(text, 0);
        read_one(snapshot, "vm-2", text);
        g_assert_cmpstr(text->str, ==, round ? "2nd " : "second ");
    }
}

static void a_damaged_file_is_made_anew(Fixture *f, gconstpointer unused)
{
    static const char *const contents[] = {
        "", "this is no database, whatever its name says about it; more than a header"};

    for (guint i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autoptr(GError) error = NULL;
        put(f, "VM", "vm-1", "a", "1");
        database_close(f->database);
        database_remove(f->path);
        g_assert_true(g_file_set_contents(f->path, contents[i], -1, NULL));
        f->database = database_open(f->path, &error);
        g_assert_no_error(error);
        g_assert_false(look(f, "VM", "vm-1").found);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *, gconstpointer);
    } tests[] = {
        {"an unchanged object keeps its revision", an_unchanged_object_keeps_its_revision},
        {"it also keeps it across a restart", it_also_keeps_it_across_a_restart},
        {"a validation counts for its revision only", a_validation_counts_for_its_revision_only},
        {"validations are forgotten by host", validations_are_forgotten_by_host},
        {"readers see whole commits", readers_see_whole_commits},
        {"what was rolled back never was", what_was_rolled_back_never_was},
        {"deleting says what was there", deleting_says_what_was_there},
        {"lists come in order and in pages", lists_come_in_order_and_in_pages},
        {"one object is read within another", one_object_is_read_within_another},
        {"a damaged file is made anew", a_damaged_file_is_made_anew},
    };
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/inventory/database/", tests[i].name, NULL);
        g_test_add(path, Fixture, NULL, set_up, tests[i].run, tear_down);
    }
    return g_test_run();
}
