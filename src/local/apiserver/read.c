/* read: get and list. */
#include "kube/selector.h"
#include "local/apiserver/server.h"
#include "local/apiserver/table.h"
#include <string.h>

static void no_such(const Request *request, GError **error)
{
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s \"%s\" not found", request->kind->resource,
                request->name);
}

void serve_get(Request *request)
{
    g_autoptr(Record) record =
        store_get(request->server->store, request->kind->resource, request->ns, request->name);
    g_autoptr(GError) error = NULL;

    if (record) {
        answer_record(request, 200, record);
        return;
    }
    no_such(request, &error);
    answer_error(request, error);
}

/* ---- list ---- */

/* Where a list goes on: the revision of its first page and the last object that was given. */
typedef struct {
    guint64 revision;
    char *ns, *name;
} Place;

static void place_clear(Place *place)
{
    g_free(place->ns);
    g_free(place->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static char *place_text(guint64 revision, const Record *last)
{
    g_autofree char *plain = g_strdup_printf("%" G_GUINT64_FORMAT " %s %s", revision, last->ns, last->name);
    return g_base64_encode((const guchar *)plain, strlen(plain));
}

static gboolean place_parse(const char *text, Place *place, GError **error)
{
    gsize size;
    g_autofree guchar *plain = g_base64_decode(text, &size);
    g_autofree char *copy = g_strndup((char *)plain, size);
    g_auto(GStrv) parts = g_strsplit(copy, " ", 3);

    if (g_strv_length(parts) == 3 &&
        g_ascii_string_to_unsigned(parts[0], 10, 1, G_MAXUINT64, &place->revision, NULL)) {
        place->ns = g_strdup(parts[1]);
        place->name = g_strdup(parts[2]);
        return TRUE;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "continue key is not valid: it must come from the previous page's metadata.continue");
    return FALSE;
}

typedef struct {
    Selector *labels, *fields;
    gboolean any; /* neither says anything */
} Selection;

static void selection_clear(Selection *selection)
{
    g_clear_pointer(&selection->labels, selector_free);
    g_clear_pointer(&selection->fields, selector_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Selection, selection_clear)

static gboolean selection_parse(const Request *request, Selection *selection, GError **error)
{
    const char *labels = http_exchange_query(request->x, "labelSelector");
    const char *fields = http_exchange_query(request->x, "fieldSelector");

    selection->any = !(labels && *labels) && !(fields && *fields);
    return (selection->labels = selector_parse_labels(labels, error)) &&
           (selection->fields = selector_parse_fields(fields, error));
}

/* Adds the record to the list when it is selected. */
static gboolean add_item(const Request *request, const Selection *selection, const Record *record,
                         json_t *table, GString *text, gboolean first)
{
    gboolean plain =
        request->shape == SHAPE_PLAIN && !strcmp(request->kind->version, request->kind->storage_version);
    g_autoptr(json_t) object = plain && selection->any ? NULL : object_of_record(request, record);

    if (!selection->any &&
        !(selector_matches(selection->labels, object) && selector_matches(selection->fields, object)))
        return FALSE;
    if (table) {
        table_add_row(table, request, object);
        return TRUE;
    }
    if (!first)
        g_string_append_c(text, ',');
    if (plain) {
        g_string_append_len(text, record->text, record->size);
    } else {
        g_autoptr(json_t) shown = request->shape == SHAPE_PARTIAL ? partial_of(object) : json_incref(object);
        g_autofree char *item = json_text(shown);
        g_string_append(text, item);
    }
    return TRUE;
}

static void answer_page(Request *request, const Selection *selection, GPtrArray *records, guint64 revision,
                        gint64 limit)
{
    json_t *table = request->shape == SHAPE_TABLE ? table_new(request, revision) : NULL;
    g_autoptr(GString) items = g_string_sized_new(4096);
    g_autofree char *next = NULL;
    gint64 count = 0, remaining = -1;

    for (guint i = 0; i < records->len && !next; i++) {
        const Record *record = g_ptr_array_index(records, i);
        count += add_item(request, selection, record, table, items, count == 0);
        if (limit > 0 && count >= limit && i + 1 < records->len) {
            next = place_text(revision, record);
            remaining = selection->any ? (gint64)records->len - i - 1 : -1;
        }
    }
    if (table) {
        if (next) {
            json_set_at_new(table, "metadata.continue", json_string(next));
            if (remaining >= 0)
                json_set_at_new(table, "metadata.remainingItemCount", json_integer(remaining));
        }
        answer_json(request, 200, table);
        return;
    }
    {
        g_autoptr(GBytes) body = NULL;
        GString *text = list_head(request, revision, next, remaining);
        g_string_append(text, ",\"items\":[");
        g_string_append_len(text, items->str, items->len);
        g_string_append(text, "]}");
        body = g_string_free_to_bytes(text);
        http_exchange_reply(request->x, 200, "application/json", body);
    }
}

/* A client that has seen a newer state than ours asks a server that was set back: it has to start anew. */
static gboolean check_revision(const Request *request, GError **error)
{
    guint64 asked = MAX(request_number(request, "resourceVersion", 0), 0);
    guint64 current = store_revision(request->server->store);

    if (asked <= current)
        return TRUE;
    g_set_error(error, HTTP_STATUS_ERROR, 504,
                "Too large resource version: %" G_GUINT64_FORMAT ", current: %" G_GUINT64_FORMAT, asked,
                current);
    return FALSE;
}

void serve_list(Request *request)
{
    const char *continued = http_exchange_query(request->x, "continue");
    const char *ns = *request->ns ? request->ns : NULL;
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(Selection) selection = {0};
    g_auto(Place) place = {0};
    guint64 revision;

    if (!selection_parse(request, &selection, &error) || !check_revision(request, &error) ||
        (continued && *continued && !place_parse(continued, &place, &error))) {
        answer_error(request, error);
        return;
    }
    records =
        store_list(request->server->store, request->kind->resource, ns, place.ns, place.name, &revision);
    /* Later pages show what is there now, under the first page's revision: a watch from it brings up what
     * they missed. */
    answer_page(request, &selection, records, place.revision ? place.revision : revision,
                request_number(request, "limit", 0));
}
