/* child: labels, generated names, selectors. */
#include "target/child.h"
#include <string.h>

char *target_label_value(const char *text)
{
    char *value = g_strndup(text ? text : "", 63);
    size_t len = strlen(value);
    char *start = value;

    for (char *c = value; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("-_.", *c))
            *c = '-';
    while (len && !g_ascii_isalnum(value[len - 1]))
        value[--len] = '\0';
    while (*start && !g_ascii_isalnum(*start))
        start++;
    memmove(value, start, strlen(start) + 1);
    return value;
}

static void set_label(json_t *labels, const char *key, const char *text)
{
    g_autofree char *value = target_label_value(text);
    json_object_set_new(labels, key, json_string(value));
}

json_t *target_labels(const TargetOwner *owner)
{
    json_t *labels = json_object();

    set_label(labels, "plan", owner->plan_uid);
    set_label(labels, "plan-name", owner->plan_name);
    set_label(labels, "plan-namespace", owner->plan_namespace);
    set_label(labels, "migration", owner->migration_uid);
    set_label(labels, "vmID", owner->vm_id);
    return labels;
}

json_t *target_metadata(const TargetOwner *owner, const char *prefix)
{
    g_autofree char *base = g_strdup_printf("%s%s-%s-", prefix, owner->plan_name, owner->vm_id);
    g_autofree char *lower = g_ascii_strdown(base, -1);

    if (strlen(lower) > TARGET_NAME_BASE)
        lower[TARGET_NAME_BASE] = '\0';
    return json_pack("{s:s, s:s, s:o}", "generateName", lower, "namespace", owner->ns, "labels",
                     target_labels(owner));
}

char *target_selector(const TargetOwner *owner, gboolean any_migration, const char *more)
{
    GString *text = g_string_new(NULL);
    g_autofree char *vm = target_label_value(owner->vm_id);

    g_string_printf(text, "plan=%s,vmID=%s", owner->plan_uid, vm);
    if (!any_migration)
        g_string_append_printf(text, ",migration=%s", owner->migration_uid);
    if (more)
        g_string_append_printf(text, ",%s", more);
    return g_string_free(text, FALSE);
}

char *target_quantity(guint64 bytes)
{
    if (bytes && bytes % (1 << 20) == 0)
        return g_strdup_printf("%" G_GUINT64_FORMAT "Mi", bytes >> 20);
    return g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
}
