/* cluster: kinds, documents and counts of a cluster. */
#include "inventory/cluster.h"
#include <string.h>

static const struct {
    const char *collection;
    const KubeResource *resource;
} collections[] = {
    {"namespaces", &KUBE_NAMESPACE},
    {"storageclasses", &KUBE_STORAGE_CLASS},
    {"networkattachmentdefinitions", &KUBE_NETWORK_ATTACHMENT_DEFINITION},
    {"vms", &KUBE_VIRTUAL_MACHINE},
};

const char *const *cluster_collections(void)
{
    static const char *names[G_N_ELEMENTS(collections) + 1];

    for (guint i = 0; i < G_N_ELEMENTS(collections); i++)
        names[i] = collections[i].collection;
    return names;
}

const KubeResource *cluster_resource(const char *collection)
{
    for (guint i = 0; i < G_N_ELEMENTS(collections); i++)
        if (!strcmp(collection, collections[i].collection))
            return collections[i].resource;
    return NULL;
}

gboolean cluster_check(KubeClient *cluster, GCancellable *cancel, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(collections); i++) {
        g_autoptr(GPtrArray) objects =
            kube_list(cluster, collections[i].resource, NULL, NULL, NULL, NULL, cancel, error);
        if (!objects) {
            g_prefix_error(error, "%s: ", collections[i].collection);
            return FALSE;
        }
    }
    return TRUE;
}

static gint64 count(KubeClient *cluster, const KubeResource *resource, GCancellable *cancel)
{
    g_autoptr(GPtrArray) objects = kube_list(cluster, resource, NULL, NULL, NULL, NULL, cancel, NULL);
    return objects ? objects->len : 0;
}

/* The pod network counts as one. */
json_t *cluster_counts(KubeClient *cluster, GCancellable *cancel)
{
    return json_pack("{s:I, s:I, s:I}", "vmCount", (json_int_t)count(cluster, &KUBE_VIRTUAL_MACHINE, cancel),
                     "networkCount",
                     (json_int_t)count(cluster, &KUBE_NETWORK_ATTACHMENT_DEFINITION, cancel) + 1,
                     "storageClassCount", (json_int_t)count(cluster, &KUBE_STORAGE_CLASS, cancel));
}

json_t *cluster_document(Stock *stock, const char *collection, const Object *object, guint detail)
{
    g_autofree char *link =
        g_strdup_printf("providers/openshift/%s/%s/%s", stock_uid(stock), collection, object_uid(object));
    const char *ns = object_namespace(object), *name = object_name(object);
    g_autofree char *path = *ns ? g_strconcat(ns, "/", name, NULL) : g_strdup(name);
    json_t *document = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "uid", object_uid(object), "id",
                                 object_uid(object), "version", object_resource_version(object), "namespace",
                                 ns, "name", name, "path", path, "selfLink", link);

    if (detail)
        json_object_set(document, "object", (json_t *)object_json(object));
    return document;
}
