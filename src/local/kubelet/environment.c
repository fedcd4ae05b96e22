/* environment: variables of a container. */
#include "local/kubelet/environment.h"
#include "kube/client.h"
#include <string.h>

GBytes *pod_source_value(const Object *object, const char *key)
{
    const json_t *data = json_object_get(object_json(object), "data");
    const char *text = json_string_value(json_object_get(data, key));
    const char *binary =
        json_string_value(json_object_get(json_object_get(object_json(object), "binaryData"), key));
    gboolean is_secret = !strcmp(object_kind(object), "Secret");
    gsize size;

    if (text && !is_secret)
        return g_bytes_new(text, strlen(text));
    if (is_secret)
        binary = text;
    if (!binary)
        return NULL;
    guchar *bytes = g_base64_decode(binary, &size);
    return g_bytes_new_take(bytes, size);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *pod_source_keys(const Object *object)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    static const char *const members[] = {"data", "binaryData"};
    const char *key;
    json_t *value;

    for (guint i = 0; i < G_N_ELEMENTS(members); i++)
        json_object_foreach(json_object_get(object_json(object), members[i]), key, value)
            g_ptr_array_add(keys, g_strdup(key));
    g_ptr_array_sort(keys, by_text);
    return keys;
}

char *pod_field(const json_t *pod, const char *field_path)
{
    static const char *const plain[] = {"metadata.name", "metadata.namespace",      "metadata.uid",
                                        "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
                                        "status.podIP"};
    static const char *const maps[] = {"metadata.labels", "metadata.annotations"};

    for (guint i = 0; i < G_N_ELEMENTS(plain); i++)
        if (!strcmp(field_path, plain[i]))
            return g_strdup(json_string_at(pod, field_path, ""));
    for (guint i = 0; i < G_N_ELEMENTS(maps); i++) {
        gsize len = strlen(maps[i]);
        if (strncmp(field_path, maps[i], len) || strncmp(field_path + len, "['", 2) ||
            !g_str_has_suffix(field_path, "']"))
            continue;
        g_autofree char *key = g_strndup(field_path + len + 2, strlen(field_path) - len - 4);
        const char *value = json_string_value(json_object_get(json_at(pod, maps[i]), key));
        return g_strdup(value ? value : "");
    }
    return NULL;
}

/* An ordered list of NAME=value in which a later setting takes the place of an earlier one. */
static void set(GPtrArray *environment, const char *name, const char *value)
{
    gsize len = strlen(name);

    for (guint i = 0; i < environment->len; i++) {
        char *old = environment->pdata[i];
        if (!strncmp(old, name, len) && old[len] == '=') {
            environment->pdata[i] = g_strconcat(name, "=", value, NULL);
            g_free(old);
            return;
        }
    }
    g_ptr_array_add(environment, g_strconcat(name, "=", value, NULL));
}

static const char *lookup(const char *const *environment, const char *name, gsize len)
{
    for (guint i = 0; environment && environment[i]; i++)
        if (!strncmp(environment[i], name, len) && environment[i][len] == '=')
            return environment[i] + len + 1;
    return NULL;
}

char *expand_variables(const char *text, const char *const *environment)
{
    GString *out = g_string_new(NULL);

    while (*text) {
        const char *end;
        if (text[0] == '$' && text[1] == '$') {
            g_string_append_c(out, '$');
            text += 2;
        } else if (text[0] == '$' && text[1] == '(' && (end = strchr(text, ')'))) {
            const char *value = lookup(environment, text + 2, end - text - 2);
            if (value)
                g_string_append(out, value);
            else
                g_string_append_len(out, text, end - text + 1);
            text = end + 1;
        } else {
            g_string_append_c(out, *text++);
        }
    }
    return g_string_free(out, FALSE);
}

/* One key of a Secret or ConfigMap as a text; *value stays NULL when it may be absent and is. */
static gboolean read_key(const char *kind, const json_t *reference, PodSource source, gpointer user_data,
                         char **value, GError **error)
{
    const char *name = json_string_at(reference, "name", ""), *key = json_string_at(reference, "key", "");
    gboolean optional = json_bool_at(reference, "optional", FALSE);
    g_autoptr(GError) local = NULL;
    g_autoptr(Object) object = source(kind, name, user_data, &local);

    if (!object && optional && g_error_matches(local, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return TRUE;
    if (!object) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_autoptr(GBytes) bytes = pod_source_value(object, key);
    if (!bytes && optional)
        return TRUE;
    if (!bytes) {
        g_set_error(error, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND, "%s '%s' has no key '%s'", kind, name, key);
        return FALSE;
    }
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    *value = g_strndup(data ? data : "", size);
    return TRUE;
}

static gboolean read_value_from(const json_t *pod, const json_t *from, PodSource source, gpointer user_data,
                                char **value, GError **error)
{
    const json_t *reference;

    if ((reference = json_object_get(from, "secretKeyRef")))
        return read_key("Secret", reference, source, user_data, value, error);
    if ((reference = json_object_get(from, "configMapKeyRef")))
        return read_key("ConfigMap", reference, source, user_data, value, error);
    if ((reference = json_object_get(from, "fieldRef"))) {
        const char *path = json_string_at(reference, "fieldPath", "");
        *value = pod_field(pod, path);
        if (!*value)
            g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "fieldPath '%s' is not one that a Pod offers",
                        path);
        return *value != NULL;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "valueFrom needs a fieldRef, secretKeyRef or configMapKeyRef");
    return FALSE;
}

static gboolean add_from(GPtrArray *environment, const json_t *from, PodSource source, gpointer user_data,
                         GError **error)
{
    const char *prefix = json_string_at(from, "prefix", "");
    const json_t *secret = json_object_get(from, "secretRef");
    const json_t *reference = secret ? secret : json_object_get(from, "configMapRef");
    g_autoptr(GError) local = NULL;
    g_autoptr(Object) object =
        source(secret ? "Secret" : "ConfigMap", json_string_at(reference, "name", ""), user_data, &local);

    if (!object) {
        if (json_bool_at(reference, "optional", FALSE) &&
            g_error_matches(local, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    g_autoptr(GPtrArray) keys = pod_source_keys(object);
    for (guint i = 0; i < keys->len; i++) {
        g_autoptr(GBytes) bytes = pod_source_value(object, keys->pdata[i]);
        g_autofree char *name = g_strconcat(prefix, keys->pdata[i], NULL);
        gsize size;
        const char *data = g_bytes_get_data(bytes, &size);
        g_autofree char *value = g_strndup(data ? data : "", size);
        set(environment, name, value);
    }
    return TRUE;
}

static gboolean add_variable(GPtrArray *environment, const json_t *pod, const json_t *variable,
                             PodSource source, gpointer user_data, GError **error)
{
    const char *name = json_string_at(variable, "name", "");
    const json_t *from = json_object_get(variable, "valueFrom");
    g_autofree char *value = NULL;

    if (from) {
        if (!read_value_from(pod, from, source, user_data, &value, error)) {
            g_prefix_error(error, "env '%s': ", name);
            return FALSE;
        }
        if (!value)
            return TRUE;
    } else {
        g_ptr_array_add(environment, NULL); /* as a vector for the look-up */
        value =
            expand_variables(json_string_at(variable, "value", ""), (const char *const *)environment->pdata);
        g_ptr_array_remove_index(environment, environment->len - 1);
    }
    set(environment, name, value);
    return TRUE;
}

char **container_environment(const json_t *pod, const json_t *container, const char *const *base,
                             PodSource source, gpointer user_data, GError **error)
{
    g_autoptr(GPtrArray) environment = g_ptr_array_new_with_free_func(g_free);
    const json_t *item;
    gsize i;

    for (guint j = 0; base && base[j]; j++)
        g_ptr_array_add(environment, g_strdup(base[j]));
    json_array_foreach(json_object_get(container, "envFrom"), i,
                       item) if (!add_from(environment, item, source, user_data, error)) return NULL;
    json_array_foreach(json_object_get(container, "env"), i,
                       item) if (!add_variable(environment, pod, item, source, user_data, error)) return NULL;
    g_ptr_array_add(environment, NULL);
    char **result = g_strdupv((char **)environment->pdata);
    return result;
}

char **container_command(const json_t *container, const char *const *environment)
{
    static const char *const members[] = {"command", "args"};
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    gboolean any = FALSE;

    for (guint m = 0; m < G_N_ELEMENTS(members); m++) {
        const json_t *word;
        gsize i;
        json_array_foreach(json_object_get(container, members[m]), i, word)
        {
            g_autofree char *expanded =
                expand_variables(json_string_value(word) ? json_string_value(word) : "", environment);
            g_strv_builder_add(words, expanded);
            any = TRUE;
        }
    }
    return any ? g_strv_builder_end(words) : NULL;
}
