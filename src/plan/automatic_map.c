/* automatic_map: proposes where networks and storage lead. */
#include "plan/automatic_map.h"
#include <string.h>

/* Ids in the order in which they are met, and how often. */
typedef struct {
    GPtrArray *ids;    /* borrowed */
    GHashTable *count; /* id → times */
} Tally;

static void tally_clear(Tally *tally)
{
    g_ptr_array_unref(tally->ids);
    g_hash_table_unref(tally->count);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tally, tally_clear)

static void tally_init(Tally *tally)
{
    *tally = (Tally){g_ptr_array_new(), g_hash_table_new(g_str_hash, g_str_equal)};
}

static void tally_add(Tally *tally, char *id)
{
    if (!id || !*id)
        return;
    if (!g_hash_table_contains(tally->count, id))
        g_ptr_array_add(tally->ids, id);
    g_hash_table_insert(tally->count, id,
                        GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(tally->count, id)) + 1));
}

static const char *most_frequent(const Tally *tally, GHashTable *taken)
{
    const char *best = NULL;
    guint most = 0;

    for (guint i = 0; i < tally->ids->len; i++) {
        guint times = GPOINTER_TO_UINT(g_hash_table_lookup(tally->count, tally->ids->pdata[i]));
        if (times > most && !g_hash_table_contains(taken, tally->ids->pdata[i])) {
            best = tally->ids->pdata[i];
            most = times;
        }
    }
    return best;
}

static json_t *source_ref(GHashTable *names, const char *id)
{
    const char *name = g_hash_table_lookup(names, id);
    return name ? json_pack("{s:s, s:s}", "id", id, "name", name) : json_pack("{s:s}", "id", id);
}

/* "Storage Network" and "storage-network" are one name. */
static gboolean same_name(const char *network, const char *attachment)
{
    for (; *network && *attachment; network++, attachment++) {
        char letter = g_ascii_tolower(*network);
        if (!g_ascii_isalnum(letter))
            letter = '-';
        if (letter != *attachment)
            return FALSE;
    }
    return *network == *attachment;
}

static const json_t *attachment_of(const json_t *attachments, const char *network)
{
    const json_t *one;
    size_t i;

    json_array_foreach (attachments, i, one)
        if (network && same_name(network, json_string_at(one, "metadata.name", "")))
            return json_object_get(one, "metadata");
    return NULL;
}

json_t *automatic_network_pairs(const GPtrArray *vms, GHashTable *names, const json_t *attachments)
{
    g_auto(Tally) tally;
    g_autoptr(GHashTable) attached = g_hash_table_new(g_str_hash, g_str_equal);
    json_t *pairs = json_array();
    const char *pod;

    tally_init(&tally);
    for (guint i = 0; i < vms->len; i++) {
        const Vm *vm = vms->pdata[i];
        for (guint k = 0; k < vm->nics->len; k++)
            tally_add(&tally, ((VmNic *)vm->nics->pdata[k])->network_id);
    }
    for (guint i = 0; i < tally.ids->len; i++)
        if (attachment_of(attachments, g_hash_table_lookup(names, tally.ids->pdata[i])))
            g_hash_table_add(attached, tally.ids->pdata[i]);
    pod = most_frequent(&tally, attached);
    for (guint i = 0; i < tally.ids->len; i++) {
        const char *id = tally.ids->pdata[i];
        const json_t *place = attachment_of(attachments, g_hash_table_lookup(names, id));
        json_t *destination =
            place ? json_pack("{s:s, s:s, s:s}", "type", "multus", "name", json_string_at(place, "name", ""),
                              "namespace", json_string_at(place, "namespace", "default"))
                  : json_pack("{s:s}", "type", id == pod ? "pod" : "ignored");
        json_array_append_new(
            pairs, json_pack("{s:o, s:o}", "source", source_ref(names, id), "destination", destination));
    }
    return pairs;
}

json_t *automatic_storage_pairs(const GPtrArray *vms, GHashTable *names, const char *storage_class)
{
    g_auto(Tally) tally;
    json_t *pairs = json_array();

    tally_init(&tally);
    for (guint i = 0; i < vms->len; i++) {
        const Vm *vm = vms->pdata[i];
        for (guint k = 0; k < vm->disks->len; k++)
            tally_add(&tally, ((VmDisk *)vm->disks->pdata[k])->storage_id);
    }
    for (guint i = 0; i < tally.ids->len; i++)
        json_array_append_new(pairs,
                              json_pack("{s:o, s:{s:s}}", "source", source_ref(names, tally.ids->pdata[i]),
                                        "destination", "storageClass", storage_class));
    return pairs;
}
