/* gantry estimate: how long a plan will take. */
#include "cmd/kinds.h"
#include "cmd/print.h"
#include "cmd/text_table.h"
#include "cmd/verbs.h"
#include "plan/forecast.h"
#include "source/source.h"
#include <math.h>
#include <stdio.h>

enum { PER_HOST = 20 };

static struct {
    double rate;
} given;

static const GOptionEntry options[] = {
    {"rate", 0, 0, G_OPTION_ARG_DOUBLE, &given.rate,
     "Of one VM (what earlier migrations here were measured with)", "MB/s"},
    G_OPTION_ENTRY_NULL,
};

/* The plan's VMs as the inventory has them: names and workloads keep the texts that vms borrow. */
typedef struct {
    GArray *vms;          /* of ForecastVm; names in the same order */
    GPtrArray *workloads; /* of json_t */
} Sizes;

static void sizes_clear(Sizes *sizes)
{
    g_clear_pointer(&sizes->vms, g_array_unref);
    g_clear_pointer(&sizes->workloads, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sizes, sizes_clear)

static gboolean add_size(Sizes *sizes, const char *type, json_t *workload, GError **error)
{
    g_autoptr(Vm) vm = source_describe(type, workload, error);
    ForecastVm size = {0};

    g_ptr_array_add(sizes->workloads, workload);
    if (!vm)
        return FALSE;
    size.host = json_string_at(workload, "host.id", json_string_at(workload, "host", NULL));
    for (guint i = 0; i < vm->disks->len; i++)
        size.bytes += ((VmDisk *)vm->disks->pdata[i])->size;
    g_array_append_val(sizes->vms, size);
    return TRUE;
}

static gboolean read_sizes(Session *session, const Object *plan, Sizes *sizes, GError **error)
{
    const char *name = json_string_at(object_json(plan), "spec.provider.source.name", "");
    const char *ns = json_string_at(object_json(plan), "spec.provider.source.namespace", session->ns);
    g_autoptr(Object) provider = kube_get(session->kube, &KUBE_PROVIDER, ns, name, NULL, error);
    InventoryClient *inventory = provider ? verb_inventory(session, error) : NULL;
    const json_t *ref;
    size_t i;

    sizes->vms = g_array_new(FALSE, FALSE, sizeof(ForecastVm));
    sizes->workloads = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    json_array_foreach (json_at(object_json(plan), "spec.vms"), i, ref) {
        g_autoptr(json_t) found =
            inventory ? inventory_find(inventory, provider, "vms", ref, NULL, error) : NULL;
        json_t *workload = found ? inventory_get(inventory, provider, "workloads",
                                                 json_string_at(found, "id", ""), NULL, error)
                                 : NULL;
        if (!workload ||
            !add_size(sizes, json_string_at(object_json(provider), "spec.type", ""), workload, error))
            return FALSE;
    }
    return inventory != NULL;
}

static guint places_per_host(Session *session)
{
    g_autoptr(Object) settings =
        kube_get(session->kube, &KUBE_FORKLIFT_CONTROLLER, session->ns, "forklift-controller", NULL, NULL);
    gint64 given_number =
        settings ? json_int_at(object_json(settings), "spec.controller_max_vm_inflight", PER_HOST) : PER_HOST;

    return (guint)CLAMP(given_number, 1, 1000);
}

static gboolean find_speed(Session *session, ForecastSpeed *speed, GError **error)
{
    g_autoptr(GPtrArray) plans = kube_list(session->kube, &KUBE_PLAN, NULL, NULL, NULL, NULL, NULL, error);
    g_autoptr(json_t) documents = json_array();

    for (guint i = 0; plans && i < plans->len; i++)
        json_array_append(documents, (json_t *)object_json(plans->pdata[i]));
    *speed = forecast_measure(documents);
    if (given.rate > 0)
        speed->bytes_per_s = given.rate * 1048576;
    if (plans && !speed->vms && given.rate <= 0)
        g_set_error_literal(
            error, GANTRY_ERROR, ERROR_BAD_INPUT,
            "no VM has been migrated here yet, so nothing is known of its speed: give --rate");
    return plans && !*error;
}

static void print_estimate(const ForecastVm *vms, guint count, const ForecastSpeed *speed, double all)
{
    guint64 bytes = 0;
    g_autofree char *amount = NULL, *whole = age_text((gint64)ceil(all));

    for (guint i = 0; i < count; i++)
        bytes += vms[i].bytes;
    amount = bytes_text((gint64)bytes);
    printf("%u VM%s, %s: about %s, at %.1f MB/s and VM", count, count == 1 ? "" : "s", amount, whole,
           speed->bytes_per_s / 1048576);
    if (speed->vms)
        printf(", as %u VM%s measured here, and %.0f s each beside copying", speed->vms,
               speed->vms == 1 ? "" : "s", speed->seconds);
    printf(".\nNo more than all of every disk is read; what a disk does not hold is not, so it may take "
           "less.\n");
}

static int run(Session *session, char **words, GError **error)
{
    g_autoptr(Object) plan = NULL;
    g_auto(Sizes) sizes = {0};
    ForecastSpeed speed;
    double all;

    if (!words_count(words, 1, 1, "one PLAN", error))
        return EXIT_USAGE;
    plan = kube_get(session->kube, &KUBE_PLAN, session->ns, words[0], NULL, error);
    if (!plan || !find_speed(session, &speed, error) || !read_sizes(session, plan, &sizes, error))
        return EXIT_FAILED;
    all = forecast_plan((ForecastVm *)(void *)sizes.vms->data, sizes.vms->len, places_per_host(session),
                        &speed);
    if (session->output == OUTPUT_TABLE || session->output == OUTPUT_WIDE) {
        print_estimate((ForecastVm *)(void *)sizes.vms->data, sizes.vms->len, &speed, all);
    } else {
        g_autoptr(json_t) answer =
            json_pack("[{s:i, s:f, s:f, s:i}]", "vms", (int)sizes.vms->len, "seconds", all, "bytesPerSecond",
                      speed.bytes_per_s, "measured", (int)speed.vms);
        print_items(answer, TRUE, session->output, NULL);
    }
    return EXIT_DONE;
}

const Verb verb_estimate = {"estimate",
                            "PLAN",
                            "tell how long a plan will take",
                            "From the sizes of its disks, how many VMs of a host are migrated at once, and "
                            "how fast earlier migrations were.\n"
                            "What a warm migration's cutover will take is said in the plan's status once its "
                            "first changes were copied.",
                            options,
                            FALSE,
                            run};
