/* apply: sets of fields as fieldsV1 trees, and walks over them beside the objects.
 *
 * A tree's keys are "f:name" (a member), "k:{...}" (the item of a map list with these keys), "v:..." (a value
 * of a set) and "." (the item itself); an empty object is a leaf.
 */
#include "local/apiserver/apply.h"
#include "base/clock.h"
#include <string.h>

/* ---- elements ---- */

/* An item that leaves a key out has its default: ports[] without a protocol are TCP. */
static char *key_of_item(const json_t *item, const Schema *list)
{
    g_autoptr(json_t) key = json_object();
    g_autofree char *text = NULL;

    for (const char *const *name = schema_list_keys(list); *name; name++) {
        json_t *given = json_object_get(item, *name);
        json_t *value = given ? given : schema_default_of(schema_field(schema_items(list), *name));
        if (value)
            json_object_set(key, *name, value);
    }
    text = json_text(key);
    return g_strconcat("k:", text, NULL);
}

static json_t *find_item(const json_t *list, const char *element, const Schema *schema, size_t *index)
{
    gboolean keyed = schema_list_keys(schema) != NULL;
    size_t i;
    json_t *item;

    json_array_foreach (list, i, item) {
        g_autofree char *text = *element == 'v' ? json_text(item) : keyed ? key_of_item(item, schema) : NULL;
        if (text && !strcmp(*element == 'v' ? element + 2 : element, text)) {
            if (index)
                *index = i;
            return item;
        }
    }
    return NULL;
}

static json_t *child(const json_t *value, const Schema *schema, const char *element)
{
    if (g_str_has_prefix(element, "f:"))
        return json_object_get(value, element + 2);
    return find_item(value, element, schema, NULL);
}

static const Schema *child_schema(const Schema *schema, const char *element)
{
    return *element == 'f' ? schema_field(schema, element + 2) : schema_items(schema);
}

static const Schema *root_schema(const Request *request, const char *element)
{
    if (!strcmp(element, "f:metadata"))
        return schema_set_type(kinds_core_types(request->server->kinds), "ObjectMeta");
    return request->kind->schema ? schema_field(request->kind->schema, element + 2) : NULL;
}

/* ---- what a configuration says ---- */

static json_t *fields_of(const json_t *value, const Schema *schema)
{
    json_t *fields = json_object();
    const char *const *keys = schema_list_keys(schema);
    const char *name;
    json_t *item;
    size_t i;

    if (json_is_object(value) && !schema_is_atomic(schema)) {
        json_object_foreach ((json_t *)value, name, item) {
            g_autofree char *element = g_strconcat("f:", name, NULL);
            json_object_set_new(fields, element, fields_of(item, schema_field(schema, name)));
        }
    } else if (json_is_array(value) && keys) {
        json_array_foreach (value, i, item) {
            g_autofree char *element = key_of_item(item, schema);
            json_t *inner = fields_of(item, schema_items(schema));
            json_object_set_new(inner, ".", json_object());
            json_object_set_new(fields, element, inner);
        }
    } else if (json_is_array(value) && schema_is_set(schema)) {
        json_array_foreach (value, i, item) {
            g_autofree char *text = json_text(item);
            g_autofree char *element = g_strconcat("v:", text, NULL);
            json_object_set_new(fields, element, json_object());
        }
    }
    return fields;
}

static json_t *fields_of_config(const Request *request, const json_t *config)
{
    static const char *const given[] = {
        "name",       "namespace",     "uid",      "resourceVersion", "creationTimestamp",
        "generation", "managedFields", "selfLink", "generateName",    "deletionTimestamp"};
    json_t *fields = json_object();
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *)config, name, value) {
        g_autofree char *element = g_strconcat("f:", name, NULL);
        json_t *inner;
        if (!strcmp(name, "apiVersion") || !strcmp(name, "kind"))
            continue;
        inner = fields_of(value, root_schema(request, element));
        for (guint i = 0; !strcmp(name, "metadata") && i < G_N_ELEMENTS(given); i++) {
            g_autofree char *known = g_strconcat("f:", given[i], NULL);
            json_object_del(inner, known);
        }
        if (strcmp(name, "metadata") != 0 || json_object_size(inner))
            json_object_set_new(fields, element, inner);
        else
            json_decref(inner);
    }
    return fields;
}

/* ---- merging ---- */

static void merge(json_t *live, const json_t *config, const Schema *schema, const Request *root);

static json_t *merged_value(json_t *live, const json_t *config, const Schema *schema)
{
    const char *const *keys = schema_list_keys(schema);
    json_t *list, *item;
    size_t i;

    if (json_is_object(live) && json_is_object(config) && !schema_is_atomic(schema)) {
        merge(live, config, schema, NULL);
        return json_incref(live);
    }
    if (!json_is_array(live) || !json_is_array(config) || (!keys && !schema_is_set(schema)))
        return json_deep_copy(config);
    list = json_incref(live);
    json_array_foreach (config, i, item) {
        g_autofree char *text = keys ? key_of_item(item, schema) : json_text(item);
        g_autofree char *element = keys ? g_strdup(text) : g_strconcat("v:", text, NULL);
        json_t *present = find_item(list, element, schema, NULL);
        if (!present)
            json_array_append_new(list, json_deep_copy(item));
        else if (json_is_object(present))
            merge(present, item, schema_items(schema), NULL);
    }
    return list;
}

static void merge(json_t *live, const json_t *config, const Schema *schema, const Request *root)
{
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *)config, name, value) {
        g_autofree char *element = g_strconcat("f:", name, NULL);
        const Schema *field = root ? root_schema(root, element) : schema_field(schema, name);
        json_t *present = json_object_get(live, name);
        json_object_set_new(live, name,
                            present ? merged_value(present, value, field) : json_deep_copy(value));
    }
}

/* ---- giving up ---- */

static const json_t *in_all(const json_t *const *trees, guint count, guint i, const char *element)
{
    return i < count ? json_object_get(trees[i], element) : NULL;
}

static void drop_element(json_t *live, const Schema *schema, const char *element)
{
    size_t index;

    if (*element == 'f')
        json_object_del(live, element + 2);
    else if (find_item(live, element, schema, &index))
        json_array_remove(live, index);
}

/* Removes from live what was ours, is no longer, and is nobody else's. */
static void give_up(json_t *live, const json_t *old, const json_t *new, const json_t *const *others,
                    guint count, const Schema *schema, const Request *root)
{
    const char *element;
    json_t *inner;

    json_object_foreach ((json_t *)old, element, inner) {
        const Schema *below = root ? root_schema(root, element) : child_schema(schema, element);
        const json_t *kept = new ? json_object_get(new, element) : NULL;
        json_t *value = strcmp(element, ".") ? child(live, schema, element) : NULL;
        g_autofree const json_t **deeper = g_new0(const json_t *, count + 1);
        guint found = 0;

        if (!value)
            continue;
        for (guint i = 0; i < count; i++) {
            const json_t *tree = in_all(others, count, i, element);
            if (tree)
                deeper[found++] = tree;
        }
        if (!kept && !found)
            drop_element(live, schema, element);
        else if (json_object_size(inner))
            give_up(value, inner, kept, deeper, found, below, NULL);
    }
}

/* ---- conflicts ---- */

static void conflicts(Request *request, const json_t *mine, json_t *theirs, const json_t *live,
                      const json_t *config, const Schema *schema, gboolean root, const char *manager,
                      gboolean force, GString *path)
{
    gsize size = path->len;
    const char *element;
    json_t *inner;

    json_object_foreach ((json_t *)mine, element, inner) {
        json_t *other = json_object_get(theirs, element);
        const Schema *below = root ? root_schema(request, element) : child_schema(schema, element);
        const json_t *is = child(live, schema, element), *wants = child(config, schema, element);

        if (!other || !strcmp(element, "."))
            continue;
        g_string_append_printf(path, *element == 'f' ? ".%s" : "[%s]", element + 2);
        if (json_object_size(inner) && json_object_size(other)) {
            conflicts(request, inner, other, is, wants, below, FALSE, manager, force, path);
        } else if (json_is_object(wants) && !json_object_size(wants)) {
            /* an empty map changes nothing of what is in it */
        } else if (is && wants && !json_equal(is, wants)) {
            if (force)
                json_object_del(theirs, element);
            else
                schema_cause_add(request->causes, "FieldManagerConflict", path->str, "conflict with \"%s\"",
                                 manager);
        }
        g_string_truncate(path, size);
    }
}

/* ---- managedFields ---- */

static json_t *new_entry(const Request *request, const char *manager, const json_t *fields)
{
    g_autofree char *version = kind_api_version(request->kind);
    g_autofree char *now = clock_now();
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "manager", manager, "operation", "Apply", "apiVersion",
                     version, "time", now, "fieldsType", "FieldsV1", "fieldsV1", fields);
}

static gboolean is_ours(const json_t *entry, const char *manager)
{
    return !strcmp(json_string_at(entry, "manager", ""), manager);
}

static gboolean check_conflicts(Request *request, json_t *entries, const json_t *fields, const json_t *live,
                                const json_t *config, const char *manager, gboolean force, GError **error)
{
    g_autoptr(GString) path = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i;
    json_t *entry;

    g_ptr_array_set_size(request->causes, 0);
    json_array_foreach (entries, i, entry)
        if (!is_ours(entry, manager))
            conflicts(request, fields, json_object_get(entry, "fieldsV1"), live, config, NULL, TRUE,
                      json_string_at(entry, "manager", ""), force, path);
    if (!request->causes->len)
        return TRUE;
    for (i = 0; i < request->causes->len; i++) {
        const SchemaCause *cause = g_ptr_array_index(request->causes, i);
        g_string_append_printf(text, "%s%s: %s", i ? ", " : "", cause->message, cause->field);
    }
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT, "Apply failed with %u conflict%s: %s",
                request->causes->len, request->causes->len > 1 ? "s" : "", text->str);
    return FALSE;
}

/* Replaces our entry; an unchanged set keeps its time, so that applying twice writes once. */
static void set_entry(const Request *request, json_t *object, json_t *entries, const char *manager,
                      const json_t *fields)
{
    json_t *list = json_array();
    size_t i;
    json_t *entry;
    gboolean found = FALSE;

    json_array_foreach (entries, i, entry) {
        gboolean ours = is_ours(entry, manager);
        if (ours && !json_equal(json_object_get(entry, "fieldsV1"), fields))
            continue;
        found |= ours;
        if (ours || json_object_size(json_object_get(entry, "fieldsV1")))
            json_array_append(list, entry);
    }
    if (!found)
        json_array_append_new(list, new_entry(request, manager, fields));
    json_set_at_new(object, "metadata.managedFields", list);
}

json_t *apply_config(Request *request, const Record *before, const json_t *config, const char *manager,
                     gboolean force, GError **error)
{
    g_autoptr(json_t) object = before ? object_of_record(request, before) : json_object();
    g_autoptr(json_t) entries = json_deep_copy(json_at(object, "metadata.managedFields"));
    g_autoptr(json_t) fields = fields_of_config(request, config);
    g_autofree const json_t **others = g_new0(const json_t *, json_array_size(entries) + 1);
    const json_t *old = NULL;
    guint count = 0;
    size_t i;
    json_t *entry;

    if (!check_conflicts(request, entries, fields, object, config, manager, force, error))
        return NULL;
    json_array_foreach (entries, i, entry) {
        if (is_ours(entry, manager))
            old = json_object_get(entry, "fieldsV1");
        else
            others[count++] = json_object_get(entry, "fieldsV1");
    }
    if (old)
        give_up(object, old, fields, others, count, NULL, request);
    merge(object, config, NULL, request);
    set_entry(request, object, entries, manager, fields);
    return g_steal_pointer(&object);
}
