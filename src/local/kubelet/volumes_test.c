/* volumes: what becomes of a Pod's volumes. */
#include "kube/client.h"
#include "local/kubelet/volumes.h"
#include <glib/gstdio.h>
#include <string.h>

static Object *source(const char *kind, const char *name, gpointer user_data, GError **error)
{
    if (!strcmp(name, "no")) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s '%s' not found", kind, name);
        return NULL;
    }
    return object_new_take(
        json_pack("{s:s,s:{s:s,s:s}}", "kind", "Secret", "data", "user", "YQ==", "password", "Yg=="));
}

static char *claim(const char *name, gpointer user_data, GError **error)
{
    return g_strdup("/tmp");
}

/* "dest mode" and "source dest ro|rw" of each, one a line; or the error's text. */
static char *mounted(const char *volume, const char *mount)
{
    g_autofree char *text = g_strdup_printf(
        "{\"metadata\":{\"namespace\":\"n\"},\"spec\":{\"volumes\":[%s]},\"c\":{\"volumeMounts\":[%s]}}",
        volume, mount);
    g_autoptr(json_t) pod = json_parse(text, strlen(text), 1 << 20, "pod", NULL);
    g_autofree char *directory = g_dir_make_tmp("gantry-volumes-XXXXXX", NULL);
    g_autofree char *volumes = g_build_filename(directory, "volumes", NULL),
                    *made = g_build_filename(volumes, "v", NULL);
    g_autoptr(SandboxSpec) spec = sandbox_spec_new();
    g_autoptr(GError) error = NULL;
    GString *out = g_string_new(NULL);
    VolumeSources sources = {directory, source, claim, NULL, "token", "ca"};

    g_assert_nonnull(pod);
    json_set_at_new(pod, "spec.automountServiceAccountToken", json_false());
    if (!volumes_mount(spec, pod, json_object_get(pod, "c"), &sources, &error))
        g_string_assign(out, error->message);
    for (guint i = 2; !error && i < spec->files->len; i++) { /* after passwd and group */
        SandboxFile *file = spec->files->pdata[i];
        g_string_append_printf(out, "%s %04o;", file->dest, file->mode);
    }
    for (guint i = 0; !error && i < spec->mounts->len; i++) {
        SandboxMount *one = spec->mounts->pdata[i];
        gboolean own = g_str_has_prefix(one->source, directory);
        g_string_append_printf(out, "%s%s %s %s;", own ? "POD" : "",
                               own ? one->source + strlen(directory) : one->source, one->dest,
                               one->read_only ? "ro" : "rw");
    }
    g_rmdir(made);
    g_rmdir(volumes);
    g_rmdir(directory);
    return g_string_free(out, FALSE);
}

static void each_type(void)
{
    static const struct {
        const char *volume, *mount, *wanted;
    } rows[] = {
        {"{\"name\":\"v\",\"secret\":{\"secretName\":\"s\",\"defaultMode\":256}}",
         "{\"name\":\"v\",\"mountPath\":\"/etc/x\"}", "/etc/x/password 0400;/etc/x/user 0400;"},
        {"{\"name\":\"v\",\"secret\":{\"secretName\":\"s\",\"items\":[{\"key\":\"user\",\"path\":\"a/"
         "b\",\"mode\":384}]}}",
         "{\"name\":\"v\",\"mountPath\":\"/x\"}", "/x/a/b 0600;"},
        {"{\"name\":\"v\",\"secret\":{\"secretName\":\"s\"}}",
         "{\"name\":\"v\",\"mountPath\":\"/x/u\",\"subPath\":\"user\"}", "/x/u 0644;"},
        {"{\"name\":\"v\",\"emptyDir\":{}}", "{\"name\":\"v\",\"mountPath\":\"/x\"}", "POD/volumes/v /x rw;"},
        {"{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":\"c\",\"readOnly\":true}}",
         "{\"name\":\"v\",\"mountPath\":\"/x\"}", "/tmp /x ro;"},
        {"{\"name\":\"v\",\"hostPath\":{\"path\":\"/usr\"}}",
         "{\"name\":\"v\",\"mountPath\":\"/x\",\"readOnly\":true}", "/usr /x ro;"},
        {"{\"name\":\"v\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"t\"}}]}}",
         "{\"name\":\"v\",\"mountPath\":\"/x\"}", "/x/t 0600;"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = mounted(rows[i].volume, rows[i].mount);
        g_assert_cmpstr(text, ==, rows[i].wanted);
    }
}

static void errors_name_the_volume(void)
{
    static const struct {
        const char *volume, *mount, *wanted;
    } rows[] = {
        {"{\"name\":\"v\",\"secret\":{\"secretName\":\"no\"}}", "{\"name\":\"v\",\"mountPath\":\"/x\"}",
         "volume 'v': Secret 'no' not found"},
        {"{\"name\":\"v\",\"nfs\":{}}", "{\"name\":\"v\",\"mountPath\":\"/x\"}",
         "volume 'v': its type is not served here"},
        {"{\"name\":\"v\",\"emptyDir\":{}}", "{\"name\":\"w\",\"mountPath\":\"/x\"}",
         "volume 'w': mountPath '/x' must be absolute"},
        {"{\"name\":\"v\",\"emptyDir\":{}}", "{\"name\":\"v\",\"mountPath\":\"/x/../y\"}",
         "volume 'v': mountPath"},
        {"{\"name\":\"v\",\"emptyDir\":{}}",
         "{\"name\":\"v\",\"mountPath\":\"/x\",\"subPath\":\"../../etc\"}", "volume 'v': mountPath"},
        {"{\"name\":\"v\",\"hostPath\":{\"path\":\"/not/there\"}}", "{\"name\":\"v\",\"mountPath\":\"/x\"}",
         "volume 'v': hostPath '/not/there'"},
        {"{\"name\":\"v\",\"secret\":{\"secretName\":\"s\",\"items\":[{\"key\":\"user\",\"path\":\"../"
         "x\"}]}}",
         "{\"name\":\"v\",\"mountPath\":\"/x\"}", "volume 'v': path '../x'"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = mounted(rows[i].volume, rows[i].mount);
        g_assert_true(g_str_has_prefix(text, rows[i].wanted));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kubelet/volumes/each type becomes files in memory or a mount", each_type);
    g_test_add_func("/kubelet/volumes/an error names the volume and changes nothing", errors_name_the_volume);
    return g_test_run();
}
