/* discovery: which groups, versions and kinds there are, as /api, /apis and their aggregated form
 * (apidiscovery.k8s.io/v2). */
#include "local/apiserver/server.h"
#include <string.h>

static const char *const object_verbs[] = {
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch", NULL};
static const char *const status_verbs[] = {"get", "patch", "update", NULL};
static const char *const create_verbs[] = {"create", NULL};
static const char *const get_verbs[] = {"get", NULL};
static const char *const call_verbs[] = {"create", "delete", "get", "patch", "update", NULL};
static const char *const exec_verbs[] = {"create", "get", NULL};
static const char *const update_verbs[] = {"update", NULL};

/* The subresources of a kind. */
static const struct {
    const char *resource, *sub, *group, *version, *kind;
    const char *const *verbs;
} subresources[] = {{"pods", "log", "", "v1", "Pod", get_verbs},
                    {"pods", "exec", "", "v1", "PodExecOptions", exec_verbs},
                    {"pods", "proxy", "", "v1", "PodProxyOptions", call_verbs},
                    {"pods", "binding", "", "v1", "Binding", create_verbs},
                    {"pods", "eviction", "policy", "v1", "Eviction", create_verbs},
                    {"serviceaccounts", "token", "authentication.k8s.io", "v1", "TokenRequest", create_verbs},
                    {"namespaces", "finalize", "", "v1", "Namespace", update_verbs}};

static json_t *strings(const char *const *list)
{
    json_t *json = json_array();
    for (; *list; list++)
        json_array_append_new(json, json_string(*list));
    return json;
}

static gboolean in_group(const Kind *kind, const char *group, const char *version)
{
    return !strcmp(kind->group, group) && (!version || !strcmp(kind->version, version));
}

/* ---- APIResourceList ---- */

static json_t *resource_json(const Kind *kind, const char *sub, const char *kind_name,
                             const char *const *verbs)
{
    g_autofree char *name = sub ? g_strconcat(kind->plural, "/", sub, NULL) : g_strdup(kind->plural);
    json_t *json =
        json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", name, "singularName", sub ? "" : kind->singular,
                  "namespaced", kind->namespaced, "kind", kind_name, "verbs", strings(verbs));

    if (!sub && *kind->short_names)
        json_object_set_new(json, "shortNames", strings((const char *const *)kind->short_names));
    if (!sub && *kind->categories)
        json_object_set_new(json, "categories", strings((const char *const *)kind->categories));
    return json;
}

static json_t *scale_json(const Kind *kind)
{
    json_t *json = resource_json(kind, "scale", "Scale", status_verbs);
    json_object_set_new(json, "group", json_string("autoscaling"));
    json_object_set_new(json, "version", json_string("v1"));
    return json;
}

static json_t *resource_list(GPtrArray *kinds, const char *group, const char *version)
{
    g_autofree char *name = *group ? g_strconcat(group, "/", version, NULL) : g_strdup(version);
    json_t *list = json_array();

    for (guint i = 0; i < kinds->len; i++) {
        const Kind *kind = g_ptr_array_index(kinds, i);
        if (!in_group(kind, group, version))
            continue;
        json_array_append_new(
            list, resource_json(kind, NULL, kind->kind, kind->unchecked ? create_verbs : object_verbs));
        if (kind->has_status)
            json_array_append_new(list, resource_json(kind, "status", kind->kind, status_verbs));
        if (kind->replicas_path)
            json_array_append_new(list, scale_json(kind));
        for (guint n = 0; n < G_N_ELEMENTS(subresources); n++)
            if (!strcmp(subresources[n].resource, kind->resource))
                json_array_append_new(list, resource_json(kind, subresources[n].sub, subresources[n].kind,
                                                          subresources[n].verbs));
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "kind", "APIResourceList", "apiVersion", "v1", "groupVersion",
                     name, "resources", list);
}

/* ---- APIGroupList ---- */

static json_t *group_json(GPtrArray *kinds, const char *group)
{
    json_t *versions = json_array(), *json;
    const char *last = "";

    for (guint i = 0; i < kinds->len; i++) {
        const Kind *kind = g_ptr_array_index(kinds, i);
        if (!in_group(kind, group, NULL) || !strcmp(last, kind->version))
            continue;
        last = kind->version;
        {
            g_autofree char *name = g_strconcat(group, "/", last, NULL);
            json_array_append_new(versions, json_pack("{s:s, s:s}", "groupVersion", name, "version", last));
        }
    }
    json = json_pack("{s:s, s:s, s:s, s:O, s:O}", "kind", "APIGroup", "apiVersion", "v1", "name", group,
                     "versions", versions, "preferredVersion", json_array_get(versions, 0));
    json_decref(versions);
    return json;
}

/* The names of the groups but core, each once. */
static GPtrArray *group_names(GPtrArray *kinds)
{
    GPtrArray *names = g_ptr_array_new();
    const char *last = "";

    for (guint i = 0; i < kinds->len; i++) {
        const Kind *kind = g_ptr_array_index(kinds, i);
        if (strcmp(kind->group, last) != 0)
            g_ptr_array_add(names, (gpointer)(last = kind->group));
    }
    return names;
}

static json_t *group_list(GPtrArray *kinds)
{
    g_autoptr(GPtrArray) names = group_names(kinds);
    json_t *list = json_array();

    for (guint i = 0; i < names->len; i++)
        json_array_append_new(list, group_json(kinds, g_ptr_array_index(names, i)));
    return json_pack("{s:s, s:s, s:o}", "kind", "APIGroupList", "apiVersion", "v1", "groups", list);
}

/* ---- aggregated ---- */

static json_t *response_kind(const char *group, const char *version, const char *kind)
{
    return json_pack("{s:s, s:s, s:s}", "group", group, "version", version, "kind", kind);
}

static json_t *subresource_json(const char *name, json_t *response, const char *const *verbs)
{
    return json_pack("{s:s, s:o, s:o}", "subresource", name, "responseKind", response, "verbs",
                     strings(verbs));
}

static json_t *aggregated_resource(const Kind *kind)
{
    json_t *subs = json_array();
    json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:o}", "resource", kind->plural, "responseKind",
                             response_kind(kind->group, kind->version, kind->kind), "scope",
                             kind->namespaced ? "Namespaced" : "Cluster", "singularResource", kind->singular,
                             "verbs", strings(kind->unchecked ? create_verbs : object_verbs));

    if (*kind->short_names)
        json_object_set_new(json, "shortNames", strings((const char *const *)kind->short_names));
    if (*kind->categories)
        json_object_set_new(json, "categories", strings((const char *const *)kind->categories));
    if (kind->has_status)
        json_array_append_new(
            subs,
            subresource_json("status", response_kind(kind->group, kind->version, kind->kind), status_verbs));
    if (kind->replicas_path)
        json_array_append_new(
            subs, subresource_json("scale", response_kind("autoscaling", "v1", "Scale"), status_verbs));
    for (guint n = 0; n < G_N_ELEMENTS(subresources); n++)
        if (!strcmp(subresources[n].resource, kind->resource))
            json_array_append_new(
                subs, subresource_json(
                          subresources[n].sub,
                          response_kind(subresources[n].group, subresources[n].version, subresources[n].kind),
                          subresources[n].verbs));
    if (json_array_size(subs))
        json_object_set(json, "subresources", subs);
    json_decref(subs);
    return json;
}

static json_t *aggregated_group(GPtrArray *kinds, const char *group)
{
    json_t *versions = json_array(), *resources = NULL;
    const char *last = "";

    for (guint i = 0; i < kinds->len; i++) {
        const Kind *kind = g_ptr_array_index(kinds, i);
        if (!in_group(kind, group, NULL))
            continue;
        if (strcmp(last, kind->version) != 0) {
            last = kind->version;
            resources = json_array();
            json_array_append_new(versions, json_pack("{s:s, s:o, s:s}", "version", last, "resources",
                                                      resources, "freshness", "Current"));
        }
        json_array_append_new(resources, aggregated_resource(kind));
    }
    return json_pack("{s:{s:s}, s:o}", "metadata", "name", group, "versions", versions);
}

static json_t *aggregated(GPtrArray *kinds, gboolean core)
{
    json_t *items = json_array();

    if (core) {
        json_t *group = aggregated_group(kinds, "");
        json_object_set_new(group, "metadata", json_object());
        json_array_append_new(items, group);
    } else {
        g_autoptr(GPtrArray) names = group_names(kinds);
        for (guint i = 0; i < names->len; i++)
            json_array_append_new(items, aggregated_group(kinds, g_ptr_array_index(names, i)));
    }
    return json_pack("{s:s, s:s, s:{}, s:o}", "kind", "APIGroupDiscoveryList", "apiVersion",
                     "apidiscovery.k8s.io/v2", "metadata", "items", items);
}

static void answer_aggregated(Request *request, GPtrArray *kinds, gboolean core)
{
    g_autoptr(json_t) json = aggregated(kinds, core);
    g_autofree char *text = json_text(json);
    http_exchange_reply_text(request->x, 200,
                             "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", text);
}

/* ---- the paths ---- */

static gboolean wants_aggregated(const Request *request)
{
    const char *accept = http_exchange_header(request->x, "Accept");
    const char *as = accept ? strstr(accept, "as=APIGroupDiscoveryList") : NULL;
    return as && strstr(accept, "v=v2") && strstr(accept, "application/json;");
}

static json_t *versions_json(const Request *request)
{
    return json_pack("{s:s, s:[s], s:[{s:s, s:s}]}", "kind", "APIVersions", "versions", "v1",
                     "serverAddressByClientCIDRs", "clientCIDR", "0.0.0.0/0", "serverAddress",
                     request->server->url + strlen("https://"));
}

static void not_found(Request *request)
{
    g_autoptr(GError) error = g_error_new_literal(GANTRY_ERROR, ERROR_KUBE_NOT_FOUND,
                                                  "the server could not find the requested resource");
    answer_error(request, error);
}

void serve_discovery(Request *request, const char *path)
{
    g_autoptr(GPtrArray) kinds = kinds_all(request->server->kinds);
    g_auto(GStrv) parts = g_strsplit(path + 1, "/", -1); /* "apis", "apps", "v1" */
    guint count = g_strv_length(parts);
    json_t *json = NULL;

    if (count && !*parts[count - 1])
        count--;
    if (!strcmp(parts[0], "api")) {
        if (count == 1 && wants_aggregated(request)) {
            answer_aggregated(request, kinds, TRUE);
            return;
        }
        json = count == 1                              ? versions_json(request)
               : count == 2 && !strcmp(parts[1], "v1") ? resource_list(kinds, "", "v1")
                                                       : NULL;
    } else if (count == 1 && wants_aggregated(request)) {
        answer_aggregated(request, kinds, FALSE);
        return;
    } else if (count == 1) {
        json = group_list(kinds);
    } else {
        json = count == 2 ? group_json(kinds, parts[1]) : resource_list(kinds, parts[1], parts[2]);
        if (!json_array_size(json_object_get(json, count == 2 ? "versions" : "resources")))
            g_clear_pointer(&json, json_decref);
    }
    if (json)
        answer_json(request, 200, json);
    else
        not_found(request);
}
