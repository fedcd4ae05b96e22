/* database: the statements, and a few connections for readers. */
#include "inventory/database.h"
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

/* Raised with every change of the tables: a file of another number is made anew. */
#define LAYOUT 3

static const char schema[] =
    "CREATE TABLE object(position INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT "
    "NULL,"
    " parent_kind TEXT NOT NULL, parent_id TEXT NOT NULL, revision INTEGER NOT NULL,"
    " revision_validated INTEGER NOT NULL DEFAULT 0, policy_version INTEGER NOT NULL DEFAULT 0,"
    " concerns TEXT NOT NULL DEFAULT '[]', base TEXT NOT NULL, brief TEXT NOT NULL, full TEXT NOT NULL);"
    "CREATE UNIQUE INDEX object_id ON object(kind, id);"
    "CREATE INDEX object_name ON object(kind, name);"
    "CREATE INDEX object_kind ON object(kind);" /* holds the position too: lists need no sorting, which would
                                                   keep them whole in memory */
    "CREATE TABLE holding(file TEXT NOT NULL, vm TEXT NOT NULL, says_shared INTEGER NOT NULL,"
    " PRIMARY KEY(vm, file)) WITHOUT ROWID;"
    "CREATE INDEX holding_file ON holding(file);"
    "CREATE TABLE word(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

#define COLUMNS                                                                                              \
    "kind, id, name, parent_kind, parent_id, revision, revision_validated, policy_version, concerns, base, " \
    "brief"

typedef enum {
    GET,
    INSERT,
    UPDATE,
    DELETE,
    VALIDATE,
    FORGET,
    HOLD,
    DROP,
    HOLDINGS_OF_FILE,
    HOLDINGS_OF_VM,
    GET_WORD,
    PUT_WORD,
    STATEMENTS,
} Statement;

static const char *const statements[STATEMENTS] = {
    [GET] = "SELECT " COLUMNS ", full FROM object WHERE kind = ?1 AND id = ?2",
    [INSERT] = "INSERT INTO object(kind, id, name, parent_kind, parent_id, base, brief, full, revision)"
               " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1)",
    [UPDATE] =
        "UPDATE object SET name = ?3, parent_kind = ?4, parent_id = ?5, base = ?6, brief = ?7, full = ?8,"
        " revision = revision + 1 WHERE kind = ?1 AND id = ?2",
    [DELETE] = "DELETE FROM object WHERE kind = ?1 AND id = ?2",
    [VALIDATE] = "UPDATE object SET revision_validated = ?3, policy_version = ?4, concerns = ?5"
                 " WHERE kind = ?1 AND id = ?2 AND revision = ?3",
    [FORGET] = "UPDATE object SET revision_validated = 0 WHERE kind = 'VM' AND revision_validated != 0"
               " AND (?1 IS NULL OR instr(brief, '\"host\":\"' || ?1 || '\"'))",
    [HOLD] = "INSERT OR REPLACE INTO holding(file, vm, says_shared) VALUES(?1, ?2, ?3)",
    [DROP] = "DELETE FROM holding WHERE file = ?1 AND vm = ?2",
    [HOLDINGS_OF_FILE] = "SELECT file, vm, says_shared FROM holding WHERE file = ?1",
    [HOLDINGS_OF_VM] = "SELECT file, vm, says_shared FROM holding WHERE vm = ?1",
    [GET_WORD] = "SELECT value FROM word WHERE name = ?1",
    [PUT_WORD] = "INSERT OR REPLACE INTO word(name, value) VALUES(?1, ?2)",
};

struct Database {
    char *path;
    sqlite3 *writer;
    sqlite3_stmt *prepared[STATEMENTS];

    GMutex lock;    /* of readers */
    GQueue readers; /* of Snapshot: connections that nobody uses now */
};

struct Snapshot {
    Database *database;
    sqlite3 *connection;
    sqlite3_stmt *one; /* reads one object in full; NULL until it is needed */
};

static gboolean fail(sqlite3 *connection, const char *what, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE, "%s: %s", what, sqlite3_errmsg(connection));
    return FALSE;
}

/* ---- opening ------------------------------------------------------------------------------------------- */

void database_remove(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
        g_unlink(file);
    }
}

/* Small caches: pages that are not in them are in the kernel's. */
static sqlite3 *connect_to(const char *path, int flags, GError **error)
{
    sqlite3 *connection = NULL;

    if (sqlite3_open_v2(path, &connection, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        fail(connection, path, error);
        sqlite3_close(connection);
        return NULL;
    }
    sqlite3_busy_timeout(connection, 10000);
    sqlite3_exec(connection,
                 "PRAGMA cache_size = -256; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY", NULL,
                 NULL, NULL);
    return connection;
}

static gint64 layout_of(sqlite3 *connection)
{
    sqlite3_stmt *statement = NULL;
    gint64 layout = -1;

    if (sqlite3_prepare_v2(connection, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        layout = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return layout;
}

static gboolean create_tables(sqlite3 *connection, GError **error)
{
    g_autofree char *script =
        g_strdup_printf("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 4194304; BEGIN;"
                        " %s PRAGMA user_version = %d; COMMIT",
                        schema, LAYOUT);

    return sqlite3_exec(connection, script, NULL, NULL, NULL) == SQLITE_OK ||
           fail(connection, "cannot make the inventory's tables", error);
}

static gboolean prepare_all(Database *database)
{
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(database->writer, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &database->prepared[i], NULL) != SQLITE_OK)
            return FALSE;
    return TRUE;
}

static void close_writer(Database *database)
{
    for (int i = 0; i < STATEMENTS; i++)
        g_clear_pointer(&database->prepared[i], sqlite3_finalize);
    g_clear_pointer(&database->writer, sqlite3_close);
}

static gboolean open_writer(Database *database, GError **error)
{
    database->writer = connect_to(database->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);
    return database->writer != NULL;
}

/* A file that does not open, has another layout or lacks a column is only a cache: it is made anew. */
static gboolean open_or_renew(Database *database, GError **error)
{
    if (open_writer(database, NULL) && layout_of(database->writer) == LAYOUT && prepare_all(database))
        return TRUE;
    close_writer(database);
    database_remove(database->path);
    return open_writer(database, error) && create_tables(database->writer, error) &&
           (prepare_all(database) || fail(database->writer, database->path, error));
}

Database *database_open(const char *path, GError **error)
{
    g_autoptr(Database) database = g_new0(Database, 1);
    g_autofree char *folder = g_path_get_dirname(path);

    database->path = g_strdup(path);
    g_mutex_init(&database->lock);
    g_queue_init(&database->readers);
    if (g_mkdir_with_parents(folder, 0700)) {
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_DATABASE, "cannot make the folder '%s': %s", folder,
                    g_strerror(errno));
        return NULL;
    }
    return open_or_renew(database, error) ? g_steal_pointer(&database) : NULL;
}

static void close_reader(gpointer data)
{
    Snapshot *reader = data;

    sqlite3_finalize(reader->one);
    sqlite3_close(reader->connection);
    g_free(reader);
}

void database_close(Database *database)
{
    if (!database)
        return;
    g_queue_clear_full(&database->readers, close_reader);
    close_writer(database);
    g_mutex_clear(&database->lock);
    g_free(database->path);
    g_free(database);
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static const char *column(sqlite3_stmt *statement, int at)
{
    return (const char *)sqlite3_column_text(statement, at);
}

/* Of a SELECT of COLUMNS, and of full where with_full says so. */
static Row read_row(sqlite3_stmt *statement, gboolean with_full)
{
    return (Row){
        .kind = column(statement, 0),
        .id = column(statement, 1),
        .name = column(statement, 2),
        .parent_kind = column(statement, 3),
        .parent_id = column(statement, 4),
        .revision = sqlite3_column_int64(statement, 5),
        .revision_validated = sqlite3_column_int64(statement, 6),
        .policy_version = sqlite3_column_int64(statement, 7),
        .concerns = column(statement, 8),
        .base = column(statement, 9),
        .brief = column(statement, 10),
        .full = with_full ? column(statement, 11) : NULL,
    };
}

static gboolean same(const Row *a, const Row *b)
{
    return !strcmp(a->base, b->base) && !strcmp(a->brief, b->brief) && !strcmp(a->full, b->full);
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static gboolean run(Database *database, const char *sql, GError **error)
{
    return sqlite3_exec(database->writer, sql, NULL, NULL, NULL) == SQLITE_OK ||
           fail(database->writer, sql, error);
}

gboolean database_begin(Database *database, GError **error)
{
    return run(database, "BEGIN IMMEDIATE", error);
}

gboolean database_commit(Database *database, GError **error)
{
    if (run(database, "COMMIT", error))
        return TRUE;
    database_roll_back(database);
    return FALSE;
}

void database_roll_back(Database *database)
{
    sqlite3_exec(database->writer, "ROLLBACK", NULL, NULL, NULL);
}

static sqlite3_stmt *bind(Database *database, Statement which, const char *kind, const char *id)
{
    sqlite3_stmt *statement = database->prepared[which];

    sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, id, -1, SQLITE_STATIC);
    return statement;
}

/* Ends a statement, and with it the life of the row that it read. */
static void done(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

static gboolean step_once(Database *database, sqlite3_stmt *statement, const char *what, GError **error)
{
    gboolean ok = sqlite3_step(statement) == SQLITE_DONE;

    if (!ok)
        fail(database->writer, what, error);
    done(statement);
    return ok;
}

static gboolean write_row(Database *database, Statement which, const Row *row, GError **error)
{
    const char *const texts[] = {row->name, row->parent_kind, row->parent_id,
                                 row->base, row->brief,       row->full};
    sqlite3_stmt *statement = bind(database, which, row->kind, row->id);

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        sqlite3_bind_text(statement, i + 3, texts[i], -1, SQLITE_STATIC);
    return step_once(database, statement, "cannot write an object", error);
}

gboolean database_put(Database *database, const Row *row, DatabaseChanged changed, gpointer user_data,
                      GError **error)
{
    sqlite3_stmt *get = bind(database, GET, row->kind, row->id);
    int got = sqlite3_step(get);
    Row before = {0}, after = *row;
    gboolean ok;

    if (got != SQLITE_ROW && got != SQLITE_DONE) {
        fail(database->writer, "cannot read an object", error);
        done(get);
        return FALSE;
    }
    if (got == SQLITE_ROW)
        before = read_row(get, TRUE);
    if (got == SQLITE_ROW && same(&before, row)) {
        done(get);
        return TRUE;
    }
    ok = write_row(database, got == SQLITE_ROW ? UPDATE : INSERT, row, error);
    after.revision = before.revision + 1;
    after.revision_validated = before.revision_validated;
    after.policy_version = before.policy_version;
    after.concerns = before.concerns ? before.concerns : "[]";
    if (ok)
        changed(got == SQLITE_ROW ? &before : NULL, &after, user_data);
    done(get);
    return ok;
}

gboolean database_delete(Database *database, const char *kind, const char *id, DatabaseChanged changed,
                         gpointer user_data, GError **error)
{
    sqlite3_stmt *get = bind(database, GET, kind, id);
    gboolean ok = TRUE;

    if (sqlite3_step(get) == SQLITE_ROW) {
        Row before = read_row(get, TRUE);
        ok = step_once(database, bind(database, DELETE, kind, id), "cannot delete an object", error);
        if (ok)
            changed(&before, NULL, user_data);
    }
    done(get);
    return ok;
}

gboolean database_put_validation(Database *database, const char *kind, const char *id, gint64 revision,
                                 gint64 policy_version, const char *concerns, DatabaseChanged changed,
                                 gpointer user_data, GError **error)
{
    sqlite3_stmt *get = bind(database, GET, kind, id), *statement;
    Row before, after;
    gboolean ok;

    if (sqlite3_step(get) != SQLITE_ROW || sqlite3_column_int64(get, 5) != revision) {
        done(get);
        return TRUE;
    }
    after = before = read_row(get, TRUE);
    statement = bind(database, VALIDATE, kind, id);
    sqlite3_bind_int64(statement, 3, revision);
    sqlite3_bind_int64(statement, 4, policy_version);
    sqlite3_bind_text(statement, 5, concerns, -1, SQLITE_STATIC);
    ok = step_once(database, statement, "cannot write a validation", error);
    after.revision_validated = revision;
    after.policy_version = policy_version;
    after.concerns = concerns;
    if (ok)
        changed(&before, &after, user_data);
    done(get);
    return ok;
}

gboolean database_forget_validation(Database *database, const char *host, GError **error)
{
    sqlite3_stmt *statement = database->prepared[FORGET];

    if (host)
        sqlite3_bind_text(statement, 1, host, -1, SQLITE_STATIC);
    return step_once(database, statement, "cannot forget validations", error);
}

gboolean database_read(Database *database, const char *kind, const char *id, SnapshotEach each,
                       gpointer user_data, GError **error)
{
    sqlite3_stmt *get = bind(database, GET, kind, id);
    int got = sqlite3_step(get);

    if (got == SQLITE_ROW) {
        Row row = read_row(get, TRUE);
        each(&row, user_data);
    } else if (got != SQLITE_DONE)
        fail(database->writer, "cannot read an object", error);
    done(get);
    return got == SQLITE_ROW || got == SQLITE_DONE;
}

gboolean database_hold(Database *database, const char *file, const char *vm, gboolean says_shared,
                       GError **error)
{
    sqlite3_stmt *statement = bind(database, HOLD, file, vm);

    sqlite3_bind_int(statement, 3, says_shared);
    return step_once(database, statement, "cannot note a VM's file", error);
}

gboolean database_drop(Database *database, const char *file, const char *vm, GError **error)
{
    return step_once(database, bind(database, DROP, file, vm), "cannot forget a VM's file", error);
}

gboolean database_each_holding(Database *database, const char *file, const char *vm, DatabaseHolding each,
                               gpointer user_data, GError **error)
{
    sqlite3_stmt *statement = database->prepared[file ? HOLDINGS_OF_FILE : HOLDINGS_OF_VM];
    int got;

    sqlite3_bind_text(statement, 1, file ? file : vm, -1, SQLITE_STATIC);
    while ((got = sqlite3_step(statement)) == SQLITE_ROW)
        each(column(statement, 0), column(statement, 1), sqlite3_column_int(statement, 2), user_data);
    if (got != SQLITE_DONE)
        fail(database->writer, "cannot list a VM's files", error);
    done(statement);
    return got == SQLITE_DONE;
}

char *database_get_word(Database *database, const char *name)
{
    sqlite3_stmt *statement = database->prepared[GET_WORD];
    char *value = NULL;

    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = g_strdup(column(statement, 0));
    done(statement);
    return value;
}

gboolean database_put_word(Database *database, const char *name, const char *value, GError **error)
{
    return step_once(database, bind(database, PUT_WORD, name, value), "cannot write a word", error);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static Snapshot *take_reader(Database *database)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&database->lock);
    return g_queue_pop_head(&database->readers);
}

static Snapshot *new_reader(Database *database, GError **error)
{
    sqlite3 *connection = connect_to(database->path, SQLITE_OPEN_READONLY, error);
    Snapshot *reader = connection ? g_new(Snapshot, 1) : NULL;

    if (reader)
        *reader = (Snapshot){.database = database, .connection = connection};
    return reader;
}

/* The transaction begins with its first read, so one is done here. */
Snapshot *database_snapshot(Database *database, GError **error)
{
    Snapshot *snapshot = take_reader(database);

    if (!snapshot)
        snapshot = new_reader(database, error);
    if (snapshot && sqlite3_exec(snapshot->connection, "BEGIN; SELECT count(*) FROM word", NULL, NULL,
                                 NULL) != SQLITE_OK) {
        fail(snapshot->connection, database->path, error);
        g_clear_pointer(&snapshot, close_reader);
    }
    return snapshot;
}

enum { IDLE_READERS = 4 };

void snapshot_free(Snapshot *snapshot)
{
    Database *database = snapshot->database;
    gboolean keep;

    sqlite3_exec(snapshot->connection, "COMMIT", NULL, NULL, NULL);
    g_mutex_lock(&database->lock);
    keep = database->readers.length < IDLE_READERS;
    if (keep)
        g_queue_push_head(&database->readers, snapshot);
    g_mutex_unlock(&database->lock);
    if (!keep)
        close_reader(snapshot);
}

static char *select_for(const Query *query)
{
    GString *sql = g_string_new("SELECT " COLUMNS);

    g_string_append_printf(sql, "%s FROM object WHERE kind = ?1", query->full ? ", full" : "");
    if (query->id)
        g_string_append(sql, " AND id = ?2");
    if (query->name)
        g_string_append(sql, " AND name = ?3");
    if (query->unvalidated)
        g_string_append(sql, " AND (revision != revision_validated OR policy_version != ?4)");
    g_string_append(sql, " ORDER BY position LIMIT ?5 OFFSET ?6");
    return g_string_free(sql, FALSE);
}

static sqlite3_stmt *prepare(Snapshot *snapshot, const Query *query, GError **error)
{
    g_autofree char *sql = select_for(query);
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(snapshot->connection, sql, -1, &statement, NULL) != SQLITE_OK)
        fail(snapshot->connection, "cannot read the inventory", error);
    return statement;
}

/* Thousands of objects are read one by one while VMs are judged: that statement is made once. */
static sqlite3_stmt *take_statement(Snapshot *snapshot, const Query *query, GError **error)
{
    gboolean is_one = query->id && query->full && !query->name && !query->unvalidated;
    sqlite3_stmt *statement;

    if (is_one && snapshot->one && !sqlite3_stmt_busy(snapshot->one))
        return snapshot->one;
    statement = prepare(snapshot, query, error);
    if (is_one && !snapshot->one)
        snapshot->one = statement;
    return statement;
}

static void give_statement_back(Snapshot *snapshot, sqlite3_stmt *statement)
{
    if (statement == snapshot->one)
        done(statement);
    else
        sqlite3_finalize(statement);
}

static void bind_query(sqlite3_stmt *statement, const Query *query)
{
    sqlite3_bind_text(statement, 1, query->kind, -1, SQLITE_STATIC);
    if (query->id)
        sqlite3_bind_text(statement, 2, query->id, -1, SQLITE_STATIC);
    if (query->name)
        sqlite3_bind_text(statement, 3, query->name, -1, SQLITE_STATIC);
    if (query->unvalidated)
        sqlite3_bind_int64(statement, 4, query->policy_version);
    sqlite3_bind_int64(statement, 5, query->limit);
    sqlite3_bind_int64(statement, 6, query->offset);
}

gboolean snapshot_each(Snapshot *snapshot, const Query *query, SnapshotEach each, gpointer user_data,
                       GError **error)
{
    sqlite3_stmt *statement = take_statement(snapshot, query, error);
    int got = SQLITE_DONE;

    if (!statement)
        return FALSE;
    bind_query(statement, query);
    while ((got = sqlite3_step(statement)) == SQLITE_ROW) {
        Row row = read_row(statement, query->full);
        if (!each(&row, user_data))
            break;
    }
    if (got != SQLITE_ROW && got != SQLITE_DONE)
        fail(snapshot->connection, "cannot read the inventory", error);
    give_statement_back(snapshot, statement);
    return got == SQLITE_ROW || got == SQLITE_DONE;
}

GPtrArray *snapshot_ids(Snapshot *snapshot, const char *kind, GError **error)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(snapshot->connection,
                           kind ? "SELECT id FROM object WHERE kind = ?1 ORDER BY position"
                                : "SELECT kind || '/' || id FROM object ORDER BY position",
                           -1, &statement, NULL) != SQLITE_OK) {
        fail(snapshot->connection, "cannot list the inventory", error);
        return NULL;
    }
    if (kind)
        sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC);
    while (sqlite3_step(statement) == SQLITE_ROW)
        g_ptr_array_add(ids, g_strdup(column(statement, 0)));
    sqlite3_finalize(statement);
    return g_steal_pointer(&ids);
}

gint64 snapshot_count(Snapshot *snapshot, const char *kind, const char *name)
{
    sqlite3_stmt *statement = NULL;
    gint64 count = 0;

    if (sqlite3_prepare_v2(snapshot->connection,
                           "SELECT count(*) FROM object WHERE kind = ?1 AND (?2 IS NULL OR name = ?2)", -1,
                           &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC);
        if (name)
            sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) == SQLITE_ROW)
            count = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return count;
}
