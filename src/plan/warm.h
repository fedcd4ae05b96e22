/* warm: the precopies of a VM as its status keeps them, when the next one or the cutover is due, and how long
 * the VM will be down.
 *
 * In the VM's status, as clients of Forklift read it:
 *   warm {successes, failures, consecutiveFailures, nextPrecopyAt, leftOut,
 *         precopies[{start, end, snapshot, createTaskId, removeTaskId, deltas[{disk, deltaId}], error}]}
 * A precopy is open from its snapshot on until its disks are copied; deltas are the change ids of its
 * snapshot, which the next one asks from; error, which Forklift does not have, is why one was given up. The
 * bytes and seconds of each pass are annotations of the DiskTransfer step. A VM may be precopied for months:
 * of both lists the first WARM_FIRST and the last WARM_LAST are kept, and leftOut (which Forklift does not
 * have either) says how many precopies are not in the list. Threads: pure functions; one at a time per
 * status.
 */
#pragma once
#include "base/errors.h"
#include "base/json.h"

enum { WARM_FIRST = 4, WARM_LAST = 20 };

typedef enum { WARM_WAIT, WARM_PRECOPY, WARM_CUTOVER } WarmNext;

/* When the VM is to be cut over, microseconds since 1970: what spec.vmCutover says of it, else spec.cutover,
 * else spec.plan.cutover, where the guide prints it; -1: not yet. spec: the Migration's. */
gint64 warm_cutover_at(const json_t *migration_spec, const char *vm_id);

/* What is due now; keeps nextPrecopyAt true to interval_s, which may change meanwhile. */
WarmNext warm_next(json_t *vm, const json_t *migration_spec, gint interval_s, gint64 now);

/* ---- precopies ---- */

json_t *warm_last(const json_t *vm); /* borrowed; NULL: there was none */
/* Opens one. What is known of it comes with warm_set_snapshot() and warm_set_delta(). */
json_t *warm_begin(json_t *vm);
gboolean warm_is_open(const json_t *precopy);
guint warm_number(const json_t *vm); /* of the last precopy, counted from 1; no two of a run have the same */
void warm_set_snapshot(json_t *precopy, const char *snapshot);
const char *warm_snapshot(const json_t *precopy); /* or NULL */
void warm_set_delta(json_t *precopy, const char *disk, const char *change_id);
const char *warm_delta(const json_t *precopy, const char *disk); /* or NULL */

/* The last precopy that was copied whole: what changed since then is missing. NULL: everything is. */
const json_t *warm_base(const json_t *vm);

/* Takes over what an earlier run that did not end well has copied, whatever of it still is there: what has
 * changed since is read (the copier knows what it has, and reads more where that is not so). */
void warm_take_up(json_t *vm, const json_t *earlier);

/* The open precopy's disks are copied. step: DiskTransfer or Cutover, whose tasks have the bytes that were
 * read. */
void warm_succeed(json_t *vm, json_t *step);
/* It is given up; the next one starts from the same base. */
void warm_fail(json_t *vm, const GError *why);
/* Why the last one was given up, borrowed; NULL: it was not. */
const char *warm_failure(const json_t *vm);
guint warm_count(const json_t *vm); /* of those that were copied */

/* Seconds that the last delta will take, from what the last pass changed and how fast it was copied; -1:
 * nothing is known yet. */
gint64 warm_forecast_s(const json_t *vm, const json_t *step, gint64 now);
