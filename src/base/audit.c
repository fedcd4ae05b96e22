/* audit: values of ConfigMaps as records, and back as lines. */
#include "base/audit.h"
#include <string.h>

enum { MOST_RECORD = 16 << 10 };

void audit_append(json_t *records, const json_t *config_map)
{
    json_t *value;
    const char *key;

    json_object_foreach (json_object_get(config_map, "data"), key, value) {
        const char *text = json_string_value(value);
        json_t *record = text ? json_parse(text, strlen(text), MOST_RECORD, key, NULL) : NULL;
        if (json_string_at(record, "at", NULL) && json_string_at(record, "change", NULL))
            json_array_append(records, record);
        json_decref(record);
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
