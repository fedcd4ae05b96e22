/* gantry doctor: whether this machine, and the cluster, can do what a migration needs. */
#include "base/acceleration.h"
#include "cmd/text_table.h"
#include "cmd/verbs.h"
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct {
    gboolean machine, cluster;
    char *data;
} given;

static const GOptionEntry options[] = {
    {"machine", 0, 0, G_OPTION_ARG_NONE, &given.machine, "Only what gantry up needs here", NULL},
    {"cluster", 0, 0, G_OPTION_ARG_NONE, &given.cluster, "Only the cluster", NULL},
    {"data", 0, 0, G_OPTION_ARG_FILENAME, &given.data, "Where gantry up keeps, or will keep, its data (.)",
     "DIR"},
    G_OPTION_ENTRY_NULL,
};

typedef enum { GOOD, POOR, BAD } Verdict;

typedef struct {
    TextTable *table;
    guint bad;
} Findings;

static void find_take(Findings *findings, Verdict verdict, const char *what, char *is, const char *remedy)
{
    static const char *const words[] = {"ok", "poor", "MISSING"};
    char *row[] = {g_strdup(words[verdict]), g_strdup(what), is, g_strdup(verdict == GOOD ? NULL : remedy),
                   NULL};

    text_table_add_take(findings->table, row);
    findings->bad += verdict == BAD;
}

/* ---- this machine ---- */

static const struct {
    const char *program, *package, *why;
} programs[] = {
    {"bwrap", "bubblewrap", "runs Pods"},
    {"qemu-system-x86_64", "qemu-system-x86", "runs virtual machines"},
    {"qemu-img", "qemu-utils", "overlays of conversions"},
    {"virt-v2v-in-place", "virt-v2v", "converts guests"},
    {"guestfish", "libguestfs-tools", "looks into guests"},
    {"ansible-playbook", "ansible-core", "runs hooks"},
};

static void check_programs(Findings *findings)
{
    for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
        char *path = g_find_program_in_path(programs[i].program);
        g_autofree char *remedy = g_strdup_printf("apt-get install %s", programs[i].package);
        find_take(findings, path ? GOOD : BAD, programs[i].why, path ? path : g_strdup(programs[i].program),
                  remedy);
    }
}

static void check_kvm(Findings *findings)
{
    g_autofree char *scratch = g_dir_make_tmp("gantry-doctor-XXXXXX", NULL);
    Acceleration acceleration = ACCELERATION_TCG;
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = NULL;
    const char *name;

    if (!scratch || !acceleration_find(scratch, &acceleration, &error))
        find_take(findings, BAD, "virtual machines",
                  g_strdup(error ? error->message : "no temporary directory"),
                  "set GANTRY_ACCEL to kvm or tcg");
    else
        find_take(findings, acceleration == ACCELERATION_KVM ? GOOD : POOR, "virtual machines",
                  g_strdup(acceleration == ACCELERATION_KVM ? "KVM boots a guest" : "without KVM: emulated"),
                  "they run, many times slower; a machine with /dev/kvm runs them fast");
    dir = scratch ? g_dir_open(scratch, 0, NULL) : NULL;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(scratch, name, NULL);
        g_unlink(path);
    }
    if (scratch)
        g_rmdir(scratch);
}

static void check_room(Findings *findings)
{
    const char *where = given.data ? given.data : ".";
    struct statvfs found;
    guint64 bytes;

    if (statvfs(where, &found)) {
        find_take(findings, BAD, "room for disks", g_strdup(where),
                  "make the directory, or give another with --data");
        return;
    }
    bytes = (guint64)found.f_bavail * found.f_frsize;
    find_take(findings, bytes < 20ull << 30 ? POOR : GOOD, "room for disks",
              g_strdup_printf("%" G_GUINT64_FORMAT " GiB in %s", (guint64)(bytes >> 30), where),
              "the disks of the VMs have to fit in there");
}

static void check_machine(Findings *findings)
{
    find_take(findings, geteuid() ? BAD : GOOD, "rights", g_strdup_printf("user id %u", geteuid()),
              "gantry up needs root: sudo");
    check_programs(findings);
    check_kvm(findings);
    check_room(findings);
}

/* ---- the cluster ---- */

static const KubeResource *const needed[] = {&KUBE_PLAN, &KUBE_DATA_VOLUME, &KUBE_VIRTUAL_MACHINE,
                                             &KUBE_STORAGE_CLASS};

static void check_kinds(Session *session, Findings *findings)
{
    for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) all = kube_list(session->kube, needed[i], NULL, NULL, NULL, NULL, NULL, &error);
        find_take(findings, all ? GOOD : BAD, needed[i]->plural,
                  all ? g_strdup_printf("%u", all->len) : g_strdup(error->message),
                  needed[i] == &KUBE_PLAN ? "install Gantry: docs/one-machine.md"
                                          : "install KubeVirt and CDI");
    }
}

static void check_services(Session *session, Findings *findings)
{
    g_autoptr(GPtrArray) all =
        kube_list(session->kube, &KUBE_DEPLOYMENT, session->ns, NULL, NULL, NULL, NULL, NULL);

    for (guint i = 0; all && i < all->len; i++) {
        const json_t *deployment = object_json(all->pdata[i]);
        gint64 wanted = json_int_at(deployment, "spec.replicas", 1),
               ready = json_int_at(deployment, "status.readyReplicas", 0);
        g_autofree char *remedy =
            g_strdup_printf("kubectl logs -n %s deployment/%s", session->ns, object_name(all->pdata[i]));
        find_take(findings, ready < wanted ? BAD : GOOD, object_name(all->pdata[i]),
                  g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " ready", ready, wanted),
                  remedy);
    }
}

static void check_providers(Session *session, Findings *findings)
{
    g_autoptr(GPtrArray) all =
        kube_list(session->kube, &KUBE_PROVIDER, session->list_ns, NULL, NULL, NULL, NULL, NULL);

    for (guint i = 0; all && i < all->len; i++) {
        Object *provider = all->pdata[i];
        g_autofree char *what = g_strdup_printf("provider %s", object_name(provider));
        g_autofree char *remedy = g_strdup_printf("gantry describe provider %s", object_name(provider));
        gboolean ready = object_condition(provider, "Ready") != NULL;
        find_take(findings, ready ? GOOD : BAD, what, g_strdup(ready ? "ready" : "not ready"), remedy);
    }
}

static void check_cluster(Session *session, Findings *findings)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) version = NULL;

    /* session->kube is NULL: the verb works without a cluster */
    session->kube = kube_client_new_default(&error);
    version = session->kube ? kube_get_path(session->kube, "/version", NULL, &error) : NULL;
    find_take(findings, version ? GOOD : BAD, "Kubernetes API",
              g_strdup(version ? json_string_at(version, "gitVersion", kube_client_server(session->kube))
                               : error->message),
              "set KUBECONFIG (gantry up prints where it is)");
    if (!version)
        return;
    check_kinds(session, findings);
    check_services(session, findings);
    check_providers(session, findings);
}

static int run(Session *session, char **words, GError **error)
{
    static const char *const titles[] = {"", "WHAT", "IS", "WHAT TO DO", NULL};
    g_autoptr(TextTable) table = text_table_new(titles);
    Findings findings = {table, 0};

    if (!words_count(words, 0, 0, "options only", error))
        return EXIT_USAGE;
    if (!given.cluster)
        check_machine(&findings);
    if (!given.machine)
        check_cluster(session, &findings);
    text_table_print(table);
    return findings.bad ? EXIT_FAILED : EXIT_DONE;
}

const Verb verb_doctor = {"doctor",
                          NULL,
                          "tell whether this machine and the cluster can do it",
                          "Exit status: 1 when something is missing; what is only poor does not count.",
                          options,
                          TRUE,
                          run};
