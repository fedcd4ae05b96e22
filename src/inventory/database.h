/* database: one provider's inventory as a file: a row per object, in SQLite.
 *
 * It is a cache of what the provider says; a file that is damaged or of another layout is made anew. A row carries its JSON
 * document in three texts, so that a list at a low level of detail reads and copies no more than it sends:
 *   base   members of every level:  "id":"vm-1","name":"a","parent":{…}
 *   brief  what level 1 adds, full  what the highest level adds; each without braces, "" when there is nothing.
 * Guarantee: an object whose document has not changed keeps its revision and its validation. Readers see whole commits.
 * Threads: one writer at a time (the caller's matter); readers in any number, none waits for the writer.
 * Errors: INVENTORY_DATABASE.
 */
#pragma once
#include "base/json.h"

typedef struct Database Database;
Database *database_open(const char *path, GError **error); /* makes the folders on the way */
void database_close(Database *database);
void database_remove(const char *path); /* the file and what SQLite puts beside it */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Database, database_close)

typedef struct {
    const char *kind, *id, *name;
    const char *parent_kind, *parent_id;
    const char *base, *brief, *full; /* full NULL unless it was asked for */
    gint64 revision, revision_validated, policy_version;
    const char *concerns; /* a JSON array */
} Row;

/* ---- writing ------------------------------------------------------------------------------------------- */

gboolean database_begin(Database *database, GError **error);
gboolean database_commit(Database *database, GError **error);
void database_roll_back(Database *database);

/* Writes the object when it is new or differs. row's revision and validation are not looked at. changed gets the row as it was
 * (NULL: it is new) and as it is, both borrowed; it is not called when nothing differs. Needs database_begin(). */
typedef void (*DatabaseChanged)(const Row *before, const Row *after, gpointer user_data);
gboolean database_put(Database *database, const Row *row, DatabaseChanged changed, gpointer user_data,
                      GError **error);
/* after is NULL in changed. Deleting what is not there is no error. */
gboolean database_delete(Database *database, const char *kind, const char *id, DatabaseChanged changed,
                         gpointer user_data, GError **error);

/* Records a validation of that revision; does nothing when the object has changed since. concerns is a JSON array. The revision
 * stays as it is. */
gboolean database_put_validation(Database *database, const char *kind, const char *id, gint64 revision,
                                 gint64 policy_version, const char *concerns, DatabaseChanged changed,
                                 gpointer user_data, GError **error);
/* Makes VMs look as if they had never been validated: all (host NULL), or those on one host. */
gboolean database_forget_validation(Database *database, const char *host, GError **error);

/* The object as the writer sees it; each is not called when there is none. */
typedef gboolean (*SnapshotEach)(const Row *row, gpointer user_data);
gboolean database_read(Database *database, const char *kind, const char *id, SnapshotEach each, gpointer user_data,
                       GError **error);

/* Which files a VM holds: those of its disks (sharing.h). says_shared: the VM says itself that it shares the file. */
gboolean database_hold(Database *database, const char *file, const char *vm, gboolean says_shared, GError **error);
gboolean database_drop(Database *database, const char *file, const char *vm, GError **error);
typedef void (*DatabaseHolding)(const char *file, const char *vm, gboolean says_shared, gpointer user_data);
/* Who holds the file, or (file NULL) what the VM holds. */
gboolean database_each_holding(Database *database, const char *file, const char *vm, DatabaseHolding each,
                               gpointer user_data, GError **error);

/* A word about the database itself ("url"). */
char *database_get_word(Database *database, const char *name); /* or NULL */
gboolean database_put_word(Database *database, const char *name, const char *value, GError **error);

/* ---- reading ------------------------------------------------------------------------------------------- */

typedef struct Snapshot Snapshot; /* what was committed when it was taken */
Snapshot *database_snapshot(Database *database, GError **error);
void snapshot_free(Snapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_free)

typedef struct {
    const char *kind;
    const char *id;   /* or NULL: any */
    const char *name; /* or NULL */
    gboolean full;    /* reads Row.full too */
    gboolean unvalidated;  /* VMs only: those that need validation at policy_version */
    gint64 policy_version;
    gint64 limit, offset;  /* limit < 0: no limit */
} Query;

/* In the order in which the objects came. each gets a borrowed row and gives FALSE to end early. */
gboolean snapshot_each(Snapshot *snapshot, const Query *query, SnapshotEach each, gpointer user_data, GError **error);

/* Every id of a kind, or all as "kind/id" (kind NULL). Owned strings. */
GPtrArray *snapshot_ids(Snapshot *snapshot, const char *kind, GError **error);
gint64 snapshot_count(Snapshot *snapshot, const char *kind, const char *name);
