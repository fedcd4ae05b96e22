/* probe: which machines, and the Pod that tries them. */
#include "plan/probe.h"
#include "base/clock.h"
#include "base/log.h"
#include "plan/host_access.h"
#include "plan/pod_result.h"
#include "plan/transfer_network.h"
#include "target/probe_pod.h"
#include <string.h>

enum {
    HOLDS_S = 3600,       /* what was reached */
    HOLDS_FAILED_S = 30,  /* what was not, which the user may be working on */
    PATIENCE_S = 90,      /* for the Pod to end */
    MOST_ENDPOINTS = 200, /* of one Pod; the rest is of the same kind */
    HTTPS_PORT = 443,
    VDDK_PORT = 902,
};

/* ---- which machines ---- */

static char *endpoint(const char *host, gint port)
{
    return g_strdup_printf(strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
}

static void add_provider(const PlanCheck *check, GHashTable *endpoints)
{
    g_autoptr(GUri) uri =
        g_uri_parse(json_string_at(object_json(check->provider), "spec.url", ""), G_URI_FLAGS_NONE, NULL);
    gint port = uri ? g_uri_get_port(uri) : -1;

    if (uri && g_uri_get_host(uri))
        g_hash_table_add(endpoints, endpoint(g_uri_get_host(uri), port > 0 ? port : HTTPS_PORT));
}

/* An ESXi host is spoken to when a Host names it, and where it streams disks itself: by lease, or by VDDK. */
static gboolean add_host(PlanCheck *check, const CheckedVm *vm, GHashTable *endpoints, GCancellable *cancel,
                         GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) host = host_access_host(check->kube, check->provider, vm->workload, cancel, &problem);
    const char *address = host ? json_string_at(object_json(host), "spec.ipAddress", "") : "";
    gboolean vddk;

    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (*address)
        g_hash_table_add(endpoints, endpoint(address, source_host_port(json_string_at(
                                                          object_json(check->provider), "spec.type", ""))));
    address = *address ? address : json_string_at(vm->workload, "host.name", "");
    vddk = check_vms_reads_by(check, vm, "vddk");
    if (vddk || check_vms_reads_by(check, vm, "lease"))
        g_hash_table_add(endpoints, endpoint(address, HTTPS_PORT));
    if (vddk)
        g_hash_table_add(endpoints, endpoint(address, VDDK_PORT));
    return TRUE;
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **probe_endpoints(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    g_autoptr(GHashTable) endpoints = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) hosts = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *sorted;
    GHashTableIter iter;
    gpointer one;

    add_provider(check, endpoints);
    for (guint i = 0; i < vms->len; i++) {
        const CheckedVm *vm = vms->pdata[i];
        if (g_hash_table_add(hosts, (gpointer)json_string_at(vm->workload, "host.id", "")) &&
            !add_host(check, vm, endpoints, cancel, error))
            return NULL;
    }
    sorted = g_ptr_array_new();
    g_hash_table_iter_init(&iter, endpoints);
    while (g_hash_table_iter_next(&iter, &one, NULL))
        g_ptr_array_add(sorted, g_strdup(one));
    g_ptr_array_sort(sorted, by_text);
    while (sorted->len > MOST_ENDPOINTS)
        g_free(g_ptr_array_steal_index(sorted, sorted->len - 1));
    g_ptr_array_add(sorted, NULL);
    return (char **)g_ptr_array_free(sorted, FALSE);
}

/* ---- what is known ---- */

typedef struct {
    json_t *report; /* the Pod's, or NULL: it could not say */
    char *problem;  /* then why */
    gint64 until;   /* monotonic */
} Finding;

static GMutex lock;
static GHashTable *findings; /* mark → Finding */

static void finding_free(gpointer data)
{
    Finding *finding = data;

    json_decref(finding->report);
    g_free(finding->problem);
    g_free(finding);
}

/* One machine may be out of reach from one network and not from another. */
static char *mark_of(const PlanCheck *check, const char *ns, const char *network, char **endpoints)
{
    g_autofree char *all = g_strjoinv("\n", endpoints);
    g_autofree char *subject =
        g_strdup_printf("%s\n%s\n%s\n%s", object_uid(check->destination), ns, network ? network : "", all);
    char *mark = g_compute_checksum_for_string(G_CHECKSUM_SHA256, subject, -1);

    mark[32] = '\0'; /* a label's value has at most 63 characters */
    return mark;
}

static void keep(const char *mark, json_t *report, const char *problem)
{
    gboolean good = report && !json_array_size(json_object_get(report, "unreachable"));
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Finding *finding = g_new(Finding, 1);

    *finding =
        (Finding){.report = json_incref(report),
                  .problem = g_strdup(problem),
                  .until = g_get_monotonic_time() + (good ? HOLDS_S : HOLDS_FAILED_S) * G_USEC_PER_SEC};
    if (!findings)
        findings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, finding_free);
    g_hash_table_replace(findings, g_strdup(mark), finding);
}

static void say(PlanCheck *check, const Finding *finding)
{
    size_t i;
    json_t *one;

    if (!finding->report)
        conditions_set(check->conditions, "SourceNotProbed", CONDITION_WARN, "ProbeFailed",
                       "Whether the source can be reached from the target namespace is not known: %s",
                       finding->problem);
    json_array_foreach (json_object_get(finding->report, "unreachable"), i, one) {
        g_autofree char *item = g_strdup_printf("%s: %s", json_string_at(one, "endpoint", ""),
                                                json_string_at(one, "message", ""));
        conditions_add_item(
            check->conditions, "SourceNotReachable", CONDITION_CRITICAL, "ConnectionFailed",
            "Machines that the disks are read from cannot be reached from the target namespace: open the "
            "ports, or check names and routes.",
            item);
    }
}

/* TRUE: it was known, and is said. fresh: whether it still holds. */
static gboolean recall(PlanCheck *check, const char *mark, gboolean *fresh)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    Finding *finding = findings ? g_hash_table_lookup(findings, mark) : NULL;

    *fresh = finding && finding->until > g_get_monotonic_time();
    if (finding)
        say(check, finding);
    return finding != NULL;
}

/* ---- the Pod ---- */

/* The target namespace may be made by the migration only; then the plan's own stands for it. NULL with an
 * error. */
static char *place(PlanCheck *check, GCancellable *cancel, GError **error)
{
    const char *target = json_string_at(object_json(check->plan), "spec.targetNamespace", "");
    g_autoptr(GError) problem = NULL;
    g_autoptr(Object) there = kube_get(check->target, &KUBE_NAMESPACE, NULL, target, cancel, &problem);

    if (there || g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        return g_strdup(there ? target : object_namespace(check->plan));
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

static void start(PlanCheck *check, const ProbePod *probe, GCancellable *cancel)
{
    const PlanRun run = plan_check_objects(check);
    g_autoptr(json_t) manifest = target_probe_pod(probe);
    json_t *owners = plan_run_owners(&run, check->target);
    g_autoptr(GError) error = NULL;
    g_autoptr(Object) pod = NULL;

    if (owners)
        json_set_at_new(manifest, "metadata.ownerReferences", owners);
    pod = kube_create(check->target, &KUBE_POD, probe->ns, manifest, cancel, &error);
    if (!pod)
        keep(probe->mark, NULL, error->message);
}

static gint64 age_s(const Object *pod)
{
    const char *created = json_string_at(object_json(pod), "metadata.creationTimestamp", "");
    return *created ? (g_get_real_time() - clock_parse(created)) / G_USEC_PER_SEC : 0;
}

/* TRUE when there is nothing more to wait for. */
static gboolean look(const Object *pod, const char *mark)
{
    g_auto(PodResult) result = {0};

    pod_result_read(pod, &result);
    if (result.state == POD_COMPLETED)
        keep(mark, result.report, NULL);
    else if (result.state == POD_FAILED || result.state == POD_RESTARTED || age_s(pod) > PATIENCE_S)
        keep(mark, NULL, result.text ? result.text : "the probe Pod does not end");
    else
        return FALSE;
    return TRUE;
}

static void clear_away(PlanCheck *check, const Object *pod, GCancellable *cancel)
{
    g_autoptr(GError) error = NULL;

    if (!object_deleting(pod) &&
        !kube_delete(check->target, &KUBE_POD, object_namespace(pod), object_name(pod), NULL, cancel, &error))
        log_debug("a probe Pod is left", "pod", object_name(pod), "error", error->message, NULL);
}

/* Goes on with the Pod of that mark, or starts one; Pods that tried what is asked no more go. */
static gboolean move(PlanCheck *check, const ProbePod *probe, gboolean *ended, GCancellable *cancel,
                     GError **error)
{
    g_autofree char *selector = g_strdup_printf("plan=%s,forklift.app=" TARGET_PROBE_APP, probe->plan_uid);
    g_autoptr(GPtrArray) pods =
        kube_list(check->target, &KUBE_POD, probe->ns, selector, NULL, NULL, cancel, error);
    gboolean there = FALSE;

    for (guint i = 0; pods && i < pods->len; i++) {
        const Object *pod = pods->pdata[i];
        gboolean mine = !there && !strcmp(object_label(pod, TARGET_PROBE_LABEL, ""), probe->mark);
        there = there || mine;
        if (mine)
            *ended = look(pod, probe->mark);
        if (!mine || *ended)
            clear_away(check, pod, cancel);
    }
    if (pods && !there)
        start(check, probe, cancel);
    return pods != NULL;
}

static gboolean was_ready(const PlanCheck *check)
{
    return object_condition(check->plan, "Ready") &&
           json_int_at(object_json(check->plan), "status.observedGeneration", -1) ==
               object_generation(check->plan);
}

gboolean probe_run(PlanCheck *check, GPtrArray *vms, GCancellable *cancel, GError **error)
{
    g_auto(GStrv) endpoints = NULL;
    g_autofree char *ns = NULL, *network = NULL, *mark = NULL;
    gboolean fresh = FALSE, ended = FALSE;
    ProbePod probe;

    if (!check->image || !vms->len || conditions_critical(check->conditions))
        return TRUE;
    endpoints = probe_endpoints(check, vms, cancel, error);
    ns = endpoints ? place(check, cancel, error) : NULL;
    if (!ns)
        return FALSE;
    network = transfer_network_find(check->plan, check->destination, check->settings);
    mark = mark_of(check, ns, network, endpoints);
    if (recall(check, mark, &fresh) && fresh)
        return TRUE;
    probe = (ProbePod){.plan_uid = object_uid(check->plan),
                       .plan_name = object_name(check->plan),
                       .plan_namespace = object_namespace(check->plan),
                       .ns = ns,
                       .image = check->image,
                       .mark = mark,
                       .transfer_network = network,
                       .service_account = check->settings->service_account,
                       .endpoints = (const char *const *)endpoints};
    if (!move(check, &probe, &ended, cancel, error))
        return FALSE;
    if (ended) {
        conditions_remove(check->conditions, "SourceNotReachable");
        conditions_remove(check->conditions, "SourceNotProbed");
        recall(check, mark, &fresh);
        return TRUE;
    }
    check->validating = TRUE;
    if (!was_ready(check))
        conditions_set(check->conditions, "ValidatingSource", CONDITION_ADVISORY, "Started",
                       "Whether the source can be reached from the target namespace is being tried.");
    return TRUE;
}
