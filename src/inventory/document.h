/* document: between a collector's models, the rows of the database, and the JSON that clients get.
 *
 * The REST interface's shapes are those of Forklift's inventory; clients written for it read them. Lists are written as text into
 * a buffer, a row at a time, so that a list of any length costs no more memory than its buffer.
 * Threads: a DocumentView belongs to one thread.
 */
#pragma once
#include "inventory/database.h"
#include "inventory/provider_type.h"

/* A model's texts as a Row wants them. */
typedef struct {
    char *base, *brief, *full;
} DocumentTexts;
void document_texts_clear(DocumentTexts *texts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DocumentTexts, document_texts_clear)
/* The row of a model; it borrows from id, model and texts. FALSE: the type has no such kind. */
gboolean document_row(const ProviderType *type, const char *kind, const char *id, const json_t *model,
                      DocumentTexts *texts, Row *row);

/* One provider's objects at one moment. */
DocumentView *document_view_new(const ProviderType *type, const char *provider_uid, Snapshot *snapshot); /* snapshot: borrowed */
void document_view_free(DocumentView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DocumentView, document_view_free)

/* Where the object lies: "/DC0/vm/folder/vm1"; "" when a parent is missing. Borrowed until the view is freed, or the next call for an
 * object that holds no others. */
const char *document_view_path(DocumentView *view, const Row *row);

enum { DETAIL_BASE = 0, DETAIL_BRIEF = 1, DETAIL_FULL = 2 };
/* Appends the object; row->full must have been read for DETAIL_FULL. */
void document_append(GString *out, DocumentView *view, const Row *row, guint detail);
/* As document_append() in full detail, as JSON; complete: with what other objects add to it (a host's networkAdapters). */
json_t *document_json(DocumentView *view, const Row *row, gboolean complete);

/* One object in full, or NULL when there is none (no error) or it cannot be read. */
json_t *document_load(DocumentView *view, const char *kind, const char *id, gboolean complete, GError **error);
/* The nearest object of that kind above the one given, or NULL. */
json_t *document_above(DocumentView *view, const char *kind, const json_t *from);

/* What several workloads have in common (a host) is put together once per view: a new reference to what was kept under that key, or
 * NULL. What is kept is not to be changed any more. */
json_t *document_kept(DocumentView *view, const char *key);
void document_keep(DocumentView *view, const char *key, json_t *part);

/* The document that validation rules see: the VM with all that they may ask about (ProviderType.workload). INVENTORY_NOT_FOUND: no
 * such VM; INVENTORY_DATABASE: a part is missing, the message says which. */
json_t *document_workload(DocumentView *view, const char *vm_id, GError **error);

void document_append_string(GString *out, const char *text); /* quoted and escaped */
