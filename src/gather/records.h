/* records: the gatherings that were asked for, one JSON file each beside its archive, so that they outlive
 * the process.
 *
 * DIR/ID.json holds what clients see (id, created-at, updated-at, custom-name, status, command, archive-size,
 * archive-name, exec-output …), DIR/ID.tar.gz the archive. Status: new, inprogress, completed, error.
 * Guarantee: a record is on the disk before a call that changes it returns. What was under way when the
 * process ended is in error after the next records_open(): nobody's token is kept. Threads: any. Errors: IO,
 * with the path.
 */
#pragma once
#include "base/json.h"

typedef struct Records Records;
Records *records_open(const char *dir, GError **error); /* makes the folder */
void records_free(Records *records);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Records, records_free)

/* Gives the new record's id, > 0, or 0. request: the members that the client set; borrowed. */
gint64 records_add(Records *records, const json_t *request, GError **error);

/* Sets members of a record, and updated-at. changes is taken. */
gboolean records_change(Records *records, gint64 id, json_t *changes, GError **error);

/* A new reference to a copy: by number, else the newest with that custom-name; NULL: there is none. */
json_t *records_find(Records *records, const char *id_or_name);
json_t *records_list(Records *records);
char *records_archive(const Records *records, gint64 id); /* the path */
guint records_waiting(Records *records);                  /* how many are new or in progress */

/* Removes records, and their archives, that are done and were not changed for so long. */
void records_sweep(Records *records, gint64 age_us);
