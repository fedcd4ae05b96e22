/* volumes: a Pod's volumes as mounts and files of a sandbox. */
#include "local/kubelet/volumes.h"
#include "kube/client.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define ACCOUNT_PATH "/var/run/secrets/kubernetes.io/serviceaccount"

static void relative_file_free(gpointer data)
{
    SandboxFile *file = data;
    g_free(file->dest);
    g_bytes_unref(file->data);
    g_free(file);
}

static gboolean leaves(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (guint i = 0; parts[i]; i++)
        if (!strcmp(parts[i], ".."))
            return TRUE;
    return *path == '/';
}

static gboolean add_file(GPtrArray *set, const char *path, GBytes *data, guint mode, GError **error)
{
    if (!*path || leaves(path)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "path '%s' must be relative and must not contain '..'", path);
        return FALSE;
    }
    SandboxFile *file = g_new0(SandboxFile, 1);
    file->dest = g_strdup(path);
    file->data = g_bytes_ref(data);
    file->mode = mode;
    g_ptr_array_add(set, file);
    return TRUE;
}

static gboolean add_text(GPtrArray *set, const char *path, const char *text, guint mode, GError **error)
{
    g_autoptr(GBytes) data = g_bytes_new(text, strlen(text));
    return add_file(set, path, data, mode, error);
}

/* The keys of a Secret or ConfigMap, or those that items names. */
static gboolean add_source(GPtrArray *set, const char *kind, const char *name, const json_t *volume,
                           guint mode, const VolumeSources *sources, GError **error)
{
    const json_t *items = json_object_get(volume, "items"), *item;
    gboolean optional = json_bool_at(volume, "optional", FALSE);
    g_autoptr(GError) local = NULL;
    g_autoptr(Object) object = sources->source(kind, name, sources->user_data, &local);
    gsize i;

    if (!object && optional && g_error_matches(local, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    if (!object) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!items) {
        g_autoptr(GPtrArray) keys = pod_source_keys(object);
        for (guint k = 0; k < keys->len; k++) {
            g_autoptr(GBytes) data = pod_source_value(object, keys->pdata[k]);
            if (!add_file(set, keys->pdata[k], data, mode, error))
                return FALSE;
        }
        return TRUE;
    }
    json_array_foreach(items, i, item)
    {
        const char *key = json_string_at(item, "key", "");
        g_autoptr(GBytes) data = pod_source_value(object, key);
        if (!data && optional)
            continue;
        if (!data) {
            g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s '%s' has no key '%s'", kind, name,
                        key);
            return FALSE;
        }
        if (!add_file(set, json_string_at(item, "path", key), data, json_int_at(item, "mode", mode), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_downward(GPtrArray *set, const json_t *pod, const json_t *volume, guint mode,
                             GError **error)
{
    const json_t *item;
    gsize i;

    json_array_foreach(json_object_get(volume, "items"), i, item)
    {
        const char *path = json_string_at(item, "fieldRef.fieldPath", "");
        g_autofree char *text = pod_field(pod, path);
        if (!text) {
            g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "fieldPath '%s' is not one that a Pod offers",
                        path);
            return FALSE;
        }
        if (!add_text(set, json_string_at(item, "path", ""), text, json_int_at(item, "mode", mode), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_projected(GPtrArray *set, const json_t *pod, const json_t *volume, guint mode,
                              const VolumeSources *sources, GError **error)
{
    const json_t *source, *part;
    gsize i;

    json_array_foreach(json_object_get(volume, "sources"), i, source)
    {
        gboolean done = TRUE;
        if ((part = json_object_get(source, "secret")))
            done = add_source(set, "Secret", json_string_at(part, "name", ""), part, mode, sources, error);
        else if ((part = json_object_get(source, "configMap")))
            done = add_source(set, "ConfigMap", json_string_at(part, "name", ""), part, mode, sources, error);
        else if ((part = json_object_get(source, "downwardAPI")))
            done = add_downward(set, pod, part, mode, error);
        else if ((part = json_object_get(source, "serviceAccountToken")))
            done = add_text(set, json_string_at(part, "path", "token"), sources->token, 0600, error);
        if (!done)
            return FALSE;
    }
    return TRUE;
}

/* Gives the files of a volume that is made of files, NULL without an error when it is none of those. */
static GPtrArray *volume_files(const json_t *pod, const json_t *volume, const VolumeSources *sources,
                               GError **error)
{
    static const char *const kinds[] = {"secret", "configMap", "projected", "downwardAPI"};
    g_autoptr(GPtrArray) set = g_ptr_array_new_with_free_func(relative_file_free);
    const json_t *part = NULL;
    guint kind;
    gboolean done;

    for (kind = 0; kind < G_N_ELEMENTS(kinds) && !part; kind++)
        part = json_object_get(volume, kinds[kind]);
    if (!part)
        return NULL;
    guint mode = json_int_at(part, "defaultMode", 0644);
    switch (kind - 1) {
    case 0:
        done = add_source(set, "Secret", json_string_at(part, "secretName", ""), part, mode, sources, error);
        break;
    case 1:
        done = add_source(set, "ConfigMap", json_string_at(part, "name", ""), part, mode, sources, error);
        break;
    case 2:
        done = add_projected(set, pod, part, mode, sources, error);
        break;
    default:
        done = add_downward(set, pod, part, mode, error);
    }
    return done ? g_steal_pointer(&set) : NULL;
}

static gboolean make_directory(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0755) == 0)
        return TRUE;
    g_set_error(error, GANTRY_ERROR, ERROR_IO, "%s: %s", path, g_strerror(errno));
    return FALSE;
}

/* The directory on this machine behind a volume. */
static char *volume_directory(const json_t *volume, const VolumeSources *sources, gboolean *read_only,
                              GError **error)
{
    const char *name = json_string_at(volume, "name", "");
    const char *claim = json_string_at(volume, "persistentVolumeClaim.claimName", NULL);
    const json_t *host = json_object_get(volume, "hostPath");

    if (claim) {
        *read_only |= json_bool_at(volume, "persistentVolumeClaim.readOnly", FALSE);
        return sources->claim(claim, sources->user_data, error);
    }
    if (host) {
        const char *path = json_string_at(host, "path", "");
        if (g_str_has_prefix(json_string_at(host, "type", ""), "DirectoryOrCreate") &&
            !make_directory(path, error))
            return NULL;
        if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
            g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND,
                        "hostPath '%s' does not exist on this machine", path);
            return NULL;
        }
        return g_strdup(path);
    }
    if (json_object_get(volume, "emptyDir")) {
        g_autofree char *path = g_build_filename(sources->directory, "volumes", name, NULL);
        return make_directory(path, error) ? g_steal_pointer(&path) : NULL;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "its type is not served here; use secret, configMap, emptyDir, persistentVolumeClaim, "
                "hostPath, downwardAPI or projected");
    return NULL;
}

static gboolean mount_files(SandboxSpec *spec, GPtrArray *set, const char *path, const char *sub_path,
                            const VolumeSources *sources, GError **error)
{
    if (!set->len) {
        g_autofree char *empty = g_build_filename(sources->directory, "volumes", ".empty", NULL);
        if (!make_directory(empty, error))
            return FALSE;
        sandbox_spec_mount(spec, empty, path, TRUE);
        return TRUE;
    }
    for (guint i = 0; i < set->len; i++) {
        SandboxFile *file = set->pdata[i];
        g_autofree char *dest = g_build_filename(path, file->dest, NULL);
        if (!*sub_path)
            sandbox_spec_file(spec, dest, file->data, file->mode);
        else if (!strcmp(sub_path, file->dest))
            sandbox_spec_file(spec, path, file->data, file->mode);
    }
    return TRUE;
}

static const json_t *find_volume(const json_t *pod, const char *name)
{
    const json_t *volume;
    gsize i;

    json_array_foreach(json_at(pod, "spec.volumes"), i,
                       volume) if (!strcmp(json_string_at(volume, "name", ""), name)) return volume;
    return NULL;
}

static gboolean mount_one(SandboxSpec *spec, const json_t *pod, const json_t *mount,
                          const VolumeSources *sources, GError **error)
{
    const char *name = json_string_at(mount, "name", ""), *path = json_string_at(mount, "mountPath", "");
    const char *sub_path = json_string_at(mount, "subPath", "");
    gboolean read_only = json_bool_at(mount, "readOnly", FALSE);
    const json_t *volume = find_volume(pod, name);
    g_autoptr(GError) local = NULL;

    if (!volume || *path != '/' || leaves(path + 1) || leaves(sub_path)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "mountPath '%s' must be absolute, without '..', and its volume must exist", path);
        return FALSE;
    }
    g_autoptr(GPtrArray) set = volume_files(pod, volume, sources, &local);
    if (set)
        return mount_files(spec, set, path, sub_path, sources, error);
    g_autofree char *directory = local ? NULL : volume_directory(volume, sources, &read_only, &local);
    if (!directory) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_autofree char *source = *sub_path ? g_build_filename(directory, sub_path, NULL) : g_strdup(directory);
    if (!g_file_test(source, G_FILE_TEST_EXISTS) && !make_directory(source, error))
        return FALSE;
    sandbox_spec_mount(spec, source, path, read_only);
    return TRUE;
}

static gboolean mounts_account(const json_t *container)
{
    const json_t *mount;
    gsize i;

    json_array_foreach(json_object_get(container, "volumeMounts"), i,
                       mount) if (!strcmp(json_string_at(mount, "mountPath", ""), ACCOUNT_PATH)) return TRUE;
    return FALSE;
}

static void mount_account(SandboxSpec *spec, const json_t *pod, const VolumeSources *sources)
{
    const struct {
        const char *path, *text;
        guint mode;
    } files[] = {{ACCOUNT_PATH "/token", sources->token, 0600},
                 {ACCOUNT_PATH "/ca.crt", sources->ca, 0644},
                 {ACCOUNT_PATH "/namespace", json_string_at(pod, "metadata.namespace", ""), 0644}};

    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GBytes) data = g_bytes_new(files[i].text, strlen(files[i].text));
        sandbox_spec_file(spec, files[i].path, data, files[i].mode);
    }
}

gboolean volumes_mount(SandboxSpec *spec, const json_t *pod, const json_t *container,
                       const VolumeSources *sources, GError **error)
{
    const json_t *mount;
    gsize i;

    json_array_foreach(json_object_get(container, "volumeMounts"), i, mount)
    {
        if (!mount_one(spec, pod, mount, sources, error)) {
            g_prefix_error(error, "volume '%s': ", json_string_at(mount, "name", ""));
            return FALSE;
        }
    }
    if (json_bool_at(pod, "spec.automountServiceAccountToken", TRUE) && !mounts_account(container))
        mount_account(spec, pod, sources);
    return TRUE;
}
