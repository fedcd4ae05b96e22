/* Any request target: what is read from it is what a client that asks for it would have written. */
#include "local/apiserver/path.h"
#include "kube/client.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    /* A client never asks for these in a namespace, and percent-encoded they could be. */
    static const char *const special[] = {"namespaces", "status", "finalize", NULL};
    g_autofree char *target = g_strndup((const char *)data, size), *written = NULL;
    g_auto(ApiPath) path = {0}, again = {0};
    KubeResource resource;

    api_path_parse(target, &path);
    g_assert(path.group && path.version && path.plural && path.ns && path.name && path.sub && path.rest);
    if (!*path.version || !*path.plural || !*path.name || !*path.sub || g_strv_contains(special, path.plural))
        return 0;
    resource = (KubeResource){
        .group = path.group, .version = path.version, .plural = path.plural, .namespaced = *path.ns != 0};
    written = kube_path(&resource, path.ns, path.name, path.sub);
    api_path_parse(written, &again);
    g_assert_cmpstr(again.group, ==, path.group);
    g_assert_cmpstr(again.version, ==, path.version);
    g_assert_cmpstr(again.plural, ==, path.plural);
    g_assert_cmpstr(again.ns, ==, path.ns);
    g_assert_cmpstr(again.name, ==, path.name);
    g_assert_cmpstr(again.sub, ==, path.sub);
    return 0;
}
