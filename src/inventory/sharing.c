/* sharing: notes files by VM, and rewrites the documents of those that are concerned. */
#include "inventory/sharing.h"
#include <string.h>

/* ---- what a model says --------------------------------------------------------------------------------- */

static const char *file_of(const json_t *disk)
{
    const char *file = json_string_value(json_object_get(disk, "file"));
    return file ? file : "";
}

/* file → whether the VM itself says that it shares it. */
static GHashTable *files_of_model(const json_t *model)
{
    GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    json_t *disk;
    size_t at;

    json_array_foreach (json_object_get(model, "disks"), at, disk) {
        gboolean says = json_is_true(json_object_get(disk, "shared"));
        if (*file_of(disk))
            g_hash_table_insert(files, g_strdup(file_of(disk)), GINT_TO_POINTER(says));
    }
    return files;
}

/* ---- what is noted ------------------------------------------------------------------------------------- */

static void add_file(const char *file, const char *vm, gboolean says_shared, gpointer files)
{
    g_hash_table_insert(files, g_strdup(file), GINT_TO_POINTER(says_shared));
}

static GHashTable *files_noted(Database *database, const char *vm, GError **error)
{
    g_autoptr(GHashTable) files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    return database_each_holding(database, NULL, vm, add_file, files, error) ? g_steal_pointer(&files) : NULL;
}

typedef struct {
    const char *vm;
    GPtrArray *others; /* or NULL: only counted */
    guint count;
} Holders;

static void add_holder(const char *file, const char *vm, gboolean says_shared, gpointer user_data)
{
    Holders *holders = user_data;

    if (!strcmp(vm, holders->vm))
        return;
    holders->count++;
    if (holders->others)
        g_ptr_array_add(holders->others, g_strdup(vm));
}

static gboolean is_held_by_others(Database *database, const char *file, const char *vm)
{
    Holders holders = {.vm = vm};
    return database_each_holding(database, file, NULL, add_holder, &holders, NULL) && holders.count;
}

static gboolean set_shared(Database *database, const char *vm, json_t *document, GHashTable *files)
{
    gboolean changed = FALSE;
    json_t *disk;
    size_t at;

    json_array_foreach (json_object_get(document, "disks"), at, disk) {
        const char *file = file_of(disk);
        gboolean shared =
            *file && (g_hash_table_lookup(files, file) || is_held_by_others(database, file, vm));
        changed |= shared != json_is_true(json_object_get(disk, "shared"));
        if (*file)
            json_object_set_new(disk, "shared", json_boolean(shared));
    }
    return changed;
}

/* ---- taking and giving up ------------------------------------------------------------------------------ */

/* Notes (hold) or forgets the files that the other table lacks; whoever else holds one of them is concerned.
 */
static gboolean note_difference(Database *database, const char *vm, GHashTable *files, GHashTable *without,
                                gboolean hold, GPtrArray *others, GError **error)
{
    Holders holders = {.vm = vm, .others = others};
    GHashTableIter iterator;
    gpointer file, says, said;

    g_hash_table_iter_init(&iterator, files);
    while (g_hash_table_iter_next(&iterator, &file, &says)) {
        gboolean known = g_hash_table_lookup_extended(without, file, NULL, &said);
        if (known && (!hold || said == says))
            continue;
        if (!known && !database_each_holding(database, file, NULL, add_holder, &holders, error))
            return FALSE;
        if (hold ? !database_hold(database, file, vm, GPOINTER_TO_INT(says), error)
                 : !database_drop(database, file, vm, error))
            return FALSE;
    }
    return TRUE;
}

gboolean sharing_put(Database *database, const char *vm, json_t *model, GPtrArray *others, GError **error)
{
    g_autoptr(GHashTable) now = files_of_model(model);
    g_autoptr(GHashTable) before = files_noted(database, vm, error);

    if (!before || !note_difference(database, vm, before, now, FALSE, others, error) ||
        !note_difference(database, vm, now, before, TRUE, others, error))
        return FALSE;
    set_shared(database, vm, model, now);
    return TRUE;
}

gboolean sharing_delete(Database *database, const char *vm, GPtrArray *others, GError **error)
{
    g_autoptr(GHashTable) before = files_noted(database, vm, error);
    g_autoptr(GHashTable) none = g_hash_table_new(g_str_hash, g_str_equal);

    return before && note_difference(database, vm, before, none, FALSE, others, error);
}

/* ---- the others ---------------------------------------------------------------------------------------- */

static gboolean take_model(const Row *row, gpointer user_data)
{
    g_autofree char *text = g_strconcat("{", row->base, *row->brief ? "," : "", row->brief,
                                        *row->full ? "," : "", row->full, "}", NULL);

    *(json_t **)user_data = json_loads(text, 0, NULL);
    return FALSE;
}

gboolean sharing_refresh(Database *database, const ProviderType *type, const char *vm,
                         DatabaseChanged changed, gpointer user_data, GError **error)
{
    g_autoptr(GHashTable) files = files_noted(database, vm, error);
    g_autoptr(json_t) model = NULL;
    g_auto(DocumentTexts) texts = {0};
    Row row;

    if (!files || !database_read(database, "VM", vm, take_model, &model, error))
        return FALSE;
    if (!model || !set_shared(database, vm, model, files))
        return TRUE;
    return document_row(type, "VM", vm, model, &texts, &row) &&
           database_put(database, &row, changed, user_data, error);
}
