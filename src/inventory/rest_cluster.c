/* rest_cluster: collections and objects of a cluster, straight from its API. */
#include "inventory/cluster.h"
#include "inventory/request.h"
#include <string.h>

static guint status_of(const GError *error)
{
    if (g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_FORBIDDEN))
        return 403;
    return g_error_matches(error, GANTRY_ERROR, ERROR_KUBE_UNAUTHORIZED) ? 401 : 500;
}

static gboolean is_wanted(const Request *request, const Object *object)
{
    const char *slash = request->query.name ? strrchr(request->query.name, '/') : NULL;

    if (!request->query.name)
        return TRUE;
    if (strcmp(object_name(object), slash ? slash + 1 : request->query.name))
        return FALSE;
    return !slash || (strlen(object_namespace(object)) == (gsize)(slash - request->query.name) &&
                      g_str_has_prefix(request->query.name, object_namespace(object)));
}

static void list_objects(Request *request, Stock *stock, GPtrArray *objects)
{
    Output *output = output_new(request->exchange);
    gint64 at = 0, sent = 0;

    g_string_append_c(output_text(output), '[');
    for (guint i = 0; i < objects->len; i++) {
        g_autoptr(json_t) document = NULL;
        g_autofree char *text = NULL;

        if (!is_wanted(request, objects->pdata[i]))
            continue;
        document = cluster_document(stock, request->parts[3], objects->pdata[i], request->query.detail);
        if (request->query.filter && !filter_matches(request->query.filter, document))
            continue;
        if (at++ < request->query.offset)
            continue;
        if (request->query.limit >= 0 && sent >= request->query.limit)
            break;
        text = json_text(document);
        g_string_append_printf(output_text(output), "%s%s", sent++ ? "," : "", text);
        if (!output_pass(output))
            break;
    }
    g_string_append_c(output_text(output), ']');
    output_end(output);
}

static void get_one(Request *request, Stock *stock, GPtrArray *objects)
{
    for (guint i = 0; i < objects->len; i++)
        if (!strcmp(object_uid(objects->pdata[i]), request->parts[4])) {
            request_reply(request,
                          cluster_document(stock, request->parts[3], objects->pdata[i], DETAIL_FULL));
            return;
        }
    request_fail(request, 404, "there is no such object");
}

void rest_cluster(Request *request, Stock *stock)
{
    g_autoptr(KubeClient) cluster = stock_cluster(stock);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) objects = NULL;

    if (!cluster_resource(request->parts[3]) || request->len > 5) {
        request_fail(request, 404, "a cluster has no such collection");
        return;
    }
    if (request->watch) {
        request_fail(request, 501, "a cluster's objects are watched at its own API");
        return;
    }
    if (!cluster) {
        request_fail(request, 206, "the cluster is not connected yet");
        return;
    }
    objects = cluster_list(cluster, request->parts[3], request->query.ns, request->cancel, &error);
    if (!objects)
        request_fail(request, status_of(error), error->message);
    else if (request->len == 5)
        get_one(request, stock, objects);
    else
        list_objects(request, stock, objects);
}
