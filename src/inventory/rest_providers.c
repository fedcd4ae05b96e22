/* rest_providers: the providers themselves. */
#include "inventory/cluster.h"
#include "inventory/request.h"
#include <string.h>

/* As clients know them; types that Gantry does not serve have empty lists. */
static const char *const types[] = {"openshift", "vsphere", "ovirt", "openstack", "ova", "ec2", "hyperv"};

static void add_source_counts(json_t *document, Stock *stock)
{
    const ProviderType *type = stock_kinds(stock);
    g_autoptr(Snapshot) snapshot = stock_snapshot(stock, NULL);
    g_auto(StockState) state = {0};

    for (const ProviderKind *kind = type->kinds; kind->kind; kind++)
        if (kind->count)
            json_object_set_new(document, kind->count,
                                json_integer(snapshot ? snapshot_count(snapshot, kind->kind, NULL) : 0));
    stock_state(stock, &state);
    for (const char *const *member = type->about; *member; member++)
        json_object_set_new(document, *member, json_string(json_string_at(state.about, *member, "")));
}

static void add_cluster_counts(json_t *document, Stock *stock, GCancellable *cancel)
{
    g_autoptr(KubeClient) cluster = stock_cluster(stock);
    g_autoptr(json_t) counts = cluster ? cluster_counts(cluster, cancel) : NULL;

    if (counts)
        json_object_update(document, counts);
}

static json_t *provider_document(Request *request, Stock *stock, guint detail)
{
    g_autoptr(Object) provider = stock_provider(stock);
    g_autofree char *link = g_strdup_printf("providers/%s/%s", stock_type(stock), stock_uid(stock));
    json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "uid", stock_uid(stock), "id",
                                 stock_uid(stock), "version", object_resource_version(provider), "namespace",
                                 object_namespace(provider), "name", object_name(provider), "selfLink", link);

    if (!detail)
        return document;
    json_object_set_new(document, "type", json_string(stock_type(stock)));
    json_object_set(document, "object", (json_t *)object_json(provider));
    if (strcmp(stock_type(stock), "openshift"))
        add_source_counts(document, stock);
    else
        add_cluster_counts(document, stock, request->cancel);
    return document;
}

static json_t *list_type(Request *request, GPtrArray *stocks, const char *type)
{
    json_t *list = json_array();
    gint64 at = 0;

    for (guint i = 0; i < stocks->len; i++) {
        Stock *stock = stocks->pdata[i];
        g_autoptr(Object) provider = stock_provider(stock);

        if (strcmp(stock_type(stock), type) ||
            (request->query.name && strcmp(request->query.name, object_name(provider))) ||
            (request->query.ns && strcmp(request->query.ns, object_namespace(provider))))
            continue;
        if (at++ < request->query.offset)
            continue;
        if (request->query.limit >= 0 && (gint64)json_array_size(list) >= request->query.limit)
            break;
        json_array_append_new(list, provider_document(request, stock, request->query.detail));
    }
    return list;
}

void rest_providers(Request *request, const char *type)
{
    g_autoptr(GPtrArray) stocks = inventory_stocks(request->inventory);
    json_t *answer;

    if (type) {
        request_reply(request, list_type(request, stocks, type));
        return;
    }
    answer = json_object();
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        json_object_set_new(answer, types[i], list_type(request, stocks, types[i]));
    request_reply(request, answer);
}

void rest_provider(Request *request, Stock *stock)
{
    request_reply(request, provider_document(request, stock, DETAIL_FULL));
}
