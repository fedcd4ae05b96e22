/* metrics: families of samples, each a sum over what the informers hold. */
#include "controller/metrics.h"
#include "base/clock.h"
#include "controller/status.h"
#include "net/http_server.h"
#include "plan/execution.h"
#include <string.h>

typedef enum {
    WORKLOAD_MIGRATIONS,
    WORKLOAD_PLANS,
    PLANS_STATUS,
    PLAN_ALERT,
    MIGRATIONS_STATUS,
    WORKLOAD_MIGRATIONS_STATUS,
    PLANNED_VMS,
    MIGRATED_VMS,
    DURATION,
    TRANSFERRED,
    VM_BYTES,
    VM_RATE,
    VM_OWED,
    VM_LEFT,
    VMS_QUEUED,
    DURATIONS,
    DURATIONS_BUCKET,
    DURATIONS_SUM,
    DURATIONS_COUNT,
    FAMILIES
} Family;

static const struct {
    const char *name, *type, *help;
} families[FAMILIES] = {
    [WORKLOAD_MIGRATIONS] = {"mtv_workload_migrations", "gauge", "VM migrations by status."},
    [WORKLOAD_PLANS] = {"mtv_workload_plans", "gauge", "Plans by status."},
    [PLANS_STATUS] = {"mtv_plans_status", "gauge", "Plans by status, provider, mode and target."},
    [PLAN_ALERT] = {"mtv_plan_alert_status", "gauge", "The status of each plan."},
    [MIGRATIONS_STATUS] = {"mtv_migrations_status_total", "counter", "Migrations by status."},
    [WORKLOAD_MIGRATIONS_STATUS] = {"mtv_workload_migrations_status_total", "counter",
                                    "VM migrations by status and plan."},
    [PLANNED_VMS] = {"mtv_planned_vms_total", "counter", "VMs in plans."},
    [MIGRATED_VMS] = {"mtv_migrated_vms_total", "counter", "VMs by how their migration ended."},
    [DURATION] = {"mtv_migration_duration_seconds", "gauge", "How long the plan's last migration took."},
    [TRANSFERRED] = {"mtv_migration_data_transferred_bytes", "gauge",
                     "Bytes of disks that the plan's last migration moved."},
    [VM_BYTES] = {"gantry_vm_copied_bytes", "gauge", "Bytes of a VM's disks that have landed."},
    [VM_RATE] = {"gantry_vm_copy_bytes_per_second", "gauge", "The rate at which a VM's disks land."},
    [VM_OWED] = {"gantry_vm_owed_bytes", "gauge", "Bytes of a VM's disks that have yet to land."},
    [VM_LEFT] = {"gantry_vm_copy_seconds_left", "gauge", "When a VM's disks will have landed at that rate."},
    [VMS_QUEUED] = {"gantry_vms_queued", "gauge", "VMs that wait for room on their host."},
    [DURATIONS] = {"mtv_migrations_duration_seconds", "histogram", "How long migrations took."},
    [DURATIONS_BUCKET] = {"mtv_migrations_duration_seconds_bucket", NULL, NULL},
    [DURATIONS_SUM] = {"mtv_migrations_duration_seconds_sum", NULL, NULL},
    [DURATIONS_COUNT] = {"mtv_migrations_duration_seconds_count", NULL, NULL},
};

/* Label text → value, per family; ordered, so that equal states give equal text. */
typedef struct {
    GTree *samples[FAMILIES];
} Metrics;

#define LE "le=\""

/* By text, but the buckets of a histogram by their number. */
static gint compare(gconstpointer a, gconstpointer b, gpointer data)
{
    const char *left = strstr(a, LE), *right = strstr(b, LE);
    double first, second;

    if (!left || !right || left - (const char *)a != right - (const char *)b ||
        strncmp(a, b, left - (const char *)a))
        return strcmp(a, b);
    first = g_ascii_strtod(left + strlen(LE), NULL);
    second = g_ascii_strtod(right + strlen(LE), NULL);
    return first < second ? -1 : first > second;
}

static void add(Metrics *metrics, Family family, gint64 amount, char *take_labels)
{
    gint64 *value = g_tree_lookup(metrics->samples[family], take_labels);

    if (value) {
        *value += amount;
        g_free(take_labels);
        return;
    }
    value = g_new(gint64, 1);
    *value = amount;
    g_tree_insert(metrics->samples[family], take_labels, value);
}

/* A label's value may hold anything: quotes, backslashes and line feeds are escaped. */
static char *escape(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text; text++)
        if (*text == '\n')
            g_string_append(out, "\\n");
        else if (*text == '"' || *text == '\\')
            g_string_append_printf(out, "\\%c", *text);
        else
            g_string_append_c(out, *text);
    return g_string_free(out, FALSE);
}

/* ---- plans ---- */

static const char *plan_status(const Object *plan)
{
    static const char *const known[] = {"Executing", "Succeeded", "Failed", "Canceled"};

    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (object_condition(plan, known[i]))
            return known[i];
    return object_condition(plan, "Ready") ? "Idle" : "Blocked";
}

static const char *vm_state(const json_t *vm)
{
    static const char *const known[] = {"Succeeded", "Failed", "Canceled"};

    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (vm_status_has(vm, known[i]))
            return known[i];
    return vm_status_started(vm) ? "Executing" : NULL;
}

/* provider, mode and target as later Forklift labels them. */
static char *common_labels(const Object *plan)
{
    const json_t *spec = json_object_get(object_json(plan), "spec");
    g_autofree char *provider = escape(json_string_at(spec, "provider.source.name", ""));
    const char *target = json_string_at(spec, "provider.destination.name", "");

    return g_strdup_printf("provider=\"%s\",mode=\"%s\",target=\"%s\"", provider,
                           json_bool_at(spec, "warm", FALSE) ? "Warm" : "Cold",
                           strcmp(target, "host") ? "Remote" : "Local");
}

static gint64 sum_of(const json_t *vm, const char *key)
{
    const json_t *tasks = json_object_get(vm_status_step(vm, "DiskTransfer"), "tasks");
    gint64 sum = 0;
    size_t i;
    json_t *task;

    json_array_foreach (tasks, i, task) {
        const char *text = item_annotation(task, key);
        sum += text ? g_ascii_strtoll(text, NULL, 10) : 0;
    }
    return sum;
}

/* Of disks that do not copy yet only the size in MB is known. */
static gint64 disk_bytes(const json_t *vm)
{
    gint64 known = sum_of(vm, "bytesTotal");
    gint64 planned = json_int_at(vm_status_step(vm, "DiskTransfer"), "progress.total", 0) << 20;
    return known ? known : planned;
}

static gint64 add_vm(Metrics *metrics, const Object *plan, const json_t *vm, const char *common)
{
    const char *state = vm_state(vm);
    gint64 bytes = sum_of(vm, "bytes");
    const char *left;
    g_autofree char *labels = g_strdup_printf("plan=\"%s\",plan_name=\"%s\",vm=\"%s\"", object_uid(plan),
                                              object_name(plan), vm_status_id(vm));

    if (vm_status_has(vm, "Pending"))
        add(metrics, VMS_QUEUED, 1,
            g_strdup_printf("plan=\"%s\",plan_name=\"%s\"", object_uid(plan), object_name(plan)));
    if (!state)
        return 0;
    add(metrics, WORKLOAD_MIGRATIONS, 1, g_strdup_printf("status=\"%s\"", state));
    add(metrics, WORKLOAD_MIGRATIONS_STATUS, 1,
        g_strdup_printf("status=\"%s\",%s,plan=\"%s\"", state, common, object_uid(plan)));
    if (vm_status_completed(vm))
        add(metrics, MIGRATED_VMS, 1, g_strdup_printf("status=\"%s\",%s", state, common));
    add(metrics, VM_BYTES, bytes, g_strdup(labels));
    add(metrics, VM_RATE, sum_of(vm, "bytesPerSecond"), g_strdup(labels));
    if (vm_status_completed(vm))
        return bytes;
    add(metrics, VM_OWED, MAX(disk_bytes(vm) - bytes, 0), g_strdup(labels));
    left = item_annotation(vm_status_step(vm, "DiskTransfer"), "secondsLeft");
    if (left)
        add(metrics, VM_LEFT, g_ascii_strtoll(left, NULL, 10), g_strdup(labels));
    return bytes;
}

static void add_plan(Metrics *metrics, const Object *plan)
{
    const json_t *json = object_json(plan), *run = json_at(json, "status.migration");
    g_autofree char *common = common_labels(plan);
    const char *status = plan_status(plan);
    gint64 started = clock_parse(json_string_at(run, "started", "")),
           ended = clock_parse(json_string_at(run, "completed", ""));
    gint64 bytes = 0;
    size_t i;
    json_t *vm;

    add(metrics, WORKLOAD_PLANS, 1, g_strdup_printf("status=\"%s\"", status));
    add(metrics, PLANS_STATUS, 1, g_strdup_printf("status=\"%s\",%s", status, common));
    add(metrics, PLAN_ALERT, 1,
        g_strdup_printf("status=\"%s\",%s,plan=\"%s\",plan_name=\"%s\"", status, common, object_uid(plan),
                        object_name(plan)));
    add(metrics, PLANNED_VMS, json_array_size(json_at(json, "spec.vms")), g_strdup(common));
    json_array_foreach (json_object_get(run, "vms"), i, vm)
        bytes += add_vm(metrics, plan, vm, common);
    if (ended < started || started < 0)
        return;
    add(metrics, DURATION, (ended - started) / G_USEC_PER_SEC,
        g_strdup_printf("%s,plan=\"%s\"", common, object_uid(plan)));
    add(metrics, TRANSFERRED, bytes, g_strdup_printf("%s,plan=\"%s\"", common, object_uid(plan)));
}

/* ---- migrations ---- */

static const Object *plan_of(GPtrArray *plans, const Object *migration)
{
    const json_t *ref = json_at(object_json(migration), "spec.plan");

    for (guint i = 0; i < plans->len; i++)
        if (!strcmp(object_name(plans->pdata[i]), json_string_at(ref, "name", "")) &&
            !strcmp(object_namespace(plans->pdata[i]), reference_namespace(ref, migration)))
            return plans->pdata[i];
    return NULL;
}

static void add_duration(Metrics *metrics, gint64 seconds, const char *common)
{
    static const struct {
        const char *text;
        gint64 hours;
    } buckets[] = {{"3600", 1},   {"7200", 2},   {"18000", 5},     {"36000", 10},
                   {"86400", 24}, {"172800", 48}, {"+Inf", G_MAXINT32}};

    for (guint i = 0; i < G_N_ELEMENTS(buckets); i++)
        add(metrics, DURATIONS_BUCKET, seconds <= buckets[i].hours * 3600,
            g_strdup_printf("%s," LE "%s\"", common, buckets[i].text));
    add(metrics, DURATIONS_SUM, seconds, g_strdup(common));
    add(metrics, DURATIONS_COUNT, 1, g_strdup(common));
}

static void add_migration(Metrics *metrics, const Object *migration, const Object *plan)
{
    static const char *const known[] = {"Running", "Succeeded", "Failed", "Canceled"};
    const json_t *status = json_object_get(object_json(migration), "status");
    gint64 started = clock_parse(json_string_at(status, "started", "")),
           ended = clock_parse(json_string_at(status, "completed", ""));
    g_autofree char *common = plan ? common_labels(plan) : g_strdup("provider=\"\",mode=\"\",target=\"\"");

    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (object_condition(migration, known[i]))
            add(metrics, MIGRATIONS_STATUS, 1, g_strdup_printf("status=\"%s\",%s", known[i], common));
    if (started >= 0 && ended >= started)
        add_duration(metrics, (ended - started) / G_USEC_PER_SEC, common);
}

/* ---- text ---- */

static gboolean print_sample(gpointer labels, gpointer value, gpointer user_data)
{
    gpointer *place = user_data;
    g_string_append_printf(place[0], "%s{%s} %" G_GINT64_FORMAT "\n", (const char *)place[1],
                           (const char *)labels, *(gint64 *)value);
    return FALSE;
}

char *metrics_text(GPtrArray *plans, GPtrArray *migrations)
{
    GString *text = g_string_new(NULL);
    Metrics metrics;

    for (guint i = 0; i < FAMILIES; i++)
        metrics.samples[i] = g_tree_new_full(compare, NULL, g_free, g_free);
    for (guint i = 0; i < plans->len; i++)
        add_plan(&metrics, plans->pdata[i]);
    for (guint i = 0; i < migrations->len; i++)
        add_migration(&metrics, migrations->pdata[i], plan_of(plans, migrations->pdata[i]));
    for (guint i = 0; i < FAMILIES; i++) {
        gpointer place[] = {text, (gpointer)families[i].name};
        if (families[i].type)
            g_string_append_printf(text, "# HELP %s %s\n# TYPE %s %s\n", families[i].name, families[i].help,
                                   families[i].name, families[i].type);
        g_tree_foreach(metrics.samples[i], print_sample, place);
        g_tree_unref(metrics.samples[i]);
    }
    return g_string_free(text, FALSE);
}

/* ---- server ---- */

struct MetricsServer {
    HttpServer *server;
};

static void answer(HttpExchange *exchange, gpointer controllers)
{
    g_autoptr(GPtrArray) plans = NULL, migrations = NULL;
    char *text;

    if (strcmp(http_exchange_path(exchange), "/metrics")) {
        http_exchange_reply_text(exchange, 404, "text/plain", "there is only /metrics here\n");
        return;
    }
    plans = controllers_plans(controllers);
    migrations = controllers_migrations(controllers);
    text = metrics_text(plans, migrations);
    http_exchange_reply_text(exchange, 200, "text/plain; version=0.0.4", text);
    g_free(text);
}

MetricsServer *metrics_serve(Controllers *controllers, const char *listen, GError **error)
{
    HttpServerOptions options = {.listen = listen, .handler = answer, .user_data = controllers, .workers = 2};
    HttpServer *server = http_server_start(&options, error);
    MetricsServer *metrics = server ? g_new(MetricsServer, 1) : NULL;

    if (metrics)
        metrics->server = server;
    return metrics;
}

void metrics_stop(MetricsServer *metrics)
{
    if (!metrics)
        return;
    http_server_stop(metrics->server);
    g_free(metrics);
}
