/* rows: a VM's state in one word, and a plan's VMs as a view wants them. */
#include "console/rows.h"
#include "base/errors.h"
#include "console/digest.h"
#include <string.h>

static const char *const states[] = {"NotStarted", "Queued", "Running",  "Copying", "WaitingCutover",
                                     "Succeeded",  "Failed", "Canceled", NULL};
static const char *const sorts[] = {"name", "state", "started", "copied", NULL};

enum { MOST_TEXT = 253 };

/* ---- the view ---- */

void rows_view_clear(RowsView *view)
{
    g_clear_pointer(&view->q, g_free);
    g_clear_pointer(&view->sort, g_free);
    g_clear_pointer(&view->states, g_strfreev);
}

static gboolean bad(GError **error, const char *member, const char *right)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s: must be %s", member, right);
    return FALSE;
}

static gboolean parse_states(const json_t *json, RowsView *view, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    const json_t *state;
    size_t i;

    if (json && !json_is_array(json))
        return bad(error, "states", "a list of states");
    if (!json_array_size(json))
        return TRUE;
    json_array_foreach (json, i, state) {
        if (!json_is_string(state) || !g_strv_contains(states, json_string_value(state)))
            return bad(error, "states", "states of VMs, as Running or Failed");
        g_strv_builder_add(builder, json_string_value(state));
    }
    view->states = g_strv_builder_end(builder);
    return TRUE;
}

static gboolean parse_count(const json_t *json, const char *member, guint most, guint *count, GError **error)
{
    gint64 value = json_int_at(json, member, 0);

    if (value < 0 || value > most) {
        g_autofree char *right = g_strdup_printf("a number from 0 to %u", most);
        return bad(error, member, right);
    }
    *count = (guint)value;
    return TRUE;
}

gboolean rows_view_parse(const json_t *json, RowsView *view, GError **error)
{
    const char *q = json_string_at(json, "q", ""), *sort = json_string_at(json, "sort", "");

    if (strlen(q) > MOST_TEXT)
        return bad(error, "q", "at most 253 characters");
    if (*sort && !g_strv_contains(sorts, sort))
        return bad(error, "sort", "name, state, started or copied");
    view->q = *q ? g_utf8_casefold(q, -1) : NULL;
    view->sort = *sort ? g_strdup(sort) : NULL;
    view->descending = json_bool_at(json, "descending", FALSE);
    return parse_states(json_object_get(json, "states"), view, error) &&
           parse_count(json, "offset", 1 << 20, &view->offset, error) &&
           parse_count(json, "limit", ROWS_MOST, &view->limit, error);
}

/* ---- where a VM is ---- */

/* A step after the copies of a warm migration has begun. */
static gboolean is_past_copies(const json_t *vm)
{
    static const char *const before[] = {"Initialize", "PreHook", "DiskTransfer", NULL};
    const json_t *step;
    size_t i;

    json_array_foreach (json_object_get(vm, "pipeline"), i, step)
        if (!g_strv_contains(before, json_string_at(step, "name", "")) &&
            (json_object_get(step, "started") || json_object_get(step, "error")))
            return TRUE;
    return FALSE;
}

const char *row_state(const json_t *vm, gboolean plan_started, gboolean warm)
{
    if (digest_vm_has(vm, "Canceled"))
        return "Canceled";
    if (digest_vm_has(vm, "Failed") || json_is_object(json_object_get(vm, "error")))
        return "Failed";
    if (digest_vm_has(vm, "Succeeded"))
        return "Succeeded";
    if (!plan_started)
        return "NotStarted";
    if (!json_array_size(json_object_get(vm, "pipeline")) || !json_object_get(vm, "started"))
        return "Queued";
    if (!warm)
        return "Running";
    if (!strcmp(json_string_at(vm, "phase", ""), "CopyingPaused"))
        return "WaitingCutover";
    return is_past_copies(vm) ? "Running" : "Copying";
}

/* ---- the page ---- */

static const char *row_name(const json_t *row)
{
    return json_string_at(row, "name", json_string_at(row, "id", ""));
}

static gboolean passes(const RowsView *view, const json_t *row)
{
    g_autofree char *name = NULL;

    if (view->states && !g_strv_contains((const char *const *)view->states, json_string_at(row, "state", "")))
        return FALSE;
    if (!view->q)
        return TRUE;
    name = g_utf8_casefold(row_name(row), -1);
    return strstr(name, view->q) || !g_ascii_strcasecmp(json_string_at(row, "id", ""), view->q);
}

static gint64 copied(const json_t *row)
{
    gint64 sum = 0;
    const json_t *step;
    size_t i;

    json_array_foreach (json_object_get(row, "pipeline"), i, step)
        if (digest_step_moves_disks(step))
            sum += json_int_at(step, "progress.completed", 0);
    return sum;
}

static gint state_rank(const json_t *row)
{
    gint rank = 0;

    while (states[rank] && strcmp(states[rank], json_string_at(row, "state", "")))
        rank++;
    return rank;
}

static gint compare(const json_t *a, const json_t *b, const char *sort)
{
    if (!strcmp(sort, "state"))
        return state_rank(a) - state_rank(b);
    if (!strcmp(sort, "started"))
        return strcmp(json_string_at(a, "started", ""), json_string_at(b, "started", ""));
    if (!strcmp(sort, "copied")) {
        gint64 one = copied(a), other = copied(b);
        return one < other ? -1 : one > other;
    }
    return g_utf8_collate(row_name(a), row_name(b));
}

/* Equal rows keep the order of spec.vms, which their index in the unsorted list says. */
typedef struct {
    json_t *row;
    guint at;
} Placed;

static gint compare_placed(gconstpointer a, gconstpointer b, gpointer data)
{
    const RowsView *view = data;
    const Placed *one = a, *other = b;
    gint order = compare(one->row, other->row, view->sort);

    if (!order)
        return one->at < other->at ? -1 : one->at > other->at;
    return view->descending ? -order : order;
}

static gboolean is_warm(const Object *plan)
{
    const json_t *spec = json_object_get(object_json(plan), "spec");
    const char *type = json_string_at(spec, "type", "");

    return *type ? !strcmp(type, "warm") : json_bool_at(spec, "warm", FALSE);
}

/* Every row that passes, in the view's order. */
static GArray *matching(const Object *plan, const RowsView *view)
{
    g_autoptr(json_t) all = digest_plan_rows(plan);
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Placed));
    gboolean started = json_at(object_json(plan), "status.migration.started") != NULL, warm = is_warm(plan);
    json_t *vm;
    size_t i;

    json_array_foreach (all, i, vm) {
        json_t *row = json_copy(vm);
        Placed placed = {row, (guint)i};

        json_object_set_new(row, "state", json_string(row_state(vm, started, warm)));
        if (passes(view, row))
            g_array_append_val(found, placed);
        else
            json_decref(row);
    }
    if (view->sort)
        g_array_sort_with_data(found, compare_placed, (gpointer)view);
    return found;
}

json_t *rows_page(const Object *plan, const RowsView *view, guint *found, guint *offset)
{
    g_autoptr(GArray) all = matching(plan, view);
    guint limit = view->limit ? view->limit : ROWS_DEFAULT;
    guint last = all->len ? (all->len - 1) / limit * limit : 0;
    json_t *page = json_array();

    *found = all->len;
    *offset = MIN(view->offset, last);
    for (guint i = 0; i < all->len; i++) {
        json_t *row = g_array_index(all, Placed, i).row;

        if (i >= *offset && i - *offset < limit)
            json_array_append_new(page, row);
        else
            json_decref(row);
    }
    return page;
}
