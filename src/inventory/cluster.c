/* cluster: kinds, documents and counts of a cluster. */
#include "inventory/cluster.h"
#include <stdio.h>
#include <string.h>

/* What OpenShift 4.10 has, the oldest that the guide knows. */
enum { OLDEST_MINOR = 23 };

static const struct {
    const char *collection;
    const KubeResource *resource;
    gboolean is_needed; /* else a cluster may do without the kind */
} collections[] = {
    {"namespaces", &KUBE_NAMESPACE, TRUE},
    {"storageclasses", &KUBE_STORAGE_CLASS, TRUE},
    {"networkattachmentdefinitions", &KUBE_NETWORK_ATTACHMENT_DEFINITION, TRUE},
    {"vms", &KUBE_VIRTUAL_MACHINE, TRUE},
    {"instancetypes", &KUBE_INSTANCETYPE, FALSE},
    {"clusterinstancetypes", &KUBE_CLUSTER_INSTANCETYPE, FALSE},
    {"datavolumes", &KUBE_DATA_VOLUME, FALSE},
    {"persistentvolumeclaims", &KUBE_PERSISTENT_VOLUME_CLAIM, FALSE},
    {"kubevirts", &KUBE_KUBEVIRT, FALSE},
};

const char *const *cluster_collections(void)
{
    static const char *const names[] = {
        "namespaces",  "storageclasses",         "networkattachmentdefinitions",
        "vms",         "instancetypes",          "clusterinstancetypes",
        "datavolumes", "persistentvolumeclaims", "kubevirts",
        NULL};
    G_STATIC_ASSERT(G_N_ELEMENTS(names) == G_N_ELEMENTS(collections) + 1);
    return names;
}

const KubeResource *cluster_resource(const char *collection)
{
    for (guint i = 0; i < G_N_ELEMENTS(collections); i++)
        if (!strcmp(collection, collections[i].collection))
            return collections[i].resource;
    return NULL;
}

static gboolean is_needed(const KubeResource *resource)
{
    for (guint i = 0; i < G_N_ELEMENTS(collections); i++)
        if (collections[i].resource == resource)
            return collections[i].is_needed;
    return FALSE;
}

GPtrArray *cluster_list(KubeClient *cluster, const char *collection, const char *ns, GCancellable *cancel,
                        GError **error)
{
    const KubeResource *resource = cluster_resource(collection);
    g_autoptr(GError) failed = NULL;
    GPtrArray *objects =
        kube_list(cluster, resource, resource->namespaced ? ns : NULL, NULL, NULL, NULL, cancel, &failed);

    if (!objects && !is_needed(resource) && g_error_matches(failed, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return g_ptr_array_new();
    if (!objects)
        g_propagate_error(error, g_steal_pointer(&failed));
    return objects;
}

/* ---- the test of a connection -------------------------------------------------------------------------- */

/* The list's first object and what the server says of the others. */
static json_t *first_page(KubeClient *cluster, const KubeResource *resource, GCancellable *cancel,
                          GError **error)
{
    g_autofree char *list = kube_list_path(resource, NULL, NULL, NULL);
    g_autofree char *path = g_strconcat(list, strchr(list, '?') ? "&" : "?", "limit=1", NULL);

    return kube_get_path(cluster, path, cancel, error);
}

static gboolean check_kubernetes(KubeClient *cluster, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) version = kube_get_path(cluster, "/version", cancel, error);
    guint major = 0, minor = 0;

    if (!version)
        return FALSE;
    sscanf(json_string_at(version, "major", ""), "%u", &major);
    sscanf(json_string_at(version, "minor", ""), "%u", &minor); /* "27+" on some */
    if (major > 1 || (major == 1 && minor >= OLDEST_MINOR))
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_CLUSTER_VERSION, "%s runs Kubernetes %s; 1.%d or later is needed",
                kube_client_server(cluster), json_string_at(version, "gitVersion", "of an unknown version"),
                OLDEST_MINOR);
    return FALSE;
}

/* In place of "not found": which versions of the API there are, or that there is none. */
static void explain_missing(KubeClient *cluster, const KubeResource *resource, GCancellable *cancel,
                            GError **error)
{
    g_autofree char *path = g_strconcat("/apis/", resource->group, NULL);
    g_autoptr(json_t) group = kube_get_path(cluster, path, cancel, NULL);
    g_autoptr(GString) found = g_string_new(NULL);
    json_t *version;
    size_t at;

    json_array_foreach (json_at(group, "versions"), at, version) {
        g_string_append_printf(found, "%s%s", at ? ", " : "", json_string_at(version, "version", ""));
    }
    g_clear_error(error);
    g_set_error(error, GANTRY_ERROR, ERROR_CLUSTER_VERSION, "%s serves %s%s%s; %s/%s is needed for %s",
                kube_client_server(cluster), found->len ? resource->group : "nothing of ",
                found->len ? " " : resource->group, found->str, resource->group, resource->version,
                resource->plural);
}

static gboolean check_kind(KubeClient *cluster, const KubeResource *resource, GCancellable *cancel,
                           GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(json_t) page = first_page(cluster, resource, cancel, &failed);

    if (page)
        return TRUE;
    if (g_error_matches(failed, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        explain_missing(cluster, resource, cancel, &failed);
    g_propagate_prefixed_error(error, g_steal_pointer(&failed), "%s: ", resource->plural);
    return FALSE;
}

gboolean cluster_check(KubeClient *cluster, GCancellable *cancel, GError **error)
{
    if (!check_kubernetes(cluster, cancel, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(collections); i++)
        if (collections[i].is_needed && !check_kind(cluster, collections[i].resource, cancel, error))
            return FALSE;
    return TRUE;
}

/* ---- counts -------------------------------------------------------------------------------------------- */

/* A server that does not say how many remain is asked for all. */
static gint64 count(KubeClient *cluster, const KubeResource *resource, GCancellable *cancel)
{
    g_autoptr(json_t) page = first_page(cluster, resource, cancel, NULL);
    g_autoptr(GPtrArray) all = NULL;
    gint64 len = json_array_size(json_at(page, "items")),
           remaining = json_int_at(page, "metadata.remainingItemCount", 0);

    if (remaining || !*json_string_at(page, "metadata.continue", ""))
        return len + remaining;
    all = kube_list(cluster, resource, NULL, NULL, NULL, NULL, cancel, NULL);
    return all ? all->len : len;
}

/* The pod network counts as one. */
json_t *cluster_counts(KubeClient *cluster, GCancellable *cancel)
{
    return json_pack("{s:I, s:I, s:I}", "vmCount", (json_int_t)count(cluster, &KUBE_VIRTUAL_MACHINE, cancel),
                     "networkCount",
                     (json_int_t)count(cluster, &KUBE_NETWORK_ATTACHMENT_DEFINITION, cancel) + 1,
                     "storageClassCount", (json_int_t)count(cluster, &KUBE_STORAGE_CLASS, cancel));
}

/* ---- documents ----------------------------------------------------------------------------------------- */

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
