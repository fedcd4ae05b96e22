/* audit: values of ConfigMaps as records, and back as lines. */
#include "base/audit.h"
#include <string.h>

#define LEFT_OUT_KEY "left-out"

enum { MOST_RECORD = 16 << 10, LEFT_OUT_BYTES = 1 << 10 };

/* A new reference; NULL: it is none. */
static json_t *record_of(const char *key, const json_t *value)
{
    const char *text = json_string_value(value);
    g_autoptr(json_t) record = text ? json_parse(text, strlen(text), MOST_RECORD, key, NULL) : NULL;
    gboolean whole = json_string_at(record, "at", NULL) && json_string_at(record, "change", NULL);

    return whole ? g_steal_pointer(&record) : NULL;
}

void audit_append(json_t *records, const json_t *config_map)
{
    json_t *value;
    const char *key;

    json_object_foreach (json_object_get(config_map, "data"), key, value) {
        json_t *record = record_of(key, value);
        if (record)
            json_array_append_new(records, record);
    }
}

/* Times of one clock compare as texts. */
static int compare(gconstpointer a, gconstpointer b)
{
    return strcmp(json_string_at(*(json_t *const *)a, "at", ""),
                  json_string_at(*(json_t *const *)b, "at", ""));
}

json_t *audit_sorted(const json_t *records)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    json_t *sorted = json_array(), *record;
    size_t i;

    json_array_foreach (records, i, record)
        g_ptr_array_add(order, record);
    g_ptr_array_sort(order, compare);
    for (guint n = 0; n < order->len; n++)
        json_array_append(sorted, order->pdata[n]);
    return sorted;
}

char *audit_lines(const json_t *records)
{
    GString *lines = g_string_new(NULL);
    const json_t *record;
    size_t i;

    json_array_foreach (records, i, record) {
        g_autofree char *text = json_text(record);
        g_string_append_printf(lines, "%s\n", text);
    }
    return g_string_free(lines, FALSE);
}

/* ---- room ---- */

typedef struct {
    const char *key; /* borrowed from the ConfigMap */
    json_t *record;
    gsize size;
} Entry;

static void entry_clear(gpointer entry)
{
    json_decref(((Entry *)entry)->record);
}

static gboolean is_repeat(const json_t *record)
{
    return json_int_at(record, "round", 0) > 1;
}

/* Who makes room first. */
static int compare_entries(gconstpointer a, gconstpointer b)
{
    const Entry *one = a, *other = b;
    int order = is_repeat(other->record) - is_repeat(one->record);

    return order ? order
                 : strcmp(json_string_at(one->record, "at", ""), json_string_at(other->record, "at", ""));
}

static gsize size_of(const json_t *data)
{
    const char *key;
    json_t *value;
    gsize size = 0;

    json_object_foreach ((json_t *)data, key, value)
        size += strlen(key) + json_string_length(value);
    return size;
}

/* Those that may make room for the one under key. */
static GArray *entries_of(const json_t *data, const char *key)
{
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    const char *name;
    json_t *value;

    g_array_set_clear_func(entries, entry_clear);
    json_object_foreach ((json_t *)data, name, value) {
        Entry entry = {.key = name, .size = strlen(name) + json_string_length(value)};
        if (!strcmp(name, LEFT_OUT_KEY) || !strcmp(name, key))
            continue;
        entry.record = record_of(name, value);
        if (entry.record)
            g_array_append_val(entries, entry);
    }
    g_array_sort(entries, compare_entries);
    return entries;
}

/* left_out is the record that says so. */
static void leave_out(json_t *left_out, const json_t *record)
{
    static const char *const same[] = {"plan", "planUid", "provider", "vm", "name"};
    const char *at = json_string_at(record, "at", "");

    for (guint i = 0; i < G_N_ELEMENTS(same); i++)
        if (!json_object_get(left_out, same[i]))
            json_object_set(left_out, same[i], json_object_get(record, same[i]));
    if (strcmp(json_string_at(left_out, "at", ""), at) < 0)
        json_object_set_new(left_out, "at", json_string(at));
    if (strcmp(json_string_at(left_out, "since", "9"), at) > 0)
        json_object_set_new(left_out, "since", json_string(at));
    json_object_set_new(left_out, "count", json_integer(json_int_at(left_out, "count", 0) + 1));
}

static json_t *left_out_text(json_t *left_out)
{
    g_autofree char *text = NULL;

    json_object_set_new(left_out, "change", json_string(AUDIT_LEFT_OUT));
    json_object_set_new(left_out, "detail",
                        json_sprintf("%" G_GINT64_FORMAT " since %s", json_int_at(left_out, "count", 0),
                                     json_string_at(left_out, "since", "")));
    text = json_text(left_out);
    return json_string(text);
}

/* A quarter at once, so that it is seldom. */
static void make_room(json_t *changed, const json_t *data, const char *key, gsize size)
{
    g_autoptr(GArray) entries = entries_of(data, key);
    g_autoptr(json_t) left_out = record_of(LEFT_OUT_KEY, json_object_get(data, LEFT_OUT_KEY));

    if (!left_out)
        left_out = json_object();
    for (guint i = 0; i < entries->len && size > AUDIT_MOST_BYTES / 4 * 3; i++) {
        const Entry *entry = &g_array_index(entries, Entry, i);
        leave_out(left_out, entry->record);
        json_object_set_new(changed, entry->key, json_null());
        size -= MIN(size, entry->size);
    }
    json_object_set_new(changed, LEFT_OUT_KEY, left_out_text(left_out));
}

json_t *audit_change(const json_t *config_map, const char *key, const json_t *record)
{
    const json_t *data = json_object_get(config_map, "data");
    json_t *changed = json_object();
    g_autofree char *text = json_text(record);
    gsize size = size_of(data) + strlen(key) + strlen(text) + LEFT_OUT_BYTES;

    if (size > AUDIT_MOST_BYTES)
        make_room(changed, data, key, size);
    json_object_set_new(changed, key, json_string(text));
    return changed;
}
