/* rows: the page of a plan's VMs that somebody looks at: filtered, sorted and cut here, so that a browser
 * holds a page and not a plan.
 *
 * A row is the VM as status.migration.vms has it (one that has not begun: {id, name}), with its "state":
 * NotStarted, Queued, Running, Copying, WaitingCutover, Succeeded, Failed or Canceled. Threads: any; pure.
 */
#pragma once
#include "kube/object.h"

typedef struct {
    char *q;       /* part of a name or id, case ignored; NULL: any */
    char **states; /* any of these; NULL: any */
    char *sort;    /* "name", "state", "started", "copied"; NULL: as spec.vms has them */
    gboolean descending;
    guint offset, limit; /* limit 0: ROWS_DEFAULT */
} RowsView;

enum { ROWS_DEFAULT = 20, ROWS_MOST = 100 };

void rows_view_clear(RowsView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RowsView, rows_view_clear)

/* view: zeroed. json: {q, states, sort, descending, offset, limit}, each optional. Errors: BAD_INPUT, naming
 * the member and what would be right; view is then still to be cleared. */
gboolean rows_view_parse(const json_t *json, RowsView *view, GError **error);

/* The page, a new array. *found: how many VMs pass the filter; when the page is past their end, the last page
 * is given, and *offset says where it begins. */
json_t *rows_page(const Object *plan, const RowsView *view, guint *found, guint *offset);

/* Where a VM of status.migration.vms (or of spec.vms) is. plan_started: the plan has begun a migration. */
const char *row_state(const json_t *vm, gboolean plan_started, gboolean warm);
