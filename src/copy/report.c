/* report: the head of a manifest, and what was seen of the target. */
#include "copy/report.h"

json_t *report_json(const ManifestResult *manifest)
{
    static const char *const members[] = {"disk",   "name",      "readBack",     "completed",
                                          "reader", "bytesRead", "bytesWritten", "generation"};
    json_t *report = json_object();
    g_autofree char *hash = NULL;
    char digest[33];

    for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
        json_t *value = json_object_get(manifest->head, members[i]);
        if (value)
            json_object_set(report, members[i], value);
    }
    hash_text(&manifest->digest, digest);
    hash = g_strconcat("xxh3-128:", digest, NULL);
    json_object_set_new(report, "hash", json_string(hash));
    json_object_set_new(report, "size", json_integer(manifest->size));
    json_object_set_new(report, "verifiedBytes", json_integer(manifest->bytes_equal));
    return report;
}

char *report_text(const json_t *report)
{
    static const struct {
        const char *path, *title, *unit;
    } rows[] = {
        {"name", "disk", ""},
        {"disk.vm", "VM", ""},
        {"disk.plan", "plan", ""},
        {"size", "size", " bytes"},
        {"hash", "hash", ""},
        {"readBack", "read back", ""},
        {"completed", "copied", ""},
        {"reader", "reader", ""},
        {"bytesRead", "read", " bytes"},
        {"bytesWritten", "written", " bytes"},
        {"verifiedBytes", "verified", " bytes"},
    };
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        const json_t *value = json_at(report, rows[i].path);
        g_autofree char *number = json_is_integer(value)
                                      ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value))
                                      : NULL;
        if (value)
            g_string_append_printf(text, "%-10s %s%s\n", rows[i].title,
                                   number ? number : json_string_value(value), rows[i].unit);
    }
    return g_string_free(text, FALSE);
}
