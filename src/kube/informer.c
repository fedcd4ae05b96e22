/* informer: list, then watch, for ever; a table of objects between that and its readers. */
#include "kube/informer.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/log.h"
#include "kube/selector.h"
#include "kube/watch_frames.h"
#include <string.h>

#define BLOCK_SIZE     (16 * 1024)
#define FIRST_RETRY_MS 250
#define MOST_RETRY_MS  15000
#define SHORT_WATCH_US G_USEC_PER_SEC /* one that ends sooner, and brought nothing, is a failure */

struct Informer {
    KubeClient *client;
    const KubeResource *resource;
    char *ns, *label_selector;
    InformerChange changed;
    gpointer user_data;
    GThread *thread;
    GCancellable *cancel;

    char *version; /* where the next watch begins; NULL: list first. The thread's own, as are the two below */
    guint failures; /* in a row */

    GMutex lock;
    GCond changed_state;
    gboolean synced;
    GHashTable *objects; /* "namespace/name" → Object */
};

/* ---- the table ---- */

static char *key_of(const char *ns, const char *name)
{
    return g_strconcat(ns ? ns : "", "/", name, NULL);
}

static void set_synced(Informer *informer, gboolean synced)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&informer->lock);
    informer->synced = synced;
    g_cond_broadcast(&informer->changed_state);
}

/* Puts after (a reference is taken) in the place of what has its key, or removes that; reports the change. */
static void apply(Informer *informer, const char *key, Object *after)
{
    g_autoptr(Object) before = NULL;

    g_mutex_lock(&informer->lock);
    before = g_hash_table_lookup(informer->objects, key);
    if (before)
        object_ref(before);
    if (after)
        g_hash_table_replace(informer->objects, g_strdup(key), object_ref(after));
    else
        g_hash_table_remove(informer->objects, key);
    g_mutex_unlock(&informer->lock);

    if (before && after && !strcmp(object_resource_version(before), object_resource_version(after)))
        return;
    if (informer->changed && (before || after))
        informer->changed(before, after, informer->user_data);
}

/* What the table has and the list has not was deleted while nobody watched. */
static void remove_absent(Informer *informer, GPtrArray *listed)
{
    g_autoptr(GHashTable) present = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) absent = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer key;

    for (guint i = 0; i < listed->len; i++)
        g_hash_table_add(present, key_of(object_namespace(listed->pdata[i]), object_name(listed->pdata[i])));
    g_mutex_lock(&informer->lock);
    g_hash_table_iter_init(&iter, informer->objects);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (!g_hash_table_contains(present, key))
            g_ptr_array_add(absent, g_strdup(key));
    g_mutex_unlock(&informer->lock);
    for (guint i = 0; i < absent->len; i++)
        apply(informer, absent->pdata[i], NULL);
}

/* ---- the server ---- */

static void drop_managed_fields(json_t *object)
{
    json_object_del(json_object_get(object, "metadata"), "managedFields");
}

static gboolean list(Informer *informer, GError **error)
{
    g_autofree char *version = NULL;
    g_autoptr(GPtrArray) objects =
        kube_list(informer->client, informer->resource, informer->ns, informer->label_selector, NULL,
                  &version, informer->cancel, error);

    if (!objects)
        return FALSE;
    remove_absent(informer, objects);
    for (guint i = 0; i < objects->len; i++) {
        Object *object = objects->pdata[i];
        g_autofree char *key = key_of(object_namespace(object), object_name(object));
        drop_managed_fields((json_t *)object_json(object)); /* nobody else has seen it yet */
        apply(informer, key, object);
    }
    informer->version = g_steal_pointer(&version);
    set_synced(informer, TRUE);
    return TRUE;
}

static void take_event(const char *type, json_t *json, gpointer data)
{
    Informer *informer = data;
    g_autoptr(Object) object = NULL;
    g_autofree char *key = NULL;

    g_free(informer->version);
    informer->version = g_strdup(json_string_at(json, "metadata.resourceVersion", ""));
    if (!strcmp(type, "BOOKMARK"))
        return;
    drop_managed_fields(json);
    object = object_new_take(json_incref(json));
    key = key_of(object_namespace(object), object_name(object));
    apply(informer, key, strcmp(type, "DELETED") ? object : NULL);
}

/* Those that began together do not all end together: so many TLS handshakes at once hold up a server, and on
 * one machine everybody else. */
static GInputStream *open_watch(Informer *informer, GError **error)
{
    gint seconds = g_random_int_range(KUBE_WATCH_SECONDS / 2, KUBE_WATCH_SECONDS + 1);
    g_autofree char *base = kube_list_path(informer->resource, informer->ns, informer->label_selector, NULL);
    g_autofree char *path =
        g_strdup_printf("%s%cwatch=true&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s", base,
                        strchr(base, '?') ? '&' : '?', seconds, informer->version);

    return kube_stream_path(informer->client, path, informer->cancel, error);
}

/* Follows the server until the watch ends. FALSE: it broke. */
static gboolean watch(Informer *informer, GError **error)
{
    g_autoptr(GInputStream) stream = open_watch(informer, error);
    g_autoptr(GByteArray) text = g_byte_array_new();
    g_autofree guint8 *block = g_malloc(BLOCK_SIZE);
    gint64 begun = g_get_monotonic_time();
    gboolean brought = FALSE;
    gssize got;

    if (!stream)
        return FALSE;
    set_synced(informer, TRUE);
    while ((got = g_input_stream_read(stream, block, BLOCK_SIZE, informer->cancel, error)) > 0) {
        g_byte_array_append(text, block, got);
        if (!watch_frames_take(text, take_event, informer, error))
            return FALSE;
        brought = TRUE;
        informer->failures = 0;
    }
    if (got == 0 && !brought && g_get_monotonic_time() - begun < SHORT_WATCH_US) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_UNAVAILABLE, "the server ends every watch at once");
        return FALSE;
    }
    return got == 0;
}

/* ---- the thread ---- */

static void pause_before_retry(Informer *informer)
{
    gint64 until =
        g_get_monotonic_time() + 1000 * (gint64)backoff_ms(informer->failures, FIRST_RETRY_MS, MOST_RETRY_MS);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&informer->lock);

    while (!g_cancellable_is_cancelled(informer->cancel) &&
           g_cond_wait_until(&informer->changed_state, &informer->lock, until))
        ;
}

static void recover(Informer *informer, const GError *error)
{
    gboolean gone = g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_GONE);

    if (gone) { /* the server is there; it only has no history that goes so far back */
        g_clear_pointer(&informer->version, g_free);
        if (informer->failures++ == 0)
            return;
    }
    set_synced(informer, FALSE);
    if (informer->failures == 0)
        log_debug("the watch broke", "kind", informer->resource->kind, "error", error->message, NULL);
    else if (informer->failures == 3 && !gone)
        log_warn("cannot watch", "kind", informer->resource->kind, "error", error->message, NULL);
    pause_before_retry(informer);
    informer->failures++;
}

static gpointer follow(gpointer data)
{
    Informer *informer = data;

    while (!g_cancellable_is_cancelled(informer->cancel)) {
        g_autoptr(GError) error = NULL;
        gboolean went_well = informer->version ? watch(informer, &error) : list(informer, &error);
        if (g_cancellable_is_cancelled(informer->cancel))
            break;
        if (!went_well)
            recover(informer, error);
    }
    return NULL;
}

/* For `gantry debug informers`. */
static void report(GString *answer, gpointer user_data)
{
    Informer *informer = user_data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&informer->lock);

    g_string_append_printf(answer, "informer %s%s%s%s%s: %u objects, %s\n", informer->resource->plural,
                           informer->ns ? " in " : "", informer->ns ? informer->ns : "",
                           informer->label_selector ? " with " : "",
                           informer->label_selector ? informer->label_selector : "",
                           g_hash_table_size(informer->objects), informer->synced ? "synced" : "stale");
}

Informer *informer_new(KubeClient *client, const KubeResource *resource, const char *ns,
                       const char *label_selector, InformerChange changed, gpointer user_data)
{
    Informer *informer = g_new0(Informer, 1);

    informer->client = kube_client_ref(client);
    informer->resource = resource;
    informer->ns = g_strdup(ns);
    informer->label_selector = g_strdup(label_selector);
    informer->changed = changed;
    informer->user_data = user_data;
    informer->cancel = g_cancellable_new();
    informer->objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)object_unref);
    g_mutex_init(&informer->lock);
    g_cond_init(&informer->changed_state);
    informer->thread = g_thread_new(resource->plural, follow, informer);
    control_add("informers", report, informer);
    return informer;
}

void informer_end(Informer *informer)
{
    g_cancellable_cancel(informer->cancel);
    g_mutex_lock(&informer->lock);
    g_cond_broadcast(&informer->changed_state);
    g_mutex_unlock(&informer->lock);
    g_clear_pointer(&informer->thread, g_thread_join);
}

void informer_free(Informer *informer)
{
    control_remove(report, informer);
    informer_end(informer);
    g_hash_table_unref(informer->objects);
    g_object_unref(informer->cancel);
    g_mutex_clear(&informer->lock);
    g_cond_clear(&informer->changed_state);
    kube_client_unref(informer->client);
    g_free(informer->version);
    g_free(informer->ns);
    g_free(informer->label_selector);
    g_free(informer);
}

/* ---- readers ---- */

gboolean informer_synced(Informer *informer)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&informer->lock);
    return informer->synced;
}

static void wake(GCancellable *cancel, gpointer data)
{
    Informer *informer = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&informer->lock);
    g_cond_broadcast(&informer->changed_state);
}

gboolean informer_wait_synced(Informer *informer, GCancellable *cancel)
{
    gulong handler = cancel ? g_cancellable_connect(cancel, G_CALLBACK(wake), informer, NULL) : 0;
    gboolean synced;

    g_mutex_lock(&informer->lock);
    while (!informer->synced && !g_cancellable_is_cancelled(cancel))
        g_cond_wait(&informer->changed_state, &informer->lock);
    synced = informer->synced;
    g_mutex_unlock(&informer->lock);
    g_cancellable_disconnect(cancel, handler);
    return synced;
}

Object *informer_get(Informer *informer, const char *ns, const char *name)
{
    g_autofree char *key = key_of(ns, name);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&informer->lock);
    Object *object = g_hash_table_lookup(informer->objects, key);

    return object ? object_ref(object) : NULL;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    const Object *first = *(Object *const *)a, *second = *(Object *const *)b;
    int order = strcmp(object_namespace(first), object_namespace(second));
    return order ? order : strcmp(object_name(first), object_name(second));
}

GPtrArray *informer_list(Informer *informer, const char *label_selector)
{
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    g_autoptr(Selector) selector = selector_parse_labels(label_selector, NULL);
    GHashTableIter iter;
    gpointer object;

    if (!selector)
        return found;
    g_mutex_lock(&informer->lock);
    g_hash_table_iter_init(&iter, informer->objects);
    while (g_hash_table_iter_next(&iter, NULL, &object))
        if (selector_matches(selector, object_json(object)))
            g_ptr_array_add(found, object_ref(object));
    g_mutex_unlock(&informer->lock);
    g_ptr_array_sort(found, by_name);
    return found;
}
