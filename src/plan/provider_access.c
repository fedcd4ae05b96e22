/* provider_access: Secret keys to SourceAccess, and the table of open connections. */
#include "plan/provider_access.h"
#include <string.h>

enum { USER, PASSWORD, CA, FINGERPRINT };

char *secret_text(const Object *secret, const char *key)
{
    const json_t *json = secret ? object_json(secret) : NULL;
    const char *plain = json_string_value(json_object_get(json_object_get(json, "stringData"), key));
    const char *base64 = json_string_value(json_object_get(json_object_get(json, "data"), key));
    gsize size = 0;
    guchar *bytes;
    char *text;

    if (plain)
        return g_strdup(plain);
    if (!base64)
        return NULL;
    bytes = g_base64_decode(base64, &size);
    text = g_strndup((char *)bytes, size);
    g_free(bytes);
    return text;
}

void provider_access_clear(ProviderAccess *access)
{
    for (guint i = 0; i < G_N_ELEMENTS(access->texts); i++)
        g_clear_pointer(&access->texts[i], g_free);
}

void provider_access_read(const Object *provider, const Object *secret, ProviderAccess *out)
{
    const json_t *json = object_json(provider);
    g_autofree char *insecure = secret_text(secret, "insecureSkipVerify");

    out->texts[USER] = secret_text(secret, "user");
    out->texts[PASSWORD] = secret_text(secret, "password");
    out->texts[CA] = secret_text(secret, "ca.crt");
    if (!out->texts[CA] || !*out->texts[CA]) {
        g_free(out->texts[CA]);
        out->texts[CA] = secret_text(secret, "cacert");
    }
    out->texts[FINGERPRINT] = secret_text(secret, "thumbprint");
    for (int i = CA; i <= FINGERPRINT; i++) {
        if (out->texts[i])
            g_strstrip(out->texts[i]);
        if (out->texts[i] && !*out->texts[i])
            g_clear_pointer(&out->texts[i], g_free);
    }
    out->access = (SourceAccess){.type = json_string_at(json, "spec.type", ""),
                                 .url = json_string_at(json, "spec.url", ""),
                                 .user = out->texts[USER] ? out->texts[USER] : "",
                                 .password = out->texts[PASSWORD] ? out->texts[PASSWORD] : "",
                                 .trust = {.ca_pem = out->texts[CA],
                                           .fingerprint = out->texts[FINGERPRINT],
                                           .insecure = insecure && !g_ascii_strcasecmp(insecure, "true")}};
}

Object *provider_secret(KubeClient *kube, const Object *provider, GCancellable *cancel, GError **error)
{
    const json_t *json = object_json(provider);
    const char *ns = json_string_at(json, "spec.secret.namespace", "");

    return kube_get(kube, &KUBE_SECRET, *ns ? ns : object_namespace(provider),
                    json_string_at(json, "spec.secret.name", ""), cancel, error);
}

json_t *provider_access_trust(const ProviderAccess *access)
{
    const HttpTrust *trust = &access->access.trust;
    json_t *json = json_object();

    if (trust->ca_pem)
        json_object_set_new(json, "ca", json_string(trust->ca_pem));
    if (trust->fingerprint)
        json_object_set_new(json, "fingerprint", json_string(trust->fingerprint));
    if (trust->insecure)
        json_object_set_new(json, "insecure", json_true());
    return json;
}

static GMutex lock;
static GHashTable
    *sources; /* "uid/generation/secret version" → Source; never shrinks: old versions may be in use */

Source *provider_source(const Object *provider, const Object *secret, GError **error)
{
    g_autofree char *key = g_strdup_printf("%s/%" G_GINT64_FORMAT "/%s", object_uid(provider),
                                           object_generation(provider), object_resource_version(secret));
    g_auto(ProviderAccess) access = {0};
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Source *source;

    if (!sources)
        sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)source_close);
    source = g_hash_table_lookup(sources, key);
    if (source)
        return source;
    provider_access_read(provider, secret, &access);
    source = source_open(&access.access, error);
    if (source)
        g_hash_table_insert(sources, g_steal_pointer(&key), source);
    return source;
}

KubeClient *provider_target(KubeClient *kube, const Object *provider, GCancellable *cancel, GError **error)
{
    const char *url = json_string_at(object_json(provider), "spec.url", "");
    g_autoptr(Object) secret = NULL;
    g_autofree char *token = NULL;
    g_auto(ProviderAccess) access = {0};

    if (!*url)
        return kube_client_ref(kube);
    secret = provider_secret(kube, provider, cancel, error);
    if (!secret)
        return NULL;
    token = secret_text(secret, "token");
    provider_access_read(provider, secret, &access);
    return kube_client_new_token(url, &access.access.trust, token ? token : "", error);
}
