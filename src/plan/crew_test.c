/* crew: VMs of one plan are moved each for itself. */
#include "plan/crew.h"
#include "plan/fake_world.h"
#include <string.h>

typedef struct {
    Object *plan, *provider, *secret;
    Settings *settings;
    PlanRun *run;
    Crew *crew;
    gint news; /* atomic */
} Site;

static void note_news(const Object *plan, gboolean at_once, gpointer site)
{
    g_atomic_int_inc(&((Site *)site)->news);
}

static void site_begin(Site *site)
{
    PlanRun run = {.migration_uid = "m", .image = "gantry"};

    *site = (Site){.settings = settings_parse(NULL)};
    fake_begin();
    site->plan =
        fake_add(&KUBE_PLAN,
                 "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"},\"spec\":{\"targetNamespace\":\"t\"}}");
    site->provider =
        fake_add(&KUBE_PROVIDER,
                 "{\"metadata\":{\"name\":\"v\",\"namespace\":\"n\"},\"spec\":{\"type\":\"vsphere\"}}");
    site->secret = fake_add(&KUBE_SECRET, "{\"metadata\":{\"name\":\"v\",\"namespace\":\"n\"}}");
    site->crew = crew_new(2, note_news, site);
    run.kube = run.target = (KubeClient *)site;
    run.settings = site->settings;
    run.plan = site->plan;
    run.provider = site->provider;
    run.secret = site->secret;
    run.session = crew_session(site->crew);
    site->run = plan_run_keep(&run);
}

static void site_end(Site *site)
{
    crew_free(site->crew);
    plan_run_unref(site->run);
    object_unref(site->plan);
    object_unref(site->provider);
    object_unref(site->secret);
    settings_release(site->settings);
    fake_end();
}

static json_t *vm_in(const char *id, const char *phase)
{
    json_t *vm = vm_status_new(NULL, id, id);

    vm_status_add_step(vm, "Initialize", "", 1, NULL);
    json_object_set_new(vm, "phase", json_string(phase));
    return vm;
}

static void another_phase_is_written_before_the_vm_goes_on(void)
{
    Site site;
    g_autoptr(json_t) vm = vm_in("vm-1", "Started"), outcome = NULL, same = NULL, next = NULL;
    const char *uid;

    site_begin(&site);
    uid = object_uid(site.plan);
    crew_move(site.crew, site.run, vm);
    crew_hurry(site.crew);
    crew_hurry(site.crew); /* it does not move again by itself */
    outcome = crew_outcome(site.crew, uid, "vm-1");
    g_assert_cmpstr(vm_status_phase(outcome), ==, "StorePowerState");
    while (!g_atomic_int_get(&site.news)) /* it is told after the VM rests */
        g_usleep(1000);
    g_assert_cmpint(g_atomic_int_get(&site.news), ==, 1);
    same = crew_outcome(site.crew, uid, "vm-1"); /* a write that failed takes it again */
    g_assert_true(json_equal(outcome, same));
    crew_move(site.crew, site.run, outcome);
    crew_hurry(site.crew);
    next = crew_outcome(site.crew, uid, "vm-1");
    g_assert_cmpstr(vm_status_phase(next), ==, "PowerOffSource");
    site_end(&site);
}

static void what_is_moved_is_not_changed_by_others(void)
{
    Site site;
    g_autoptr(json_t) vm = vm_in("vm-1", "Started"), outcome = NULL;
    const char *uid;

    site_begin(&site);
    uid = object_uid(site.plan);
    g_assert_true(crew_hold(site.crew, uid, "vm-1")); /* unknown: nobody moves it */
    crew_move(site.crew, site.run, vm);
    crew_hurry(site.crew);
    g_assert_false(crew_hold(site.crew, uid, "vm-1")); /* there is an outcome first */
    outcome = crew_outcome(site.crew, uid, "vm-1");
    g_assert_true(crew_hold(site.crew, uid, "vm-1"));
    site_end(&site);
}

static void a_forgotten_plan_has_no_outcome(void)
{
    Site site;
    g_autoptr(json_t) vm = vm_in("vm-1", "Started"), outcome = NULL;
    g_autoptr(GPtrArray) before = NULL, after = NULL;

    site_begin(&site);
    crew_move(site.crew, site.run, vm);
    before = crew_plans(site.crew);
    g_assert_cmpuint(before->len, ==, 1);
    crew_forget(site.crew, object_uid(site.plan));
    outcome = crew_outcome(site.crew, object_uid(site.plan), "vm-1");
    g_assert_null(outcome);
    after = crew_plans(site.crew);
    g_assert_cmpuint(after->len, ==, 0);
    site_end(&site);
}

int main(int argc, char **argv)
{
    g_setenv("LOG_LEVEL", "0", FALSE);
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/plan/crew/" text, function)
    CASE("another phase is written before the VM goes on", another_phase_is_written_before_the_vm_goes_on);
    CASE("what is moved is not changed by others", what_is_moved_is_not_changed_by_others);
    CASE("a forgotten plan has no outcome", a_forgotten_plan_has_no_outcome);
    return g_test_run();
}
