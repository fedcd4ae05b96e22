/* collect: says everything that an engine holds, then what its events say has changed.
 *
 * Events have codes; the table says for each which objects it may have changed. An object that the event
 * names is fetched alone; where it names none, or others change with it, the kind's whole list is fetched and
 * compared with what was said. Everything is listed again once an hour, in case an event was missed or
 * the engine was restored and counts from before.
 */
#include "base/clock.h"
#include "source/ovirt/ovirt.h"
#include <string.h>

enum {
    POLL_MS = 2000,
    BEAR_S = 30, /* an engine that fails for a moment is the same engine */
    LIST_AGAIN_S = 3600,
    BATCH = 200,
    MOST_EVENTS = 1000,
};

/* ---- what events mean ---------------------------------------------------------------------------------- */

typedef enum { ONE, GONE, ALL } EventAction;

typedef struct {
    int code;
    const char *kind;
    EventAction action; /* ONE: fetch what it names; GONE: what it names has gone; ALL: list the kind */
} EventRow;

static const EventRow event_rows[] = {
    {950, "DataCenter", ONE},
    {952, "DataCenter", ONE},
    {954, "DataCenter", ALL},
    {954, "StorageDomain", ALL},
    {954, "Network", ALL},
    {954, "NICProfile", ALL},
    {954, "DiskProfile", ALL},
    {954, "Cluster", ALL},
    {942, "Network", ALL},
    {942, "NICProfile", ALL},
    {1114, "Network", ALL},
    {944, "Network", ALL},
    {944, "NICProfile", ALL},
    {1122, "NICProfile", ALL},
    {1122, "Network", ALL},
    {1124, "NICProfile", ALL},
    {1126, "NICProfile", ALL},
    {1126, "Network", ALL},
    {10120, "DiskProfile", ALL},
    {10124, "DiskProfile", ALL},
    {10122, "DiskProfile", ALL},
    {956, "StorageDomain", ALL},
    {956, "DiskProfile", ALL},
    {958, "StorageDomain", ALL},
    {964, "StorageDomain", ALL},
    {964, "VM", ALL},
    {964, "Disk", ALL},
    {960, "StorageDomain", ALL},
    {960, "DiskProfile", ALL},
    {981, "StorageDomain", ALL},
    {981, "DiskProfile", ALL},
    {981, "VM", ALL},
    {981, "Disk", ALL},
    {809, "Cluster", ONE},
    {811, "Cluster", ONE},
    {813, "Cluster", GONE},
    {42, "Host", ONE},
    {43, "Host", ONE},
    {600, "Host", ONE},
    {620, "Host", ONE},
    {10453, "Host", ONE},
    {13, "Host", ONE},
    {44, "Host", GONE},
    {34, "VM", ONE},
    {34, "Disk", ALL},
    {53, "VM", ONE},
    {53, "Disk", ALL},
    {1152, "VM", ONE},
    {1152, "Disk", ALL},
    {35, "VM", ONE},
    {253, "VM", ONE},
    {88, "VM", ONE},
    {88, "Disk", ALL},
    {97, "VM", ONE},
    {97, "Disk", ALL},
    {80, "VM", ONE},
    {80, "Disk", ALL},
    {2016, "VM", ONE},
    {2016, "Disk", ALL},
    {2018, "VM", ONE},
    {2018, "Disk", ALL},
    {521, "VM", ONE},
    {932, "VM", ONE},
    {934, "VM", ONE},
    {930, "VM", ONE},
    {68, "VM", ONE},
    {356, "VM", ONE},
    {10800, "VM", ONE},
    {10801, "VM", ONE},
    {32, "VM", ONE},
    {38, "VM", ONE},
    {39, "VM", ONE},
    {40, "VM", ONE},
    {503, "VM", ONE},
    {61, "VM", ONE},
    {113, "VM", GONE},
    {113, "Disk", ALL},
    {1130, "VM", GONE},
    {172, "VM", GONE},
    {1720, "VM", GONE},
    {2021, "Disk", ALL},
    {2014, "Disk", ALL},
    {2042, "VM", ALL},
    {2042, "Disk", ALL},
};

/* ---- saying -------------------------------------------------------------------------------------------- */

typedef struct {
    OvirtSession *session;
    SourceChange changed;
    gpointer user_data;
    GCancellable *cancel;
    GHashTable *said; /* "kind/id" of everything that was said and has not gone */
    char *last_event; /* its id: events after it are news */
} Collect;

static void say(Collect *collect, const char *kind, const char *id, json_t *model, gboolean batch_end)
{
    char *key = g_strconcat(kind, "/", id, NULL);

    if (model)
        g_hash_table_add(collect->said, key);
    else {
        g_hash_table_remove(collect->said, key);
        g_free(key);
    }
    collect->changed(model ? SOURCE_UPSERT : SOURCE_DELETE, kind, id, model, batch_end, collect->user_data);
}

/* ---- whole lists --------------------------------------------------------------------------------------- */

/* One list on its way: each model is held back until the next, so that the last is known to be. */
typedef struct {
    Collect *collect;
    const OvirtKind *kind;
    json_t *held;
    guint count;
    GHashTable *ids; /* of this list */
} Listing;

static void say_held(Listing *listing, gboolean last)
{
    g_autoptr(json_t) model = g_steal_pointer(&listing->held);

    if (model)
        say(listing->collect, listing->kind->kind, json_string_at(model, "id", ""), model,
            last || ++listing->count % BATCH == 0);
}

/* Of its own, as following it is a fault of the engine's: its model takes a VM's nodes for a host's. Only a
 * VM that is tied to hosts can have any that are pinned. */
static json_t *with_numa_nodes(Collect *collect, const json_t *vm, GError **error)
{
    g_autofree char *path = g_strconcat("vms/", ovirt_text(vm, "id"), "/numanodes", NULL);
    g_autoptr(json_t) nodes = ovirt_get(collect->session, path, collect->cancel, error);
    json_t *complete = nodes ? json_copy((json_t *)vm) : NULL;

    if (complete)
        json_object_set(complete, "numa_nodes", nodes);
    return complete;
}

/* The list does not say what a direct LUN is; the disk itself does. */
static json_t *disk_itself(Collect *collect, const json_t *disk, GError **error)
{
    g_autofree char *path = g_strconcat("disks/", ovirt_text(disk, "id"), NULL);
    return ovirt_get(collect->session, path, collect->cancel, error);
}

/* An object with what a list leaves out, a new reference. One that has gone meanwhile is as it was. */
static json_t *complete(Collect *collect, const OvirtKind *kind, const json_t *object, GError **error)
{
    g_autoptr(GError) failed = NULL;
    json_t *whole = NULL;

    if (!strcmp(kind->kind, "Disk") && !strcmp(ovirt_text(object, "storage_type"), "lun"))
        whole = disk_itself(collect, object, &failed);
    else if (!strcmp(kind->kind, "VM") && json_array_size(json_at(object, "placement_policy.hosts.host")))
        whole = with_numa_nodes(collect, object, &failed);
    if (whole)
        return whole;
    if (!failed || g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        return json_incref((json_t *)object);
    g_propagate_error(error, g_steal_pointer(&failed));
    return NULL;
}

static gboolean take_listed(const json_t *one, gpointer user_data, GError **error)
{
    Listing *listing = user_data;
    g_autoptr(json_t) object = complete(listing->collect, listing->kind, one, error);
    json_t *model = object ? ovirt_model(listing->kind, object) : NULL;

    if (!object)
        return FALSE;
    if (!model)
        return TRUE; /* without an id nothing can refer to it */
    say_held(listing, FALSE);
    listing->held = model;
    g_hash_table_add(listing->ids, g_strdup(json_string_at(model, "id", "")));
    return TRUE;
}

/* What was said before and is not in the list has gone. */
static void say_missing(Listing *listing)
{
    g_autofree char *prefix = g_strconcat(listing->kind->kind, "/", NULL);
    g_autoptr(GPtrArray) gone = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iterator;
    gpointer key;

    g_hash_table_iter_init(&iterator, listing->collect->said);
    while (g_hash_table_iter_next(&iterator, &key, NULL))
        if (g_str_has_prefix(key, prefix) &&
            !g_hash_table_contains(listing->ids, (char *)key + strlen(prefix)))
            g_ptr_array_add(gone, g_strdup((char *)key + strlen(prefix)));
    for (guint i = 0; i < gone->len; i++)
        say(listing->collect, listing->kind->kind, gone->pdata[i], NULL, i + 1 == gone->len);
}

static gboolean list_kind(Collect *collect, const OvirtKind *kind, GError **error)
{
    g_autofree char *path = kind->follow ? g_strconcat(kind->collection, "?follow=", kind->follow, NULL)
                                         : g_strdup(kind->collection);
    g_autoptr(GBytes) text = ovirt_get_text(collect->session, path, collect->cancel, error);
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Listing listing = {.collect = collect, .kind = kind, .ids = ids};
    const char *start;
    gboolean ok;

    if (!text)
        return FALSE;
    start = g_bytes_get_data(text, NULL);
    ok = ovirt_list_each(start ? start : "", g_bytes_get_size(text), kind->element, take_listed, &listing,
                         error);
    say_held(&listing, TRUE);
    if (ok)
        say_missing(&listing);
    else
        g_prefix_error(error, "%s: ", kind->collection);
    return ok;
}

static gboolean list_all(Collect *collect, GError **error)
{
    for (const OvirtKind *kind = ovirt_kinds; kind->kind; kind++)
        if (!list_kind(collect, kind, error))
            return FALSE;
    return TRUE;
}

/* ---- one object ---------------------------------------------------------------------------------------- */

static gboolean fetch_one(Collect *collect, const OvirtKind *kind, const char *id, GError **error)
{
    g_autofree char *path = g_strconcat(kind->collection, "/", id, kind->follow ? "?follow=" : "",
                                        kind->follow ? kind->follow : "", NULL);
    g_autoptr(GError) failed = NULL;
    g_autoptr(json_t) object = ovirt_get(collect->session, path, collect->cancel, &failed);
    g_autoptr(json_t) whole = object ? complete(collect, kind, object, &failed) : NULL;
    g_autoptr(json_t) model = whole ? ovirt_model(kind, whole) : NULL;

    if (model)
        say(collect, kind->kind, json_string_at(model, "id", ""), model, TRUE);
    else if (g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND))
        say(collect, kind->kind, id, NULL, TRUE);
    else if (failed) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    return TRUE;
}

/* ---- events -------------------------------------------------------------------------------------------- */

/* What a number of events ask for; each thing once. */
typedef struct {
    GHashTable *lists;       /* of kinds, borrowed */
    GHashTable *ones, *gone; /* "kind/id" */
} Work;

static void add_work(Work *work, const json_t *event)
{
    gint64 code = ovirt_int(event, "code");

    for (guint i = 0; i < G_N_ELEMENTS(event_rows); i++) {
        const EventRow *row = &event_rows[i];
        const OvirtKind *kind = row->code == code ? ovirt_kind(row->kind) : NULL;
        const char *id = kind ? json_string_at(json_object_get(event, kind->element), "id", "") : "";

        if (!kind)
            continue;
        if (row->action == ALL || !*id)
            g_hash_table_add(work->lists, (gpointer)row->kind);
        else
            g_hash_table_add(row->action == ONE ? work->ones : work->gone,
                             g_strconcat(row->kind, "/", id, NULL));
    }
}

static gboolean do_ones(Collect *collect, GHashTable *ones, gboolean gone, GError **error)
{
    GHashTableIter iterator;
    gpointer key;

    g_hash_table_iter_init(&iterator, ones);
    while (g_hash_table_iter_next(&iterator, &key, NULL)) {
        g_autofree char *name = g_strdup(key);
        char *id = strchr(name, '/');
        *id++ = 0;
        if (gone)
            say(collect, name, id, NULL, TRUE);
        else if (!fetch_one(collect, ovirt_kind(name), id, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean do_work(Collect *collect, const Work *work, GError **error)
{
    for (const OvirtKind *kind = ovirt_kinds; kind->kind; kind++)
        if (g_hash_table_contains(work->lists, kind->kind) && !list_kind(collect, kind, error))
            return FALSE;
    return do_ones(collect, work->ones, FALSE, error) && do_ones(collect, work->gone, TRUE, error);
}

/* "type=950 or type=952 or …" */
static char *event_search(void)
{
    GString *search = g_string_new(NULL);
    int before = 0;

    for (guint i = 0; i < G_N_ELEMENTS(event_rows); i++) {
        if (event_rows[i].code != before)
            g_string_append_printf(search, "%stype=%d", search->len ? " or " : "", event_rows[i].code);
        before = event_rows[i].code;
    }
    return g_string_free(search, FALSE);
}

static gboolean note_last_event(Collect *collect, GError **error)
{
    g_autoptr(json_t) newest = ovirt_get(collect->session, "events?max=1", collect->cancel, error);

    if (!newest)
        return FALSE;
    g_free(collect->last_event);
    collect->last_event = g_strdup(ovirt_text(json_array_get(json_object_get(newest, "event"), 0), "id"));
    return TRUE;
}

static json_t *fetch_events(Collect *collect, GError **error)
{
    g_autofree char *search = event_search(), *escaped = g_uri_escape_string(search, NULL, FALSE);
    g_autofree char *path = g_strdup_printf("events?search=%s&max=%d&from=%s", escaped, MOST_EVENTS,
                                            *collect->last_event ? collect->last_event : "0");
    return ovirt_get(collect->session, path, collect->cancel, error);
}

/* The newest comes first. More than one reply holds means that what they ask for is not known: all is listed.
 */
static gboolean follow_events(Collect *collect, GError **error)
{
    g_autoptr(json_t) answer = fetch_events(collect, error);
    const json_t *events = json_object_get(answer, "event"), *event;
    const char *newest = ovirt_text(json_array_get(events, 0), "id");
    g_autoptr(GHashTable) lists = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) ones = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) gone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Work work = {lists, ones, gone};
    size_t at;

    if (!answer)
        return FALSE;
    json_array_foreach (events, at, event)
        add_work(&work, event);
    if (json_array_size(events) >= MOST_EVENTS ? !list_all(collect, error) : !do_work(collect, &work, error))
        return FALSE;
    if (*newest) {
        g_free(collect->last_event);
        collect->last_event = g_strdup(newest);
    }
    return TRUE;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* Until it is cancelled, or the engine has failed for too long. */
static void follow(Collect *collect, GError **error)
{
    gint64 good = g_get_monotonic_time(), listed = good;

    for (;;) {
        g_autoptr(GError) failed = NULL;
        gboolean again = g_get_monotonic_time() - listed > LIST_AGAIN_S * G_TIME_SPAN_SECOND;

        clock_wait(POLL_MS, collect->cancel);
        if (g_cancellable_set_error_if_cancelled(collect->cancel, error))
            return;
        if (follow_events(collect, &failed) &&
            (!again || (note_last_event(collect, &failed) && list_all(collect, &failed)))) {
            good = g_get_monotonic_time();
            listed = again ? good : listed;
            continue;
        }
        if (error_class(failed) == FATAL || g_get_monotonic_time() - good > BEAR_S * G_TIME_SPAN_SECOND) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return;
        }
    }
}

gboolean ovirt_collect(OvirtSession *session, SourceChange changed, gpointer user_data, GCancellable *cancel,
                       GError **error)
{
    Collect collect = {.session = session, .changed = changed, .user_data = user_data, .cancel = cancel};

    collect.said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (note_last_event(&collect, error) && list_all(&collect, error)) {
        changed(SOURCE_PARITY, NULL, NULL, NULL, TRUE, user_data);
        follow(&collect, error);
    }
    g_hash_table_unref(collect.said);
    g_free(collect.last_event);
    return FALSE;
}
