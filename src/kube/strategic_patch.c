/* strategic_patch: merge patches that know which lists are sets.
 *
 * A list that Kubernetes declares with a merge key is merged item by item; all others are replaced. The keys
 * are part of the Go types (patchMergeKey tags in k8s.io/api); here they are a table by the list's name and
 * that of the object around it, which is unique among the kinds we serve.
 */
#include "kube/patch.h"
#include <string.h>

static const struct {
    const char *owner, *list; /* owner "": the document itself */
    const char *key;          /* "": a set of plain values */
} merged_lists[] = {
    {"metadata", "ownerReferences", "uid"},
    {"metadata", "finalizers", ""},
    {"spec", "containers", "name"},
    {"spec", "initContainers", "name"},
    {"spec", "ephemeralContainers", "name"},
    {"spec", "volumes", "name"},
    {"spec", "imagePullSecrets", "name"},
    {"spec", "hostAliases", "ip"},
    {"spec", "resourceClaims", "name"},
    {"spec", "schedulingGates", "name"},
    {"spec", "topologySpreadConstraints", "topologyKey"},
    {"spec", "podCIDRs", ""},
    {"spec", "ports", "port"}, /* of a Service */
    {"containers", "ports", "containerPort"},
    {"containers", "env", "name"},
    {"containers", "volumeMounts", "mountPath"},
    {"containers", "volumeDevices", "devicePath"},
    {"initContainers", "ports", "containerPort"},
    {"initContainers", "env", "name"},
    {"initContainers", "volumeMounts", "mountPath"},
    {"initContainers", "volumeDevices", "devicePath"},
    {"ephemeralContainers", "ports", "containerPort"},
    {"ephemeralContainers", "env", "name"},
    {"ephemeralContainers", "volumeMounts", "mountPath"},
    {"ephemeralContainers", "volumeDevices", "devicePath"},
    {"status", "conditions", "type"},
    {"status", "addresses", "type"},
    {"status", "podIPs", "ip"},
    {"status", "hostIPs", "ip"},
    {"", "secrets", "name"},
    {"", "webhooks", "name"},
};

/* The list's merge key, "" for a set of plain values, NULL: it is replaced whole. */
static const char *merge_key(const char *owner, const char *list)
{
    for (gsize i = 0; i < G_N_ELEMENTS(merged_lists); i++)
        if (!strcmp(merged_lists[i].owner, owner) && !strcmp(merged_lists[i].list, list))
            return merged_lists[i].key;
    return NULL;
}

#define ORDER  "$setElementOrder/"
#define DELETE "$deleteFromPrimitiveList/"

/* Where we are, for errors: a chain on the stack. */
typedef struct Path {
    const struct Path *owner;
    const char *name;
} Path;

static void append_path(GString *text, const Path *path)
{
    if (!path)
        return;
    append_path(text, path->owner);
    g_string_append_printf(text, "%s%s", text->len ? "." : "", path->name);
}

static gboolean fail(const Path *path, const char *why, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    append_path(text, path);
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_BAD_PATCH, "%s: %s", text->len ? text->str : "patch", why);
    return FALSE;
}

/* ---- lists ---- */

/* Whether two items of a list with this merge key are the same one. */
static gboolean same(const json_t *a, const json_t *b, const char *key)
{
    if (!*key)
        return json_equal(a, b);
    a = json_object_get(a, key);
    return a && json_equal(a, json_object_get(b, key));
}

static gssize index_of(const json_t *list, const json_t *item, const char *key)
{
    const json_t *other;
    gsize i;

    json_array_foreach(list, i, other) if (same(item, other, key)) return i;
    return -1;
}

/* The items of merged in an order that keeps both order (as the client wants its items) and server (as the
 * others stood among them). An item of order that the server did not have comes as early as it can. */
static json_t *arrange(const json_t *merged, const json_t *order, const json_t *server, const char *key)
{
    g_autoptr(json_t) wanted = json_array(), others = json_array();
    json_t *result = json_array();
    json_t *item;
    gsize i, a = 0, b = 0;

    json_array_foreach(order, i, item)
    {
        gssize at = index_of(merged, item, key);
        if (at >= 0 && index_of(wanted, item, key) < 0)
            json_array_append(wanted, json_array_get(merged, at));
    }
    json_array_foreach(merged, i, item) if (index_of(order, item, key) < 0) json_array_append(others, item);
    while (a < json_array_size(wanted) || b < json_array_size(others)) {
        json_t *first = json_array_get(wanted, a), *second = json_array_get(others, b);
        gssize stood = first ? index_of(server, first, key) : -1;
        if (first && (!second || stood < index_of(server, second, key))) {
            json_array_append(result, first);
            a++;
        } else {
            json_array_append(result, second);
            b++;
        }
    }
    return result;
}

static gboolean merge_object(json_t *target, const json_t *patch, const Path *path, const char *name,
                             GError **error);

static const char *directive(const json_t *patch)
{
    return json_string_value(json_object_get(patch, "$patch"));
}

/* Merges one item of a list with a merge key into result. */
static gboolean merge_item(json_t *result, const json_t *item, const char *key, const Path *path,
                           const char *name, GError **error)
{
    const char *what = directive(item);
    g_autoptr(json_t) fresh = NULL;
    gssize at;

    if (!json_object_get(item, key))
        return fail(path, "an item without its merge key", error);
    at = index_of(result, item, key);
    if (what && !strcmp(what, "delete")) {
        for (; at >= 0; at = index_of(result, item, key))
            json_array_remove(result, at);
        return TRUE;
    }
    if (at >= 0)
        return merge_object(json_array_get(result, at), item, path, name, error);
    fresh = json_object();
    if (!merge_object(fresh, item, path, name, error))
        return FALSE;
    json_array_append(result, fresh);
    return TRUE;
}

static gboolean is_replacement(const json_t *list)
{
    const json_t *item;
    gsize i;

    json_array_foreach(list, i, item) if (!g_strcmp0(directive(item), "replace")) return TRUE;
    return FALSE;
}

/* The merge of patch into server (may be NULL); a new reference, or NULL with an error. */
static json_t *merge_list(const json_t *server, const json_t *patch, const char *key, const Path *path,
                          const char *name, GError **error)
{
    g_autoptr(json_t) result =
        json_is_array(server) && !is_replacement(patch) ? json_deep_copy(server) : json_array();
    const json_t *item;
    gsize i;

    json_array_foreach(patch, i, item)
    {
        if (!*key) {
            if (index_of(result, item, key) < 0)
                json_array_append_new(result, json_deep_copy(item));
        } else if (!json_is_object(item)) {
            fail(path, "an item that is not an object", error);
            return NULL;
        } else if (g_strcmp0(directive(item), "replace") &&
                   !merge_item(result, item, key, path, name, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&result);
}

/* ---- objects ---- */

static gboolean is_directive(const char *name)
{
    return !strcmp(name, "$patch") || !strcmp(name, "$retainKeys") || g_str_has_prefix(name, ORDER) ||
           g_str_has_prefix(name, DELETE);
}

static void retain_keys(json_t *target, const json_t *keys)
{
    const char *name;
    json_t *value;
    void *next;

    if (!json_is_array(keys))
        return;
    json_object_foreach_safe(target, next, name, value)
    {
        g_autoptr(json_t) text = json_string(name);
        if (index_of(keys, text, "") < 0)
            json_object_del(target, name);
    }
}

static void delete_values(json_t *list, const json_t *values)
{
    const json_t *value;
    gssize at;
    gsize i;

    json_array_foreach(values, i, value) while ((at = index_of(list, value, "")) >= 0)
        json_array_remove(list, at);
}

/* The list that a directive "$…/LIST" and the member LIST speak of, once for both. */
static gboolean merge_member_list(json_t *target, const json_t *patch, const Path *path, const char *owner,
                                  const char *list, GError **error)
{
    g_autofree char *order_name = g_strconcat(ORDER, list, NULL),
                    *delete_name = g_strconcat(DELETE, list, NULL);
    const json_t *change = json_object_get(patch, list), *order = json_object_get(patch, order_name);
    const char *key = merge_key(owner, list);
    Path here = {path, list};
    g_autoptr(json_t) server = json_deep_copy(json_object_get(target, list)), merged = NULL;

    if (order && !json_is_array(order))
        return fail(&here, "$setElementOrder must be a list", error);
    if (!key && !change)
        return fail(&here, "this list is replaced whole: it has no order or values to change", error);
    if (!key) {
        json_object_set_new(target, list, json_deep_copy(change));
        return TRUE;
    }
    delete_values(json_object_get(target, list), json_object_get(patch, delete_name));
    merged = merge_list(json_object_get(target, list), change, key, &here, list, error);
    if (!merged)
        return FALSE;
    if (json_is_array(server) || change)
        json_object_set_new(target, list, arrange(merged, order ? order : change, server, key));
    return TRUE;
}

static gboolean merge_member(json_t *target, const json_t *patch, const Path *path, const char *owner,
                             const char *name, const json_t *value, GError **error)
{
    Path here = {path, name};
    json_t *into;

    if (json_is_array(value))
        return merge_member_list(target, patch, path, owner, name, error);
    if (!json_is_object(value)) {
        if (json_is_null(value))
            json_object_del(target, name);
        else
            json_object_set_new(target, name, json_deep_copy(value));
        return TRUE;
    }
    if (!g_strcmp0(directive(value), "delete")) {
        json_object_del(target, name);
        return TRUE;
    }
    into = json_object_get(target, name);
    if (!json_is_object(into)) {
        into = json_object();
        json_object_set_new(target, name, into);
    }
    return merge_object(into, value, &here, name, error);
}

/* Merges patch into target. name: what target is called, or the list that it is an item of. */
static gboolean merge_object(json_t *target, const json_t *patch, const Path *path, const char *name,
                             GError **error)
{
    const char *what = directive(patch), *member, *list;
    json_t *value;

    if (what && !strcmp(what, "replace"))
        json_object_clear(target);
    else if (what && strcmp(what, "merge"))
        return fail(path, "$patch must be merge, replace or delete", error);
    json_object_foreach((json_t *)patch, member, value)
    {
        if (!is_directive(member)) {
            if (!merge_member(target, patch, path, name, member, value, error))
                return FALSE;
            continue;
        }
        list = strchr(member, '/');
        if (list && !json_object_get(patch, list + 1) &&
            !merge_member_list(target, patch, path, name, list + 1, error))
            return FALSE;
    }
    retain_keys(target, json_object_get(patch, "$retainKeys"));
    return TRUE;
}

json_t *patch_strategic(const json_t *document, const json_t *patch, GError **error)
{
    g_autoptr(json_t) result = json_deep_copy(document);

    if (!json_is_object(patch) || !json_is_object(document)) {
        fail(NULL, "a strategic merge patch of an object must be an object", error);
        return NULL;
    }
    return merge_object(result, patch, NULL, "", error) ? g_steal_pointer(&result) : NULL;
}
