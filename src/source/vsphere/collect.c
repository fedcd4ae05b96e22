/* collect: says everything that a vCenter holds once, then every change, by a PropertyCollector of its own.
 *
 * Nothing is remembered between updates: an object that enters comes with all its properties; one that
 * changes is read again whole, together with the others of the same update. So memory is bounded by a page, a
 * change that the peer announces only in part is seen whole, and there is no copy that could drift.
 *
 * A view of everything below the root folder says which objects there are: also VMs within vApps, wherever
 * they are nested.
 *
 * Two threads: one asks for the next page while the other turns the last one into documents. Each wait at the
 * server is short, so that the session stays alive and a cancelled collector's filter does not linger there.
 */
#include "source/vsphere/vsphere.h"
#include <string.h>

/* vCenter counts in objects; the largest VM is some 50 KB of XML. */
#define PAGE_OBJECTS "250"
#define WAIT_S       "20"
/* How many pages may wait for the reading thread. */
enum { PAGES_AHEAD = 2 };

/* ---- asking for pages, in a thread of its own ---------------------------------------------------------- */

typedef struct {
    GBytes *body; /* NULL: error says why there are no more */
    GError *error;
} Page;

static void page_free(gpointer data)
{
    Page *page = data;
    g_clear_pointer(&page->body, g_bytes_unref);
    g_clear_error(&page->error);
    g_free(page);
}

typedef struct {
    VsphereSession *session;
    char *collector; /* moref of the PropertyCollector */
    GCancellable *cancel;
    GAsyncQueue *pages;

    GMutex lock; /* of room */
    GCond room_made;
    int room;
} Fetcher;

static GBytes *wait_for_updates(Fetcher *fetcher, const char *version, GError **error)
{
    GString *call = soap_call("WaitForUpdatesEx", "PropertyCollector", fetcher->collector);
    g_autoptr(GBytes) envelope = NULL;

    soap_add(call, "version", version);
    soap_open(call, "options");
    soap_add(call, "maxWaitSeconds", WAIT_S);
    soap_add(call, "maxObjectUpdates", PAGE_OBJECTS);
    soap_close(call, "options");
    envelope = soap_finish(call, "WaitForUpdatesEx");
    return vsphere_call(fetcher->session, envelope, fetcher->cancel, error);
}

static gboolean take_room(Fetcher *fetcher)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fetcher->lock);

    while (fetcher->room == 0 && !g_cancellable_is_cancelled(fetcher->cancel))
        g_cond_wait_until(&fetcher->room_made, &fetcher->lock, g_get_monotonic_time() + G_TIME_SPAN_SECOND);
    fetcher->room--;
    return !g_cancellable_is_cancelled(fetcher->cancel);
}

static void give_room(Fetcher *fetcher)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&fetcher->lock);
    fetcher->room++;
    g_cond_signal(&fetcher->room_made);
}

/* An answer without a version is the peer's way to say that nothing happened while it waited. */
static gpointer fetch_pages(gpointer data)
{
    Fetcher *fetcher = data;
    g_autofree char *version = g_strdup("");

    while (take_room(fetcher)) {
        Page *page = g_new0(Page, 1);
        page->body = wait_for_updates(fetcher, version, &page->error);
        gboolean last = page->body == NULL;
        if (!last) {
            char *next = soap_read_text(page->body, "version", NULL);
            if (next) {
                g_free(version);
                version = next;
            }
        }
        g_async_queue_push(fetcher->pages, page);
        if (last)
            return NULL;
    }
    Page *end = g_new0(Page, 1);
    g_set_error(&end->error, GANTRY_ERROR, ERROR_CANCELED, "collecting was canceled");
    g_async_queue_push(fetcher->pages, end);
    return NULL;
}

/* ---- reporting ----------------------------------------------------------------------------------------- */

/* Holds back one change, so that the last of a batch is known when it is said. */
typedef struct {
    SourceChange changed;
    gpointer user_data;
    SourceEvent event;
    const char *kind; /* static; NULL: nothing is held */
    char *id;
    json_t *model;
} Report;

static void report_held(Report *report, gboolean batch_end)
{
    if (!report->kind)
        return;
    report->changed(report->event, report->kind, report->id, report->model, batch_end, report->user_data);
    report->kind = NULL;
    g_clear_pointer(&report->id, g_free);
    g_clear_pointer(&report->model, json_decref);
}

/* Takes id and model. */
static void report_take(Report *report, SourceEvent event, const char *kind, char *id, json_t *model)
{
    report_held(report, FALSE);
    report->event = event;
    report->kind = kind;
    report->id = id;
    report->model = model;
}

/* ---- reading a page ------------------------------------------------------------------------------------ */

typedef struct {
    Report report;
    Properties *properties;
    GPtrArray *modified; /* of Moref: changed objects of this page, to be read again */
    VsphereTags *tags;   /* NULL: of a host, which has none */
    gboolean any, truncated; /* of this page */
    gboolean parity;         /* everything has been said once */
} Reading;

typedef struct {
    char *type, *id;
} Moref;

static void moref_free(gpointer data)
{
    Moref *moref = data;
    g_free(moref->type);
    g_free(moref->id);
    g_free(moref);
}

/* The kind of static life, or NULL when the inventory does not show such objects. */
static const char *shown_kind(const char *type)
{
    const char *kind = strcmp(type, "OpaqueNetwork") ? vsphere_kind(type) : "Network";
    return kind == type ? NULL : kind;
}

static void report_object(Reading *reading)
{
    const Properties *properties = reading->properties;
    const char *kind = shown_kind(properties->type);
    json_t *model = kind && *properties->id ? vsphere_model(properties) : NULL;

    if (model && reading->tags && !strcmp(properties->type, "VirtualMachine"))
        json_object_set_new(model, "tags", vsphere_tags_of(reading->tags, properties->id));
    if (model)
        report_take(&reading->report, SOURCE_UPSERT, kind, vsphere_id(properties->type, properties->id),
                    model);
}

static void take_update(Reading *reading, const xmlNode *update)
{
    const char *how = soap_peek(soap_child(update, "kind"));
    const Properties *properties = reading->properties;

    properties_read(reading->properties, update);
    if (!how || !shown_kind(properties->type))
        return;
    if (!strcmp(how, "enter"))
        report_object(reading);
    else if (!strcmp(how, "leave"))
        report_take(&reading->report, SOURCE_DELETE, shown_kind(properties->type),
                    vsphere_id(properties->type, properties->id), NULL);
    else if (!strcmp(how, "modify")) {
        Moref *moref = g_new(Moref, 1);
        *moref = (Moref){g_strdup(properties->type), g_strdup(properties->id)};
        g_ptr_array_add(reading->modified, moref);
    }
}

static gboolean read_update(xmlNode *element, gpointer user_data, GError **error)
{
    Reading *reading = user_data;

    if (soap_is(element, "version"))
        reading->any = TRUE;
    else if (soap_is(element, "truncated"))
        reading->truncated = vsphere_bool(element);
    else if (soap_is(element, "objectSet"))
        take_update(reading, element);
    return TRUE; /* a missingSet names what the account may not read: that stays at its zero value */
}

/* ---- reading changed objects again --------------------------------------------------------------------- */

static gboolean read_object(xmlNode *element, gpointer user_data, GError **error)
{
    Reading *reading = user_data;

    properties_read(reading->properties, element);
    /* Every object has a name. One without it was read by a session that has just ended: a peer that then answers with what
     * anybody may see must not empty the inventory. */
    if (!*properties_text(reading->properties, "name")) {
        g_set_error(error, GANTRY_ERROR, ERROR_SESSION_EXPIRED, "%s was read without its properties",
                    reading->properties->id);
        return FALSE;
    }
    report_object(reading);
    return TRUE;
}

static GBytes *retrieve(VsphereSession *session, const VsphereContent *content, GPtrArray *morefs, guint from,
                        guint to, GCancellable *cancel, GError **error)
{
    GString *call = soap_call("RetrievePropertiesEx", "PropertyCollector", content->property_collector);
    g_autoptr(GBytes) envelope = NULL;

    soap_open(call, "specSet");
    vsphere_add_property_sets(call, content);
    for (guint i = from; i < to; i++) {
        const Moref *moref = morefs->pdata[i];
        soap_open(call, "objectSet");
        soap_add_ref(call, "obj", moref->type, moref->id);
        soap_add(call, "skip", "false");
        soap_close(call, "objectSet");
    }
    soap_close(call, "specSet");
    soap_open(call, "options");
    soap_close(call, "options");
    envelope = soap_finish(call, "RetrievePropertiesEx");
    return vsphere_call(session, envelope, cancel, error);
}

/* An object that has gone meanwhile fails the whole call: then each is asked for alone, and those that have
 * gone are left to the update that says so. */
static gboolean read_again(Reading *reading, VsphereSession *session, const VsphereContent *content,
                           guint from, guint to, GCancellable *cancel, GError **error)
{
    static const char *const names[] = {"objects", NULL};
    g_autoptr(GError) failed = NULL;
    g_autoptr(GBytes) reply = retrieve(session, content, reading->modified, from, to, cancel, &failed);

    if (reply)
        return soap_read(reply, names, read_object, reading, error);
    if (!g_error_matches(failed, GANTRY_ERROR, ERROR_SOURCE_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    for (guint i = from; to - from > 1 && i < to; i++)
        if (!read_again(reading, session, content, i, i + 1, cancel, error))
            return FALSE;
    return TRUE;
}

enum { AGAIN_AT_ONCE = 50 };

static gboolean read_modified(Reading *reading, VsphereSession *session, const VsphereContent *content,
                              GCancellable *cancel, GError **error)
{
    for (guint from = 0; from < reading->modified->len; from += AGAIN_AT_ONCE) {
        guint to = MIN(from + AGAIN_AT_ONCE, reading->modified->len);
        if (!read_again(reading, session, content, from, to, cancel, error))
            return FALSE;
    }
    g_ptr_array_set_size(reading->modified, 0);
    return TRUE;
}

/* VMs that got or lost a tag are read again: nothing else announces that. */
static void take_tags(Reading *reading, GCancellable *cancel)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);

    if (reading->tags)
        vsphere_tags_refresh(reading->tags, ids, cancel);
    for (guint i = 0; i < ids->len; i++) {
        Moref *moref = g_new(Moref, 1);
        *moref = (Moref){g_strdup("VirtualMachine"), g_strdup(ids->pdata[i])};
        g_ptr_array_add(reading->modified, moref);
    }
}

/* ---- the loop ------------------------------------------------------------------------------------------ */

static gboolean read_page(Reading *reading, GBytes *body, VsphereSession *session,
                          const VsphereContent *content, GCancellable *cancel, GError **error)
{
    static const char *const names[] = {"version", "objectSet", "missingSet", "truncated", NULL};

    reading->any = reading->truncated = FALSE;
    if (!soap_read(body, names, read_update, reading, error))
        return FALSE;
    if (reading->parity)
        take_tags(reading, cancel);
    if (!read_modified(reading, session, content, cancel, error))
        return FALSE;
    report_held(&reading->report, TRUE);
    return TRUE;
}

static gboolean read_pages(Fetcher *fetcher, Reading *reading, const VsphereContent *content, GError **error)
{
    for (;;) {
        Page *page = g_async_queue_pop(fetcher->pages);
        gboolean ok;

        give_room(fetcher);
        if (!page->body)
            g_propagate_error(error, g_steal_pointer(&page->error));
        ok = page->body && read_page(reading, page->body, fetcher->session, content, fetcher->cancel, error);
        page_free(page);
        if (!ok)
            return FALSE;
        if (!reading->parity && reading->any && !reading->truncated) {
            reading->parity = TRUE;
            reading->report.changed(SOURCE_PARITY, NULL, NULL, NULL, TRUE, reading->report.user_data);
        }
    }
}

static char *create_collector(VsphereSession *session, const VsphereContent *content, GCancellable *cancel,
                              GError **error)
{
    GString *call = soap_call("CreatePropertyCollector", "PropertyCollector", content->property_collector);
    g_autoptr(GBytes) envelope = soap_finish(call, "CreatePropertyCollector");
    g_autoptr(GBytes) reply = vsphere_call(session, envelope, cancel, error);

    return reply ? soap_read_text(reply, "returnval", error) : NULL;
}

static char *create_view(VsphereSession *session, const VsphereContent *content, GCancellable *cancel,
                         GError **error)
{
    static const char *const types[] = {
        "Folder",  "Datacenter", "ComputeResource",          "HostSystem",
        "Network", "Datastore",  "DistributedVirtualSwitch", "VirtualMachine"};
    GString *call = soap_call("CreateContainerView", "ViewManager", content->view_manager);
    g_autoptr(GBytes) envelope = NULL, reply = NULL;

    soap_add_ref(call, "container", "Folder", content->root_folder);
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        soap_add(call, "type", types[i]);
    soap_add(call, "recursive", "true");
    envelope = soap_finish(call, "CreateContainerView");
    reply = vsphere_call(session, envelope, cancel, error);
    return reply ? soap_read_text(reply, "returnval", error) : NULL;
}

static gboolean create_filter(VsphereSession *session, const VsphereContent *content, const char *collector,
                              const char *view, GCancellable *cancel, GError **error)
{
    GString *call = soap_call("CreateFilter", "PropertyCollector", collector);
    g_autoptr(GBytes) envelope = NULL, reply = NULL;

    soap_open(call, "spec");
    vsphere_add_collector_spec(call, content, view);
    soap_close(call, "spec");
    soap_add(call, "partialUpdates", "false");
    envelope = soap_finish(call, "CreateFilter");
    reply = vsphere_call(session, envelope, cancel, error);
    return reply != NULL;
}

/* Best effort: the server drops both with the session anyway. */
static void destroy(VsphereSession *session, const char *method, const char *type, const char *id)
{
    g_autoptr(GBytes) envelope = soap_finish(soap_call(method, type, id), method);
    g_autoptr(GBytes) reply = vsphere_call(session, envelope, NULL, NULL);
}

static void pass_cancel(GCancellable *outer, gpointer inner)
{
    g_cancellable_cancel(inner);
}

static void collect_with(VsphereSession *session, const VsphereContent *content, const char *collector,
                         SourceChange changed, gpointer user_data, GCancellable *cancel, GError **error)
{
    g_autoptr(GCancellable) inner = g_cancellable_new();
    gulong handler = cancel ? g_cancellable_connect(cancel, G_CALLBACK(pass_cancel), inner, NULL) : 0;
    Fetcher fetcher = {
        .session = session, .collector = (char *)collector, .cancel = inner, .room = PAGES_AHEAD};
    Reading reading = {.report = {.changed = changed, .user_data = user_data},
                       .properties = properties_new(),
                       .modified = g_ptr_array_new_with_free_func(moref_free)};
    g_autoptr(GPtrArray) first = g_ptr_array_new_with_free_func(g_free);
    GThread *thread;

    fetcher.pages = g_async_queue_new_full(page_free);
    g_mutex_init(&fetcher.lock);
    g_cond_init(&fetcher.room_made);
    thread = g_thread_new("vsphere-fetch", fetch_pages, &fetcher);
    if (g_strcmp0(content->api_type, "HostAgent"))
        reading.tags = vsphere_tags_new(session);
    if (reading.tags)
        vsphere_tags_refresh(reading.tags, first, inner); /* while the first page is on its way */

    read_pages(&fetcher, &reading, content, error);

    g_cancellable_cancel(inner);
    g_thread_join(thread);
    g_cancellable_disconnect(cancel, handler);
    g_clear_pointer(&reading.tags, vsphere_tags_free);
    g_async_queue_unref(fetcher.pages);
    g_mutex_clear(&fetcher.lock);
    g_cond_clear(&fetcher.room_made);
    g_clear_pointer(&reading.report.id, g_free);
    g_clear_pointer(&reading.report.model, json_decref);
    properties_free(reading.properties);
    g_ptr_array_unref(reading.modified);
}

gboolean vsphere_collect(VsphereSession *session, SourceChange changed, gpointer user_data,
                         GCancellable *cancel, GError **error)
{
    const VsphereContent *content = vsphere_session_content(session, cancel, error);
    g_autofree char *collector = content ? create_collector(session, content, cancel, error) : NULL;
    g_autofree char *view = collector ? create_view(session, content, cancel, error) : NULL;

    if (view && create_filter(session, content, collector, view, cancel, error))
        collect_with(session, content, collector, changed, user_data, cancel, error);
    if (collector)
        destroy(session, "DestroyPropertyCollector", "PropertyCollector", collector);
    if (view)
        destroy(session, "DestroyView", "ContainerView", view);
    return FALSE;
}
