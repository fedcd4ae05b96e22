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

/* A VM's document from level 1 on shows its running instance, where there is one. NULL: there are none. */
static GPtrArray *list_instances(const Request *request, KubeClient *cluster)
{
    if (strcmp(request->parts[3], "vms") || (!request->query.detail && request->len < 5))
        return NULL;
    return kube_list(cluster, &KUBE_VIRTUAL_MACHINE_INSTANCE, request->query.ns, NULL, NULL, NULL,
                     request->cancel, NULL);
}

static json_t *document_of(Stock *stock, const char *collection, const Object *object, GPtrArray *instances,
                           guint detail)
{
    json_t *document = cluster_document(stock, collection, object, detail);

    for (guint i = 0; instances && i < instances->len; i++) {
        const Object *instance = instances->pdata[i];
        if (!strcmp(object_name(instance), object_name(object)) &&
            !strcmp(object_namespace(instance), object_namespace(object)))
            json_object_set(document, "instance", (json_t *)object_json(instance));
    }
    return document;
}

static void free_document(gpointer document)
{
    json_decref(document);
}

static int compare_documents(gconstpointer a, gconstpointer b, gpointer filter)
{
    return filter_compare(filter, *(json_t *const *)a, *(json_t *const *)b);
}

/* The documents that are asked for, of all pages, in their order. */
static GPtrArray *choose_documents(Request *request, Stock *stock, GPtrArray *objects, GPtrArray *instances)
{
    Filter *filter = request->query.filter;
    GPtrArray *chosen = g_ptr_array_new_with_free_func(free_document);

    for (guint i = 0; i < objects->len; i++) {
        g_autoptr(json_t) document = NULL;

        if (!is_wanted(request, objects->pdata[i]))
            continue;
        document = document_of(stock, request->parts[3], objects->pdata[i], instances, request->query.detail);
        if (!filter || filter_matches(filter, document))
            g_ptr_array_add(chosen, g_steal_pointer(&document));
    }
    if (filter && filter_sorts(filter))
        g_ptr_array_sort_with_data(chosen, compare_documents, filter);
    return chosen;
}

static void list_objects(Request *request, Stock *stock, GPtrArray *objects, GPtrArray *instances)
{
    g_autoptr(GPtrArray) chosen = choose_documents(request, stock, objects, instances);
    g_autofree char *total = g_strdup_printf("%u", chosen->len);
    gint64 first = MIN(request->query.offset, chosen->len), left = chosen->len - first;
    gint64 count = request->query.limit >= 0 ? MIN(request->query.limit, left) : left;
    Output *output;

    if (request->query.total)
        http_exchange_add_header(request->exchange, "X-Total-Count", total);
    output = output_new(request->exchange);
    g_string_append_c(output_text(output), '[');
    for (gint64 i = 0; i < count; i++) {
        g_autofree char *text = json_text(chosen->pdata[first + i]);
        g_string_append_printf(output_text(output), "%s%s", i ? "," : "", text);
        if (!output_pass(output))
            break;
    }
    g_string_append_c(output_text(output), ']');
    output_end(output);
}

static void get_one(Request *request, Stock *stock, GPtrArray *objects, GPtrArray *instances)
{
    for (guint i = 0; i < objects->len; i++)
        if (!strcmp(object_uid(objects->pdata[i]), request->parts[4])) {
            request_reply(request,
                          document_of(stock, request->parts[3], objects->pdata[i], instances, DETAIL_FULL));
            return;
        }
    request_fail(request, 404, "there is no such object");
}

/* ---- tree/namespace ------------------------------------------------------------------------------------ */

static json_t *new_node(const char *kind, json_t *object_take, json_t *children_take)
{
    return json_pack("{s:s, s:o, s:o}", "kind", kind, "object", object_take, "children", children_take);
}

/* The nodes of a namespace's VMs. */
static json_t *nodes_in(Request *request, Stock *stock, GPtrArray *vms, const char *ns)
{
    json_t *nodes = json_array();

    for (guint i = 0; i < vms->len; i++)
        if (!strcmp(object_namespace(vms->pdata[i]), ns))
            json_array_append_new(
                nodes, new_node("VM", cluster_document(stock, "vms", vms->pdata[i], request->query.detail),
                                json_null()));
    return nodes;
}

/* Namespaces that have VMs, with these below them. */
static void reply_tree(Request *request, Stock *stock, KubeClient *cluster)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) namespaces = cluster_list(cluster, "namespaces", NULL, request->cancel, &error);
    g_autoptr(GPtrArray) vms =
        namespaces ? cluster_list(cluster, "vms", NULL, request->cancel, &error) : NULL;
    g_autoptr(json_t) children = json_array();

    if (!vms) {
        request_fail(request, status_of(error), error->message);
        return;
    }
    for (guint i = 0; i < namespaces->len; i++) {
        json_t *nodes = nodes_in(request, stock, vms, object_name(namespaces->pdata[i]));
        if (json_array_size(nodes))
            json_array_append_new(
                children,
                new_node("Namespace", cluster_document(stock, "namespaces", namespaces->pdata[i], 0), nodes));
        else
            json_decref(nodes);
    }
    request_reply(request, new_node("", json_null(), json_incref(children)));
}

/* ---- routes -------------------------------------------------------------------------------------------- */

void rest_cluster(Request *request, Stock *stock)
{
    gboolean is_tree =
        request->len == 5 && !strcmp(request->parts[3], "tree") && !strcmp(request->parts[4], "namespace");
    g_autoptr(KubeClient) cluster = stock_cluster(stock);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) objects = NULL, instances = NULL;

    if (!is_tree && (!cluster_resource(request->parts[3]) || request->len > 5)) {
        request_fail(request, 404, "a cluster has no such collection");
        return;
    }
    if (request->watch) {
        request_fail(request, is_tree ? 400 : 501,
                     is_tree ? "a tree cannot be watched" : "a cluster's objects are watched at its own API");
        return;
    }
    if (!cluster) {
        request_fail(request, 206, "the cluster is not connected yet");
        return;
    }
    if (is_tree) {
        reply_tree(request, stock, cluster);
        return;
    }
    objects = cluster_list(cluster, request->parts[3], request->query.ns, request->cancel, &error);
    instances = objects ? list_instances(request, cluster) : NULL;
    if (!objects)
        request_fail(request, status_of(error), error->message);
    else if (request->len == 5)
        get_one(request, stock, objects, instances);
    else
        list_objects(request, stock, objects, instances);
}
