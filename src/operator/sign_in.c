/* sign_in: looks for the secret in either object, and for the console's address in its Route. */
#include "operator/sign_in.h"
#include "kube/find.h"
#include "net/random_secret.h"
#include <string.h>

#define CLIENT "forklift-ui"
#define SECRET "forklift-ui-oauth"
#define ROUTE  "virt"

static void wipe(char *secret)
{
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

/* What the console's Secret holds; NULL when that is no text. */
static char *held(const Object *secret)
{
    const char *encoded = json_string_at(object_json(secret), "data.secret", "");
    gsize size;
    g_autofree char *bytes = (char *)g_base64_decode(encoded, &size);
    char *text = size && g_utf8_validate(bytes, size, NULL) ? g_strchomp(g_strndup(bytes, size)) : NULL;

    explicit_bzero(bytes, size);
    if (text && !*text)
        g_clear_pointer(&text, g_free);
    return text;
}

static char *shared_secret(KubeClient *kube, const char *ns, const Object *client, GCancellable *cancel,
                           GError **error)
{
    const char *known = client ? json_string_at(object_json(client), "secret", "") : "";
    g_autoptr(Object) secret = NULL;
    char *text;

    if (*known)
        return g_strdup(known);
    if (!kube_find(kube, &KUBE_SECRET, ns, SECRET, &secret, cancel, error))
        return NULL;
    text = secret ? held(secret) : NULL;
    return text ? text : random_secret();
}

/* A Route that has no host yet changes nothing: to leave the addresses out would take them away. */
static gboolean fill_addresses(KubeClient *kube, const char *ns, const Object *client, json_t *manifest,
                               GCancellable *cancel, GError **error)
{
    json_t *before = client ? json_object_get(object_json(client), "redirectURIs") : NULL;
    g_autoptr(Object) route = NULL;
    const char *host;

    if (!kube_find(kube, &KUBE_ROUTE, ns, ROUTE, &route, cancel, error))
        return FALSE;
    host = route ? json_string_at(object_json(route), "spec.host", "") : "";
    if (*host) {
        g_autofree char *uri = g_strconcat("https://", host, NULL);
        json_object_set_new(manifest, "redirectURIs", json_pack("[s]", uri));
    } else if (before) {
        json_object_set(manifest, "redirectURIs", before);
    }
    return TRUE;
}

static gboolean is_named(const Template *one, const KubeResource *kind, const char *name)
{
    return one->resource == kind && !strcmp(json_string_at(one->manifest, "metadata.name", ""), name);
}

gboolean sign_in_fill(KubeClient *kube, const char *ns, const Template *one, GCancellable *cancel,
                      GError **error)
{
    gboolean is_client = is_named(one, &KUBE_OAUTH_CLIENT, CLIENT);
    g_autoptr(Object) client = NULL;
    char *secret;

    if (!is_client && !is_named(one, &KUBE_SECRET, SECRET))
        return TRUE;
    if (!kube_find(kube, &KUBE_OAUTH_CLIENT, NULL, CLIENT, &client, cancel, error))
        return FALSE;
    secret = shared_secret(kube, ns, client, cancel, error);
    if (!secret)
        return FALSE;
    if (is_client) {
        json_object_set_new(one->manifest, "secret", json_string(secret));
    } else {
        char *encoded = g_base64_encode((const guchar *)secret, strlen(secret));
        json_object_set_new(one->manifest, "data", json_pack("{s:s}", "secret", encoded));
        wipe(encoded);
    }
    wipe(secret);
    return !is_client || fill_addresses(kube, ns, client, one->manifest, cancel, error);
}
