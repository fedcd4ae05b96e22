/* document: splits models into rows and joins rows into JSON, by the table of the provider's type. */
#include "inventory/document.h"
#include <string.h>

/* ---- models to rows ------------------------------------------------------------------------------------ */

static int append_dumped(const char *text, size_t size, void *out)
{
    g_string_append_len(out, text, size);
    return 0;
}

static void append_json(GString *out, const json_t *value)
{
    json_dump_callback(value, append_dumped, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
}

void document_append_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        guchar c = *text;
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", c);
        else if (c < 0x20)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_c(out, c);
    }
    g_string_append_c(out, '"');
}

static void append_member(GString *out, const char *key, const json_t *value)
{
    if (out->len)
        g_string_append_c(out, ',');
    document_append_string(out, key);
    g_string_append_c(out, ':');
    append_json(out, value);
}

static void split(const ProviderType *type, const ProviderKind *kind, const json_t *model,
                  DocumentTexts *texts)
{
    GString *base = g_string_new(NULL), *brief = g_string_new(NULL), *full = g_string_new(NULL);
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)model, key, value) {
        if (g_strv_contains(type->base, key))
            append_member(base, key, value);
        else if (!kind->brief || g_strv_contains(kind->brief, key))
            append_member(brief, key, value);
        else
            append_member(full, key, value);
    }
    texts->base = g_string_free(base, FALSE);
    texts->brief = g_string_free(brief, FALSE);
    texts->full = g_string_free(full, FALSE);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

gboolean document_row(const ProviderType *type, const char *kind, const char *id, const json_t *model,
                      DocumentTexts *texts, Row *row)
{
    const ProviderKind *known = provider_kind(type, kind);
    const json_t *parent = known && known->parent ? json_object_get(model, known->parent) : NULL;

    if (!known)
        return FALSE;
    split(type, known, model, texts);
    *row = (Row){.kind = known->kind,
                 .id = id,
                 .name = text_of(model, "name"),
                 .parent_kind = known->parent_kind ? known->parent_kind : text_of(parent, "kind"),
                 .parent_id = json_is_string(parent) ? json_string_value(parent) : text_of(parent, "id"),
                 .base = texts->base,
                 .brief = texts->brief,
                 .full = texts->full};
    return TRUE;
}

void document_texts_clear(DocumentTexts *texts)
{
    g_clear_pointer(&texts->base, g_free);
    g_clear_pointer(&texts->brief, g_free);
    g_clear_pointer(&texts->full, g_free);
}

/* ---- paths --------------------------------------------------------------------------------------------- */

struct DocumentView {
    const ProviderType *type;
    char *uid;
    Snapshot *snapshot;
    GHashTable *paths; /* "Folder/group-v3" → path of what holds others; "" where a parent is missing */
    GHashTable *kept;  /* key → json_t: document_keep() */
    GString *path;     /* of the last object asked for */
};

/* What holds others is looked up once; a chain longer than this is a loop that a peer has made. */
enum { MOST_DEPTH = 64 };

DocumentView *document_view_new(const ProviderType *type, const char *provider_uid, Snapshot *snapshot)
{
    DocumentView *view = g_new0(DocumentView, 1);

    view->type = type;
    view->uid = g_strdup(provider_uid);
    view->snapshot = snapshot;
    view->kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
    view->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    view->path = g_string_new(NULL);
    return view;
}

void document_view_free(DocumentView *view)
{
    g_free(view->uid);
    g_hash_table_unref(view->paths);
    g_hash_table_unref(view->kept);
    g_string_free(view->path, TRUE);
    g_free(view);
}

typedef struct {
    gboolean found;
    char *name, *parent_kind, *parent_id;
} Place;

static gboolean take_place(const Row *row, gpointer user_data)
{
    *(Place *)user_data =
        (Place){TRUE, g_strdup(row->name), g_strdup(row->parent_kind), g_strdup(row->parent_id)};
    return FALSE;
}

static const char *holder_path(DocumentView *view, const char *kind, const char *id, int depth);

/* The root folder, which has no parent, has no part in paths. */
static char *join_path(DocumentView *view, const Place *place, int depth)
{
    const char *parent;

    if (!*place->parent_id)
        return g_strdup("/");
    parent = holder_path(view, place->parent_kind, place->parent_id, depth + 1);
    if (!*parent)
        return g_strdup("");
    return g_strconcat(strcmp(parent, "/") ? parent : "", "/", place->name, NULL);
}

static const char *holder_path(DocumentView *view, const char *kind, const char *id, int depth)
{
    g_autofree char *key = g_strconcat(kind, "/", id, NULL);
    const char *known = g_hash_table_lookup(view->paths, key);
    Query query = {.kind = kind, .id = id, .limit = 1};
    Place place = {0};
    char *path;

    if (known)
        return known;
    if (depth < MOST_DEPTH)
        snapshot_each(view->snapshot, &query, take_place, &place, NULL);
    path = place.found ? join_path(view, &place, depth) : g_strdup("");
    g_hash_table_insert(view->paths, g_steal_pointer(&key), path);
    g_free(place.name);
    g_free(place.parent_kind);
    g_free(place.parent_id);
    return path;
}

/* "PARENT/NAME", or the name alone of what lies in nothing. */
static void take_short_path(DocumentView *view, const Row *row)
{
    Query query = {.kind = row->parent_kind, .id = row->parent_id, .limit = 1};
    Place place = {0};

    if (*row->parent_id)
        snapshot_each(view->snapshot, &query, take_place, &place, NULL);
    if (place.found)
        g_string_printf(view->path, "%s/%s", place.name, row->name);
    else if (!*row->parent_id)
        g_string_assign(view->path, row->name);
    g_free(place.name);
    g_free(place.parent_kind);
    g_free(place.parent_id);
}

const char *document_view_path(DocumentView *view, const Row *row)
{
    const ProviderKind *kind = provider_kind(view->type, row->kind);
    const char *parent;

    g_string_truncate(view->path, 0);
    if (kind && kind->has_no_path)
        return view->path->str;
    if (view->type->short_paths) {
        take_short_path(view, row);
        return view->path->str;
    }
    parent = *row->parent_id ? holder_path(view, row->parent_kind, row->parent_id, 0) : "";
    if (*parent)
        g_string_printf(view->path, "%s/%s", strcmp(parent, "/") ? parent : "", row->name);
    return view->path->str;
}

/* ---- rows to JSON -------------------------------------------------------------------------------------- */

static void append_texts(GString *out, const char *text)
{
    if (*text) {
        g_string_append_c(out, ',');
        g_string_append(out, text);
    }
}

static void append_self_link(GString *out, DocumentView *view, const char *collection, const char *id)
{
    g_autofree char *link =
        g_strdup_printf("providers/%s/%s/%s/%s", view->type->type, view->uid, collection, id);

    g_string_append(out, ",\"selfLink\":");
    document_append_string(out, link);
}

/* At the levels that show validation, a VM's is part of it. */
static void append_validation(GString *out, const Row *row, guint detail)
{
    g_string_append_printf(out, ",\"revisionValidated\":%" G_GINT64_FORMAT ",\"concerns\":%s",
                           row->revision_validated, row->concerns);
    if (detail >= DETAIL_FULL)
        g_string_append_printf(out, ",\"policyVersion\":%" G_GINT64_FORMAT, row->policy_version);
}

void document_append(GString *out, DocumentView *view, const Row *row, guint detail)
{
    const char *path = document_view_path(view, row);
    const ProviderKind *kind = provider_kind(view->type, row->kind);

    g_string_append_c(out, '{');
    g_string_append(out, row->base);
    if (*path) {
        g_string_append(out, ",\"path\":");
        document_append_string(out, path);
    }
    g_string_append_printf(out, ",\"revision\":%" G_GINT64_FORMAT, row->revision);
    append_self_link(out, view, kind->collection, row->id);
    if (detail >= DETAIL_BRIEF) {
        if (!strcmp(row->kind, "VM"))
            append_validation(out, row, detail);
        append_texts(out, row->brief);
    }
    if (detail >= DETAIL_FULL)
        append_texts(out, row->full);
    g_string_append_c(out, '}');
}

/* ---- whole documents ----------------------------------------------------------------------------------- */

json_t *document_json(DocumentView *view, const Row *row, gboolean complete)
{
    const ProviderKind *kind = provider_kind(view->type, row->kind);
    g_autoptr(GString) text = g_string_new(NULL);
    json_t *document;

    document_append(text, view, row, DETAIL_FULL);
    document = json_loadb(text->str, text->len, 0, NULL);
    if (document && complete && kind->complete)
        kind->complete(view, document);
    return document;
}

typedef struct {
    DocumentView *view;
    gboolean complete;
    json_t *document;
} Loading;

static gboolean take_document(const Row *row, gpointer user_data)
{
    Loading *loading = user_data;
    loading->document = document_json(loading->view, row, loading->complete);
    return FALSE;
}

json_t *document_load(DocumentView *view, const char *kind, const char *id, gboolean complete, GError **error)
{
    Query query = {.kind = kind, .id = id, .full = TRUE, .limit = 1};
    Loading loading = {.view = view, .complete = complete};

    if (!snapshot_each(view->snapshot, &query, take_document, &loading, error))
        g_clear_pointer(&loading.document, json_decref);
    return loading.document;
}

/* The nearest object of that kind above the one at parent; a new reference or NULL. */
json_t *document_above(DocumentView *view, const char *kind, const json_t *from)
{
    g_autoptr(json_t) at = json_incref((json_t *)from);

    for (int depth = 0; at && depth < MOST_DEPTH; depth++) {
        const char *parent_kind = json_string_at(at, "parent.kind", "");
        json_t *parent = document_load(view, parent_kind, json_string_at(at, "parent.id", ""), FALSE, NULL);
        if (parent && !strcmp(parent_kind, kind))
            return parent;
        json_decref(at);
        at = parent;
    }
    return NULL;
}

json_t *document_kept(DocumentView *view, const char *key)
{
    return json_incref(g_hash_table_lookup(view->kept, key));
}

void document_keep(DocumentView *view, const char *key, json_t *part)
{
    g_hash_table_insert(view->kept, g_strdup(key), json_incref(part));
}

json_t *document_workload(DocumentView *view, const char *vm_id, GError **error)
{
    g_autofree char *link =
        g_strdup_printf("providers/%s/%s/workloads/%s", view->type->type, view->uid, vm_id);
    json_t *workload = NULL;

    if (view->type->workload)
        workload = view->type->workload(view, vm_id, error);
    else
        g_set_error(error, GANTRY_ERROR, ERROR_INVENTORY_NOT_FOUND, "there is no VM '%s'", vm_id);
    if (workload)
        json_object_set_new(workload, "selfLink", json_string(link));
    return workload;
}
