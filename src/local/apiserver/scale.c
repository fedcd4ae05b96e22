/* scale: the autoscaling/v1 view of an object that has a number of replicas. */
#include "kube/patch.h"
#include "local/apiserver/server.h"
#include <string.h>

enum { most_tries = 100 };

static char *selector_text(const Request *request, const json_t *object)
{
    const json_t *labels = json_at(object, "spec.selector.matchLabels");
    GString *text = g_string_new(NULL);
    const char *key;
    json_t *value;

    if (request->kind->selector_path)
        g_string_append(text, json_string_at(object, request->kind->selector_path, ""));
    else
        json_object_foreach((json_t *)labels, key, value)
            g_string_append_printf(text, "%s%s=%s", text->len ? "," : "", key, json_string_value(value));
    return g_string_free(text, FALSE);
}

static json_t *scale_of(const Request *request, const json_t *object)
{
    g_autofree char *selector = selector_text(request, object);
    json_t *metadata = json_object();
    static const char *const shared[] = {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"};

    for (guint i = 0; i < G_N_ELEMENTS(shared); i++) {
        json_t *value = json_object_get(json_object_get(object, "metadata"), shared[i]);
        if (value)
            json_object_set(metadata, shared[i], value);
    }
    return json_pack("{s:s, s:s, s:o, s:{s:I}, s:{s:I, s:s}}", "kind", "Scale", "apiVersion",
                     "autoscaling/v1", "metadata", metadata, "spec", "replicas",
                     (json_int_t)json_int_at(object, request->kind->replicas_path, 0), "status", "replicas",
                     (json_int_t)json_int_at(object, request->kind->replicas_status_path, 0), "selector",
                     selector);
}

/* The Scale that the client wants, from a whole one or a patch of the present one. */
static json_t *wanted(Request *request, const json_t *scale, const json_t *sent, GError **error)
{
    const char *type = http_exchange_header(request->x, "Content-Type");

    if (!strcmp(http_exchange_method(request->x), "PUT"))
        return json_incref((json_t *)sent);
    if (type && g_str_has_prefix(type, "application/json-patch+json"))
        return patch_json(scale, sent, error);
    return patch_merge(scale, sent, error);
}

static gboolean set_replicas(Request *request, Record *before, const json_t *sent, Record **written,
                             GError **error)
{
    g_autoptr(json_t) object = record_json(before);
    g_autoptr(json_t) scale = scale_of(request, object);
    g_autoptr(json_t) want = wanted(request, scale, sent, error);
    const char *version = json_string_at(want, "metadata.resourceVersion", "");
    g_autoptr(json_t) replicas = want ? json_incref(json_at(want, "spec.replicas")) : NULL;

    if (!want)
        return FALSE;
    if (!replicas)
        replicas = json_integer(0); /* clients leave a zero out */
    if (*version && strcmp(version, json_string_at(object, "metadata.resourceVersion", "")) != 0) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_CONFLICT, "the object has been modified");
        return FALSE;
    }
    if (!json_is_integer(replicas) || json_integer_value(replicas) < 0) {
        schema_cause_add(request->causes, "FieldValueInvalid", "spec.replicas",
                         "Invalid value: must be an integer of 0 or more");
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_INVALID, "spec.replicas");
        return FALSE;
    }
    json_set_at_new(object, request->kind->replicas_path, json_incref(replicas));
    return write_object(request, before, g_steal_pointer(&object), UNKNOWN_IGNORE, written, error);
}

static gboolean scale(Request *request, Record **written, GError **error)
{
    g_autoptr(json_t) sent = request_body(request, error);
    gboolean done = FALSE;

    g_free(request->sub);
    request->sub = g_strdup(""); /* it is the object's own spec that is written */
    for (guint try = 0; sent && !done; try++) {
        g_autoptr(Record) before =
            store_get(request->server->store, request->kind->resource, request->ns, request->name);
        if (!before) {
            g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s \"%s\" not found",
                        request->kind->resource, request->name);
            return FALSE;
        }
        done = set_replicas(request, before, sent, written, error);
        if (!done && (try == most_tries || !g_error_matches(*error, GANTRY_ERROR, ERROR_KUBE_CONFLICT) ||
                      *json_string_at(sent, "metadata.resourceVersion", "")))
            return FALSE;
        if (!done)
            g_clear_error(error);
    }
    return done;
}

void serve_scale(Request *request)
{
    gboolean get = !strcmp(http_exchange_method(request->x), "GET");
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) record = NULL;
    g_autoptr(json_t) object = NULL;

    if (get) {
        record = store_get(request->server->store, request->kind->resource, request->ns, request->name);
        if (!record)
            g_set_error(&error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s \"%s\" not found",
                        request->kind->resource, request->name);
    }
    if (error || (!get && !scale(request, &record, &error))) {
        answer_error(request, error);
        return;
    }
    object = record_json(record);
    answer_json(request, 200, scale_of(request, object));
}
