/* quota: a namespace's quotas, what an object takes of each of their resources, and what is taken already. */
#include "local/apiserver/quota.h"
#include "kube/quantity.h"
#include <string.h>

#define OF_CLASS ".storageclass.storage.k8s.io/"

/* A Pod that has ended takes no place. */
static gboolean has_ended(const Kind *kind, const json_t *object)
{
    const char *phase = json_string_at(object, "status.phase", "");
    return !strcmp(kind->resource, "pods") && (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"));
}

/* What the object takes of a resource; 0: that is not about it. */
static guint64 amount_of(const Kind *kind, const json_t *object, const char *resource)
{
    gboolean claim = !strcmp(kind->resource, "persistentvolumeclaims");
    g_autofree char *of_class =
        claim ? g_strconcat(json_string_at(object, "spec.storageClassName", ""), OF_CLASS, NULL) : NULL;
    guint64 bytes;

    if (has_ended(kind, object))
        return 0;
    if (g_str_has_prefix(resource, "count/"))
        return !strcmp(resource + strlen("count/"), kind->resource);
    if (claim && g_str_has_prefix(resource, of_class))
        resource += strlen(of_class);
    if (claim && !strcmp(resource, "requests.storage"))
        return quantity_parse(json_string_at(object, "spec.resources.requests.storage", "0"), &bytes, NULL)
                   ? bytes
                   : 0;
    return !*kind->group && !strcmp(resource, kind->resource);
}

/* Without the object that is written. */
static guint64 taken_by_others(const Request *request, const char *resource)
{
    guint64 revision, sum = 0;
    g_autoptr(GPtrArray) records =
        store_list(request->server->store, request->kind->resource, request->ns, NULL, NULL, &revision);

    for (guint i = 0; i < records->len; i++) {
        const Record *record = g_ptr_array_index(records, i);
        g_autoptr(json_t) object = strcmp(record->name, request->name) ? record_json(record) : NULL;
        if (object)
            sum += amount_of(request->kind, object, resource);
    }
    return sum;
}

static gboolean check_resource(Request *request, const char *quota, const char *resource, const char *hard,
                               const json_t *object, GError **error)
{
    guint64 wanted = amount_of(request->kind, object, resource), limit, taken;

    if (!wanted || !quantity_parse(hard, &limit, NULL))
        return TRUE;
    taken = taken_by_others(request, resource);
    if (taken <= limit && wanted <= limit - taken)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN,
                "%s \"%s\" is forbidden: exceeded quota: %s, requested: %s=%" G_GUINT64_FORMAT
                ", used: %s=%" G_GUINT64_FORMAT ", limited: %s=%s",
                request->kind->resource, request->name, quota, resource, wanted, resource, taken, resource,
                hard);
    return FALSE;
}

static gboolean check_one(Request *request, const json_t *quota, const json_t *object, GError **error)
{
    const char *resource;
    json_t *hard;

    if (json_array_size(json_at(quota, "spec.scopes")) || json_at(quota, "spec.scopeSelector"))
        return TRUE;
    json_object_foreach ((json_t *)json_at(quota, "spec.hard"), resource, hard) {
        g_autofree char *limit = json_is_integer(hard)
                                     ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(hard))
                                     : g_strdup(json_string_value(hard));
        if (limit && !check_resource(request, json_string_at(quota, "metadata.name", ""), resource, limit,
                                     object, error))
            return FALSE;
    }
    return TRUE;
}

gboolean quota_check(Request *request, const json_t *before, const json_t *object, GError **error)
{
    g_autoptr(GPtrArray) quotas = NULL;
    guint64 revision;

    /* of what is there already only a claim can become more */
    if (!*request->ns || *request->sub ||
        (before && strcmp(request->kind->resource, "persistentvolumeclaims")))
        return TRUE;
    quotas = store_list(request->server->store, "resourcequotas", request->ns, NULL, NULL, &revision);
    for (guint i = 0; i < quotas->len; i++) {
        g_autoptr(json_t) quota = record_json(g_ptr_array_index(quotas, i));
        if (!check_one(request, quota, object, error))
            return FALSE;
    }
    return TRUE;
}
