/* hypervisor: calls of libvirt's embedded QEMU driver. */
#include "local/kubevirt/hypervisor.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS "/run/gantry"

/* What QEMU's driver would else do for many users of one machine, it must not do here: it has no daemons
 * beside it (virtlogd, virtlockd), owns its disks, and Pods' cgroups are none of its business. */
static const char qemu_conf[] = "stdio_handler = \"file\"\n"
                                "security_driver = \"none\"\n"
                                "user = \"root\"\n"
                                "group = \"root\"\n"
                                "dynamic_ownership = 0\n"
                                "remember_owner = 0\n"
                                "cgroup_controllers = []\n"
                                "namespaces = []\n";

struct Hypervisor {
    virConnectPtr connection;
    int callback;
    void (*changed)(const char *name, gpointer user_data);
    gpointer user_data;
};

static gboolean fail(GError **error, const char *doing, const char *what)
{
    g_set_error(error, GANTRY_ERROR, ERROR_HYPERVISOR, "%s %s: %s", doing, what, virGetLastErrorMessage());
    return FALSE;
}

/* Errors are returned, so libvirt has nothing to print. */
static void silent(void *user_data, virErrorPtr error) {}

static gpointer event_loop(gpointer unused)
{
    for (;;)
        if (virEventRunDefaultImpl() < 0)
            g_usleep(G_USEC_PER_SEC / 10);
    return NULL;
}

/* The event loop comes before the first connection and stays to the end of the process. libvirt's own log
 * goes to a file: the environment is the only way to tell it so. */
static gpointer start_events(gpointer root)
{
    g_autofree char *output = g_strdup_printf("3:file:%s/libvirt.log", (const char *)root);

    g_setenv("LIBVIRT_LOG_OUTPUTS", output, FALSE);
    virSetErrorFunc(NULL, silent);
    virInitialize();
    virEventRegisterDefaultImpl();
    g_thread_unref(g_thread_new("libvirt events", event_loop, NULL));
    return NULL;
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *user_data)
{
    Hypervisor *hypervisor = user_data;

    if (event == VIR_DOMAIN_EVENT_STARTED || event == VIR_DOMAIN_EVENT_STOPPED ||
        event == VIR_DOMAIN_EVENT_CRASHED)
        hypervisor->changed(virDomainGetName(domain), hypervisor->user_data);
    return 0;
}

/* The short path of a directory: a link whose name is made from the long one. */
static char *short_root(const char *dir, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(dir, NULL);
    g_autofree char *target = g_build_filename(absolute, "libvirt", NULL);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, target, -1);
    g_autofree char *conf_dir = g_build_filename(target, "etc", NULL);
    g_autofree char *conf = g_build_filename(conf_dir, "qemu.conf", NULL);
    g_autofree char *link = NULL;

    sum[12] = '\0';
    link = g_build_filename(LINKS, sum, NULL);
    if (g_mkdir_with_parents(conf_dir, 0700) || g_mkdir_with_parents(LINKS, 0755)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "make directories %s and %s: %s", conf_dir, LINKS,
                    g_strerror(errno));
        return NULL;
    }
    if (!g_file_set_contents(conf, qemu_conf, -1, error))
        return NULL;
    if (symlink(target, link) && errno != EEXIST) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "make link %s: %s", link, g_strerror(errno));
        return NULL;
    }
    return g_steal_pointer(&link);
}

Hypervisor *hypervisor_open(const char *dir, void (*changed)(const char *name, gpointer user_data),
                            gpointer user_data, GError **error)
{
    static GOnce once = G_ONCE_INIT;
    g_autofree char *root = short_root(dir, error), *uri = NULL;

    if (!root)
        return NULL;
    g_once(&once, start_events, root);
    uri = g_strdup_printf("qemu:///embed?root=%s", root);
    g_autofree Hypervisor *hypervisor = g_new0(Hypervisor, 1);
    hypervisor->changed = changed;
    hypervisor->user_data = user_data;
    if (!(hypervisor->connection = virConnectOpen(uri))) {
        fail(error, "open", uri);
        return NULL;
    }
    hypervisor->callback =
        virConnectDomainEventRegisterAny(hypervisor->connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), hypervisor, NULL);
    return g_steal_pointer(&hypervisor);
}

void hypervisor_mute(Hypervisor *hypervisor)
{
    if (hypervisor->callback >= 0)
        virConnectDomainEventDeregisterAny(hypervisor->connection, hypervisor->callback);
    hypervisor->callback = -1;
}

void hypervisor_close(Hypervisor *hypervisor)
{
    hypervisor_mute(hypervisor);
    virConnectClose(hypervisor->connection);
    g_free(hypervisor);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)

/* *domain is NULL when there is none. */
static gboolean find(Hypervisor *hypervisor, const char *name, virDomainPtr *domain, GError **error)
{
    *domain = virDomainLookupByName(hypervisor->connection, name);
    return *domain || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN || fail(error, "find machine", name);
}

gboolean hypervisor_state(Hypervisor *hypervisor, const char *name, MachineState *state, GError **error)
{
    g_autoptr(virDomain) domain = NULL;
    int now, reason;

    *state = MACHINE_ABSENT;
    if (!find(hypervisor, name, &domain, error))
        return FALSE;
    if (!domain)
        return TRUE;
    if (virDomainGetState(domain, &now, &reason, 0))
        return fail(error, "state of machine", name);
    if (now == VIR_DOMAIN_CRASHED)
        *state = MACHINE_CRASHED;
    else if (now != VIR_DOMAIN_SHUTOFF)
        *state = MACHINE_RUNNING;
    else if (reason == VIR_DOMAIN_SHUTOFF_SHUTDOWN)
        *state = MACHINE_STOPPED;
    else
        *state = reason == VIR_DOMAIN_SHUTOFF_DESTROYED ? MACHINE_KILLED : MACHINE_CRASHED;
    return TRUE;
}

gboolean hypervisor_start(Hypervisor *hypervisor, const char *name, const char *xml, GError **error)
{
    MachineState state;

    if (!hypervisor_state(hypervisor, name, &state, error))
        return FALSE;
    if (state == MACHINE_RUNNING)
        return TRUE;
    if (!hypervisor_remove(hypervisor, name, error))
        return FALSE;
    g_autoptr(virDomain) domain = virDomainDefineXML(hypervisor->connection, xml);
    if (!domain)
        return fail(error, "define machine", name);
    return virDomainCreate(domain) == 0 || fail(error, "start machine", name);
}

gboolean hypervisor_shut_down(Hypervisor *hypervisor, const char *name, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    if (!find(hypervisor, name, &domain, error))
        return FALSE;
    return !domain || virDomainIsActive(domain) != 1 || virDomainShutdown(domain) == 0 ||
           virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID || fail(error, "shut down machine", name);
}

gboolean hypervisor_remove(Hypervisor *hypervisor, const char *name, GError **error)
{
    g_autoptr(virDomain) domain = NULL;

    if (!find(hypervisor, name, &domain, error))
        return FALSE;
    if (!domain)
        return TRUE;
    /* "It does not run" may come back although it was just ended (libvirt 9 after a reconnect); what counts
     * is the state. */
    gboolean ended = virDomainIsActive(domain) != 1 || virDomainDestroy(domain) == 0 ||
                     virDomainIsActive(domain) == 0 || fail(error, "stop machine", name);
    return ended && (virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_NVRAM) == 0 ||
                     fail(error, "remove machine", name));
}
