/* gather: asks the API for one part after another and puts it into the archive. */
#include "gather/gather.h"
#include "base/audit.h"
#include "base/yaml.h"
#include "crd/plan_key.h"
#include "gather/log_filter.h"
#include "gather/redactor.h"
#include "gather/report.h"
#include "gather/tarball.h"
#include "inventory/client.h"
#include <string.h>

#define ROOT             "must-gather"
#define GANTRY_NAMESPACE "openshift-mtv"
#define MOST_LOG         "33554432" /* bytes of a container's log */
#define LAST_APPLIED     "kubectl.kubernetes.io/last-applied-configuration"

enum { MOST_LOG_SIZE = 33554432 };

typedef struct {
    KubeClient *client;
    Tarball *tarball;
    Redactor *redactor;
    GHashTable *paths; /* of what is in the archive */
    GHashTable *uids;  /* of those objects */
    GHashTable *namespaces;
    GString *notes;
    GCancellable *cancel;
} Gathering;

/* ---- pieces ---- */

static void note(Gathering *gathering, const char *what, const GError *why)
{
    g_string_append_printf(gathering->notes, "%s: %s\n", what, why->message);
}

static gboolean add_text(Gathering *gathering, const char *path, const char *text, GError **error)
{
    g_autofree char *clean = NULL, *whole = NULL;

    if (!g_hash_table_add(gathering->paths, g_strdup(path)))
        return TRUE;
    clean = redactor_text(gathering->redactor, text);
    whole = g_build_filename(ROOT, path, NULL);
    return tarball_add(gathering->tarball, whole, clean, error);
}

static gboolean add_yaml(Gathering *gathering, const char *path, json_t *json, GError **error)
{
    redactor_json(gathering->redactor, json);
    g_autofree char *yaml = yaml_text(json), *whole = g_build_filename(ROOT, path, NULL);
    return !g_hash_table_add(gathering->paths, g_strdup(path)) ||
           tarball_add(gathering->tarball, whole, yaml, error);
}

static char *path_in(const char *ns, const char *what, const char *kind, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".yaml", NULL);

    return *ns ? g_build_filename("namespaces", ns, what, kind, file, NULL)
               : g_build_filename("cluster-scoped-resources", kind, file, NULL);
}

static gboolean add_object(Gathering *gathering, const KubeResource *resource, const Object *object,
                           GError **error)
{
    g_autofree char *kind = g_ascii_strdown(resource->kind, -1);
    g_autofree char *path = path_in(object_namespace(object), "crs", kind, object_name(object));
    g_autoptr(json_t) json = json_deep_copy(object_json(object));

    json_object_del(json_object_get(json, "metadata"), "managedFields");
    json_object_del(json_at(json, "metadata.annotations"), LAST_APPLIED);
    json_object_set_new(json, "kind", json_string(resource->kind)); /* items of a list may lack it */
    g_hash_table_add(gathering->uids, g_strdup(object_uid(object)));
    g_hash_table_add(gathering->namespaces, g_strdup(object_namespace(object)));
    return add_yaml(gathering, path, json, error);
}

/* Objects by a selector; NULL after a note. */
static GPtrArray *list(Gathering *gathering, const KubeResource *resource, const char *ns,
                       const char *selector)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *found =
        kube_list(gathering->client, resource, ns, selector, NULL, NULL, gathering->cancel, &error);

    if (!found)
        note(gathering, resource->plural, error);
    return found;
}

/* One object that another refers to; NULL when it is not there any more. */
static Object *get(Gathering *gathering, const KubeResource *resource, const char *ns, const char *name)
{
    g_autoptr(GError) error = NULL;
    Object *found = kube_get(gathering->client, resource, ns, name, gathering->cancel, &error);

    if (!found) {
        g_autofree char *what = g_strdup_printf("%s %s/%s", resource->kind, ns ? ns : "", name);
        note(gathering, what, error);
    }
    return found;
}

static gboolean add_referred(Gathering *gathering, const KubeResource *resource, const json_t *ref,
                             GError **error)
{
    const char *name = json_string_at(ref, "name", ""),
               *ns = json_string_at(ref, "namespace", GANTRY_NAMESPACE);
    g_autoptr(Object) object = *name ? get(gathering, resource, ns, name) : NULL;

    return !object || add_object(gathering, resource, object, error);
}

/* ---- logs ---- */

/* The lines of a container's log that the filter keeps (NULL: all), appended to text. */
static gboolean read_log(Gathering *gathering, const Object *pod, const char *container, gboolean previous,
                         LogFilter *filter, GString *text, GError **error)
{
    g_autofree char *path = kube_path(&KUBE_POD, object_namespace(pod), object_name(pod), "log");
    g_autofree char *url = g_strdup_printf("%s?container=%s&limitBytes=" MOST_LOG "%s", path, container,
                                           previous ? "&previous=true" : "");
    g_autoptr(GInputStream) stream = kube_stream_path(gathering->client, url, gathering->cancel, error);
    g_autoptr(GDataInputStream) lines = stream ? g_data_input_stream_new(stream) : NULL;
    g_autoptr(GError) failed = NULL;
    gsize size, read = 0;
    char *line;

    if (!stream)
        return FALSE;
    while (read < MOST_LOG_SIZE &&
           (line = g_data_input_stream_read_line(lines, &size, gathering->cancel, &failed))) {
        if (!filter || log_filter_keeps(filter, line))
            g_string_append_printf(text, "%s\n", line);
        read += size;
        g_free(line);
    }
    if (failed)
        g_propagate_error(error, g_steal_pointer(&failed));
    return !failed;
}

static void append_container(Gathering *gathering, const Object *pod, const char *container, gboolean heading,
                             gboolean previous, LogFilter *filter, GString *all)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (!read_log(gathering, pod, container, previous, filter, text, &error)) {
        g_autofree char *what =
            g_strdup_printf("log of %s/%s, container %s", object_namespace(pod), object_name(pod), container);
        note(gathering, what, error);
    }
    if (text->len && heading)
        g_string_append_printf(all, "==> container %s <==\n", container);
    g_string_append_len(all, text->str, text->len);
}

/* Whether the container has run, or run before. */
static gboolean has_log(const json_t *status, gboolean previous)
{
    return previous ? json_int_at(status, "restartCount", 0) > 0
                    : json_at(status, "state.running") || json_at(status, "state.terminated") ||
                          json_int_at(status, "restartCount", 0) > 0;
}

static gboolean add_log(Gathering *gathering, const Object *pod, gboolean previous, LogFilter *filter,
                        GError **error)
{
    static const char *const lists[] = {"status.initContainerStatuses", "status.containerStatuses"};
    const json_t *json = object_json(pod);
    gsize count = json_array_size(json_at(json, lists[0])) + json_array_size(json_at(json, lists[1]));
    g_autoptr(GString) all = g_string_new(NULL);
    g_autofree char *path = g_build_filename("namespaces", object_namespace(pod), "logs", object_name(pod),
                                             previous ? "previous.log" : "current.log", NULL);
    json_t *status;
    size_t i;

    for (guint n = 0; n < G_N_ELEMENTS(lists); n++)
        json_array_foreach (json_at(json, lists[n]), i, status) {
            if (has_log(status, previous))
                append_container(gathering, pod, json_string_at(status, "name", ""), count > 1, previous,
                                 filter, all);
        }
    return add_text(gathering, path, all->str, error);
}

static gboolean add_logs(Gathering *gathering, const Object *pod, LogFilter *filter, GError **error)
{
    return add_log(gathering, pod, FALSE, filter, error) && add_log(gathering, pod, TRUE, filter, error);
}

static gboolean add_pods(Gathering *gathering, const char *ns, const char *selector, LogFilter *filter,
                         GError **error)
{
    g_autoptr(GPtrArray) pods = list(gathering, &KUBE_POD, ns, selector);

    for (guint i = 0; pods && i < pods->len; i++)
        if (!add_object(gathering, &KUBE_POD, pods->pdata[i], error) ||
            !add_logs(gathering, pods->pdata[i], filter, error))
            return FALSE;
    return TRUE;
}

/* ---- one plan of the scope ---- */

static gboolean has_vm(const ScopedPlan *scoped, const Object *child)
{
    const char *id = object_label(child, "vmID", NULL);
    return !id || g_hash_table_contains(scoped->vms, id);
}

/* What runs of a VirtualMachine: both are found by its name. */
static gboolean add_instance(Gathering *gathering, const Object *machine, GError **error)
{
    const char *ns = object_namespace(machine), *name = object_name(machine);
    g_autofree char *launcher = g_strdup_printf("vm.kubevirt.io/name=%s", name);
    g_autoptr(Object) instance =
        kube_get(gathering->client, &KUBE_VIRTUAL_MACHINE_INSTANCE, ns, name, gathering->cancel, NULL);

    return (!instance || add_object(gathering, &KUBE_VIRTUAL_MACHINE_INSTANCE, instance, error)) &&
           add_pods(gathering, ns, launcher, NULL, error);
}

static gboolean add_children(Gathering *gathering, const ScopedPlan *scoped, GError **error)
{
    static const KubeResource *const kinds[] = {&KUBE_DATA_VOLUME, &KUBE_PERSISTENT_VOLUME_CLAIM, &KUBE_POD,
                                                &KUBE_JOB, &KUBE_VIRTUAL_MACHINE};
    g_autofree char *selector = g_strdup_printf("plan=%s", object_uid(scoped->plan));

    for (guint n = 0; n < G_N_ELEMENTS(kinds); n++) {
        g_autoptr(GPtrArray) found = list(gathering, kinds[n], NULL, selector);
        for (guint i = 0; found && i < found->len; i++) {
            const Object *child = found->pdata[i];
            if (!has_vm(scoped, child))
                continue;
            if (!add_object(gathering, kinds[n], child, error) ||
                (kinds[n] == &KUBE_POD && !add_logs(gathering, child, NULL, error)))
                return FALSE;
            if (kinds[n] == &KUBE_VIRTUAL_MACHINE && !add_instance(gathering, child, error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean is_run_of(const Object *migration, const Object *plan)
{
    const json_t *ref = json_at(object_json(migration), "spec.plan");
    const char *uid = json_string_at(ref, "uid", "");

    if (*uid)
        return !strcmp(uid, object_uid(plan));
    return !strcmp(json_string_at(ref, "name", ""), object_name(plan)) &&
           !strcmp(json_string_at(ref, "namespace", object_namespace(migration)), object_namespace(plan));
}

static gboolean add_migrations(Gathering *gathering, const ScopedPlan *scoped, LogFilter *filter,
                               GError **error)
{
    g_autoptr(GPtrArray) all = list(gathering, &KUBE_MIGRATION, NULL, NULL);

    for (guint i = 0; all && i < all->len; i++)
        if (is_run_of(all->pdata[i], scoped->plan)) {
            log_filter_add(filter, object_name(all->pdata[i]));
            log_filter_add(filter, object_uid(all->pdata[i]));
            if (!add_object(gathering, &KUBE_MIGRATION, all->pdata[i], error))
                return FALSE;
        }
    return TRUE;
}

static gboolean add_hosts(Gathering *gathering, const ScopedPlan *scoped, GError **error)
{
    const char *provider = json_string_at(object_json(scoped->plan), "spec.provider.source.name", "");
    g_autoptr(GPtrArray) hosts = list(gathering, &KUBE_HOST, NULL, NULL);

    for (guint i = 0; hosts && i < hosts->len; i++)
        if (!strcmp(json_string_at(object_json(hosts->pdata[i]), "spec.provider.name", ""), provider) &&
            !add_object(gathering, &KUBE_HOST, hosts->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean add_hooks(Gathering *gathering, const ScopedPlan *scoped, GError **error)
{
    json_t *vm, *hook;
    size_t i, n;

    json_array_foreach (json_at(object_json(scoped->plan), "spec.vms"), i, vm)
        json_array_foreach (json_object_get(vm, "hooks"), n, hook) {
            if (!add_referred(gathering, &KUBE_HOOK, json_object_get(hook, "hook"), error))
                return FALSE;
        }
    return TRUE;
}

/* What the plan's objects and logs are about, as words of log lines. */
static void add_words(LogFilter *filter, const ScopedPlan *scoped)
{
    g_autofree char *key = plan_key(scoped->plan);
    json_t *vm;
    size_t i;

    log_filter_add_plan(filter, key);
    log_filter_add(filter, object_uid(scoped->plan));
    log_filter_add(filter, object_name(scoped->plan));
    json_array_foreach (json_at(object_json(scoped->plan), "status.migration.vms"), i, vm) {
        if (g_hash_table_contains(scoped->vms, json_string_at(vm, "id", ""))) {
            log_filter_add(filter, json_string_at(vm, "id", ""));
            log_filter_add(filter, json_string_at(vm, "name", ""));
            log_filter_add(filter, json_string_at(vm, "newName", ""));
        }
    }
}

static gboolean add_inventory(Gathering *gathering, const ScopedPlan *scoped, GError **error)
{
    const json_t *ref = json_at(object_json(scoped->plan), "spec.provider.source");
    const char *name = json_string_at(ref, "name", ""),
               *ns = json_string_at(ref, "namespace", GANTRY_NAMESPACE);
    g_autoptr(GError) failed = NULL;
    g_autoptr(Object) provider = *name ? get(gathering, &KUBE_PROVIDER, ns, name) : NULL;
    g_autoptr(InventoryClient) inventory = NULL;
    GHashTableIter iter;
    gpointer id;

    if (!provider)
        return TRUE;
    inventory = inventory_client_new_of(gathering->client, gathering->cancel, &failed);
    g_hash_table_iter_init(&iter, scoped->vms);
    while (inventory && g_hash_table_iter_next(&iter, &id, NULL)) {
        g_autoptr(json_t) record =
            inventory_get(inventory, provider, "workloads", id, gathering->cancel, &failed);
        g_autofree char *folder = g_build_filename("inventory", name, NULL);
        g_autofree char *path = g_strdup_printf("namespaces/%s/%s/%s.yaml", ns, folder, (const char *)id);
        if (!record)
            break;
        if (!add_yaml(gathering, path, record, error))
            return FALSE;
    }
    if (failed)
        note(gathering, "inventory", failed);
    return TRUE;
}

static gboolean add_report(Gathering *gathering, const ScopedPlan *scoped, GError **error)
{
    g_autofree char *text = plan_report_text(scoped->plan, scoped->vms);
    g_autofree char *path = g_strdup_printf("namespaces/%s/reports/%s.txt", object_namespace(scoped->plan),
                                            object_name(scoped->plan));
    return add_text(gathering, path, text, error);
}

/* What was changed at the source, a record a line. */
static gboolean add_audit(Gathering *gathering, const ScopedPlan *scoped, GError **error)
{
    g_autofree char *selector =
        g_strdup_printf(AUDIT_SELECTOR "," AUDIT_PLAN_LABEL "=%s", object_uid(scoped->plan));
    g_autofree char *path = g_strdup_printf("namespaces/%s/audit/%s.jsonl", object_namespace(scoped->plan),
                                            object_name(scoped->plan));
    g_autoptr(GPtrArray) journals =
        list(gathering, &KUBE_CONFIG_MAP, object_namespace(scoped->plan), selector);
    g_autoptr(json_t) records = json_array(), sorted = NULL;
    g_autofree char *lines = NULL;

    for (guint i = 0; journals && i < journals->len; i++)
        if (g_hash_table_contains(scoped->vms, object_label(journals->pdata[i], AUDIT_VM_LABEL, "")))
            audit_append(records, object_json(journals->pdata[i]));
    sorted = audit_sorted(records);
    lines = audit_lines(sorted);
    return !*lines || add_text(gathering, path, lines, error);
}

static gboolean add_plan(Gathering *gathering, const ScopedPlan *scoped, LogFilter *filter, GError **error)
{
    const json_t *spec = json_at(object_json(scoped->plan), "spec");

    add_words(filter, scoped);
    return add_object(gathering, &KUBE_PLAN, scoped->plan, error) &&
           add_migrations(gathering, scoped, filter, error) &&
           add_referred(gathering, &KUBE_PROVIDER, json_at(spec, "provider.source"), error) &&
           add_referred(gathering, &KUBE_PROVIDER, json_at(spec, "provider.destination"), error) &&
           add_referred(gathering, &KUBE_NETWORK_MAP, json_at(spec, "map.network"), error) &&
           add_referred(gathering, &KUBE_STORAGE_MAP, json_at(spec, "map.storage"), error) &&
           add_hosts(gathering, scoped, error) && add_hooks(gathering, scoped, error) &&
           add_children(gathering, scoped, error) && add_inventory(gathering, scoped, error) &&
           add_audit(gathering, scoped, error) && add_report(gathering, scoped, error);
}

/* When the first of the plans was made: what is older in a log is about others of the same name. */
static const char *oldest(GPtrArray *scope)
{
    const char *first = NULL;

    for (guint i = 0; i < scope->len; i++) {
        const Object *plan = ((ScopedPlan *)scope->pdata[i])->plan;
        const char *created = json_string_at(object_json(plan), "metadata.creationTimestamp", "");
        if (!first || strcmp(created, first) < 0)
            first = created;
    }
    return first;
}

static gboolean add_scope(Gathering *gathering, GPtrArray *scope, GError **error)
{
    g_autoptr(LogFilter) filter = log_filter_new(oldest(scope));

    for (guint i = 0; i < scope->len; i++)
        if (!add_plan(gathering, scope->pdata[i], filter, error))
            return FALSE;
    return add_pods(gathering, GANTRY_NAMESPACE,
                    "app.kubernetes.io/name in (forklift-controller,forklift-must-gather-api)", filter,
                    error);
}

/* ---- everything ---- */

static gboolean add_kind(Gathering *gathering, const Object *crd, GError **error)
{
    const json_t *spec = json_at(object_json(crd), "spec");
    KubeResource resource = {
        .group = json_string_at(spec, "group", ""),
        .version = json_string_at(json_array_get(json_object_get(spec, "versions"), 0), "name", ""),
        .kind = json_string_at(spec, "names.kind", ""),
        .plural = json_string_at(spec, "names.plural", ""),
        .namespaced = !strcmp(json_string_at(spec, "scope", ""), "Namespaced"),
    };
    g_autoptr(GPtrArray) found = NULL;

    if (!strstr(resource.group, "forklift") && !strstr(resource.group, "kubevirt"))
        return TRUE;
    found = list(gathering, &resource, NULL, NULL);
    for (guint i = 0; found && i < found->len; i++)
        if (!add_object(gathering, &resource, found->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean add_everything(Gathering *gathering, GError **error)
{
    g_autoptr(GPtrArray) crds = list(gathering, &KUBE_CUSTOM_RESOURCE_DEFINITION, NULL, NULL);
    g_autoptr(GPtrArray) plans = list(gathering, &KUBE_PLAN, NULL, NULL);
    GatherFilter all = {0};

    for (guint i = 0; crds && i < crds->len; i++)
        if (!add_kind(gathering, crds->pdata[i], error))
            return FALSE;
    g_autoptr(GPtrArray) scope = plans && plans->len ? scope_of(plans, &all, NULL) : NULL;
    for (guint i = 0; scope && i < scope->len; i++)
        if (!add_inventory(gathering, scope->pdata[i], error) ||
            !add_audit(gathering, scope->pdata[i], error) || !add_report(gathering, scope->pdata[i], error))
            return FALSE;
    return add_pods(gathering, GANTRY_NAMESPACE, NULL, NULL, error) &&
           add_pods(gathering, NULL, "plan", NULL, error) &&
           add_pods(gathering, NULL, "kubevirt.io=virt-launcher", NULL, error);
}

/* ---- what both have ---- */

static gboolean add_events(Gathering *gathering, GError **error)
{
    GHashTableIter iter;
    gpointer ns;

    g_hash_table_iter_init(&iter, gathering->namespaces);
    while (g_hash_table_iter_next(&iter, &ns, NULL)) {
        g_autoptr(json_t) events = json_array();
        g_autoptr(GPtrArray) found = *(char *)ns ? list(gathering, &KUBE_EVENT, ns, NULL) : NULL;
        g_autofree char *path = g_strdup_printf("namespaces/%s/events.yaml", (char *)ns);
        for (guint i = 0; found && i < found->len; i++) {
            g_autoptr(json_t) event = json_deep_copy(object_json(found->pdata[i]));
            json_object_del(json_object_get(event, "metadata"), "managedFields");
            if (g_hash_table_contains(gathering->uids, json_string_at(event, "involvedObject.uid", "")))
                json_array_append(events, event);
        }
        if (json_array_size(events) && !add_yaml(gathering, path, events, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_versions(Gathering *gathering, GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(json_t) versions = json_pack("{s:s}", "gantry", GANTRY_VERSION);
    json_t *kubernetes = kube_get_path(gathering->client, "/version", gathering->cancel, &failed);
    g_autoptr(GPtrArray) deployments = list(gathering, &KUBE_DEPLOYMENT, GANTRY_NAMESPACE, NULL);
    json_t *images = json_object();

    if (kubernetes)
        json_object_set_new(versions, "kubernetes", kubernetes);
    else
        note(gathering, "version of Kubernetes", failed);
    for (guint i = 0; deployments && i < deployments->len; i++)
        json_object_set(images, object_name(deployments->pdata[i]),
                        json_object_get(json_array_get(json_at(object_json(deployments->pdata[i]),
                                                               "spec.template.spec.containers"),
                                                       0),
                                        "image"));
    json_object_set_new(versions, "images", images);
    return add_yaml(gathering, "versions.yaml", versions, error);
}

/* The values of Secrets that providers and hosts use: not to be seen anywhere. */
static void hide_secret(Gathering *gathering, const Object *owner, const char *path)
{
    static const char *const harmless[] = {
        "user",     "username",           "url", "cacert", "ca.crt", "thumbprint", "ip",
        "provider", "insecureSkipVerify", NULL};
    const json_t *ref = json_at(object_json(owner), path);
    const char *name = json_string_at(ref, "name", "");
    g_autoptr(Object) secret =
        *name ? get(gathering, &KUBE_SECRET, json_string_at(ref, "namespace", object_namespace(owner)), name)
              : NULL;
    const char *key;
    json_t *value;

    if (!secret)
        return;
    json_object_foreach (json_object_get(object_json(secret), "data"), key, value) {
        gsize size;
        g_autofree char *text =
            (char *)g_base64_decode(json_string_value(value) ? json_string_value(value) : "", &size);
        if (!g_strv_contains(harmless, key) && memchr(text, 0, size) == NULL)
            redactor_hide(gathering->redactor, text);
        explicit_bzero(text, size);
    }
}

static void hide_secrets(Gathering *gathering)
{
    g_autoptr(GPtrArray) providers = list(gathering, &KUBE_PROVIDER, NULL, NULL);
    g_autoptr(GPtrArray) hosts = list(gathering, &KUBE_HOST, NULL, NULL);

    for (guint i = 0; providers && i < providers->len; i++)
        hide_secret(gathering, providers->pdata[i], "spec.secret");
    for (guint i = 0; hosts && i < hosts->len; i++)
        hide_secret(gathering, hosts->pdata[i], "spec.secret");
}

static gboolean add_all(Gathering *gathering, GPtrArray *scope, GError **error)
{
    hide_secrets(gathering);
    return (scope ? add_scope(gathering, scope, error) : add_everything(gathering, error)) &&
           add_events(gathering, error) && add_versions(gathering, error) &&
           add_text(gathering, "notes.txt", gathering->notes->str, error);
}

gboolean gather(KubeClient *client, const GatherOptions *options, guint *files, GCancellable *cancel,
                GError **error)
{
    gboolean filtered = !gather_filter_is_empty(&options->filter);
    g_autoptr(GPtrArray) scope = filtered ? scope_resolve(client, &options->filter, cancel, error) : NULL;
    g_autoptr(Tarball) tarball = filtered && !scope ? NULL : tarball_new(options->path, error);
    g_autoptr(Redactor) redactor = redactor_new();
    g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) uids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) namespaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) notes = g_string_new(NULL);
    Gathering gathering = {client, tarball, redactor, paths, uids, namespaces, notes, cancel};

    if (!tarball || !add_all(&gathering, scope, error))
        return FALSE;
    *files = tarball_count(tarball);
    return tarball_close(tarball, error);
}
