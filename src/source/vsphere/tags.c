/* tags: which tags vCenter's users have put on VMs.
 *
 * Tags are not part of the vSphere Web Services API: they come by vCenter's REST interface, which has
 * sessions of its own and announces nothing. So all tags are read, with the objects that carry them, as often
 * as is due. What cannot be read (ESXi has no such interface; an account may have no rights there) leaves the
 * tags as they were, and the collector goes on.
 * https://developer.broadcom.com/xapis/vsphere-automation-api/latest/cis/ : session, tag, tag association.
 */
#include "source/vsphere/vsphere.h"
#include <string.h>

enum { DUE_S = 15 };

#define SESSION     "/rest/com/vmware/cis/session"
#define TAG         "/rest/com/vmware/cis/tagging/tag"
#define ASSOCIATION "/rest/com/vmware/cis/tagging/tag-association"

struct VsphereTags {
    VsphereSession *session;
    char *login;      /* key of the REST session; NULL: none yet */
    gboolean refused; /* the password is not tried again */
    gint64 due;       /* monotonic */
    GHashTable *tags; /* VM's id → array of its tags */
};

static GHashTable *new_table(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
}

VsphereTags *vsphere_tags_new(VsphereSession *session)
{
    VsphereTags *tags = g_new0(VsphereTags, 1);

    tags->session = session;
    tags->tags = new_table();
    return tags;
}

void vsphere_tags_free(VsphereTags *tags)
{
    if (tags->login)
        json_decref(vsphere_rest(tags->session, "DELETE", SESSION, tags->login, NULL, NULL, NULL, NULL));
    g_free(tags->login);
    g_hash_table_unref(tags->tags);
    g_free(tags);
}

json_t *vsphere_tags_of(const VsphereTags *tags, const char *vm_id)
{
    json_t *list = g_hash_table_lookup(tags->tags, vm_id);
    return list ? json_incref(list) : json_array();
}

/* ---- asking -------------------------------------------------------------------------------------------- */

static gboolean log_in(VsphereTags *tags, GCancellable *cancel)
{
    guint status = 0;
    g_autoptr(json_t) key = NULL;

    if (tags->login || tags->refused)
        return tags->login != NULL;
    key = vsphere_rest(tags->session, "POST", SESSION, NULL, NULL, &status, cancel, NULL);
    tags->refused = status == 401 || status == 403;
    tags->login = json_is_string(key) ? g_strdup(json_string_value(key)) : NULL;
    return tags->login != NULL;
}

static json_t *ask(VsphereTags *tags, const char *method, const char *path, const json_t *body,
                   GCancellable *cancel)
{
    guint status = 0;
    json_t *answer = vsphere_rest(tags->session, method, path, tags->login, body, &status, cancel, NULL);

    if (status == 401)
        g_clear_pointer(&tags->login, g_free); /* it has ended: a new one at the next time */
    return answer;
}

/* As the inventory shows a tag; NULL: it has gone meanwhile. */
static json_t *read_tag(VsphereTags *tags, const char *id, GCancellable *cancel)
{
    g_autofree char *escaped = g_uri_escape_string(id, ":", FALSE),
                    *path = g_strdup_printf(TAG "/id:%s", escaped);
    g_autoptr(json_t) tag = ask(tags, "GET", path, NULL, cancel);
    json_t *used = json_object_get(tag, "used_by");

    if (!json_is_object(tag))
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", id, "description",
                     json_string_at(tag, "description", ""), "name", json_string_at(tag, "name", ""),
                     "categoryID", json_string_at(tag, "category_id", ""), "usedBy",
                     json_is_array(used) ? json_incref(used) : json_array());
}

static void put_on_vms(GHashTable *table, json_t *tag, const json_t *objects)
{
    const json_t *object;
    size_t i;

    json_array_foreach (objects, i, object) {
        const char *id = json_string_at(object, "id", "");
        json_t *list = g_hash_table_lookup(table, id);
        if (strcmp(json_string_at(object, "type", ""), "VirtualMachine"))
            continue;
        if (!list)
            g_hash_table_insert(table, g_strdup(id), list = json_array());
        json_array_append(list, tag);
    }
}

/* Arrays are in the order of the tags' ids, so that equal ones look equal. */
static int by_tag(gconstpointer a, gconstpointer b)
{
    return strcmp(json_string_at(*(json_t *const *)a, "tag_id", ""),
                  json_string_at(*(json_t *const *)b, "tag_id", ""));
}

static GPtrArray *sorted(json_t *uses)
{
    GPtrArray *list = g_ptr_array_new();
    json_t *use;
    size_t i;

    json_array_foreach (uses, i, use)
        g_ptr_array_add(list, use);
    g_ptr_array_sort(list, by_tag);
    return list;
}

/* NULL: they could not be read. */
static GHashTable *read_all(VsphereTags *tags, GCancellable *cancel)
{
    g_autoptr(json_t) ids = ask(tags, "GET", TAG, NULL, cancel);
    g_autoptr(json_t) question = json_pack("{s:O?}", "tag_ids", ids);
    g_autoptr(json_t) uses = NULL;
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GHashTable) table = new_table();

    if (json_array_size(ids))
        uses = ask(tags, "POST", ASSOCIATION "?~action=list-attached-objects-on-tags", question, cancel);
    if (!tags->login || !(json_is_array(ids) || json_is_null(ids)) ||
        (json_array_size(ids) && !json_is_array(uses)))
        return NULL;
    list = sorted(uses);
    for (guint i = 0; i < list->len; i++) {
        const json_t *objects = json_object_get(list->pdata[i], "object_ids");
        g_autoptr(json_t) tag = NULL;
        if (json_array_size(objects) &&
            (tag = read_tag(tags, json_string_at(list->pdata[i], "tag_id", ""), cancel)))
            put_on_vms(table, tag, objects);
    }
    return tags->login ? g_steal_pointer(&table) : NULL;
}

/* ---- what has changed ---------------------------------------------------------------------------------- */

/* VMs of one table whose tags are not the same in the other, where only_missing those alone that it does not
 * have. */
static void compare(GHashTable *one, GHashTable *other, gboolean only_missing, GPtrArray *changed)
{
    GHashTableIter iter;
    gpointer id, list;

    g_hash_table_iter_init(&iter, one);
    while (g_hash_table_iter_next(&iter, &id, &list)) {
        const json_t *others = g_hash_table_lookup(other, id);
        if (!others || (!only_missing && !json_equal(list, others)))
            g_ptr_array_add(changed, g_strdup(id));
    }
}

void vsphere_tags_refresh(VsphereTags *tags, GPtrArray *changed, GCancellable *cancel)
{
    g_autoptr(GHashTable) now = NULL;

    if (g_get_monotonic_time() < tags->due)
        return;
    now = log_in(tags, cancel) ? read_all(tags, cancel) : NULL;
    tags->due = g_get_monotonic_time() + DUE_S * G_TIME_SPAN_SECOND;
    if (!now)
        return;
    compare(now, tags->tags, FALSE, changed);
    compare(tags->tags, now, TRUE, changed);
    g_hash_table_unref(tags->tags);
    tags->tags = g_steal_pointer(&now);
}
