/* table: a list of columns per core kind, each with a function that makes its cell; custom kinds bring
 * JSONPaths. */
#include "local/apiserver/table.h"
#include "base/clock.h"
#include <stdio.h>
#include <string.h>

typedef json_t *(*Cell)(const json_t *object);

typedef struct {
    const char *name;
    Cell cell;
    int priority; /* 1: only with -o wide */
} Column;

/* ---- ages ---- */

char *table_age(gint64 s)
{
    gint64 m = s / 60, h = s / 3600, d = s / 86400, y = d / 365;

    if (s < 0)
        return s < -1 ? g_strdup("<invalid>") : g_strdup("0s");
    if (s < 120)
        return g_strdup_printf("%ds", (int)s);
    if (m < 10)
        return s % 60 ? g_strdup_printf("%dm%ds", (int)m, (int)(s % 60)) : g_strdup_printf("%dm", (int)m);
    if (m < 180)
        return g_strdup_printf("%dm", (int)m);
    if (h < 8)
        return m % 60 ? g_strdup_printf("%dh%dm", (int)h, (int)(m % 60)) : g_strdup_printf("%dh", (int)h);
    if (h < 48)
        return g_strdup_printf("%dh", (int)h);
    if (d < 8)
        return h % 24 ? g_strdup_printf("%dd%dh", (int)d, (int)(h % 24)) : g_strdup_printf("%dd", (int)d);
    if (y < 2)
        return g_strdup_printf("%dd", (int)d);
    if (y < 8)
        return d % 365 ? g_strdup_printf("%dy%dd", (int)y, (int)(d % 365)) : g_strdup_printf("%dy", (int)y);
    return g_strdup_printf("%dy", (int)y);
}

static json_t *take(char *text)
{
    json_t *json = json_string(text);
    g_free(text);
    return json ? json : json_string("");
}

static json_t *age_since(const char *time)
{
    gint64 at = time ? clock_parse(time) : -1;
    return at < 0 ? json_string("<unknown>") : take(table_age((g_get_real_time() - at) / G_USEC_PER_SEC));
}

static json_t *text_at(const json_t *object, const char *path, const char *absent)
{
    const char *text = json_string_at(object, path, "");
    return json_string(*text ? text : absent);
}

/* ---- cells of all kinds ---- */

static json_t *cell_name(const json_t *o)
{
    return text_at(o, "metadata.name", "");
}
static json_t *cell_age(const json_t *o)
{
    return age_since(json_string_at(o, "metadata.creationTimestamp", NULL));
}

static char *join_map(const json_t *map, const char *absent)
{
    GString *text = g_string_new(NULL);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)map, key, value)
        g_string_append_printf(text, "%s%s=%s", text->len ? "," : "", key, json_string_value(value));
    if (!text->len)
        g_string_append(text, absent);
    return g_string_free(text, FALSE);
}

/* A member of each item of a list, with commas. */
static char *join_items(const json_t *list, const char *member, const char *absent)
{
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        const char *word = member ? json_string_at(item, member, "") : json_string_value(item);
        g_string_append_printf(text, "%s%s", text->len ? "," : "", word ? word : "");
    }
    if (!text->len)
        g_string_append(text, absent);
    return g_string_free(text, FALSE);
}

static json_t *containers_of(const json_t *o)
{
    return json_at(o, "spec.template.spec.containers");
}
static json_t *cell_containers(const json_t *o)
{
    return take(join_items(containers_of(o), "name", ""));
}
static json_t *cell_images(const json_t *o)
{
    return take(join_items(containers_of(o), "image", ""));
}
static json_t *cell_selector(const json_t *o)
{
    return take(join_map(json_at(o, "spec.selector.matchLabels"), "<none>"));
}
static json_t *cell_data(const json_t *o)
{
    return json_integer(json_object_size(json_object_get(o, "data")) +
                        json_object_size(json_object_get(o, "binaryData")));
}

/* ---- Pods ---- */

static guint count_ready(const json_t *o)
{
    guint ready = 0;
    size_t i;
    json_t *status;
    json_array_foreach(json_at(o, "status.containerStatuses"), i, status) ready +=
        json_bool_at(status, "ready", FALSE);
    return ready;
}

static json_t *pod_ready(const json_t *o)
{
    return take(g_strdup_printf("%u/%zu", count_ready(o), json_array_size(json_at(o, "spec.containers"))));
}

static char *terminated_word(const json_t *terminated)
{
    const char *reason = json_string_at(terminated, "reason", "");

    if (*reason)
        return g_strdup(reason);
    if (json_int_at(terminated, "signal", 0))
        return g_strdup_printf("Signal:%d", (int)json_int_at(terminated, "signal", 0));
    return g_strdup_printf("ExitCode:%d", (int)json_int_at(terminated, "exitCode", 0));
}

/* "Init:0/2" while init containers run, or NULL when they are through. */
static char *init_word(const json_t *o)
{
    const json_t *statuses = json_at(o, "status.initContainerStatuses");
    size_t i;
    json_t *status;

    json_array_foreach(statuses, i, status)
    {
        const json_t *terminated = json_at(status, "state.terminated");
        const char *waiting = json_string_at(status, "state.waiting.reason", "");

        if (terminated && !json_int_at(terminated, "exitCode", 0))
            continue;
        if (terminated) {
            g_autofree char *word = terminated_word(terminated);
            return g_strconcat("Init:", word, NULL);
        }
        if (*waiting && strcmp(waiting, "PodInitializing") != 0)
            return g_strconcat("Init:", waiting, NULL);
        return g_strdup_printf("Init:%zu/%zu", i, json_array_size(json_at(o, "spec.initContainers")));
    }
    return NULL;
}

static char *containers_word(const json_t *o)
{
    const json_t *statuses = json_at(o, "status.containerStatuses");
    const char *reason = json_string_at(o, "status.reason", "");
    char *word = g_strdup(*reason ? reason : json_string_at(o, "status.phase", "Unknown"));
    gboolean running = FALSE;

    for (size_t i = json_array_size(statuses); i-- > 0;) {
        const json_t *status = json_array_get(statuses, i);
        const char *waiting = json_string_at(status, "state.waiting.reason", "");
        const json_t *terminated = json_at(status, "state.terminated");
        char *new = *waiting ? g_strdup(waiting) : terminated ? terminated_word(terminated) : NULL;

        if (new) {
            g_free(word);
            word = new;
        } else if (json_bool_at(status, "ready", FALSE) && json_at(status, "state.running")) {
            running = TRUE;
        }
    }
    if (running && !strcmp(word, "Completed")) {
        g_free(word);
        word = g_strdup("Running");
    }
    return word;
}

static json_t *pod_status(const json_t *o)
{
    char *word;

    if (json_at(o, "metadata.deletionTimestamp"))
        return json_string("Terminating");
    word = init_word(o);
    return take(word ? word : containers_word(o));
}

static json_t *pod_restarts(const json_t *o)
{
    gint64 restarts = 0, last = -1;
    size_t i;
    json_t *status;

    json_array_foreach(json_at(o, "status.containerStatuses"), i, status)
    {
        const char *finished = json_string_at(status, "lastState.terminated.finishedAt", NULL);
        restarts += json_int_at(status, "restartCount", 0);
        last = MAX(last, finished ? clock_parse(finished) : -1);
    }
    if (restarts && last > 0) {
        g_autofree char *age = table_age((g_get_real_time() - last) / G_USEC_PER_SEC);
        return take(g_strdup_printf("%d (%s ago)", (int)restarts, age));
    }
    return take(g_strdup_printf("%d", (int)restarts));
}

static json_t *pod_ip(const json_t *o)
{
    return text_at(o, "status.podIP", "<none>");
}
static json_t *pod_node(const json_t *o)
{
    return text_at(o, "spec.nodeName", "<none>");
}
static json_t *cell_none(const json_t *o)
{
    return json_string("<none>");
}

static const Column pod_columns[] = {{"Name", cell_name, 0},
                                     {"Ready", pod_ready, 0},
                                     {"Status", pod_status, 0},
                                     {"Restarts", pod_restarts, 0},
                                     {"Age", cell_age, 0},
                                     {"IP", pod_ip, 1},
                                     {"Node", pod_node, 1},
                                     {"Nominated Node", cell_none, 1},
                                     {"Readiness Gates", cell_none, 1},
                                     {NULL, NULL, 0}};

/* ---- workloads ---- */

static json_t *deployment_ready(const json_t *o)
{
    return take(g_strdup_printf("%d/%d", (int)json_int_at(o, "status.readyReplicas", 0),
                                (int)json_int_at(o, "spec.replicas", 1)));
}
static json_t *deployment_updated(const json_t *o)
{
    return json_integer(json_int_at(o, "status.updatedReplicas", 0));
}
static json_t *deployment_available(const json_t *o)
{
    return json_integer(json_int_at(o, "status.availableReplicas", 0));
}

static const Column deployment_columns[] = {{"Name", cell_name, 0},
                                            {"Ready", deployment_ready, 0},
                                            {"Up-to-date", deployment_updated, 0},
                                            {"Available", deployment_available, 0},
                                            {"Age", cell_age, 0},
                                            {"Containers", cell_containers, 1},
                                            {"Images", cell_images, 1},
                                            {"Selector", cell_selector, 1},
                                            {NULL, NULL, 0}};

static json_t *replicas_desired(const json_t *o)
{
    return json_integer(json_int_at(o, "spec.replicas", 1));
}
static json_t *replicas_current(const json_t *o)
{
    return json_integer(json_int_at(o, "status.replicas", 0));
}
static json_t *replicas_ready(const json_t *o)
{
    return json_integer(json_int_at(o, "status.readyReplicas", 0));
}

static const Column replicaset_columns[] = {{"Name", cell_name, 0},
                                            {"Desired", replicas_desired, 0},
                                            {"Current", replicas_current, 0},
                                            {"Ready", replicas_ready, 0},
                                            {"Age", cell_age, 0},
                                            {"Containers", cell_containers, 1},
                                            {"Images", cell_images, 1},
                                            {"Selector", cell_selector, 1},
                                            {NULL, NULL, 0}};

static gboolean job_has(const json_t *o, const char *type)
{
    size_t i;
    json_t *condition;
    json_array_foreach(json_at(o, "status.conditions"), i,
                       condition) if (!strcmp(json_string_at(condition, "type", ""), type) &&
                                      !strcmp(json_string_at(condition, "status", ""), "True")) return TRUE;
    return FALSE;
}

static json_t *job_status(const json_t *o)
{
    static const char *const types[][2] = {{"Complete", "Complete"},
                                           {"Failed", "Failed"},
                                           {"Suspended", "Suspended"},
                                           {"FailureTarget", "FailureTarget"},
                                           {"SuccessCriteriaMet", "SuccessCriteriaMet"}};
    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (job_has(o, types[i][0]))
            return json_string(types[i][1]);
    return json_string(json_at(o, "metadata.deletionTimestamp") ? "Terminating" : "Running");
}

static json_t *job_completions(const json_t *o)
{
    gint64 wanted = json_int_at(o, "spec.completions", -1);
    gint64 parallel = json_int_at(o, "spec.parallelism", 1);
    int done = json_int_at(o, "status.succeeded", 0);

    if (wanted >= 0)
        return take(g_strdup_printf("%d/%d", done, (int)wanted));
    return take(parallel > 1 ? g_strdup_printf("%d/1 of %d", done, (int)parallel)
                             : g_strdup_printf("%d/1", done));
}

static json_t *job_duration(const json_t *o)
{
    gint64 start = clock_parse(json_string_at(o, "status.startTime", NULL));
    gint64 end = clock_parse(json_string_at(o, "status.completionTime", NULL));

    if (start < 0)
        return json_string("");
    return take(table_age(((end < 0 ? g_get_real_time() : end) - start) / G_USEC_PER_SEC));
}

static const Column job_columns[] = {
    {"Name", cell_name, 0},        {"Status", job_status, 0},      {"Completions", job_completions, 0},
    {"Duration", job_duration, 0}, {"Age", cell_age, 0},           {"Containers", cell_containers, 1},
    {"Images", cell_images, 1},    {"Selector", cell_selector, 1}, {NULL, NULL, 0}};

/* ---- storage ---- */

static char *access_modes(const json_t *modes)
{
    static const char *const shorts[][2] = {{"ReadWriteOnce", "RWO"},
                                            {"ReadOnlyMany", "ROX"},
                                            {"ReadWriteMany", "RWX"},
                                            {"ReadWriteOncePod", "RWOP"}};
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *mode;

    json_array_foreach(modes, i, mode) for (guint n = 0; n < G_N_ELEMENTS(shorts);
                                            n++) if (!g_strcmp0(json_string_value(mode), shorts[n][0]))
        g_string_append_printf(text, "%s%s", text->len ? "," : "", shorts[n][1]);
    return g_string_free(text, FALSE);
}

static json_t *claim_status(const json_t *o)
{
    return json_at(o, "metadata.deletionTimestamp") ? json_string("Terminating")
                                                    : text_at(o, "status.phase", "Pending");
}
static gboolean claim_bound(const json_t *o)
{
    return *json_string_at(o, "spec.volumeName", "") != 0;
}
static json_t *claim_volume(const json_t *o)
{
    return text_at(o, "spec.volumeName", "");
}
static json_t *claim_capacity(const json_t *o)
{
    return claim_bound(o) ? text_at(o, "status.capacity.storage", "") : json_string("");
}
static json_t *claim_modes(const json_t *o)
{
    return claim_bound(o) ? take(access_modes(json_at(o, "status.accessModes"))) : json_string("");
}
static json_t *cell_class(const json_t *o)
{
    return text_at(o, "spec.storageClassName", "");
}
static json_t *cell_unset(const json_t *o)
{
    return json_string("<unset>");
}
static json_t *volume_mode(const json_t *o)
{
    return text_at(o, "spec.volumeMode", "<unset>");
}

static const Column claim_columns[] = {{"Name", cell_name, 0},
                                       {"Status", claim_status, 0},
                                       {"Volume", claim_volume, 0},
                                       {"Capacity", claim_capacity, 0},
                                       {"Access Modes", claim_modes, 0},
                                       {"StorageClass", cell_class, 0},
                                       {"VolumeAttributesClass", cell_unset, 0},
                                       {"Age", cell_age, 0},
                                       {"VolumeMode", volume_mode, 1},
                                       {NULL, NULL, 0}};

static json_t *volume_capacity(const json_t *o)
{
    return text_at(o, "spec.capacity.storage", "");
}
static json_t *volume_modes(const json_t *o)
{
    return take(access_modes(json_at(o, "spec.accessModes")));
}
static json_t *volume_policy(const json_t *o)
{
    return text_at(o, "spec.persistentVolumeReclaimPolicy", "");
}
static json_t *volume_reason(const json_t *o)
{
    return text_at(o, "status.reason", "");
}
static json_t *volume_claim(const json_t *o)
{
    const json_t *claim = json_at(o, "spec.claimRef");
    return claim ? take(g_strconcat(json_string_at(claim, "namespace", ""), "/",
                                    json_string_at(claim, "name", ""), NULL))
                 : json_string("");
}

static const Column volume_columns[] = {{"Name", cell_name, 0},
                                        {"Capacity", volume_capacity, 0},
                                        {"Access Modes", volume_modes, 0},
                                        {"Reclaim Policy", volume_policy, 0},
                                        {"Status", claim_status, 0},
                                        {"Claim", volume_claim, 0},
                                        {"StorageClass", cell_class, 0},
                                        {"VolumeAttributesClass", cell_unset, 0},
                                        {"Reason", volume_reason, 0},
                                        {"Age", cell_age, 0},
                                        {"VolumeMode", volume_mode, 1},
                                        {NULL, NULL, 0}};

static json_t *class_name(const json_t *o)
{
    const json_t *annotations = json_at(o, "metadata.annotations");
    const char *flag =
        json_string_value(json_object_get(annotations, "storageclass.kubernetes.io/is-default-class"));
    return take(g_strconcat(json_string_at(o, "metadata.name", ""),
                            !g_strcmp0(flag, "true") ? " (default)" : "", NULL));
}
static json_t *class_provisioner(const json_t *o)
{
    return text_at(o, "provisioner", "");
}
static json_t *class_reclaim(const json_t *o)
{
    return text_at(o, "reclaimPolicy", "Delete");
}
static json_t *class_binding(const json_t *o)
{
    return text_at(o, "volumeBindingMode", "Immediate");
}
static json_t *class_expansion(const json_t *o)
{
    return json_boolean(json_bool_at(o, "allowVolumeExpansion", FALSE));
}

static const Column class_columns[] = {{"Name", class_name, 0},
                                       {"Provisioner", class_provisioner, 0},
                                       {"ReclaimPolicy", class_reclaim, 0},
                                       {"VolumeBindingMode", class_binding, 0},
                                       {"AllowVolumeExpansion", class_expansion, 0},
                                       {"Age", cell_age, 0},
                                       {NULL, NULL, 0}};

/* ---- the others ---- */

static json_t *namespace_status(const json_t *o)
{
    return text_at(o, "status.phase", "Active");
}
static const Column namespace_columns[] = {
    {"Name", cell_name, 0}, {"Status", namespace_status, 0}, {"Age", cell_age, 0}, {NULL, NULL, 0}};

static json_t *secret_type(const json_t *o)
{
    return text_at(o, "type", "Opaque");
}
static const Column secret_columns[] = {{"Name", cell_name, 0},
                                        {"Type", secret_type, 0},
                                        {"Data", cell_data, 0},
                                        {"Age", cell_age, 0},
                                        {NULL, NULL, 0}};
static const Column config_columns[] = {
    {"Name", cell_name, 0}, {"Data", cell_data, 0}, {"Age", cell_age, 0}, {NULL, NULL, 0}};

static json_t *account_secrets(const json_t *o)
{
    return json_integer(json_array_size(json_object_get(o, "secrets")));
}
static const Column account_columns[] = {
    {"Name", cell_name, 0}, {"Secrets", account_secrets, 0}, {"Age", cell_age, 0}, {NULL, NULL, 0}};

static json_t *lease_holder(const json_t *o)
{
    return text_at(o, "spec.holderIdentity", "");
}
static const Column lease_columns[] = {
    {"Name", cell_name, 0}, {"Holder", lease_holder, 0}, {"Age", cell_age, 0}, {NULL, NULL, 0}};

static json_t *definition_created(const json_t *o)
{
    return text_at(o, "metadata.creationTimestamp", "");
}
static const Column definition_columns[] = {
    {"Name", cell_name, 0}, {"Created At", definition_created, 0}, {NULL, NULL, 0}};

static json_t *service_type(const json_t *o)
{
    return text_at(o, "spec.type", "ClusterIP");
}
static json_t *service_address(const json_t *o)
{
    return text_at(o, "spec.clusterIP", "<none>");
}
static json_t *service_external(const json_t *o)
{
    return take(join_items(json_at(o, "spec.externalIPs"), NULL, "<none>"));
}
static json_t *service_selector(const json_t *o)
{
    return take(join_map(json_at(o, "spec.selector"), "<none>"));
}
static json_t *service_ports(const json_t *o)
{
    GString *text = g_string_new(NULL);
    size_t i;
    json_t *port;

    json_array_foreach(json_at(o, "spec.ports"), i, port)
    {
        gint64 node = json_int_at(port, "nodePort", 0);
        g_string_append_printf(text, "%s%d", i ? "," : "", (int)json_int_at(port, "port", 0));
        if (node)
            g_string_append_printf(text, ":%d", (int)node);
        g_string_append_printf(text, "/%s", json_string_at(port, "protocol", "TCP"));
    }
    if (!text->len)
        g_string_append(text, "<none>");
    return take(g_string_free(text, FALSE));
}
static const Column service_columns[] = {{"Name", cell_name, 0},
                                         {"Type", service_type, 0},
                                         {"Cluster-IP", service_address, 0},
                                         {"External-IP", service_external, 0},
                                         {"Port(s)", service_ports, 0},
                                         {"Age", cell_age, 0},
                                         {"Selector", service_selector, 1},
                                         {NULL, NULL, 0}};

static json_t *node_status(const json_t *o)
{
    const char *word = job_has(o, "Ready") ? "Ready" : "NotReady";
    return take(
        g_strconcat(word, json_bool_at(o, "spec.unschedulable", FALSE) ? ",SchedulingDisabled" : "", NULL));
}
static json_t *node_roles(const json_t *o)
{
    GString *text = g_string_new(NULL);
    const char *key;
    json_t *value;
    json_object_foreach(json_at(o, "metadata.labels"), key,
                        value) if (g_str_has_prefix(key, "node-role.kubernetes.io/"))
        g_string_append_printf(text, "%s%s", text->len ? "," : "", strchr(key, '/') + 1);
    if (!text->len)
        g_string_append(text, "<none>");
    return take(g_string_free(text, FALSE));
}
static json_t *node_version(const json_t *o)
{
    return text_at(o, "status.nodeInfo.kubeletVersion", "");
}
static const Column node_columns[] = {{"Name", cell_name, 0},       {"Status", node_status, 0},
                                      {"Roles", node_roles, 0},     {"Age", cell_age, 0},
                                      {"Version", node_version, 0}, {NULL, NULL, 0}};

static json_t *event_seen(const json_t *o)
{
    static const char *const times[] = {"series.lastObservedTime", "lastTimestamp", "eventTime",
                                        "firstTimestamp", "metadata.creationTimestamp"};
    for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
        const char *time = json_string_at(o, times[i], NULL);
        if (time)
            return age_since(time);
    }
    return json_string("<unknown>");
}
static json_t *event_type(const json_t *o)
{
    return text_at(o, "type", "");
}
static json_t *event_reason(const json_t *o)
{
    return text_at(o, "reason", "");
}
static json_t *event_message(const json_t *o)
{
    return text_at(o, "message", "");
}
static json_t *event_object(const json_t *o)
{
    g_autofree char *kind = g_ascii_strdown(json_string_at(o, "involvedObject.kind", ""), -1);
    return take(g_strconcat(kind, "/", json_string_at(o, "involvedObject.name", ""), NULL));
}
static json_t *event_source(const json_t *o)
{
    return text_at(o, "source.component", json_string_at(o, "reportingComponent", ""));
}
static json_t *event_count(const json_t *o)
{
    return json_integer(json_int_at(o, "count", 1));
}
static const Column event_columns[] = {
    {"Last Seen", event_seen, 0}, {"Type", event_type, 0},     {"Reason", event_reason, 0},
    {"Object", event_object, 0},  {"Source", event_source, 1}, {"Message", event_message, 0},
    {"Count", event_count, 1},    {"Name", cell_name, 1},      {NULL, NULL, 0}};

static const Column plain_columns[] = {{"Name", cell_name, 0}, {"Age", cell_age, 0}, {NULL, NULL, 0}};

static const struct {
    const char *resource;
    const Column *columns;
} core_columns[] = {{"pods", pod_columns},
                    {"deployments.apps", deployment_columns},
                    {"replicasets.apps", replicaset_columns},
                    {"jobs.batch", job_columns},
                    {"persistentvolumeclaims", claim_columns},
                    {"persistentvolumes", volume_columns},
                    {"storageclasses.storage.k8s.io", class_columns},
                    {"namespaces", namespace_columns},
                    {"secrets", secret_columns},
                    {"configmaps", config_columns},
                    {"serviceaccounts", account_columns},
                    {"leases.coordination.k8s.io", lease_columns},
                    {"customresourcedefinitions.apiextensions.k8s.io", definition_columns},
                    {"services", service_columns},
                    {"nodes", node_columns},
                    {"events", event_columns}};

static const Column *columns_of(const Kind *kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(core_columns); i++)
        if (!kind->custom && !strcmp(core_columns[i].resource, kind->resource))
            return core_columns[i].columns;
    return plain_columns;
}

/* ---- JSONPath ---- */

/* "[?(@.type=="Ready")]": the first item of the list whose member equals the text. at is after "[?(@."; moves
 * behind "]". */
static const json_t *filtered(const json_t *list, const char **at)
{
    const char *equals = strstr(*at, "=="), *end = strchr(*at, ']');
    g_autofree char *member = NULL, *wanted = NULL;
    size_t i;
    json_t *item;

    if (!equals || !end || equals > end)
        return NULL;
    member = g_strstrip(g_strndup(*at, equals - *at));
    wanted = g_strndup(equals + 2, end - equals - 2);
    g_strdelimit(wanted, "\"')", ' ');
    g_strstrip(wanted);
    *at = end + 1;
    json_array_foreach(list, i, item) if (!strcmp(json_string_at(item, member, ""), wanted)) return item;
    return NULL;
}

/* One step in brackets: a filter, an index or a quoted name. at is after "[". */
static const json_t *bracket(const json_t *json, const char **at)
{
    const char *end;
    g_autofree char *inside = NULL;

    if (g_str_has_prefix(*at, "?(@.")) {
        *at += strlen("?(@.");
        return filtered(json, at);
    }
    if (!(end = strchr(*at, ']')))
        return NULL;
    inside = g_strndup(*at, end - *at);
    *at = end + 1;
    if (*inside == '\'' || *inside == '"') {
        inside[strlen(inside) - 1] = 0;
        return json_object_get(json, inside + 1);
    }
    return json_array_get(json, *inside == '*' ? 0 : g_ascii_strtoull(inside, NULL, 10));
}

const json_t *table_jsonpath(const json_t *json, const char *path)
{
    while (json && *path) {
        if (*path == '[') {
            path++;
            json = bracket(json, &path);
        } else {
            g_autoptr(GString) name = g_string_new(NULL);
            path += *path == '.';
            for (; *path && *path != '.' && *path != '['; path++) {
                if (*path == '\\' && path[1])
                    path++;
                g_string_append_c(name, *path);
            }
            json = name->len ? json_object_get(json, name->str) : json;
        }
    }
    return json;
}

/* ---- tables ---- */

static json_t *custom_cell(const json_t *object, const json_t *column)
{
    const json_t *value = table_jsonpath(object, json_string_at(column, "jsonPath", ""));
    const char *type = json_string_at(column, "type", "");

    if (!strcmp(type, "date"))
        return value && json_is_string(value) ? age_since(json_string_value(value)) : json_string("");
    if (!value || json_is_null(value))
        return json_null();
    if (json_is_object(value) || json_is_array(value))
        return take(json_text(value));
    return json_incref((json_t *)value);
}

static json_t *column_json(const char *name, const char *type, const char *format, const char *description,
                           int priority)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", name, "type", type, "format", format, "description",
                     description, "priority", priority);
}

static json_t *definitions(const Kind *kind)
{
    json_t *list = json_array();
    const json_t *column;
    size_t i;

    if (!kind->custom || !json_array_size(kind->columns)) {
        for (const Column *c = columns_of(kind); c->name; c++)
            json_array_append_new(
                list, column_json(c->name, "string", strcmp(c->name, "Name") ? "" : "name", "", c->priority));
        return list;
    }
    json_array_append_new(list, column_json("Name", "string", "name", "", 0));
    json_array_foreach(kind->columns, i, column)
    {
        json_array_append_new(
            list, column_json(json_string_at(column, "name", ""), json_string_at(column, "type", "string"),
                              json_string_at(column, "format", ""), json_string_at(column, "description", ""),
                              json_int_at(column, "priority", 0)));
    }
    return list;
}

static json_t *cells(const Kind *kind, const json_t *object)
{
    json_t *list = json_array();
    const json_t *column;
    size_t i;

    if (!kind->custom || !json_array_size(kind->columns)) {
        for (const Column *c = columns_of(kind); c->name; c++)
            json_array_append_new(list, c->cell(object));
        return list;
    }
    json_array_append_new(list, cell_name(object));
    json_array_foreach(kind->columns, i, column) json_array_append_new(list, custom_cell(object, column));
    return list;
}

json_t *table_new(const Request *request, guint64 revision)
{
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, revision);
    return json_pack("{s:s, s:s, s:{s:s}, s:o, s:[]}", "kind", "Table", "apiVersion", "meta.k8s.io/v1",
                     "metadata", "resourceVersion", number, "columnDefinitions", definitions(request->kind),
                     "rows");
}

void table_add_row(json_t *table, const Request *request, const json_t *object)
{
    const char *include = request->x ? http_exchange_query(request->x, "includeObject") : NULL;
    json_t *row = json_pack("{s:o}", "cells", cells(request->kind, object));

    if (!g_strcmp0(include, "Object"))
        json_object_set(row, "object", (json_t *)object);
    else if (g_strcmp0(include, "None") != 0)
        json_object_set_new(row, "object", partial_of(object));
    json_array_append_new(json_object_get(table, "rows"), row);
}

json_t *table_of_object(const Request *request, const json_t *object)
{
    json_t *table = table_new(request, 0);
    const char *version = json_string_at(object, "metadata.resourceVersion", "");

    json_set_at_new(table, "metadata.resourceVersion", json_string(version));
    table_add_row(table, request, object);
    return table;
}
