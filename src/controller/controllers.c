/* controllers: queues, informers, and which change wakes whom. */
#include "controller/controllers.h"
#include "base/log.h"
#include "controller/status.h"
#include "controller/sweep.h"
#include "crd/conditions.h"
#include "crd/plan_key.h"
#include "plan/execution.h"
#include "plan/provider_access.h"
#include "plan/schedule.h"
#include <string.h>

#define IMAGE "quay.io/gantry/gantry:" GANTRY_VERSION

enum { PLAN_THREADS = 8, OTHER_THREADS = 2, CREW_THREADS = 32 };

/* How long a plan may take to write numbers that have changed, and a Migration to show what its plan does. */
enum { NUMBERS_MS = 1000, MIRROR_MS = 500 };

#define SWEEP "sweep"

typedef enum {
    NETWORK_MAPS,
    STORAGE_MAPS,
    HOSTS,
    HOOKS,
    PLANS,
    MIGRATIONS,
    FORKLIFT_CONTROLLERS,
    OWN_KINDS
} Own;

static const struct {
    const char *name;
    const KubeResource *resource;
    WorkQueueRun run;
    guint threads;
} own[OWN_KINDS] = {
    [NETWORK_MAPS] = {"network-map", &KUBE_NETWORK_MAP, network_map_reconcile, OTHER_THREADS},
    [STORAGE_MAPS] = {"storage-map", &KUBE_STORAGE_MAP, storage_map_reconcile, OTHER_THREADS},
    [HOSTS] = {"host", &KUBE_HOST, host_reconcile, OTHER_THREADS},
    [HOOKS] = {"hook", &KUBE_HOOK, hook_reconcile, 1},
    [PLANS] = {"plan", &KUBE_PLAN, plan_reconcile, PLAN_THREADS},
    [MIGRATIONS] = {"migration", &KUBE_MIGRATION, migration_reconcile, OTHER_THREADS},
    [FORKLIFT_CONTROLLERS] = {"forklift-controller", &KUBE_FORKLIFT_CONTROLLER, forklift_controller_reconcile,
                              1},
};

/* What a migration makes: a change of one wakes its plan. */
static const KubeResource *const children[] = {&KUBE_POD, &KUBE_DATA_VOLUME, &KUBE_VIRTUAL_MACHINE, &KUBE_JOB,
                                               &KUBE_VIRTUAL_MACHINE_INSTANCE};

/* One informer's kind, for its callback. */
typedef struct {
    Controllers *controllers;
    Own kind;
} Watched;

struct Controllers {
    KubeClient *kube;
    InventoryClient *inventory;
    char *image;
    const Object *home;
    Crew *crew;
    WorkQueue *queues[OWN_KINDS], *sweeper;
    Informer *informers[OWN_KINDS];
    Watched watched[OWN_KINDS];
    Informer *providers;
    Informer *children[G_N_ELEMENTS(children)];
    GMutex lock;
    gboolean running; /* under lock: queues take keys */
};

KubeClient *controllers_kube(const Controllers *controllers)
{
    return controllers->kube;
}
InventoryClient *controllers_inventory(const Controllers *controllers)
{
    return controllers->inventory;
}
Crew *controllers_crew(const Controllers *controllers)
{
    return controllers->crew;
}
const char *controllers_image(const Controllers *controllers)
{
    return controllers->image;
}
const Object *controllers_home(const Controllers *controllers)
{
    return controllers->home;
}

/* ---- waking ---- */

static void wake_in(Controllers *c, Own kind, const char *ns, const char *name, guint ms)
{
    g_autofree char *key = g_strdup_printf("%s/%s", ns, name);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&c->lock);

    if (c->running && ms)
        work_queue_add_after(c->queues[kind], key, ms);
    else if (c->running)
        work_queue_add(c->queues[kind], key);
}

static void wake(Controllers *c, Own kind, const char *ns, const char *name)
{
    wake_in(c, kind, ns, name, 0);
}

static void wake_sweep(Controllers *c)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&c->lock);

    if (c->running)
        work_queue_add(c->sweeper, SWEEP);
}

static void set_running(Controllers *c, gboolean running)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&c->lock);
    c->running = running;
}

static void wake_all(Controllers *c, Own kind)
{
    g_autoptr(GPtrArray) all = c->informers[kind] ? informer_list(c->informers[kind], NULL) : NULL;

    for (guint i = 0; all && i < all->len; i++)
        wake(c, kind, object_namespace(all->pdata[i]), object_name(all->pdata[i]));
}

/* A change that the object's own reconciler did not make itself. */
static gboolean by_others(const Object *before, const Object *after)
{
    return !before || !after || object_generation(before) != object_generation(after) ||
           object_deleting(before) != object_deleting(after) ||
           !json_equal(json_at(object_json(before), "metadata.annotations"),
                       json_at(object_json(after), "metadata.annotations"));
}

static gboolean readiness_changed(const Object *before, const Object *after)
{
    return !before || !after || !object_condition(before, "Ready") != !object_condition(after, "Ready");
}

static void wake_migrations_of(Controllers *c, const Object *plan)
{
    g_autofree char *key = plan_key(plan);
    g_autoptr(GPtrArray) migrations = controllers_migrations_of(c, key);
    guint ms = object_condition(plan, "Executing") ? MIRROR_MS : 0;

    for (guint i = 0; i < migrations->len; i++)
        wake_in(c, MIGRATIONS, object_namespace(migrations->pdata[i]), object_name(migrations->pdata[i]), ms);
}

static void own_changed(Object *before, Object *after, gpointer user_data)
{
    const Watched *watched = user_data;
    Controllers *c = watched->controllers;
    const Object *object = after ? after : before;
    const json_t *plan = json_at(object_json(object), "spec.plan");

    if (by_others(before, after))
        wake(c, watched->kind, object_namespace(object), object_name(object));
    if (watched->kind == MIGRATIONS && by_others(before, after))
        wake(c, PLANS, reference_namespace(plan, object), json_string_at(plan, "name", ""));
    else if (watched->kind == PLANS && !after) {
        schedule_forget(object_uid(before));
        wake_sweep(c);
    } else if (watched->kind == PLANS)
        wake_migrations_of(c, object);
    else if (watched->kind <= HOOKS && (by_others(before, after) || readiness_changed(before, after)))
        wake_all(c, PLANS);
}

static void provider_changed(Object *before, Object *after, gpointer user_data)
{
    Controllers *c = user_data;

    if (!by_others(before, after) && !readiness_changed(before, after))
        return;
    wake_all(c, NETWORK_MAPS);
    wake_all(c, STORAGE_MAPS);
    wake_all(c, HOSTS);
    wake_all(c, PLANS);
}

static void child_changed(Object *before, Object *after, gpointer user_data)
{
    const Object *object = after ? after : before;
    Controllers *c = user_data;

    crew_wake(c->crew, object_label(object, "plan", ""), object_label(object, "vmID", ""));
}

/* A VM was moved: its plan takes it in. */
static void crew_news(const Object *plan, gboolean at_once, gpointer user_data)
{
    wake_in(user_data, PLANS, object_namespace(plan), object_name(plan), at_once ? 0 : NUMBERS_MS);
}

/* A VM may begin: its plan starts it. */
static void share_granted(const char *plan_uid, gpointer user_data)
{
    Controllers *c = user_data;
    g_autoptr(GPtrArray) plans = controllers_plans(c);

    for (guint i = 0; i < plans->len; i++)
        if (!strcmp(object_uid(plans->pdata[i]), plan_uid))
            wake(c, PLANS, object_namespace(plans->pdata[i]), object_name(plans->pdata[i]));
}

GPtrArray *controllers_migrations_of(const Controllers *c, const char *key)
{
    g_autoptr(GPtrArray) all =
        c->informers[MIGRATIONS] ? informer_list(c->informers[MIGRATIONS], NULL) : g_ptr_array_new();
    GPtrArray *mine = g_ptr_array_new_with_free_func((GDestroyNotify)object_unref);

    for (guint i = 0; i < all->len; i++) {
        const json_t *ref = json_at(object_json(all->pdata[i]), "spec.plan");
        g_autofree char *named = g_strdup_printf("%s/%s", reference_namespace(ref, all->pdata[i]),
                                                 json_string_at(ref, "name", ""));
        if (!strcmp(named, key))
            g_ptr_array_add(mine, object_ref(all->pdata[i]));
    }
    return mine;
}

GPtrArray *controllers_plans(const Controllers *c)
{
    return informer_list(c->informers[PLANS], NULL);
}
GPtrArray *controllers_migrations(const Controllers *c)
{
    return informer_list(c->informers[MIGRATIONS], NULL);
}

/* ---- starting ---- */

static gboolean wait_synced(Controllers *c, GCancellable *cancel)
{
    for (guint i = 0; i < OWN_KINDS; i++)
        if (!informer_wait_synced(c->informers[i], cancel))
            return FALSE;
    return informer_wait_synced(c->providers, cancel);
}

static Object *provider_of(Controllers *c, const Object *plan)
{
    const json_t *ref = json_at(object_json(plan), "spec.provider.source");
    return informer_get(c->providers, reference_namespace(ref, plan), json_string_at(ref, "name", ""));
}

/* What runs already counts against its hosts before any plan begins more. */
static void hold_shares(Controllers *c, GCancellable *cancel)
{
    g_autoptr(GPtrArray) plans = informer_list(c->informers[PLANS], NULL);
    g_autoptr(Settings) settings = settings_ref();

    for (guint i = 0; i < plans->len; i++) {
        const json_t *status = json_object_get(object_json(plans->pdata[i]), "status");
        g_autoptr(Object) provider = provider_of(c, plans->pdata[i]);
        Execution execution = {.run = {.kube = c->kube,
                                       .target = c->kube,
                                       .inventory = c->inventory,
                                       .settings = settings,
                                       .plan = plans->pdata[i],
                                       .provider = provider,
                                       .image = c->image}};
        if (provider && execution_active(status))
            execution_hold_shares(&execution, status, cancel);
    }
}

static void start_queues(Controllers *c)
{
    for (guint i = 0; i < OWN_KINDS; i++)
        c->queues[i] = work_queue_new(own[i].name, own[i].threads, own[i].run, c);
    c->sweeper = work_queue_new(SWEEP, 1, sweep_run, c);
    set_running(c, TRUE);
    wake_sweep(c);
    for (guint i = 0; i < OWN_KINDS; i++)
        wake_all(c, i);
    for (guint i = 0; i < G_N_ELEMENTS(children); i++)
        c->children[i] = informer_new(c->kube, children[i], NULL, "plan,vmID", child_changed, c);
}

Controllers *controllers_start(const ControllerOptions *options, GCancellable *cancel, GError **error)
{
    g_autoptr(Controllers) c = g_new0(Controllers, 1);
    const char *image = options->image ? options->image : g_getenv("GANTRY_IMAGE");

    c->kube = kube_client_ref(options->kube);
    c->inventory = options->inventory;
    c->home = options->home;
    c->image = g_strdup(image && *image ? image : IMAGE);
    c->crew = crew_new(CREW_THREADS, crew_news, c);
    for (guint i = 0; i < OWN_KINDS; i++) {
        c->watched[i] = (Watched){.controllers = c, .kind = i};
        c->informers[i] = informer_new(c->kube, own[i].resource, NULL, NULL, own_changed, &c->watched[i]);
    }
    c->providers = informer_new(c->kube, &KUBE_PROVIDER, NULL, NULL, provider_changed, c);
    if (!wait_synced(c, cancel)) {
        g_set_error(error, GANTRY_ERROR, ERROR_CANCELED, "stopped before everything was listed");
        return NULL;
    }
    forklift_controller_reconcile("", c, cancel, NULL);
    schedule_on_grant(share_granted, c);
    hold_shares(c, cancel);
    start_queues(c);
    log_info("controllers run", "server", kube_client_server(c->kube), "image", c->image, NULL);
    return g_steal_pointer(&c);
}

void controllers_free(Controllers *c)
{
    if (!c)
        return;
    set_running(c, FALSE);
    schedule_on_grant(NULL, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(children); i++)
        g_clear_pointer(&c->children[i], informer_free);
    g_clear_pointer(&c->sweeper, work_queue_free);
    for (guint i = 0; i < OWN_KINDS; i++)
        g_clear_pointer(&c->queues[i], work_queue_free);
    g_clear_pointer(&c->crew, crew_free);
    for (guint i = 0; i < OWN_KINDS; i++)
        g_clear_pointer(&c->informers[i], informer_free);
    g_clear_pointer(&c->providers, informer_free);
    kube_client_unref(c->kube);
    g_free(c->image);
    g_free(c);
}
