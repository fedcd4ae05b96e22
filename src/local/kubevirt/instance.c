/* instance: waits for disks, starts the machine, shows how it is, stops it. */
#include "local/kubevirt/instance.h"
#include "base/clock.h"
#include "kube/events.h"
#include "local/cdi/claim.h"
#include "local/kubelet/kubelet.h"
#include "local/kubevirt/domain_xml.h"
#include "local/kubevirt/kubevirt.h"
#include "local/kubevirt/launcher.h"
#include "local/kubevirt/network.h"
#include <glib/gstdio.h>
#include <string.h>

enum { LOOK_AGAIN_MS = 2000, STOPPING_MS = 500, GRACE_S = 30 };

/* Namespaces and names have no underscore. */
char *instance_machine_name(const char *ns, const char *name)
{
    return g_strconcat(ns, "_", name, NULL);
}

char *instance_key(const char *machine_name)
{
    return strchr(machine_name, '_') ? g_strdelimit(g_strdup(machine_name), "_", '/') : NULL;
}

/* ---- status
 * ---------------------------------------------------------------------------------------------------- */

static json_t *interfaces_of(const Object *instance)
{
    json_t *interfaces = json_array();
    const json_t *interface;
    size_t i;

    json_array_foreach (json_at(object_json(instance), "spec.domain.devices.interfaces"), i, interface)
        json_array_append_new(
            interfaces, json_pack("{s:s, s:s, s:s}", "name", json_string_at(interface, "name", ""), "mac",
                                  json_string_at(interface, "macAddress", ""), "infoSource", "domain"));
    return interfaces;
}

static json_t *transitions(const Object *instance, const char *phase, const char *now)
{
    const json_t *known = json_at(object_json(instance), "status.phaseTransitionTimestamps");
    json_t *times = known ? json_deep_copy(known) : json_array();

    json_array_append_new(times, json_pack("{s:s, s:s}", "phase", phase, "phaseTransitionTimestamp", now));
    return times;
}

static gboolean say(const InstancePlace *place, const Object *instance, const char *phase, const char *reason,
                    const char *message, GCancellable *cancel, GError **error)
{
    const json_t *ready = object_condition(instance, "Ready");
    gboolean runs = !strcmp(phase, "Running");
    g_autofree char *now = clock_now();

    if (!strcmp(json_string_at(object_json(instance), "status.phase", ""), phase) &&
        (ready != NULL) == runs &&
        !strcmp(json_string_at(object_json(instance), "status.reason", ""), reason ? reason : ""))
        return TRUE;
    json_t *condition = json_pack("{s:s, s:s, s:s}", "type", "Ready", "status", runs ? "True" : "False",
                                  "lastTransitionTime", now);
    if (reason)
        json_object_update_new(condition, json_pack("{s:s, s:s}", "reason", reason, "message", message));
    g_autoptr(json_t) change =
        json_pack("{s:{s:s, s:s, s:s*, s:o, s:o, s:[o]}}", "status", "phase", phase, "nodeName", place->node,
                  "reason", reason, "interfaces", interfaces_of(instance), "phaseTransitionTimestamps",
                  transitions(instance, phase, now), "conditions", condition);
    if (!reason)
        json_set_at_new(change, "status.reason", json_null());
    g_autoptr(Object) changed =
        kube_patch(local_view_client(place->view), &KUBE_VIRTUAL_MACHINE_INSTANCE, object_namespace(instance),
                   object_name(instance), KUBE_PATCH_MERGE, change, "status", cancel, error);
    return changed != NULL;
}

/* ---- where its disks and networks are
 * -------------------------------------------------------------------------- */

typedef struct {
    GHashTable *disks;   /* volume → path */
    GHashTable *bridges; /* network name as in the spec → bridge */
} Places;

static const char *disk_of(const char *volume, gpointer places)
{
    return g_hash_table_lookup(((Places *)places)->disks, volume);
}

static const char *bridge_of(const char *network, gpointer places)
{
    return g_hash_table_lookup(((Places *)places)->bridges, network);
}

static gboolean data_volume_is_done(LocalView *view, const char *ns, const char *name)
{
    g_autoptr(Object) data_volume = local_view_get(view, &KUBE_DATA_VOLUME, ns, name);
    return !data_volume || !strcmp(json_string_at(object_json(data_volume), "status.phase", ""), "Succeeded");
}

/* FALSE: a volume is not there yet; *waits_for names it. */
static gboolean find_disks(LocalView *view, const Object *instance, Places *places, const char **waits_for)
{
    const char *ns = object_namespace(instance);
    const json_t *volume;
    size_t i;

    json_array_foreach (json_at(object_json(instance), "spec.volumes"), i, volume) {
        const char *data_volume = json_string_at(volume, "dataVolume.name", NULL);
        const char *claim =
            data_volume ? data_volume : json_string_at(volume, "persistentVolumeClaim.claimName", NULL);
        g_autofree char *dir = NULL;

        if (!claim)
            continue; /* of a kind that is not offered; the disk that names it is refused */
        *waits_for = claim;
        if ((data_volume && !data_volume_is_done(view, ns, data_volume)) ||
            !(dir = claim_directory(view, ns, claim)))
            return FALSE;
        g_hash_table_insert(places->disks, g_strdup(json_string_at(volume, "name", "")),
                            g_build_filename(dir, "disk.img", NULL));
    }
    return TRUE;
}

/* A bridge for each multus network whose definition names one. */
static gboolean find_bridges(LocalView *view, const Object *instance, Places *places, GError **error)
{
    const json_t *network;
    size_t i;

    json_array_foreach (json_at(object_json(instance), "spec.networks"), i, network) {
        const char *name = json_string_at(network, "multus.networkName", NULL);
        if (!name)
            continue;
        g_auto(GStrv) parts = g_strsplit(name, "/", 2);
        g_autoptr(Object) definition =
            local_view_get(view, &KUBE_NETWORK_ATTACHMENT_DEFINITION,
                           parts[1] ? parts[0] : object_namespace(instance), parts[1] ? parts[1] : parts[0]);
        g_autofree char *bridge = definition ? network_bridge_name(definition) : NULL;
        if (bridge && !network_make_bridge(bridge, error))
            return FALSE;
        if (bridge)
            g_hash_table_insert(places->bridges, g_strdup(name), g_steal_pointer(&bridge));
    }
    return TRUE;
}

/* ---- its life
 * -------------------------------------------------------------------------------------------------- */

static gboolean start(const InstancePlace *place, const Object *instance, const Object *pod,
                      const char *machine, Places *places, GError **error)
{
    g_autofree char *console = kubelet_log_path(place->dir, object_uid(pod), "compute", 0);
    g_autofree char *console_dir = g_path_get_dirname(console), *xml = NULL;
    const DomainPlace domain = {.name = machine,
                                .uuid = object_uid(instance),
                                .acceleration = place->acceleration,
                                .console = console,
                                .disk = disk_of,
                                .bridge = bridge_of,
                                .user_data = places};

    if (g_mkdir_with_parents(console_dir, 0700)) {
        g_set_error(error, GANTRY_ERROR, ERROR_IO, "make directory %s failed", console_dir);
        return FALSE;
    }
    xml = domain_xml(json_object_get(object_json(instance), "spec"), &domain, error);
    return xml && hypervisor_start(place->hypervisor, machine, xml, error);
}

/* From "not there" to Running; what goes wrong is said in the status and tried again. */
static guint bring_up(const InstancePlace *place, const Object *instance, const char *machine,
                      GCancellable *cancel, GError **error)
{
    g_autoptr(GHashTable) disks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) bridges = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    Places places = {disks, bridges};
    const char *waits_for = NULL;
    g_autoptr(GError) why = NULL;

    if (!find_disks(place->view, instance, &places, &waits_for)) {
        g_autofree char *message = g_strdup_printf("waits for claim %s", waits_for);
        say(place, instance, "Pending", "WaitingForVolume", message, cancel, error);
        return LOOK_AGAIN_MS;
    }
    g_autoptr(Object) pod = launcher_get(place->view, instance, place->node, cancel, error);
    if (!pod)
        return 0;
    if (find_bridges(place->view, instance, &places, &why) &&
        start(place, instance, pod, machine, &places, &why)) {
        if (launcher_say(place->view, pod, "Running", cancel, error))
            say(place, instance, "Running", NULL, NULL, cancel, error);
        return 0;
    }
    event_record(local_view_client(place->view), instance, TRUE, error_reason(why), why->message, "kubevirt");
    say(place, instance, "Scheduled", "SyncFailed", why->message, cancel, error);
    return LOOK_AGAIN_MS * 5;
}

static guint wind_up(const InstancePlace *place, const Object *instance, const char *machine, gboolean clean,
                     GCancellable *cancel, GError **error)
{
    g_autoptr(Object) pod = launcher_find(place->view, instance);
    const char *phase = clean ? "Succeeded" : "Failed";

    if ((!pod || launcher_say(place->view, pod, phase, cancel, error)) &&
        say(place, instance, phase, NULL, NULL, cancel, error))
        hypervisor_remove(place->hypervisor, machine, error);
    return 0;
}

/* The instance is deleted: the guest is asked, then the machine is ended, then the finalizer goes. */
static guint stop(const InstancePlace *place, const Object *instance, const char *machine, MachineState state,
                  GCancellable *cancel, GError **error)
{
    gint64 asked = clock_parse(json_string_at(object_json(instance), "metadata.deletionTimestamp", NULL));
    gint64 grace = json_int_at(object_json(instance), "spec.terminationGracePeriodSeconds", GRACE_S);

    if (state == MACHINE_RUNNING && g_get_real_time() < asked + grace * G_USEC_PER_SEC) {
        hypervisor_shut_down(place->hypervisor, machine, error);
        return STOPPING_MS;
    }
    if (!hypervisor_remove(place->hypervisor, machine, error))
        return 0;
    g_autoptr(Object) pod = launcher_find(place->view, instance);
    if (pod && !launcher_say(place->view, pod, "Succeeded", cancel, error))
        return 0;
    g_autoptr(json_t) change = json_pack("{s:{s:n}}", "metadata", "finalizers");
    GError *why = NULL;
    g_autoptr(Object) changed =
        kube_patch(local_view_client(place->view), &KUBE_VIRTUAL_MACHINE_INSTANCE, object_namespace(instance),
                   object_name(instance), KUBE_PATCH_MERGE, change, NULL, cancel, &why);
    if (!changed && !g_error_matches(why, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&why));
    g_clear_error(&why);
    return 0;
}

/* As the API has it now: the view may not show yet what was said of it a moment ago, and a machine that has
 * just ended by itself would seem to have vanished while it ran. Gone it is only when the view says so too:
 * an API server that has just begun may not know the kind yet. */
static gboolean find_instance(LocalView *view, const char *ns, const char *name, Object **instance,
                              GCancellable *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;

    *instance = kube_get(local_view_client(view), &KUBE_VIRTUAL_MACHINE_INSTANCE, ns, name, cancel, &problem);
    if (!*instance && g_error_matches(problem, GANTRY_ERROR, ERROR_KUBE_NOT_FOUND)) {
        g_autoptr(Object) seen = local_view_get(view, &KUBE_VIRTUAL_MACHINE_INSTANCE, ns, name);
        if (!seen)
            return TRUE;
    }
    if (*instance)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

guint instance_reconcile(const InstancePlace *place, const char *key, GCancellable *cancel, GError **error)
{
    g_autofree char *ns = NULL, *name = NULL, *machine = NULL;
    MachineState state;

    local_key_split(key, &ns, &name);
    machine = instance_machine_name(ns, name);
    if (!hypervisor_state(place->hypervisor, machine, &state, error))
        return 0;
    g_autoptr(Object) instance = NULL;
    if (!find_instance(place->view, ns, name, &instance, cancel, error))
        return 0;
    if (!instance) {
        if (state != MACHINE_ABSENT)
            hypervisor_remove(place->hypervisor, machine, error);
        return 0;
    }
    if (object_deleting(instance))
        return stop(place, instance, machine, state, cancel, error);

    const char *phase = json_string_at(object_json(instance), "status.phase", "");
    if (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"))
        return 0;
    switch (state) {
    case MACHINE_RUNNING:
        break;
    case MACHINE_ABSENT:
        if (!strcmp(phase, "Running")) /* it ended while nobody looked */
            return wind_up(place, instance, machine, FALSE, cancel, error);
        break;
    case MACHINE_STOPPED:
        return wind_up(place, instance, machine, TRUE, cancel, error);
    case MACHINE_KILLED:
    case MACHINE_CRASHED:
        if (!strcmp(phase, "Running"))
            return wind_up(place, instance, machine, FALSE, cancel, error);
        break; /* left over from a start that failed */
    }
    return bring_up(place, instance, machine, cancel, error);
}
