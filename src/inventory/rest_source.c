/* rest_source: collections, objects, workloads and watches of a provider that is collected. */
#include "inventory/request.h"
#include <string.h>

/* ---- lists --------------------------------------------------------------------------------------------- */

typedef struct {
    Request *request;
    DocumentView *view;
    Output *output;
    guint count;
    const ProviderKind *kind;
    const char *hidden; /* what marks objects that are in no list, or NULL */
    gboolean by_path;   /* several objects have the name: the path decides */
} Listing;

/* The elements of text from the right are those of path. */
static gboolean is_path_suffix(const char *path, const char *text)
{
    gsize path_len = strlen(path), len;

    while (*text == '/')
        text++;
    len = strlen(text);
    if (len > path_len || strcmp(path + path_len - len, text))
        return FALSE;
    return len == path_len || path[path_len - len - 1] == '/';
}

static gboolean same_first_element(const char *path, const char *text)
{
    gsize len;

    path += *path == '/';
    text += *text == '/';
    len = strcspn(text, "/");
    return strcspn(path, "/") == len && !strncmp(path, text, len);
}

/* A VM's name may end its path at any depth; for other kinds the datacenter alone may stand before the name.
 */
static gboolean has_path(Listing *listing, const Row *row)
{
    const char *path = document_view_path(listing->view, row), *wanted = listing->request->query.name;

    return is_path_suffix(path, wanted) || (strcmp(row->kind, "VM") && same_first_element(path, wanted));
}

static gboolean is_hidden(const Listing *listing, const Row *row)
{
    return listing->hidden && strstr(row->base, listing->hidden);
}

static void append_separator(Listing *listing)
{
    if (listing->count++)
        g_string_append_c(output_text(listing->output), ',');
}

static void append_json_text(GString *out, const json_t *document)
{
    g_autofree char *text = json_text(document);
    g_string_append(out, text);
}

static gboolean list_row(const Row *row, gpointer user_data)
{
    Listing *listing = user_data;
    guint detail = listing->request->query.detail;

    if (is_hidden(listing, row) || (listing->by_path && !has_path(listing, row)))
        return TRUE;
    append_separator(listing);
    if (detail >= DETAIL_BRIEF && listing->kind->complete) {
        g_autoptr(json_t) document = document_json(listing->view, row, TRUE);
        append_json_text(output_text(listing->output), document);
    } else
        document_append(output_text(listing->output), listing->view, row, detail);
    return output_pass(listing->output);
}

/* ---- lists with q= ------------------------------------------------------------------------------------- */

/* An object that passed: what it is sorted by, and its text. */
typedef struct {
    json_t *key; /* {FIELD: VALUE} */
    char *text;
} Passed;

static void passed_free(gpointer data)
{
    Passed *passed = data;

    json_decref(passed->key);
    g_free(passed->text);
    g_free(passed);
}

typedef struct {
    Listing *listing;
    GPtrArray *passed; /* sorted lists only */
    gint64 seen;
} Filtering;

static gboolean filter_row(const Row *row, gpointer user_data)
{
    Filtering *filtering = user_data;
    Listing *listing = filtering->listing;
    Request *request = listing->request;
    g_autoptr(json_t) document = NULL;

    if (is_hidden(listing, row) || (listing->by_path && !has_path(listing, row)))
        return TRUE;
    document = document_json(listing->view, row, TRUE);
    if (!document || !filter_matches(request->query.filter, document))
        return TRUE;
    if (filtering->passed) {
        GString *text = g_string_new(NULL);
        Passed *passed = g_new0(Passed, 1);
        document_append(text, listing->view, row, request->query.detail);
        passed->key = json_incref(document);
        passed->text = g_string_free(text, FALSE);
        g_ptr_array_add(filtering->passed, passed);
        return TRUE;
    }
    if (filtering->seen++ < request->query.offset)
        return TRUE;
    if (request->query.limit >= 0 && listing->count >= request->query.limit)
        return FALSE;
    append_separator(listing);
    document_append(output_text(listing->output), listing->view, row, request->query.detail);
    return output_pass(listing->output);
}

static gint compare_passed(gconstpointer a, gconstpointer b, gpointer filter)
{
    const Passed *one = *(Passed *const *)a, *other = *(Passed *const *)b;
    return filter_compare(filter, one->key, other->key);
}

static void append_sorted(Listing *listing, GPtrArray *passed)
{
    Request *request = listing->request;
    gint64 to = request->query.limit < 0 ? passed->len
                                         : MIN(request->query.offset + request->query.limit, passed->len);

    g_ptr_array_sort_with_data(passed, compare_passed, request->query.filter);
    for (gint64 i = request->query.offset; i < to; i++) {
        const Passed *item = passed->pdata[i];
        append_separator(listing);
        g_string_append(output_text(listing->output), item->text);
        if (!output_pass(listing->output))
            return;
    }
}

/* ---- how many there are -------------------------------------------------------------------------------- */

typedef struct {
    const Listing *listing;
    gint64 count;
} Counting;

static gboolean count_row(const Row *row, gpointer user_data)
{
    Counting *counting = user_data;
    Listing *listing = (Listing *)counting->listing;
    const Filter *filter = listing->request->query.filter;
    g_autoptr(json_t) document = NULL;

    if (is_hidden(listing, row) || (listing->by_path && !has_path(listing, row)))
        return TRUE;
    document = filter ? document_json(listing->view, row, TRUE) : NULL;
    counting->count += !filter || (document && filter_matches(filter, document));
    return TRUE;
}

/* Before anything of the list is sent: the number is a header. */
static gboolean say_total(Listing *listing, Snapshot *snapshot, const Query *query, GError **error)
{
    Counting counting = {.listing = listing};
    g_autofree char *text = NULL;
    Query all = *query;

    all.full = listing->request->query.filter != NULL;
    all.limit = -1;
    all.offset = 0;
    if (!snapshot_each(snapshot, &all, count_row, &counting, error))
        return FALSE;
    text = g_strdup_printf("%" G_GINT64_FORMAT, counting.count);
    http_exchange_add_header(listing->request->exchange, "X-Total-Count", text);
    return TRUE;
}

static gboolean list_filtered(Listing *listing, Snapshot *snapshot, const Query *query, GError **error)
{
    Request *request = listing->request;
    g_autoptr(GPtrArray) passed =
        filter_sorts(request->query.filter) ? g_ptr_array_new_with_free_func(passed_free) : NULL;
    Filtering filtering = {.listing = listing, .passed = passed};
    Query all = *query;

    all.full = TRUE;
    all.limit = -1;
    all.offset = 0;
    if (!snapshot_each(snapshot, &all, filter_row, &filtering, error))
        return FALSE;
    if (passed)
        append_sorted(listing, passed);
    return TRUE;
}

/* ---- a collection -------------------------------------------------------------------------------------- */

static void list_collection(Request *request, Stock *stock, const ProviderKind *kind)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, &error);
    g_autoptr(DocumentView) view = NULL;
    const char *slash = request->query.name ? strrchr(request->query.name, '/') : NULL;
    g_autofree char *hidden =
        kind->hidden_variant ? g_strdup_printf("\"variant\":\"%s\"", kind->hidden_variant) : NULL;
    Query query = {.kind = kind->kind,
                   .full = request->query.detail >= DETAIL_FULL || kind->complete,
                   .limit = request->query.limit,
                   .offset = request->query.offset};
    Listing listing = {.request = request, .kind = kind, .hidden = hidden};
    gboolean ok;

    if (!snapshot) {
        request_fail(request, 500, error->message);
        return;
    }
    query.name = slash ? slash + 1 : request->query.name;
    listing.view = view = stock_view(stock, snapshot);
    listing.by_path = slash && snapshot_count(snapshot, kind->kind, query.name) > 1;
    if (request->query.total && !say_total(&listing, snapshot, &query, &error)) {
        request_fail(request, 500, error->message);
        return;
    }
    listing.output = output_new(request->exchange);
    g_string_append_c(output_text(listing.output), '[');
    ok = request->query.filter ? list_filtered(&listing, snapshot, &query, &error)
                               : snapshot_each(snapshot, &query, list_row, &listing, &error);
    g_string_append_c(output_text(listing.output), ']');
    if (ok)
        output_end(listing.output);
    else
        output_fail(listing.output, 500, error->message);
}

/* What is answered then is not in the inventory. */
static gboolean asks_option(const Request *request, const ProviderKind *kind)
{
    return kind->has_options && request->query.advanced_option;
}

/* ---- one object ---------------------------------------------------------------------------------------- */

static void reply_or_fail(Request *request, json_t *document, const GError *error)
{
    if (document)
        request_reply(request, document);
    else if (!error)
        request_fail(request, 404, "there is no such object");
    else if (g_error_matches(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND))
        request_fail(request, 404, error->message);
    else
        request_fail(request, 500, error->message);
}

/* An option as it is at the source just now; where there is none of that name the member stays null. */
static gboolean add_option(Request *request, Stock *stock, const char *id, json_t *document, GError **error)
{
    g_autoptr(json_t) options =
        stock_host_option(stock, id, request->query.advanced_option, request->cancel, error);

    if (options && json_array_size(options))
        json_object_set(document, "advancedOptions", options);
    return options != NULL;
}

static void get_object(Request *request, Stock *stock, const ProviderKind *kind, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, &error);
    g_autoptr(DocumentView) view = NULL;
    json_t *document = NULL;

    if (snapshot) {
        view = stock_view(stock, snapshot);
        document = document_load(view, kind->kind, id, TRUE, &error);
    }
    if (document && asks_option(request, kind) && !add_option(request, stock, id, document, &error))
        g_clear_pointer(&document, json_decref);
    reply_or_fail(request, document, error);
}

/* The document itself, and once more under "input", where the guide's reader looks for it. */
static void get_workload(Request *request, Stock *stock, const char *id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, &error);
    g_autoptr(DocumentView) view = NULL;
    json_t *document = NULL;

    if (snapshot) {
        view = stock_view(stock, snapshot);
        document = document_workload(view, id, &error);
    }
    if (document) {
        json_t *bare = json_copy(document);
        json_object_set_new(document, "input", bare);
    }
    reply_or_fail(request, document, error);
}

/* ---- watches ------------------------------------------------------------------------------------------- */

static void watch_collection(Request *request, Stock *stock, const char *kind, const char *id)
{
    g_autoptr(GError) error = NULL;

    if (!http_exchange_wants_websocket(request->exchange)) {
        request_fail(request, 400, "X-Watch needs a WebSocket upgrade");
        return;
    }
    if (!stock_watch(stock, request->exchange, kind, id, request->watch_snapshot, &error))
        request_fail(request, 500, error->message);
}

/* ---- routes -------------------------------------------------------------------------------------------- */

void rest_source(Request *request, Stock *stock)
{
    const char *collection = request->parts[3];
    const ProviderKind *kind = provider_collection(stock_kinds(stock), collection);
    g_autofree char *id = request->len > 4 ? g_strjoinv("/", request->parts + 4) : NULL;

    if (!strcmp(collection, "tree") && id) {
        if (request->watch)
            request_fail(request, 400, "a tree cannot be watched: watch its collections");
        else
            rest_tree(request, stock);
    } else if (!strcmp(collection, "workloads") && id && !request->watch)
        get_workload(request, stock, id);
    else if (!kind)
        request_fail(request, 404, "the provider has no such collection");
    else if (request->watch)
        watch_collection(request, stock, kind->kind, id);
    else if (!asks_option(request, kind) && request_is_known(request, stock))
        return;
    else if (id)
        get_object(request, stock, kind, id);
    else
        list_collection(request, stock, kind);
}
