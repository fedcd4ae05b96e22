/* conditions: an array being rebuilt; staged ones are those that this pass has said or that are durable. */
#include "crd/conditions.h"
#include "base/clock.h"
#include <string.h>

struct Conditions {
    json_t *found;      /* as read: for lastTransitionTime */
    json_t *now;        /* the array that grows */
    GHashTable *staged; /* types said in this pass, and durable ones */
};

static json_t *find(const json_t *array, const char *type)
{
    size_t i;
    json_t *item;

    json_array_foreach (array, i, item)
        if (!g_strcmp0(json_string_at(item, "type", NULL), type))
            return item;
    return NULL;
}

const json_t *conditions_find(const json_t *array, const char *type)
{
    const json_t *item = find(array, type);
    return item && !strcmp(json_string_at(item, "status", ""), "True") ? item : NULL;
}

Conditions *conditions_begin(const json_t *found)
{
    Conditions *c = g_new0(Conditions, 1);
    size_t i;
    json_t *item;

    c->found = json_is_array(found) ? json_deep_copy(found) : json_array();
    c->now = json_deep_copy(c->found);
    c->staged = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    json_array_foreach (c->found, i, item)
        if (json_bool_at(item, "durable", FALSE))
            g_hash_table_add(c->staged, g_strdup(json_string_at(item, "type", "")));
    return c;
}

void conditions_free(Conditions *c)
{
    if (!c)
        return;
    json_decref(c->found);
    json_decref(c->now);
    g_hash_table_unref(c->staged);
    g_free(c);
}

/* TRUE when the two say the same, whenever they began to. */
static gboolean same(const json_t *a, const json_t *b)
{
    g_autoptr(json_t) left = json_copy((json_t *)a), right = json_copy((json_t *)b);

    json_object_del(left, "lastTransitionTime");
    json_object_del(right, "lastTransitionTime");
    return json_equal(left, right);
}

static void stamp(const Conditions *c, json_t *item)
{
    const json_t *before = find(c->found, json_string_at(item, "type", ""));
    g_autofree char *now = clock_now();

    if (before && same(before, item) && json_object_get(before, "lastTransitionTime"))
        json_object_set(item, "lastTransitionTime", json_object_get(before, "lastTransitionTime"));
    else
        json_object_set_new(item, "lastTransitionTime", json_string(now));
}

static json_t *say(Conditions *c, const char *type, const char *category, const char *reason,
                   const char *message, gboolean durable)
{
    json_t *item = json_pack("{s:s, s:s, s:s, s:s}", "type", type, "status", "True", "category", category,
                             "message", message);
    json_t *old = find(c->now, type);

    if (reason)
        json_object_set_new(item, "reason", json_string(reason));
    if (durable)
        json_object_set_new(item, "durable", json_true());
    g_hash_table_add(c->staged, g_strdup(type));
    if (old) {
        json_object_clear(old);
        json_object_update(old, item);
        json_decref(item);
        return old;
    }
    json_array_append_new(c->now, item);
    return item;
}

void conditions_set(Conditions *c, const char *type, const char *category, const char *reason,
                    const char *message, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, message);
    text = g_strdup_vprintf(message, args);
    va_end(args);
    say(c, type, category, reason, text, FALSE);
}

void conditions_set_durable(Conditions *c, const char *type, const char *category, const char *reason,
                            const char *message, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, message);
    text = g_strdup_vprintf(message, args);
    va_end(args);
    say(c, type, category, reason, text, TRUE);
}

void conditions_add_item(Conditions *c, const char *type, const char *category, const char *reason,
                         const char *message, const char *item)
{
    json_t *condition = g_hash_table_contains(c->staged, type) ? find(c->now, type) : NULL;
    json_t *items;

    if (!condition)
        condition = say(c, type, category, reason, message, FALSE);
    items = json_object_get(condition, "items");
    if (!items) {
        items = json_array();
        json_object_set_new(condition, "items", items);
    }
    json_array_append_new(items, json_string(item));
}

void conditions_remove(Conditions *c, const char *type)
{
    size_t i;
    json_t *item;

    g_hash_table_remove(c->staged, type);
    json_array_foreach (c->now, i, item)
        if (!g_strcmp0(json_string_at(item, "type", NULL), type)) {
            json_array_remove(c->now, i);
            return;
        }
}

gboolean conditions_has(const Conditions *c, const char *type)
{
    return g_hash_table_contains(c->staged, type) && conditions_find(c->now, type);
}

static gboolean any(const Conditions *c, const char *category)
{
    size_t i;
    json_t *item;

    json_array_foreach (c->now, i, item)
        if (!strcmp(json_string_at(item, "category", ""), category) &&
            conditions_has(c, json_string_at(item, "type", "")))
            return TRUE;
    return FALSE;
}

gboolean conditions_critical(const Conditions *c)
{
    return any(c, CONDITION_CRITICAL);
}
gboolean conditions_blocked(const Conditions *c)
{
    return any(c, CONDITION_CRITICAL) || any(c, CONDITION_ERROR);
}

json_t *conditions_end(const Conditions *c)
{
    json_t *array = json_array();
    size_t i;
    json_t *item;

    json_array_foreach (c->now, i, item) {
        if (!g_hash_table_contains(c->staged, json_string_at(item, "type", "")))
            continue;
        json_t *copy = json_deep_copy(item);
        stamp(c, copy);
        json_array_append_new(array, copy);
    }
    return array;
}
