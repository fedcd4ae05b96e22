/* template: from templates to Pods. */
#include "local/controllers/template.h"
#include "base/clock.h"
#include "kube/work_queue.h"
#include <string.h>

char *template_hash(const json_t *pod_template, guint collision)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789"; /* no vowels: no words */
    g_autofree char *text = json_text(pod_template);
    g_autofree char *salted = g_strdup_printf("%s/%u", text, collision);
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize size = sizeof digest;
    char *hash = g_malloc0(11);

    g_checksum_update(checksum, (const guchar *)salted, -1);
    g_checksum_get_digest(checksum, digest, &size);
    for (guint i = 0; i < 10; i++)
        hash[i] = alphabet[digest[i] % (sizeof alphabet - 1)];
    return hash;
}

json_t *template_pod(const json_t *pod_template, const Object *owner, const KubeResource *owner_kind)
{
    g_autofree char *prefix = g_strconcat(object_name(owner), "-", NULL);
    json_t *pod =
        json_pack("{s:{s:s,s:s,s:[o]}}", "metadata", "generateName", prefix, "namespace",
                  object_namespace(owner), "ownerReferences", local_owner_reference(owner, owner_kind, TRUE));
    json_t *labels = json_at(pod_template, "metadata.labels"),
           *annotations = json_at(pod_template, "metadata.annotations");

    if (labels)
        json_set_at_new(pod, "metadata.labels", json_deep_copy(labels));
    if (annotations)
        json_set_at_new(pod, "metadata.annotations", json_deep_copy(annotations));
    json_object_set_new(pod, "spec", json_deep_copy(json_object_get(pod_template, "spec")));
    return pod;
}

gboolean template_make_pod(LocalView *view, const json_t *pod_template, const Object *owner,
                           const KubeResource *owner_kind, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) pod = template_pod(pod_template, owner, owner_kind);
    g_autoptr(Object) made =
        kube_create(local_view_client(view), &KUBE_POD, object_namespace(owner), pod, cancel, error);
    return made != NULL;
}

gint64 int_or_percent(const json_t *value, const char *absent, gint64 total, gboolean round_up)
{
    const char *text = value ? json_string_value(value) : absent;

    if (json_is_integer(value))
        return MAX(json_integer_value(value), 0);
    gint64 percent = text ? g_ascii_strtoll(text, NULL, 10) : 0;
    return (CLAMP(percent, 0, 100) * total + (round_up ? 99 : 0)) / 100;
}

gboolean pod_is_over(const Object *pod)
{
    const char *phase = json_string_at(object_json(pod), "status.phase", "");
    return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

gboolean pod_is_available(const Object *pod, gint64 min_ready_seconds, guint *until_ms)
{
    const json_t *ready = object_condition(pod, "Ready");

    if (!ready || object_deleting(pod))
        return FALSE;
    gint64 since = clock_parse(json_string_at(ready, "lastTransitionTime", ""));
    gint64 left_us = since + min_ready_seconds * G_USEC_PER_SEC - g_get_real_time();
    if (min_ready_seconds <= 0 || left_us <= 0)
        return TRUE;
    if (until_ms)
        *until_ms = left_us / 1000 + 1;
    return FALSE;
}

void set_condition(json_t *conditions, const char *type, gboolean holds, const char *reason,
                   const char *message)
{
    const char *status = holds ? "True" : "False";
    g_autofree char *now = clock_now();
    json_t *condition = NULL, *item;
    gsize i;

    json_array_foreach (conditions, i, item)
        if (!strcmp(json_string_at(item, "type", ""), type))
            condition = item;
    if (!condition) {
        condition = json_pack("{s:s}", "type", type);
        json_array_append_new(conditions, condition);
    }
    if (strcmp(json_string_at(condition, "status", ""), status))
        json_object_set_new(condition, "lastTransitionTime", json_string(now));
    if (strcmp(json_string_at(condition, "status", ""), status) ||
        strcmp(json_string_at(condition, "reason", ""), reason))
        json_object_set_new(condition, "lastUpdateTime", json_string(now));
    json_object_set_new(condition, "status", json_string(status));
    json_object_set_new(condition, "reason", json_string(reason));
    json_object_set_new(condition, "message", json_string(message));
}

/* Takes away those of others. */
static GPtrArray *only_of(GPtrArray *objects, const Object *owner)
{
    for (guint i = objects->len; i > 0; i--) {
        const json_t *controller = local_controller_of(objects->pdata[i - 1]);
        if (!controller || strcmp(json_string_at(controller, "uid", ""), object_uid(owner)))
            g_ptr_array_remove_index(objects, i - 1);
    }
    return objects;
}

GPtrArray *controlled_by(LocalView *view, const KubeResource *resource, const Object *owner)
{
    return only_of(local_view_list(view, resource, object_namespace(owner), NULL), owner);
}

GPtrArray *controlled_now(LocalView *view, const KubeResource *resource, const Object *owner,
                          GCancellable *cancel, GError **error)
{
    GPtrArray *objects = kube_list(local_view_client(view), resource, object_namespace(owner), NULL, NULL,
                                   NULL, cancel, error);
    return objects ? only_of(objects, owner) : NULL;
}

gboolean delete_child(LocalView *view, const KubeResource *resource, const Object *child,
                      GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (kube_delete(local_view_client(view), resource, object_namespace(child), object_name(child), NULL,
                    cancel, &problem) ||
        g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

void add_controller_key(gpointer work_queue, const Object *object, const char *kind)
{
    const json_t *controller = local_controller_of(object);

    if (!controller || strcmp(json_string_at(controller, "kind", ""), kind))
        return;
    g_autofree char *key =
        g_strconcat(object_namespace(object), "/", json_string_at(controller, "name", ""), NULL);
    work_queue_add(work_queue, key);
}

gboolean write_status(LocalView *view, const KubeResource *resource, const Object *object,
                      const json_t *status, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) patch =
        json_pack("{s:{s:s},s:O}", "metadata", "uid", object_uid(object), "status", status);
    const json_t *before = json_object_get(object_json(object), "status");
    json_t *value;
    const char *key;
    gboolean same = before != NULL;

    json_object_foreach ((json_t *)status, key, value) {
        const json_t *old = json_object_get(before, key);
        same &= json_is_null(value) ? !old : old && json_equal(old, value);
    }
    if (same)
        return TRUE;
    g_autoptr(Object) written =
        kube_patch(local_view_client(view), resource, object_namespace(object), object_name(object),
                   KUBE_PATCH_MERGE, patch, "status", cancel, error);
    return written != NULL;
}
