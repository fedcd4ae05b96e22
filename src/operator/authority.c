/* authority: Secrets of PEM texts, looked at and replaced before they end. */
#include "operator/authority.h"
#include "base/log.h"
#include "net/certificate.h"
#include <string.h>

#define SECRET     "forklift-ca"
#define CONFIG_MAP "gantry-ca"
#define ANNOTATION "service.beta.openshift.io/serving-cert-secret-name"

enum { DAYS = 365, RENEW_DAYS = 30, AUTHORITY_RENEW_DAYS = 2 * 365 };

/* ---- Secrets ---- */

/* The text under key, or NULL; to be wiped when it is a key. */
static char *secret_text(const Object *secret, const char *key)
{
    const char *encoded =
        json_string_value(json_object_get(json_object_get(object_json(secret), "data"), key));
    gsize size;
    g_autofree guchar *bytes = encoded ? g_base64_decode(encoded, &size) : NULL;
    char *text = bytes ? g_strndup((char *)bytes, size) : NULL;

    if (bytes)
        explicit_bzero(bytes, size);
    return text;
}

static Object *find_secret(KubeClient *kube, const char *ns, const char *name, GCancellable *cancel,
                           GError **error)
{
    g_autoptr(GError) problem = NULL;
    Object *secret = kube_get(kube, &KUBE_SECRET, ns, name, cancel, &problem);

    if (!secret && !g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&problem));
    return secret;
}

/* texts: stringData, borrowed. */
static gboolean write_secret(KubeClient *kube, const char *ns, const char *name, const char *type,
                             const json_t *owner, json_t *texts, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) secret =
        json_pack("{s:s,s:s,s:{s:s,s:s,s:{s:s},s:O},s:s,s:O}", "apiVersion", "v1", "kind", "Secret",
                  "metadata", "name", name, "namespace", ns, "labels", "app", "forklift", "ownerReferences",
                  owner, "type", type, "stringData", texts);
    g_autoptr(Object) before = NULL, written = NULL;
    gboolean created;

    before = kube_create_or_get(kube, &KUBE_SECRET, ns, secret, &created, cancel, error);
    if (!before || created)
        return before != NULL;
    json_object_del(secret, "type");
    written = kube_patch(kube, &KUBE_SECRET, ns, name, KUBE_PATCH_MERGE, secret, NULL, cancel, error);
    return written != NULL;
}

/* ---- the authority ---- */

typedef struct {
    Certificate *current;
    char *bundle; /* its certificate, and the one before */
} Authority;

static void authority_clear(Authority *authority)
{
    g_clear_pointer(&authority->current, certificate_free);
    g_free(authority->bundle);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Authority, authority_clear)

static gboolean make_authority(KubeClient *kube, const char *ns, const json_t *owner, const char *before,
                               Authority *authority, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) texts = NULL;

    authority->current = certificate_new_authority("Gantry's authority", error);
    if (!authority->current)
        return FALSE;
    authority->bundle = g_strconcat(authority->current->pem, before, NULL);
    texts = json_pack("{s:s,s:s,s:s}", "tls.crt", authority->current->pem, "tls.key",
                      authority->current->key_pem, "bundle.crt", authority->bundle);
    log_info("a new authority", "namespace", ns, "secret", SECRET, NULL);
    return write_secret(kube, ns, SECRET, "kubernetes.io/tls", owner, texts, cancel, error);
}

static gboolean find_authority(KubeClient *kube, const char *ns, const json_t *owner, Authority *authority,
                               GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) secret = find_secret(kube, ns, SECRET, cancel, &problem);
    g_autofree char *pem = secret ? secret_text(secret, "tls.crt") : NULL;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!pem || !certificate_lasts(pem, AUTHORITY_RENEW_DAYS))
        return make_authority(kube, ns, owner, pem ? pem : "", authority, cancel, error);
    authority->current = g_new0(Certificate, 1);
    authority->current->pem = g_steal_pointer(&pem);
    authority->current->key_pem = secret_text(secret, "tls.key");
    authority->bundle = secret_text(secret, "bundle.crt");
    return TRUE;
}

/* ---- the Services ---- */

static gboolean still_good(const Object *secret, const Authority *authority)
{
    g_autofree char *pem = secret_text(secret, "tls.crt"), *ca = secret_text(secret, "ca.crt");
    return pem && ca && certificate_lasts(pem, RENEW_DAYS) && !strcmp(ca, authority->current->pem);
}

static gboolean keep_service(KubeClient *kube, const char *ns, const json_t *owner,
                             const Authority *authority, const json_t *service, GChecksum *sum,
                             GCancellable *cancel, GError **error)
{
    const char *name = json_string_at(service, "metadata.name", ""),
               *wanted =
                   json_string_value(json_object_get(json_at(service, "metadata.annotations"), ANNOTATION));
    g_autofree char *in_ns = g_strdup_printf("%s.%s", name, ns), *svc = g_strconcat(in_ns, ".svc", NULL),
                    *full = g_strconcat(svc, ".cluster.local", NULL), *pem = NULL;
    const char *const names[] = {svc, name, in_ns, full, "localhost", NULL};
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) secret = find_secret(kube, ns, wanted, cancel, &problem);
    g_autoptr(Certificate) issued = NULL;
    g_autoptr(json_t) texts = NULL;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (secret && still_good(secret, authority)) {
        pem = secret_text(secret, "tls.crt");
        g_checksum_update(sum, (const guchar *)pem, -1);
        return TRUE;
    }
    issued = certificate_issue(authority->current, names, DAYS, error);
    if (!issued)
        return FALSE;
    g_checksum_update(sum, (const guchar *)issued->pem, -1);
    texts = json_pack("{s:s,s:s,s:s}", "tls.crt", issued->pem, "tls.key", issued->key_pem, "ca.crt",
                      authority->current->pem);
    return write_secret(kube, ns, wanted, "kubernetes.io/tls", owner, texts, cancel, error);
}

static gboolean write_bundle(KubeClient *kube, const char *ns, const json_t *owner, const char *bundle,
                             GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) map = json_pack("{s:s,s:s,s:{s:s,s:s,s:{s:s},s:O},s:{s:s}}", "apiVersion", "v1", "kind",
                                      "ConfigMap", "metadata", "name", CONFIG_MAP, "namespace", ns, "labels",
                                      "app", "forklift", "ownerReferences", owner, "data", "ca.crt", bundle);
    g_autoptr(Object) written =
        kube_patch(kube, &KUBE_CONFIG_MAP, ns, CONFIG_MAP, KUBE_PATCH_APPLY, map, NULL, cancel, error);
    return written != NULL;
}

gboolean authority_keep(KubeClient *kube, const char *ns, const json_t *owner, GPtrArray *templates,
                        char **bundle, char **sum, GCancellable *cancel, GError **error)
{
    g_auto(Authority) authority = {0};
    g_autoptr(GChecksum) all = g_checksum_new(G_CHECKSUM_SHA256);

    if (!find_authority(kube, ns, owner, &authority, cancel, error) ||
        !write_bundle(kube, ns, owner, authority.bundle, cancel, error))
        return FALSE;
    g_checksum_update(all, (const guchar *)authority.bundle, -1);
    for (guint i = 0; i < templates->len; i++) {
        const Template *one = templates->pdata[i];
        const json_t *annotations = json_at(one->manifest, "metadata.annotations");
        if (one->resource == &KUBE_SERVICE && json_object_get(annotations, ANNOTATION) &&
            !keep_service(kube, ns, owner, &authority, one->manifest, all, cancel, error))
            return FALSE;
    }
    *bundle = g_steal_pointer(&authority.bundle);
    *sum = g_strndup(g_checksum_get_string(all), 16);
    return TRUE;
}
