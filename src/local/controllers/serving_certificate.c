/* serving_certificate: certificates for Services, signed by the data directory's authority, as OpenShift's
 * service CA does.
 *
 * A Service with the annotation SECRET_ANNOTATION gets a kubernetes.io/tls Secret of that name, for NAME,
 * NAME.NS, NAME.NS.svc, the listen address and localhost. Every Namespace gets the ConfigMap gantry-ca with
 * the authority's certificate.
 */
#include "local/controllers/parts.h"
#include "local/controllers/template.h"
#include <string.h>

#define SECRET_ANNOTATION "service.beta.openshift.io/serving-cert-secret-name"
#define CA_CONFIG_MAP     "gantry-ca"

enum { DAYS = 365, RENEW_DAYS = 30, LOOK_MS = 24 * 3600 * 1000 };

struct ServingCertificates {
    LocalView *view;
    Certificate *authority;
    char *listen_host;
    WorkQueue *services, *namespaces;
};

/* Whether the Secret has a certificate of this authority that lasts. The issuer is compared by the CA's PEM
 * kept beside it. */
static gboolean still_good(const ServingCertificates *certificates, const Object *secret)
{
    const char *encoded =
        json_string_value(json_object_get(json_object_get(object_json(secret), "data"), "tls.crt"));
    const char *ca =
        json_string_value(json_object_get(json_object_get(object_json(secret), "data"), "ca.crt"));
    gsize size, ca_size;

    if (!encoded || !ca)
        return FALSE;
    g_autofree char *pem = (char *)g_base64_decode(encoded, &size),
                    *ca_pem = (char *)g_base64_decode(ca, &ca_size);
    g_autofree char *text = g_strndup(pem, size), *ca_text = g_strndup(ca_pem, ca_size);
    return certificate_lasts(text, RENEW_DAYS) && !strcmp(ca_text, certificates->authority->pem);
}

static gboolean write_secret(ServingCertificates *certificates, const Object *service, const char *name,
                             GCancellable *cancel, GError **error)
{
    KubeClient *client = local_view_client(certificates->view);
    const char *ns = object_namespace(service);
    g_autofree char *in_ns = g_strdup_printf("%s.%s", object_name(service), ns),
                    *svc = g_strconcat(in_ns, ".svc", NULL), *full = g_strconcat(svc, ".cluster.local", NULL);
    const char *const names[] = {
        svc, object_name(service), in_ns, full, certificates->listen_host, "localhost", NULL};
    g_autoptr(Certificate) issued = certificate_issue(certificates->authority, names, DAYS, error);
    gboolean created;

    if (!issued)
        return FALSE;
    g_autoptr(json_t) secret = json_pack(
        "{s:{s:s,s:[o]},s:s,s:{s:s,s:s,s:s}}", "metadata", "name", name, "ownerReferences",
        local_owner_reference(service, &KUBE_SERVICE, FALSE), "type", "kubernetes.io/tls", "stringData",
        "tls.crt", issued->pem, "tls.key", issued->key_pem, "ca.crt", certificates->authority->pem);
    g_autoptr(Object) made = kube_create_or_get(client, &KUBE_SECRET, ns, secret, &created, cancel, error);
    /* The view may not show yet one that was made a moment ago; its certificate is in use by now. */
    if (!made || created || still_good(certificates, made))
        return made != NULL;
    g_autoptr(json_t) patch = json_pack("{s:O}", "stringData", json_object_get(secret, "stringData"));
    g_autoptr(Object) patched =
        kube_patch(client, &KUBE_SECRET, ns, name, KUBE_PATCH_MERGE, patch, NULL, cancel, error);
    return patched != NULL;
}

static guint look_at_service(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    ServingCertificates *certificates = user_data;
    g_autofree char *ns = NULL, *name = NULL;

    local_key_split(key, &ns, &name);
    g_autoptr(Object) service = local_view_get(certificates->view, &KUBE_SERVICE, ns, name);
    const char *wanted = service ? object_annotation(service, SECRET_ANNOTATION, NULL) : NULL;
    if (!wanted || object_deleting(service))
        return 0;
    g_autoptr(Object) secret = local_view_get(certificates->view, &KUBE_SECRET, ns, wanted);
    if (!secret || !still_good(certificates, secret))
        return write_secret(certificates, service, wanted, cancel, error) ? LOOK_MS : 0;
    return LOOK_MS;
}

static guint sync_service(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    return local_end_of_work(((ServingCertificates *)user_data)->view, key,
                             look_at_service(key, user_data, cancel, error), error);
}

static guint look_at_namespace(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    ServingCertificates *certificates = user_data;
    KubeClient *client = local_view_client(certificates->view);
    g_autofree char *none = NULL, *name = NULL;
    gboolean created;

    local_key_split(key, &none, &name);
    g_autoptr(Object) object = local_view_get(certificates->view, &KUBE_NAMESPACE, "", name);
    if (!object || object_deleting(object))
        return 0;
    g_autoptr(json_t) map = json_pack("{s:{s:s},s:{s:s}}", "metadata", "name", CA_CONFIG_MAP, "data",
                                      "ca.crt", certificates->authority->pem);
    g_autoptr(Object) made = kube_create_or_get(client, &KUBE_CONFIG_MAP, name, map, &created, cancel, error);
    const json_t *data = made ? json_object_get(object_json(made), "data") : NULL;
    if (!made || created || json_equal(data, json_object_get(map, "data")))
        return 0;
    Object *patched =
        kube_patch(client, &KUBE_CONFIG_MAP, name, CA_CONFIG_MAP, KUBE_PATCH_MERGE, map, NULL, cancel, error);
    g_clear_pointer(&patched, object_unref);
    return 0;
}

static guint sync_namespace(const char *key, gpointer user_data, GCancellable *cancel, GError **error)
{
    return local_end_of_work(((ServingCertificates *)user_data)->view, key,
                             look_at_namespace(key, user_data, cancel, error), error);
}

/* A Secret that somebody deletes is made again. */
static void on_secret(Object *before, Object *after, gpointer user_data)
{
    ServingCertificates *certificates = user_data;

    if (after)
        return;
    g_autoptr(GPtrArray) services =
        local_view_list(certificates->view, &KUBE_SERVICE, object_namespace(before), NULL);
    for (guint i = 0; i < services->len; i++)
        if (!strcmp(object_annotation(services->pdata[i], SECRET_ANNOTATION, ""), object_name(before)))
            queue_object(NULL, services->pdata[i], certificates->services);
}

ServingCertificates *serving_certificates_new(LocalView *view, Certificate *authority,
                                              const char *listen_host)
{
    ServingCertificates *certificates = g_new0(ServingCertificates, 1);

    certificates->view = view;
    certificates->authority = authority;
    certificates->listen_host = g_strdup(listen_host);
    certificates->services = work_queue_new("serving-certificates", 1, sync_service, certificates);
    certificates->namespaces = work_queue_new("authority", 1, sync_namespace, certificates);
    local_view_subscribe(view, &KUBE_SERVICE, queue_object, certificates->services);
    local_view_subscribe(view, &KUBE_SECRET, on_secret, certificates);
    local_view_subscribe(view, &KUBE_NAMESPACE, queue_object, certificates->namespaces);
    return certificates;
}

void serving_certificates_free(ServingCertificates *certificates)
{
    work_queue_free(certificates->services);
    work_queue_free(certificates->namespaces);
    certificate_free(certificates->authority);
    g_free(certificates->listen_host);
    g_free(certificates);
}
