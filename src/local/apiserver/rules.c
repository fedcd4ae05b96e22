/* rules: a table of kinds, each with what is filled in and what is checked. */
#include "local/apiserver/rules.h"
#include "kube/selector.h"
#include "local/apiserver/auth.h"
#include <string.h>

/* ---- metadata ---- */

static gboolean all_of(const char *text, gsize size, const char *also)
{
    for (gsize i = 0; i < size; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr(also, text[i]))
            return FALSE;
    return TRUE;
}

static gboolean is_lower(const char *text)
{
    for (; *text; text++)
        if (g_ascii_isupper(*text))
            return FALSE;
    return TRUE;
}

static gboolean ends_alphanumeric(const char *text, gsize size)
{
    return size && g_ascii_isalnum(text[0]) && g_ascii_isalnum(text[size - 1]);
}

/* RFC 1123: labels of [a-z0-9-] joined by dots. */
static gboolean is_dns_subdomain(const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);

    if (!*name || strlen(name) > 253 || !is_lower(name))
        return FALSE;
    for (char **label = labels; *label; label++)
        if (!ends_alphanumeric(*label, strlen(*label)) || !all_of(*label, strlen(*label), "-"))
            return FALSE;
    return TRUE;
}

static gboolean is_dns_label(const char *name)
{
    return strlen(name) <= 63 && !strchr(name, '.') && is_dns_subdomain(name);
}

/* "prefix/name" or "name". */
static gboolean is_qualified(const char *key)
{
    const char *slash = strchr(key, '/');
    g_autofree char *prefix = slash ? g_ascii_strdown(key, slash - key) : NULL;
    const char *name = slash ? slash + 1 : key;
    gsize size = strlen(name);

    return (!prefix || is_dns_subdomain(prefix)) && size <= 63 && ends_alphanumeric(name, size) &&
           all_of(name, size, "-_.");
}

static gboolean is_label_value(const char *value)
{
    gsize size = strlen(value);
    return !size || (size <= 63 && ends_alphanumeric(value, size) && all_of(value, size, "-_."));
}

static void validate_name(const Request *request, const char *name, GPtrArray *causes)
{
    const char *resource = request->kind->resource;
    gboolean path_name = !strcmp(request->kind->group, "rbac.authorization.k8s.io");
    gboolean label_name = !strcmp(resource, "namespaces") || !strcmp(resource, "services");

    if (path_name    ? *name && !strpbrk(name, "/%") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0
        : label_name ? is_dns_label(name)
                     : is_dns_subdomain(name))
        return;
    schema_cause_add(causes, "FieldValueInvalid", "metadata.name",
                     "Invalid value: \"%s\": a lowercase RFC 1123 %s must consist of lower case alphanumeric "
                     "characters%s or '-', "
                     "and must start and end with an alphanumeric character (e.g. 'my-name')",
                     name, label_name ? "label" : "subdomain", label_name ? "" : ", '.'");
}

static void validate_map(const json_t *map, const char *path, gboolean labels, GPtrArray *causes)
{
    const char *key;
    json_t *value;
    gsize size = 0;

    json_object_foreach ((json_t *)map, key, value) {
        const char *text = json_string_value(value);
        size += strlen(key) + (text ? strlen(text) : 0);
        if (!is_qualified(key))
            schema_cause_add(causes, "FieldValueInvalid", path,
                             "Invalid value: \"%s\": name part must consist of alphanumeric characters, '-', "
                             "'_' or '.', and must "
                             "start and end with an alphanumeric character (e.g. 'example.com/my-name')",
                             key);
        if (labels && text && !is_label_value(text))
            schema_cause_add(causes, "FieldValueInvalid", path,
                             "Invalid value: \"%s\": a valid label must be an empty string or at most 63 "
                             "alphanumeric characters, '-', "
                             "'_' or '.', and must start and end with an alphanumeric character",
                             text);
    }
    if (!labels && size > 256 << 10)
        schema_cause_add(causes, "FieldValueTooLong", path, "Too long: may not be more than 262144 bytes");
}

/* Who deletes waits for the finalizers that there are, not for more and more. */
static void refuse_late_finalizers(const json_t *before, const json_t *metadata, GPtrArray *causes)
{
    g_autoptr(GString) late = g_string_new(NULL);
    size_t i, n;
    json_t *finalizer, *known;

    if (!json_at(before, "metadata.deletionTimestamp"))
        return;
    json_array_foreach (json_object_get(metadata, "finalizers"), i, finalizer) {
        gboolean found = FALSE;
        json_array_foreach (json_at(before, "metadata.finalizers"), n, known)
            found |= json_equal(known, finalizer);
        if (!found && json_is_string(finalizer))
            g_string_append_printf(late, "%s\"%s\"", late->len ? ", " : "", json_string_value(finalizer));
    }
    if (late->len)
        schema_cause_add(
            causes, "FieldValueForbidden", "metadata.finalizers",
            "Forbidden: no new finalizers can be added if the object is being deleted, found new "
            "finalizers []string{%s}",
            late->str);
}

void rules_validate_metadata(const Request *request, const json_t *before, const json_t *object,
                             GPtrArray *causes)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const Schema *type = schema_set_type(kinds_core_types(request->server->kinds), "ObjectMeta");
    size_t i;
    json_t *finalizer;

    refuse_late_finalizers(before, metadata, causes);
    schema_validate_part(type, metadata, "metadata", causes);
    validate_name(request, json_string_at(metadata, "name", ""), causes);
    validate_map(json_object_get(metadata, "labels"), "metadata.labels", TRUE, causes);
    validate_map(json_object_get(metadata, "annotations"), "metadata.annotations", FALSE, causes);
    json_array_foreach (json_object_get(metadata, "finalizers"), i, finalizer) {
        const char *text = json_string_value(finalizer);
        if (text && !is_qualified(text))
            schema_cause_add(causes, "FieldValueInvalid", "metadata.finalizers",
                             "Invalid value: \"%s\": must be a qualified name", text);
    }
}

/* ---- shared checks ---- */

static void immutable(const json_t *before, const json_t *object, const char *path, GPtrArray *causes)
{
    const json_t *old = before ? json_at(before, path) : NULL, *new = json_at(object, path);

    if (!before || (!old && !new) || (old && new &&json_equal(old, new)))
        return;
    schema_cause_add(causes, "FieldValueInvalid", path, "Invalid value: field is immutable");
}

static void required(const json_t *object, const char *path, GPtrArray *causes)
{
    const json_t *value = json_at(object, path);
    if (!value || (json_is_string(value) && !*json_string_value(value)) ||
        (json_is_array(value) && !json_array_size(value)))
        schema_cause_add(causes, "FieldValueRequired", path, "Required value");
}

/* ---- Secrets and ConfigMaps ---- */

static void prepare_secret(Request *request, const json_t *before, json_t *object)
{
    json_t *plain = json_object_get(object, "stringData");
    const char *key;
    json_t *value;

    json_object_foreach (plain, key, value) {
        const char *text = json_string_value(value);
        g_autofree char *base64 = text ? g_base64_encode((const guchar *)text, strlen(text)) : NULL;
        if (!base64)
            return; /* the wrong type stays for validation to name */
        if (!json_is_object(json_object_get(object, "data")))
            json_object_set_new(object, "data", json_object());
        json_object_set_new(json_object_get(object, "data"), key, json_string(base64));
    }
    json_object_del(object, "stringData");
    if (!json_object_get(object, "type"))
        json_object_set_new(object, "type", json_string(json_string_at(before, "type", "Opaque")));
    if (!before && !strcmp(json_string_at(object, "type", ""), "kubernetes.io/service-account-token") &&
        !request->dry_run)
        auth_fill_token_secret(request->server, object);
}

static void frozen(const json_t *before, const json_t *object, GPtrArray *causes)
{
    if (!before || !json_bool_at(before, "immutable", FALSE))
        return;
    if (!json_bool_at(object, "immutable", FALSE))
        schema_cause_add(causes, "FieldValueForbidden", "immutable",
                         "Forbidden: field is immutable when `immutable` is set");
    if (!json_equal(json_object_get(before, "data"), json_object_get(object, "data")))
        schema_cause_add(causes, "FieldValueForbidden", "data",
                         "Forbidden: field is immutable when `immutable` is set");
}

static void validate_keys(const json_t *map, const char *path, GPtrArray *causes)
{
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)map, key, value)
        if (!*key || strlen(key) > 253 || !all_of(key, strlen(key), "-_.") || !strcmp(key, ".") ||
            !strcmp(key, ".."))
            schema_cause_add(
                causes, "FieldValueInvalid", path,
                "Invalid value: \"%s\": a valid config key must consist of alphanumeric characters, "
                "'-', '_' or '.'",
                key);
}

static void validate_secret(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    static const struct {
        const char *type, *key;
    } needs[] = {{"kubernetes.io/tls", "tls.crt"},
                 {"kubernetes.io/tls", "tls.key"},
                 {"kubernetes.io/dockerconfigjson", ".dockerconfigjson"},
                 {"kubernetes.io/ssh-auth", "ssh-privatekey"}};
    const json_t *data = json_object_get(object, "data");

    immutable(before, object, "type", causes);
    frozen(before, object, causes);
    validate_keys(data, "data", causes);
    for (guint i = 0; i < G_N_ELEMENTS(needs); i++)
        if (!strcmp(json_string_at(object, "type", ""), needs[i].type) &&
            !json_object_get(data, needs[i].key)) {
            g_autofree char *path = g_strdup_printf("data[%s]", needs[i].key);
            schema_cause_add(causes, "FieldValueRequired", path, "Required value");
        }
}

static void validate_config_map(Request *request, const json_t *before, const json_t *object,
                                GPtrArray *causes)
{
    frozen(before, object, causes);
    validate_keys(json_object_get(object, "data"), "data", causes);
    validate_keys(json_object_get(object, "binaryData"), "binaryData", causes);
}

/* ---- Namespaces ---- */

static void prepare_namespace(Request *request, const json_t *before, json_t *object)
{
    const char *name = json_string_at(object, "metadata.name", "");
    json_t *labels = json_at(object, "metadata.labels");

    if (!before) {
        json_set_at_new(object, "spec.finalizers", json_pack("[s]", "kubernetes"));
        json_set_at_new(object, "status.phase", json_string("Active"));
    } else if (!*request->sub) {
        json_object_set(object, "spec", json_object_get(before, "spec")); /* changed by finalize only */
    }
    if (!json_is_object(labels)) {
        json_set_at_new(object, "metadata.labels", json_object());
        labels = json_at(object, "metadata.labels");
    }
    json_object_set_new(labels, "kubernetes.io/metadata.name", json_string(name));
}

/* ---- Pods and what makes them ---- */

static void prepare_containers(json_t *list)
{
    size_t i;
    json_t *container;

    json_array_foreach (list, i, container) {
        const char *image = json_string_at(container, "image", "");
        const char *slash = strrchr(image, '/'), *tag = strchr(slash ? slash : image, ':');
        gboolean latest = !strchr(image, '@') && (!tag || !strcmp(tag, ":latest"));

        if (json_is_object(container) && !json_object_get(container, "imagePullPolicy"))
            json_object_set_new(container, "imagePullPolicy",
                                json_string(latest ? "Always" : "IfNotPresent"));
    }
}

static void prepare_pod_spec(json_t *spec)
{
    prepare_containers(json_object_get(spec, "containers"));
    prepare_containers(json_object_get(spec, "initContainers"));
    if (json_is_object(spec) && json_object_get(spec, "serviceAccountName"))
        json_object_set(spec, "serviceAccount", json_object_get(spec, "serviceAccountName"));
}

/* Guaranteed when every container limits both what it requests, BestEffort when none says anything. */
static const char *quality_of(const json_t *spec)
{
    gboolean any = FALSE, all = TRUE;
    size_t i;
    json_t *container;

    json_array_foreach (json_object_get(spec, "containers"), i, container) {
        const json_t *limits = json_at(container, "resources.limits"),
                     *requests = json_at(container, "resources.requests");
        any |= json_object_size(limits) || json_object_size(requests);
        all &= json_object_get(limits, "cpu") && json_object_get(limits, "memory") &&
               (!requests || json_equal(limits, requests));
    }
    return !any ? "BestEffort" : all ? "Guaranteed" : "Burstable";
}

static void prepare_pod(Request *request, const json_t *before, json_t *object)
{
    json_t *spec = json_object_get(object, "spec");

    if (before || !json_is_object(spec))
        return;
    if (!json_object_get(spec, "serviceAccountName"))
        json_object_set_new(spec, "serviceAccountName", json_string("default"));
    prepare_pod_spec(spec);
    json_set_at_new(object, "status.phase", json_string("Pending"));
    json_set_at_new(object, "status.qosClass", json_string(quality_of(spec)));
}

/* The spec without what may change while a Pod lives. */
static json_t *fixed_part(const json_t *pod)
{
    static const char *const may_change[] = {"activeDeadlineSeconds", "terminationGracePeriodSeconds",
                                             "tolerations",           "nodeName",
                                             "schedulingGates",       "ephemeralContainers"};
    json_t *spec = json_deep_copy(json_object_get(pod, "spec"));
    size_t i;
    json_t *container;

    for (guint n = 0; n < G_N_ELEMENTS(may_change); n++)
        json_object_del(spec, may_change[n]);
    json_array_foreach (json_object_get(spec, "containers"), i, container)
        json_object_del(container, "image");
    json_array_foreach (json_object_get(spec, "initContainers"), i, container)
        json_object_del(container, "image");
    return spec;
}

static gboolean has_volume(const json_t *pod, const char *name)
{
    size_t i;
    json_t *volume;

    json_array_foreach (json_at(pod, "spec.volumes"), i, volume)
        if (!strcmp(json_string_at(volume, "name", ""), name))
            return TRUE;
    return FALSE;
}

/* Each has an image, and mounts only what the Pod has. */
static void validate_containers(const json_t *pod, const char *list, GPtrArray *causes)
{
    size_t i, n;
    json_t *container, *mount;

    json_array_foreach (json_object_get(json_object_get(pod, "spec"), list), i, container) {
        g_autofree char *image = g_strdup_printf("spec.%s[%zu].image", list, i);
        if (!*json_string_at(container, "image", ""))
            schema_cause_add(causes, "FieldValueRequired", image, "Required value");
        json_array_foreach (json_object_get(container, "volumeMounts"), n, mount) {
            const char *name = json_string_at(mount, "name", "");
            g_autofree char *path = g_strdup_printf("spec.%s[%zu].volumeMounts[%zu].name", list, i, n);
            if (!has_volume(pod, name))
                schema_cause_add(causes, "FieldValueNotFound", path, "Not found: \"%s\"", name);
        }
    }
}

static void validate_pod(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    required(object, "spec.containers", causes);
    validate_containers(object, "containers", causes);
    validate_containers(object, "initContainers", causes);
    if (before) {
        g_autoptr(json_t) old = fixed_part(before);
        g_autoptr(json_t) new = fixed_part(object);
        const char *node = json_string_at(before, "spec.nodeName", "");
        if (!json_equal(old, new))
            schema_cause_add(
                causes, "FieldValueForbidden", "spec",
                "Forbidden: pod updates may not change fields other than `spec.containers[*].image`, "
                "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` (only "
                "additions to existing "
                "tolerations), `spec.terminationGracePeriodSeconds`");
        if (*node)
            immutable(before, object, "spec.nodeName", causes);
    }
}

static void validate_selector(const json_t *object, GPtrArray *causes)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Selector) selector = selector_from_json(json_at(object, "spec.selector"), &error);
    const json_t *template = json_at(object, "spec.template");

    if (!selector)
        schema_cause_add(causes, "FieldValueInvalid", "spec.selector", "Invalid value: %s", error->message);
    else if (!json_object_size(json_at(object, "spec.selector")))
        schema_cause_add(causes, "FieldValueInvalid", "spec.selector",
                         "Invalid value: empty selector is invalid");
    else if (!selector_matches(selector, template))
        schema_cause_add(causes, "FieldValueInvalid", "spec.template.metadata.labels",
                         "Invalid value: `selector` does not match template `labels`");
}

static void prepare_deployment(Request *request, const json_t *before, json_t *object)
{
    prepare_pod_spec(json_at(object, "spec.template.spec"));
    if (!json_is_object(json_object_get(object, "spec")))
        return;
    if (!json_at(object, "spec.strategy.type"))
        json_set_at_new(object, "spec.strategy.type", json_string("RollingUpdate"));
    if (strcmp(json_string_at(object, "spec.strategy.type", ""), "RollingUpdate") != 0)
        return;
    if (!json_at(object, "spec.strategy.rollingUpdate.maxSurge"))
        json_set_at_new(object, "spec.strategy.rollingUpdate.maxSurge", json_string("25%"));
    if (!json_at(object, "spec.strategy.rollingUpdate.maxUnavailable"))
        json_set_at_new(object, "spec.strategy.rollingUpdate.maxUnavailable", json_string("25%"));
}

static void validate_deployment(Request *request, const json_t *before, const json_t *object,
                                GPtrArray *causes)
{
    const char *restart = json_string_at(object, "spec.template.spec.restartPolicy", "Always");

    immutable(before, object, "spec.selector", causes);
    validate_selector(object, causes);
    required(object, "spec.template.spec.containers", causes);
    if (strcmp(restart, "Always") != 0)
        schema_cause_add(causes, "FieldValueNotSupported", "spec.template.spec.restartPolicy",
                         "Unsupported value: \"%s\": supported values: \"Always\"", restart);
}

static void prepare_replica_set(Request *request, const json_t *before, json_t *object)
{
    prepare_pod_spec(json_at(object, "spec.template.spec"));
}

static void label_template(json_t *object, const char *key, const char *value)
{
    json_t *labels = json_at(object, "spec.template.metadata.labels");

    if (!json_is_object(labels)) {
        json_set_at_new(object, "spec.template.metadata.labels", json_object());
        labels = json_at(object, "spec.template.metadata.labels");
    }
    if (labels)
        json_object_set_new(labels, key, json_string(value));
}

/* A Job selects its Pods by its own uid unless it is told otherwise. */
static void prepare_job(Request *request, const json_t *before, json_t *object)
{
    const char *uid = json_string_at(object, "metadata.uid", ""),
               *name = json_string_at(object, "metadata.name", "");

    prepare_pod_spec(json_at(object, "spec.template.spec"));
    if (before || !json_is_object(json_object_get(object, "spec")))
        return;
    if (!json_at(object, "spec.completions") && !json_at(object, "spec.parallelism"))
        json_set_at_new(object, "spec.completions", json_integer(1));
    if (!json_bool_at(object, "spec.manualSelector", FALSE)) {
        json_set_at_new(object, "spec.selector",
                        json_pack("{s:{s:s}}", "matchLabels", "batch.kubernetes.io/controller-uid", uid));
        label_template(object, "batch.kubernetes.io/controller-uid", uid);
        label_template(object, "controller-uid", uid);
    }
    label_template(object, "batch.kubernetes.io/job-name", name);
    label_template(object, "job-name", name);
}

static void validate_job(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    const char *restart = json_string_at(object, "spec.template.spec.restartPolicy", "Always");

    immutable(before, object, "spec.selector", causes);
    immutable(before, object, "spec.template", causes);
    immutable(before, object, "spec.completions", causes);
    required(object, "spec.template.spec.containers", causes);
    if (!strcmp(restart, "Always"))
        schema_cause_add(causes, "FieldValueNotSupported", "spec.template.spec.restartPolicy",
                         "Unsupported value: \"Always\": supported values: \"OnFailure\", \"Never\"");
}

/* ---- Services ---- */

static void prepare_service(Request *request, const json_t *before, json_t *object)
{
    size_t i;
    json_t *port;
    const json_t *address = json_at(object, "spec.clusterIP");

    json_array_foreach (json_at(object, "spec.ports"), i, port)
        if (json_is_object(port) && !json_object_get(port, "targetPort") && json_object_get(port, "port"))
            json_object_set(port, "targetPort", json_object_get(port, "port"));
    if (before && !address && json_is_object(json_object_get(object, "spec")) &&
        json_at(before, "spec.clusterIP")) {
        json_set_at_new(object, "spec.clusterIP", json_incref(json_at(before, "spec.clusterIP")));
        json_set_at_new(object, "spec.clusterIPs", json_incref(json_at(before, "spec.clusterIPs")));
    }
}

static void validate_service(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    const json_t *ports = json_at(object, "spec.ports");
    size_t i;
    json_t *port;

    if (strcmp(json_string_at(object, "spec.type", "ClusterIP"), "ExternalName") != 0 &&
        strcmp(json_string_at(object, "spec.clusterIP", ""), "None") != 0)
        required(object, "spec.ports", causes);
    if (before && *json_string_at(before, "spec.clusterIP", ""))
        immutable(before, object, "spec.clusterIP", causes);
    json_array_foreach (ports, i, port)
        if (json_array_size(ports) > 1 && !*json_string_at(port, "name", "")) {
            g_autofree char *path = g_strdup_printf("spec.ports[%zu].name", i);
            schema_cause_add(causes, "FieldValueRequired", path, "Required value");
        }
}

/* ---- storage ---- */

static gboolean is_default_class(const json_t *class)
{
    const json_t *annotations = json_at(class, "metadata.annotations");
    return !g_strcmp0(
        json_string_value(json_object_get(annotations, "storageclass.kubernetes.io/is-default-class")),
        "true");
}

static void prepare_claim(Request *request, const json_t *before, json_t *object)
{
    g_autoptr(GPtrArray) classes = NULL;
    guint64 revision;

    if (before || json_at(object, "spec.storageClassName") ||
        !json_is_object(json_object_get(object, "spec"))) {
        if (!before)
            json_set_at_new(object, "status.phase", json_string("Pending"));
        return;
    }
    json_set_at_new(object, "status.phase", json_string("Pending"));
    classes =
        store_list(request->server->store, "storageclasses.storage.k8s.io", NULL, NULL, NULL, &revision);
    for (guint i = 0; i < classes->len; i++) {
        g_autoptr(json_t) class = record_json(g_ptr_array_index(classes, i));
        if (is_default_class(class)) {
            json_set_at_new(object, "spec.storageClassName", json_incref(json_at(class, "metadata.name")));
            return;
        }
    }
}

static json_t *claim_fixed_part(const json_t *claim)
{
    json_t *spec = json_deep_copy(json_object_get(claim, "spec"));
    json_object_del(spec, "resources");
    json_object_del(spec, "volumeName");
    json_object_del(spec, "volumeAttributesClassName");
    if (!*json_string_at(spec, "storageClassName", ""))
        json_object_del(spec, "storageClassName");
    return spec;
}

static void validate_claim(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    required(object, "spec.accessModes", causes);
    required(object, "spec.resources.requests.storage", causes);
    if (before) {
        g_autoptr(json_t) old = claim_fixed_part(before);
        g_autoptr(json_t) new = claim_fixed_part(object);
        if (!json_object_get(old, "storageClassName"))
            json_object_del(new, "storageClassName");
        if (!json_equal(old, new))
            schema_cause_add(causes, "FieldValueForbidden", "spec",
                             "Forbidden: spec is immutable after creation except resources.requests and "
                             "volumeAttributesClassName for bound claims");
        if (*json_string_at(before, "spec.volumeName", ""))
            immutable(before, object, "spec.volumeName", causes);
    }
}

static void prepare_volume(Request *request, const json_t *before, json_t *object)
{
    if (!before)
        json_set_at_new(object, "status.phase", json_string("Pending"));
}

static void validate_volume(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    required(object, "spec.accessModes", causes);
    required(object, "spec.capacity.storage", causes);
}

static void validate_class(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    immutable(before, object, "provisioner", causes);
    immutable(before, object, "parameters", causes);
    immutable(before, object, "reclaimPolicy", causes);
    immutable(before, object, "volumeBindingMode", causes);
}

/* ---- rights ---- */

static void validate_role(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    size_t i;
    json_t *rule;

    json_array_foreach (json_object_get(object, "rules"), i, rule) {
        g_autofree char *path = g_strdup_printf("rules[%zu].verbs", i);
        if (!json_array_size(json_object_get(rule, "verbs")))
            schema_cause_add(causes, "FieldValueRequired", path,
                             "Required value: verbs must contain at least one value");
    }
}

static void validate_binding(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    static const char *const kinds[] = {"ServiceAccount", "User", "Group", NULL};
    const json_t *role = json_object_get(object, "roleRef");
    size_t i;
    json_t *subject;

    json_array_foreach (json_object_get(object, "subjects"), i, subject) {
        g_autofree char *path = g_strdup_printf("subjects[%zu].kind", i);
        const char *kind = json_string_at(subject, "kind", "");
        if (!g_strv_contains(kinds, kind))
            schema_cause_add(
                causes, "FieldValueNotSupported", path,
                "Unsupported value: \"%s\": supported values: \"ServiceAccount\", \"User\", \"Group\"", kind);
    }
    if (before && !json_equal(role, json_object_get(before, "roleRef")))
        schema_cause_add(
            causes, "FieldValueInvalid", "roleRef",
            "Invalid value: {\"APIGroup\":\"%s\",\"Kind\":\"%s\",\"Name\":\"%s\"}: cannot change roleRef",
            json_string_at(role, "apiGroup", ""), json_string_at(role, "kind", ""),
            json_string_at(role, "name", ""));
}

/* ---- definitions ---- */

static void validate_definition(Request *request, const json_t *before, const json_t *object,
                                GPtrArray *causes)
{
    immutable(before, object, "spec.group", causes);
    immutable(before, object, "spec.scope", causes);
    immutable(before, object, "spec.names.plural", causes);
    immutable(before, object, "spec.names.kind", causes);
    if (!causes->len)
        kinds_prepare_definition(request->server->kinds, (json_t *)object, causes);
}

/* ---- the table ---- */

static const struct {
    const char *resource;
    void (*prepare)(Request *request, const json_t *before, json_t *object);
    void (*validate)(Request *request, const json_t *before, const json_t *object, GPtrArray *causes);
} rules[] = {
    {"secrets", prepare_secret, validate_secret},
    {"configmaps", NULL, validate_config_map},
    {"namespaces", prepare_namespace, NULL},
    {"pods", prepare_pod, validate_pod},
    {"deployments.apps", prepare_deployment, validate_deployment},
    {"replicasets.apps", prepare_replica_set, NULL},
    {"jobs.batch", prepare_job, validate_job},
    {"services", prepare_service, validate_service},
    {"persistentvolumeclaims", prepare_claim, validate_claim},
    {"persistentvolumes", prepare_volume, validate_volume},
    {"storageclasses.storage.k8s.io", NULL, validate_class},
    {"roles.rbac.authorization.k8s.io", NULL, validate_role},
    {"clusterroles.rbac.authorization.k8s.io", NULL, validate_role},
    {"rolebindings.rbac.authorization.k8s.io", NULL, validate_binding},
    {"clusterrolebindings.rbac.authorization.k8s.io", NULL, validate_binding},
    {"customresourcedefinitions.apiextensions.k8s.io", NULL, validate_definition},
};

void rules_prepare(Request *request, const json_t *before, json_t *object)
{
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
        if (rules[i].prepare && !strcmp(rules[i].resource, request->kind->resource))
            rules[i].prepare(request, before, object);
}

void rules_validate(Request *request, const json_t *before, const json_t *object, GPtrArray *causes)
{
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
        if (rules[i].validate && !strcmp(rules[i].resource, request->kind->resource))
            rules[i].validate(request, before, object, causes);
}
