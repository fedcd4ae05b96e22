/* simulation: many VMs in one plan and in eight, in a world of memory with a copy time that is made up; for
 * ./test bench plan, and with few VMs as a test.
 *
 * What is real: the pass over a plan, the crew, the schedule, the work queue, and each plan's status as text,
 * which is parsed whenever it is read and printed whenever it is written. What is made up: the time (simulated_time.h),
 * of which an API's answer takes --call-us, a written status more the longer it is (PUT_US_PER_MB, as the
 * local API was measured), a pass what it has used of a processor, and a copy --copy-ms. Prints lines bench:
 * NAME ours=… rival=… ratio=… target=… met|short; ends with 1 when a limit was exceeded or a VM did not
 * arrive.
 */
#include "kube/work_queue.h"
#include "plan/execution.h"
#include "plan/fake_world.h"
#include "plan/fit.h"
#include "plan/queue.h"
#include "plan/schedule.h"
#include "plan/simulated_time.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PLAN_THREADS = 8,
    CREW_THREADS = 32,
    MOST_PLANS = 8,
    NUMBERS_MS = 1000,
    TICK_US = 20000,
    PUT_US_PER_MB = 40000
};

#define PER_HOST      20
#define PER_DATASTORE 60
#define NS            "openshift-mtv"

static gint vms = 1000, hosts = 20, copy_ms = 20000, call_us = 1000, description_bytes = 0;

static const GOptionEntry options[] = {
    {"vms", 0, 0, G_OPTION_ARG_INT, &vms, "VMs in all (1000)", "N"},
    {"hosts", 0, 0, G_OPTION_ARG_INT, &hosts, "ESXi hosts (20)", "N"},
    {"copy-ms", 0, 0, G_OPTION_ARG_INT, &copy_ms,
     "how long a disk's copy takes, half of it more or less (20000)", "MS"},
    {"call-us", 0, 0, G_OPTION_ARG_INT, &call_us, "how long a call of an API takes (1000)", "US"},
    {"description-bytes", 0, 0, G_OPTION_ARG_INT, &description_bytes,
     "how long each plan's description is, which leaves its status less room (0)", "N"},
    G_OPTION_ENTRY_NULL,
};

typedef struct {
    Object *plan;
    GPtrArray *migrations;
    char *status; /* as the API has it */
    gsize most;   /* bytes that the object ever had */
    gboolean begun, ended;
} Planned;

typedef struct {
    Planned plans[MOST_PLANS];
    guint count;
    Object *provider, *destination, *secret, *network_map, *storage_map;
    Settings *settings;
    Crew *crew;
    WorkQueue *queue;
    GMutex lock;
    GCond changed;
    guint running;
} Site;

/* ---- the API's part ---- */

static json_t *read_status(const Planned *planned)
{
    g_usleep(call_us);
    return json_loads(planned->status, 0, NULL);
}

/* Of the processor, by this thread. */
static gint64 time_used_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

static void write_status(Planned *planned, const json_t *status)
{
    char *text = json_dumps(status, JSON_COMPACT);

    g_usleep(call_us + (gulong)(PUT_US_PER_MB * (strlen(text) / 1e6)) * (call_us > 0));
    free(planned->status);
    planned->status = text;
    planned->most = MAX(planned->most, FIT_OBJECT_BYTES - fit_room(planned->plan) + strlen(text));
}

/* ---- the controller's part, as controller/plan.c and controllers.c do it ---- */

static Planned *planned_at(Site *site, const char *key)
{
    return &site->plans[atoi(strrchr(key, '-') + 1)];
}

static void end_plan(Site *site, Planned *planned)
{
    g_mutex_lock(&site->lock);
    if (!planned->ended)
        site->running--;
    planned->ended = TRUE;
    g_cond_broadcast(&site->changed);
    g_mutex_unlock(&site->lock);
}

static guint reconcile(const char *key, gpointer data, GCancellable *cancel, GError **error)
{
    Site *site = data;
    Planned *planned = planned_at(site, key);
    gint64 begin = time_used_us();
    g_autoptr(json_t) status = read_status(planned);
    g_autoptr(Conditions) conditions = conditions_begin(json_object_get(status, "conditions"));
    Execution execution = {.run = {.kube = (KubeClient *)site,
                                   .target = (KubeClient *)site,
                                   .settings = site->settings,
                                   .plan = planned->plan,
                                   .provider = site->provider,
                                   .destination = site->destination,
                                   .secret = site->secret,
                                   .network_map = site->network_map,
                                   .storage_map = site->storage_map,
                                   .image = "gantry"},
                           .crew = site->crew,
                           .migrations = planned->migrations,
                           .ready = TRUE};
    ExecutionResult result = execution_pass(&execution, status, conditions, cancel, error);

    json_object_set_new(status, "conditions", conditions_end(conditions));
    write_status(planned, status);
    execution_move(&execution, status);
    g_usleep(time_used_us() - begin);
    if (execution_active(status))
        planned->begun = TRUE;
    else if (planned->begun)
        end_plan(site, planned);
    return result == EXECUTION_ADVANCED ? 1 : result == EXECUTION_WAITING ? 1000 : 30000;
}

static void wake(Site *site, const char *name, guint ms)
{
    g_autofree char *key = g_strdup_printf(NS "/%s", name);

    if (ms)
        work_queue_add_after(site->queue, key, ms);
    else
        work_queue_add(site->queue, key);
}

static void crew_news(const Object *plan, gboolean at_once, gpointer site)
{
    wake(site, object_name(plan), at_once ? 0 : NUMBERS_MS);
}

static void share_granted(const char *plan_uid, gpointer data)
{
    Site *site = data;

    for (guint i = 0; i < site->count; i++)
        if (!strcmp(object_uid(site->plans[i].plan), plan_uid))
            wake(site, object_name(site->plans[i].plan), 0);
}

static void child_changed(const Object *child, gpointer data)
{
    Site *site = data;
    crew_wake(site->crew, object_label(child, "plan", ""), object_label(child, "vmID", ""));
}

/* ---- a site ---- */

static Object *map_new(const KubeResource *resource, const char *name, json_t *entries)
{
    g_autoptr(json_t) body = json_pack("{s:{s:s, s:s}, s:{s:o}}", "metadata", "name", name, "namespace", NS,
                                       "spec", "map", entries);
    g_autofree char *text = json_text(body);
    return fake_add(resource, text);
}

static void add_maps(Site *site)
{
    json_t *datastores = json_array();

    for (guint i = 0; i < 10; i++) {
        g_autofree char *id = g_strdup_printf("datastore-%u", i);
        json_array_append_new(datastores, json_pack("{s:{s:s}, s:{s:s, s:s, s:s}}", "source", "id", id,
                                                    "destination", "storageClass", "standard", "accessMode",
                                                    "ReadWriteOnce", "volumeMode", "Filesystem"));
    }
    site->storage_map = map_new(&KUBE_STORAGE_MAP, "s", datastores);
    site->network_map =
        map_new(&KUBE_NETWORK_MAP, "n",
                json_pack("[{s:{s:s}, s:{s:s}}]", "source", "id", "network-1", "destination", "type", "pod"));
    object_unref(fake_add(&KUBE_STORAGE_CLASS,
                          "{\"metadata\":{\"name\":\"standard\"},\"provisioner\":\"gantry.io/folder\"}"));
}

static void add_plan(Site *site, guint index)
{
    Planned *planned = &site->plans[index];
    g_autofree char *name = g_strdup_printf("plan-%u", index), *text = NULL, *migration = NULL,
                    *description = NULL;
    json_t *list = json_array();
    g_autoptr(json_t) body = NULL;

    for (gint i = 0; i < vms; i++) {
        g_autofree char *id = g_strdup_printf("vm-%d", i + 1);
        /* as a user deals them out: each plan has VMs of each host */
        if (i / hosts % site->count == index)
            json_array_append_new(list, json_pack("{s:s}", "id", id));
    }
    description = g_strnfill(description_bytes, 'x');
    body = json_pack("{s:{s:s, s:s}, s:{s:s, s:s, s:b, s:o}}", "metadata", "name", name, "namespace", NS,
                     "spec", "description", description, "targetNamespace", "target", "skipGuestConversion",
                     1, "vms", list);
    text = json_text(body);
    planned->plan = fake_add(&KUBE_PLAN, text);
    migration =
        g_strdup_printf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"" NS "\"},\"spec\":{}}", name);
    planned->migrations = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);
    g_ptr_array_add(planned->migrations, fake_add(&KUBE_MIGRATION, migration));
    planned->status = strdup("{}");
}

static void site_begin(Site *site, guint plans)
{
    FakeScale scale = {.vms = vms, .hosts = hosts, .copy_ms = copy_ms, .call_us = call_us};
    g_autoptr(json_t) spec = json_pack("{s:i, s:i}", "controller_max_vm_inflight", PER_HOST,
                                       "controller_max_disks_per_datastore", PER_DATASTORE);

    *site = (Site){.count = plans, .running = plans};
    fake_begin();
    site->provider =
        fake_add(&KUBE_PROVIDER, "{\"metadata\":{\"name\":\"vc\",\"namespace\":\"" NS
                                 "\"},\"spec\":{\"type\":\"vsphere\",\"url\":\"https://vc/sdk\"}}");
    site->destination = fake_add(&KUBE_PROVIDER, "{\"metadata\":{\"name\":\"host\",\"namespace\":\"" NS
                                                 "\"},\"spec\":{\"type\":\"openshift\"}}");
    site->secret = fake_add(&KUBE_SECRET, "{\"metadata\":{\"name\":\"vc\",\"namespace\":\"" NS
                                          "\"},\"stringData\":{\"user\":\"u\",\"password\":\"p\"}}");
    add_maps(site);
    for (guint i = 0; i < plans; i++)
        add_plan(site, i);
    fake_scale(&scale);
    site->settings = settings_parse(spec);
    g_mutex_init(&site->lock);
    g_cond_init(&site->changed);
    site->queue = work_queue_new("plan", PLAN_THREADS, reconcile, site);
    site->crew = crew_new(CREW_THREADS, crew_news, site);
    schedule_on_grant(share_granted, site);
    fake_on_change(child_changed, site);
}

static void site_end(Site *site)
{
    schedule_on_grant(NULL, NULL);
    work_queue_free(site->queue);
    crew_free(site->crew);
    for (guint i = 0; i < site->count; i++) {
        object_unref(site->plans[i].plan);
        g_ptr_array_unref(site->plans[i].migrations);
        free(site->plans[i].status);
    }
    object_unref(site->provider);
    object_unref(site->destination);
    object_unref(site->secret);
    object_unref(site->network_map);
    object_unref(site->storage_map);
    settings_release(site->settings);
    g_mutex_clear(&site->lock);
    g_cond_clear(&site->changed);
    fake_end();
}

/* ---- the run ---- */

static void wait_for_end(Site *site)
{
    g_mutex_lock(&site->lock);
    while (site->running) {
        g_mutex_unlock(&site->lock);
        fake_tick();
        g_mutex_lock(&site->lock);
        g_cond_wait_until(&site->changed, &site->lock, g_get_monotonic_time() + TICK_US);
    }
    g_mutex_unlock(&site->lock);
}

static gint count_arrived(const Site *site)
{
    gint arrived = 0;

    for (guint i = 0; i < site->count; i++) {
        g_autoptr(json_t) status = json_loads(site->plans[i].status, 0, NULL);
        size_t j;
        json_t *vm;
        json_array_foreach (json_at(status, "migration.vms"), j, vm)
            arrived += vm_status_has(vm, "Succeeded");
    }
    return arrived;
}

static guint most_of(const char *what, guint number)
{
    guint most = 0;

    for (guint i = 0; i < number; i++) {
        g_autofree char *name = g_strdup_printf("%s-%u", what, i);
        most = MAX(most, fake_most_importers(name));
    }
    return most;
}

typedef struct {
    double seconds;
    guint per_host, per_datastore;
    gsize object_bytes;
    gint arrived;
} Outcome;

static gsize largest_object(const Site *site)
{
    gsize most = 0;

    for (guint i = 0; i < site->count; i++)
        most = MAX(most, site->plans[i].most);
    return most;
}

static Outcome run(guint plans)
{
    Site site;
    gint64 begin;
    Outcome outcome;

    site_begin(&site, plans);
    begin = g_get_monotonic_time();
    for (guint i = 0; i < plans; i++)
        wake(&site, object_name(site.plans[i].plan), 0);
    wait_for_end(&site);
    outcome = (Outcome){.seconds = (g_get_monotonic_time() - begin) / 1e6,
                        .per_host = most_of("host", hosts),
                        .per_datastore = most_of("datastore", 10),
                        .object_bytes = largest_object(&site),
                        .arrived = count_arrived(&site)};
    site_end(&site);
    return outcome;
}

static gboolean report_limit(const char *name, const char *unit, gsize most, gsize limit)
{
    printf("bench: %s ours=%zu %s rival=%zu %s ratio=%.2f target=1 %s\n", name, most, unit, limit, unit,
           (double)most / limit, most <= limit ? "met" : "short");
    return most <= limit;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("- many VMs in one plan and in eight");
    g_autoptr(GError) error = NULL;
    Outcome one, eight;
    gboolean good;

    g_setenv("LOG_LEVEL", "1", FALSE);
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || vms < 1 || hosts < 1) {
        fprintf(stderr, "simulation: %s\n", error ? error->message : "--vms and --hosts must be at least 1");
        return 2;
    }
    simulated_time_begin();
    eight = run(MOST_PLANS);
    one = run(1);
    printf("bench: plan-1-vs-8 ours=%.1f s rival=%.1f s ratio=%.3f target=1.05 %s\n", one.seconds,
           eight.seconds, one.seconds / eight.seconds, one.seconds <= 1.05 * eight.seconds ? "met" : "short");
    good = report_limit("plan-disks-per-host", "disks", MAX(one.per_host, eight.per_host), PER_HOST);
    good = report_limit("plan-disks-per-datastore", "disks", MAX(one.per_datastore, eight.per_datastore),
                        PER_DATASTORE) &&
           good;
    good = report_limit("plan-object", "bytes", one.object_bytes, FIT_OBJECT_BYTES) && good;
    if (one.arrived != vms || eight.arrived != vms)
        fprintf(stderr, "simulation: %d and %d of %d VMs arrived\n", one.arrived, eight.arrived, vms);
    return good && one.arrived == vms && eight.arrived == vms ? 0 : 1;
}
