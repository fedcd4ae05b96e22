/* manifests: create, or merge what is new. */
#include "local/manifests.h"
#include "base/yaml.h"
#include <string.h>

enum { FILE_LIMIT = 4 << 20 };

/* Strategic merge knows containers by name; custom kinds have merge patches only. */
static KubePatchType patch_type(const KubeResource *resource)
{
    gboolean builtin = !strchr(resource->group, '.') || g_str_has_suffix(resource->group, ".k8s.io");
    return builtin && strcmp(resource->group, "k8s.cni.cncf.io") ? KUBE_PATCH_STRATEGIC : KUBE_PATCH_MERGE;
}

gboolean manifest_apply(KubeClient *client, const json_t *manifest, GCancellable *cancel, GError **error)
{
    const KubeResource *resource = kube_resource_of(manifest);
    const char *name = json_string_at(manifest, "metadata.name", ""),
               *ns = json_string_at(manifest, "metadata.namespace", NULL);
    g_autofree char *text = json_text(manifest),
                    *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    g_autoptr(json_t) marked = json_deep_copy(manifest);
    gboolean created;

    if (!resource) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "%s %s '%s' is of no kind that is served here",
                    json_string_at(manifest, "apiVersion", ""), json_string_at(manifest, "kind", ""), name);
        return FALSE;
    }
    if (!json_at(marked, "metadata.annotations"))
        json_set_at_new(marked, "metadata.annotations", json_object());
    json_object_set_new(json_at(marked, "metadata.annotations"), MANIFEST_APPLIED, json_string(sum));
    g_autoptr(Object) object = kube_create_or_get(client, resource, ns, marked, &created, cancel, error);
    if (!object || created || !strcmp(object_annotation(object, MANIFEST_APPLIED, ""), sum))
        return object != NULL;
    g_autoptr(Object) patched =
        kube_patch(client, resource, ns, name, patch_type(resource), marked, NULL, cancel, error);
    return patched != NULL;
}

static gboolean apply_file(KubeClient *client, const char *path, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) manifests = yaml_parse_file(path, FILE_LIMIT, error);

    for (guint i = 0; manifests && i < manifests->len; i++) {
        if (!manifest_apply(client, manifests->pdata[i], cancel, error)) {
            g_prefix_error(error, "%s: %s '%s': ", path, json_string_at(manifests->pdata[i], "kind", ""),
                           json_string_at(manifests->pdata[i], "metadata.name", ""));
            return FALSE;
        }
    }
    return manifests != NULL;
}

gboolean manifests_apply(KubeClient *client, const char *directory, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) paths = yaml_files(directory, error);

    for (guint i = 0; paths && i < paths->len; i++)
        if (!apply_file(client, paths->pdata[i], cancel, error))
            return FALSE;
    return paths != NULL;
}
