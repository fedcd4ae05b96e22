/* check: a plan that is ready, and one wrong thing at a time. */
#include "plan/check.h"
#include "plan/fake_world.h"
#include "plan/preflight.h"
#include "plan/probe.h"
#include <string.h>

#define READY                                                                                                \
    "\"status\":{\"observedGeneration\":1,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}"
#define META(name) "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"openshift-mtv\"},"

static const char good_spec[] = "{\"targetNamespace\":\"target\",\"provider\":{\"source\":{\"name\":\"vc\","
                                "\"namespace\":\"openshift-mtv\"},"
                                "\"destination\":{\"name\":\"host\",\"namespace\":\"openshift-mtv\"}},"
                                "\"map\":{\"network\":{\"name\":\"n\",\"namespace\":"
                                "\"openshift-mtv\"},\"storage\":{\"name\":\"s\",\"namespace\":\"openshift-"
                                "mtv\"}},\"vms\":[{\"id\":\"vm-1\"}]}";

static void add(const KubeResource *resource, const char *json)
{
    object_unref(fake_add(resource, json));
}

static void world_begin(void)
{
    fake_begin();
    add(&KUBE_PROVIDER, META("vc") "\"spec\":{\"type\":\"vsphere\",\"url\":\"https://vc/"
                                   "sdk\",\"secret\":{\"name\":\"vc\"}}," READY "}");
    add(&KUBE_PROVIDER, META("host") "\"spec\":{\"type\":\"openshift\"}," READY "}");
    add(&KUBE_SECRET, META("vc") "\"stringData\":{\"user\":\"u\",\"password\":\"p\"}}");
    add(&KUBE_NETWORK_MAP, META("n") "\"spec\":{\"map\":[{\"source\":{\"id\":\"network-1\"},\"destination\":{"
                                     "\"type\":\"pod\"}}]}," READY "}");
    add(&KUBE_NETWORK_MAP, META("n-empty") "\"spec\":{\"map\":[]}," READY "}");
    add(&KUBE_NETWORK_MAP, META("n-unready") "\"spec\":{\"map\":[]}}");
    add(&KUBE_STORAGE_MAP,
        META("s") "\"spec\":{\"map\":[{\"source\":{\"id\":\"datastore-1\"},\"destination\":{\"storageClass\":"
                  "\"standard\"}}]}," READY "}");
    add(&KUBE_STORAGE_MAP, META("s-empty") "\"spec\":{\"map\":[]}," READY "}");
    add(&KUBE_STORAGE_CLASS,
        "{\"metadata\":{\"name\":\"standard\",\"annotations\":{\"gantry.io/capacity-bytes\":\"12582912\"}}}");
}

/* Checks the good plan with one value changed; image: of its Pods, or NULL. Gives the conditions; a
 * reference. */
static json_t *check_by(const char *image, const char *path, const char *value)
{
    g_autoptr(json_t) spec = json_loads(good_spec, 0, NULL), plan = json_object();
    g_autoptr(Conditions) conditions = conditions_begin(NULL);
    g_autoptr(Settings) settings = settings_parse(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Object) object = NULL;
    g_auto(PlanCheck) check = {0};

    json_set_at_new(plan, "metadata",
                    json_pack("{s:s, s:s, s:s}", "name", "plan1", "namespace", "openshift-mtv", "uid", "p"));
    json_object_set(plan, "spec", spec);
    if (path)
        json_set_at_new(g_str_has_prefix(path, "metadata.") ? plan : spec, path,
                        value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL);
    object = object_new_take(json_incref(plan));
    check = (PlanCheck){.kube = (KubeClient *)&check,
                        .settings = settings,
                        .plan = object,
                        .conditions = conditions,
                        .image = image};
    g_assert_true(plan_check_run(&check, NULL, &error));
    return conditions_end(conditions);
}

static json_t *check_with(const char *path, const char *value)
{
    return check_by(NULL, path, value);
}

static void a_good_plan_has_only_the_rename_to_say(void)
{
    world_begin();
    g_autoptr(json_t) conditions = check_with(NULL, NULL);
    g_assert_cmpuint(json_array_size(conditions), ==, 1);
    g_assert_nonnull(conditions_find(conditions, "TargetNameNotValid")); /* Guest_vm-1 */
    fake_end();
}

/* Of the last of several checks, between which Pods run and end. */
static json_t *check_until_settled(const char *path, const char *value)
{
    json_t *conditions = NULL;

    for (guint i = 0; i < 6; i++) {
        json_decref(conditions);
        conditions = check_by("gantry", path, value);
        fake_tick();
    }
    return conditions;
}

static guint inspections(void)
{
    g_autoptr(GPtrArray) pods =
        kube_list(NULL, &KUBE_POD, NULL, "forklift.app=virt-v2v-inspection", NULL, NULL, NULL, NULL);
    return pods->len;
}

static void a_guest_that_is_off_is_looked_at_before_the_plan_runs(void)
{
    static const struct {
        const char *category, *type, *path, *value;
    } rows[] = {{"Critical", "VMCriticalConcerns", NULL, NULL},
                {"Warning", "InspectionHasConcerns", NULL, NULL},
                {"Critical", NULL, "skipGuestConversion", "true"},
                {"Critical", NULL, "runPreflightInspection", "false"}};

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *report = g_strdup_printf("{\"result\":\"Completed\",\"os\":null,\"concerns\":[{"
                                                  "\"category\":\"%s\",\"label\":\"GuestEncrypted\","
                                                  "\"assessment\":\"/dev/sda2\"}]}",
                                                  rows[i].category);
        world_begin();
        add(&KUBE_NAMESPACE, "{\"metadata\":{\"name\":\"target\"}}");
        fake_faults.inspection_message = report;
        fake_faults.disks_are_files = TRUE;
        g_autoptr(json_t) conditions = check_until_settled(rows[i].path, rows[i].value);
        const json_t *found = rows[i].type ? conditions_find(conditions, rows[i].type) : NULL;

        g_assert_cmpint(found != NULL, ==, rows[i].type != NULL);
        if (found)
            g_assert_nonnull(strstr(json_string_value(json_array_get(json_object_get(found, "items"), 0)),
                                    "GuestEncrypted: /dev/sda2"));
        g_assert_null(conditions_find(conditions, "InspectingGuests"));
        g_assert_cmpuint(inspections(), ==, 0);
        fake_end();
    }
}

static void a_guest_that_runs_is_left_alone_until_it_is_migrated(void)
{
    world_begin();
    add(&KUBE_NAMESPACE, "{\"metadata\":{\"name\":\"target\"}}");
    fake_faults.workload = "{\"powerState\":\"poweredOn\"}";
    fake_faults.inspection_message = "{\"result\":\"Failed\",\"class\":\"fatal\",\"message\":\"read\"}";
    g_autoptr(json_t) conditions = check_until_settled(NULL, NULL);
    g_assert_null(conditions_find(conditions, "InspectionHasConcerns"));
    fake_end();
}

static const struct {
    const char *what, *path, *value, *type, *reason, *text;
} wrong[] = {
    {"no source provider", "provider.source", NULL, "SourceProviderNotValid", "NotSet",
     "spec.provider.source"},
    {"a source provider that is not there", "provider.source", "{\"name\":\"x\"}", "SourceProviderNotValid",
     "NotFound", "'x'"},
    {"a destination that is a source", "provider.destination", "{\"name\":\"vc\"}",
     "DestinationProviderNotValid", "TypeNotValid", "openshift"},
    {"a network map that is not there", "map.network", "{\"name\":\"x\"}", "NetworkMapRefNotValid",
     "NotFound", "'x'"},
    {"a network map that is not ready", "map.network", "{\"name\":\"n-unready\"}", "NetworkMapNotReady", NULL,
     "n-unready"},
    {"no storage map", "map.storage", NULL, "StorageRefNotValid", "NotSet", "spec.map.storage"},
    {"no target namespace", "targetNamespace", "\"\"", "NamespaceNotValid", "NotSet", "spec.targetNamespace"},
    {"a target namespace in capitals", "targetNamespace", "\"Target\"", "NamespaceNotValid", "NotValid",
     "'Target'"},
    {"a warm plan of VMs without change tracking", "warm", "true", "VMMissingChangedBlockTracking",
     "MissingChangedBlockTracking", "controller_enable_change_tracking"},
    {"a live plan", "type", "\"live\"", "MigrationTypeNotValid", "NotSupported", "live"},
    {"a transfer network that is not there", "transferNetwork", "{\"name\":\"fast\"}",
     "TransferNetworkNotValid", "NotFound", "fast"},
    {"no VM", "vms", "[]", "VMRefNotValid", "NotSet", "spec.vms"},
    {"a VM without id and name", "vms", "[{}]", "VMRefNotValid", "NotSet", "id or a name"},
    {"a VM that does not exist", "vms", "[{\"id\":\"vm-9\"}]", "VMNotFound", "NotFound", "no such VM"},
    {"a VM listed twice", "vms", "[{\"id\":\"vm-1\"},{\"name\":\"Guest_vm-1\"}]", "DuplicateVM", "NotUnique",
     "twice"},
    {"a network that is not mapped", "map.network", "{\"name\":\"n-empty\"}", "VMNetworksNotMapped",
     "NotValid", "spec.map.network"},
    {"a datastore that is not mapped", "map.storage", "{\"name\":\"s-empty\"}", "VMStorageNotMapped",
     "NotValid", "spec.map.storage"},
    {"a targetName in capitals", "vms", "[{\"id\":\"vm-1\",\"targetName\":\"Web\"}]", "NotValid", "NotValid",
     "targetName"},
    {"a hook that is not there", "vms",
     "[{\"id\":\"vm-1\",\"hooks\":[{\"step\":\"PreHook\",\"hook\":{\"name\":\"h\"}}]}]", "HookNotValid",
     "NotFound", "does not exist"},
    {"a hook at no known step", "vms",
     "[{\"id\":\"vm-1\",\"hooks\":[{\"step\":\"Midway\",\"hook\":{\"name\":\"h\"}}]}]", "HookStepNotValid",
     "NotValid", "PreHook or PostHook"},
    {"keys that are not there", "vms", "[{\"id\":\"vm-1\",\"luks\":{\"name\":\"x\"}}]", "LUKSSecretNotValid",
     "NotFound", "passphrases"},
    {"keys of another namespace", "vms",
     "[{\"id\":\"vm-1\",\"luks\":{\"name\":\"vc\",\"namespace\":\"kube-system\"}}]", "LUKSSecretNotValid",
     "NotValid", "passphrases"},
    {"two VMs where one has room", "vms", "[{\"id\":\"vm-1\"},{\"id\":\"vm-2\"}]", "TargetTooSmall",
     "TargetTooSmall", "room"},
};

static void one_wrong_thing(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);

    world_begin();
    g_autoptr(json_t) conditions = check_with(wrong[i].path, wrong[i].value);
    const json_t *found = conditions_find(conditions, wrong[i].type);
    g_assert_nonnull(found);
    g_assert_cmpstr(json_string_at(found, "category", ""), ==, "Critical");
    if (wrong[i].reason)
        g_assert_cmpstr(json_string_at(found, "reason", ""), ==, wrong[i].reason);
    g_assert_nonnull(strstr(json_string_at(found, "message", ""), wrong[i].text));
    fake_end();
}

static void a_limit_that_is_no_amount_is_said(void)
{
    world_begin();
    g_autoptr(json_t) conditions =
        check_with("metadata.annotations", "{\"gantry.io/bandwidth-limit\":\"fast\"}");
    const json_t *found = conditions_find(conditions, "BandwidthLimitNotValid");

    g_assert_cmpstr(json_string_at(found, "category", ""), ==, "Warn");
    g_assert_nonnull(strstr(json_string_at(found, "message", ""), "gantry.io/bandwidth-limit"));
    fake_end();
}

/* Its description alone is as long as an object may be. */
static void a_plan_that_cannot_hold_its_records_is_refused(void)
{
    g_autofree char *filler = g_strnfill(3 << 19, 'x'), *text = g_strdup_printf("\"%s\"", filler);

    world_begin();
    g_autoptr(json_t) conditions = check_with("description", text);
    const json_t *found = conditions_find(conditions, "PlanTooLarge");
    g_assert_nonnull(strstr(json_string_at(found, "message", ""), "1 VMs and their disks need about 1 KiB"));
    g_assert_nonnull(strstr(json_string_at(found, "message", ""), "several plans"));
    fake_end();
}

/* ---- guests and rights ---- */

#define DISK "\"key\":2000,\"file\":\"[ds] a/a.vmdk\""
#define NIC  "\"mac\":\"00:50:56:00:00:01\",\"startConnected\":true"
#define ON   "\"powerState\":\"poweredOn\",\"toolsRunningStatus\":\"guestToolsRunning\""

static const struct {
    const char *what, *workload, *type, *category, *text;
} guests[] = {
    {"a suspended VM", "{\"powerState\":\"suspended\"}", "VMPowerStateUnsupported", "Critical", "vm-1"},
    {"a guest without tools",
     "{\"powerState\":\"poweredOn\",\"toolsRunningStatus\":\"guestToolsNotRunning\"}", "GuestToolsIssue",
     "Warn", "vm-1"},
    {"a snapshot", "{\"snapshot\":{\"kind\":\"\",\"id\":\"snapshot-1\"}}", "VMHasSnapshots", "Warn", "vm-1"},
    {"an independent disk", "{\"disks\":[{" DISK ",\"mode\":\"independent_persistent\"}]}",
     "IndependentDiskWarning", "Warn", "[ds] a/a.vmdk"},
    {"a shared disk", "{\"disks\":[{" DISK ",\"shared\":true}]}", "SharedWarnDisks-vm-1", "Warn",
     "[ds] a/a.vmdk"},
    {"a vVol", "{\"disks\":[{" DISK ",\"vvolId\":\"rfc4122.1\"}]}", "VMStorageNotSupported", "Warn",
     "[ds] a/a.vmdk"},
    {"a connected CD",
     "{\"cdroms\":[{\"label\":\"CD/DVD drive 1\",\"file\":\"[ds] x.iso\",\"connected\":true}]}",
     "VMHasMountedMedia", "Warn", "CD/DVD drive 1 ([ds] x.iso)"},
    {"a NIC without an address", "{" ON ",\"nics\":[{" NIC "}]}", "VMMissingGuestIPs", "Warn",
     "Network adapter 1"},
    {"a guest with Btrfs", "{\"guestDisks\":[{\"diskPath\":\"/\",\"filesystemType\":\"btrfs\"}]}",
     "GuestFileSystemNotSupported", "Critical", "/ is Btrfs"},
    {"a critical concern", "{\"concerns\":[{\"category\":\"Critical\",\"label\":\"It burns\"}]}",
     "VMCriticalConcerns", "Critical", "It burns"},
};

static void a_guest_is_judged(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);

    world_begin();
    fake_faults.workload = guests[i].workload;
    g_autoptr(json_t) conditions = check_with(NULL, NULL);
    const json_t *found = conditions_find(conditions, guests[i].type);
    g_assert_nonnull(found);
    g_assert_cmpstr(json_string_at(found, "category", ""), ==, guests[i].category);
    g_assert_nonnull(strstr(json_string_value(json_array_get(json_at(found, "items"), 0)), guests[i].text));
    fake_end();
}

static void a_warm_plan_says_what_each_pass_streams(void)
{
    world_begin();
    fake_faults.workload =
        "{\"changeTrackingEnabled\":true,\"disks\":[{" DISK ",\"vvolId\":\"x\",\"capacity\":12884901888}]}";
    g_autoptr(json_t) conditions = check_with("warm", "true");
    const json_t *found = conditions_find(conditions, "VMStorageNotSupported");
    g_assert_nonnull(strstr(json_string_at(found, "message", ""), "each pass"));
    g_assert_nonnull(strstr(json_string_value(json_array_get(json_at(found, "items"), 0)), "GiB each pass"));
    fake_end();
}

static void a_quiet_guest_has_nothing_against_it(void)
{
    world_begin();
    fake_faults.workload =
        "{" ON ",\"nics\":[{" NIC
        "}],\"guestNetworks\":[{\"mac\":\"00:50:56:00:00:01\",\"ip\":\"192.0.2.1\"}],"
        "\"cdroms\":[{\"label\":\"CD/DVD drive 1\",\"file\":\"\",\"connected\":false}],"
        "\"disks\":[{" DISK
        ",\"mode\":\"persistent\",\"shared\":false}],\"snapshot\":{\"kind\":\"\",\"id\":\"\"}}";
    g_autoptr(json_t) conditions = check_with(NULL, NULL);
    g_assert_cmpuint(json_array_size(conditions), ==, 1); /* TargetNameNotValid */
    fake_end();
}

static const struct {
    const char *what, *missing, *workload, *text; /* text NULL: nothing is said */
} rights[] = {
    {"a running VM may not be shut down", "{\"powerOff\":[\"VirtualMachine.Interact.PowerOff\"]}", "{" ON "}",
     "VirtualMachine.Interact.PowerOff to shut it down"},
    {"a VM that is off need not be shut down", "{\"powerOff\":[\"VirtualMachine.Interact.PowerOff\"]}",
     "{\"powerState\":\"poweredOff\"}", NULL},
    {"the datastore may not be read, the guide's role allows VDDK",
     "{\"https\":[\"Datastore.Browse\",\"Datastore.FileManagement\"],\"lease\":[\"VApp.Export\"]}", NULL,
     "Datastore.Browse, Datastore.FileManagement to read its disks over HTTPS (the role allows to read them "
     "by VDDK, with "
     "vddkInitImage)"},
    {"what no reader of this plan needs is not asked for", "{\"lease\":[\"VApp.Export\"],\"vddk\":[\"x\"]}",
     NULL, NULL},
    {"a cold plan needs no snapshots", "{\"snapshots\":[\"x\"],\"changes\":[\"y\"]}", NULL, NULL},
};

static void a_right_is_missing(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);

    world_begin();
    fake_faults.missing_rights = rights[i].missing;
    fake_faults.workload = rights[i].workload;
    g_autofree char *uid = g_strdup_printf("provider-%u", i); /* answers are kept by provider */
    g_autoptr(Object) provider = kube_get(NULL, &KUBE_PROVIDER, "openshift-mtv", "vc", NULL, NULL);
    json_set_at_new((json_t *)object_json(provider), "metadata.uid", json_string(uid));
    g_autoptr(json_t) conditions = check_with(NULL, NULL);
    const json_t *found = conditions_find(conditions, "InsufficientPrivileges");
    g_assert_true((found != NULL) == (rights[i].text != NULL));
    if (found) {
        g_assert_cmpstr(json_string_at(found, "reason", ""), ==, "PrivilegesNotGranted");
        g_assert_nonnull(
            strstr(json_string_value(json_array_get(json_at(found, "items"), 0)), rights[i].text));
    }
    fake_end();
}

static void a_target_without_kubevirt_is_named(void)
{
    world_begin();
    fake_faults.target_is_bare = TRUE;
    g_autoptr(json_t) conditions = check_with(NULL, NULL);
    const json_t *found = conditions_find(conditions, "DestinationNotSupported");
    g_assert_cmpuint(json_array_size(json_at(found, "items")), ==, 2);
    fake_end();
}

static const struct {
    const char *what, *quota, *class, *reason, *text;
    gboolean is_new; /* its controller has not looked at it */
} rooms[] = {
    {"a quota of bytes",
     "{\"hard\":{\"requests.storage\":\"20Mi\"},\"used\":{\"requests.storage\":\"12Mi\"}}", "{}",
     "QuotaExceeded", "requests.storage is 20Mi, of which 12Mi is used"},
    {"a quota of claims", "{\"hard\":{\"persistentvolumeclaims\":\"1\"}}", "{}", "QuotaExceeded",
     "persistentvolumeclaims"},
    {"a quota of a class", "{\"hard\":{\"standard.storageclass.storage.k8s.io/requests.storage\":\"1Mi\"}}",
     "{}", "QuotaExceeded", "standard.storageclass"},
    {"a quota that suffices", "{\"hard\":{\"requests.storage\":\"1Gi\",\"persistentvolumeclaims\":\"10\"}}",
     "{}", NULL, NULL},
    {"a quota that was just made", "{\"hard\":{\"persistentvolumeclaims\":1}}", "{}", "QuotaExceeded",
     "persistentvolumeclaims is 1, of which 1 is used; the plan needs 2 more", TRUE},
    {"a quota of bytes that was just made",
     "{\"hard\":{\"standard.storageclass.storage.k8s.io/requests.storage\":\"3Mi\"}}", "{}", "QuotaExceeded",
     "is 3Mi, of which 2097152 is used", TRUE},
    {"the largest file", "{}", "{\"gantry.io/largest-file-bytes\":\"1048576\"}", "TargetTooSmall",
     "the largest that it holds"},
};

static void the_room_is_judged(gconstpointer data)
{
    guint i = GPOINTER_TO_UINT(data);

    world_begin();
    g_autofree char *quota =
        g_strdup_printf("{\"metadata\":{\"name\":\"q\",\"namespace\":\"target\"},\"%s\":%s}",
                        rooms[i].is_new ? "spec" : "status", rooms[i].quota);
    g_autofree char *class =
        g_strdup_printf("{\"metadata\":{\"name\":\"standard\",\"annotations\":%s}}", rooms[i].class);
    add(&KUBE_RESOURCE_QUOTA, quota);
    add(&KUBE_PERSISTENT_VOLUME_CLAIM,
        "{\"metadata\":{\"name\":\"other\",\"namespace\":\"target\"},\"spec\":{\"storageClassName\":"
        "\"standard\",\"resources\":{\"requests\":{\"storage\":\"2Mi\"}}}}");
    fake_delete_all(&KUBE_STORAGE_CLASS);
    add(&KUBE_STORAGE_CLASS, class);
    g_autoptr(json_t) conditions = check_with(NULL, NULL);
    const json_t *found = conditions_find(conditions, "TargetTooSmall");
    g_assert_cmpstr(found ? json_string_at(found, "reason", "") : NULL, ==, rooms[i].reason);
    if (found)
        g_assert_nonnull(
            strstr(json_string_value(json_array_get(json_at(found, "items"), 0)), rooms[i].text));
    fake_end();
}

static void a_taken_name_is_found_before_anything_runs(void)
{
    world_begin();
    add(&KUBE_VIRTUAL_MACHINE, "{\"metadata\":{\"name\":\"web\",\"namespace\":\"target\"}}");
    g_autoptr(json_t) conditions = check_with("vms", "[{\"id\":\"vm-1\",\"targetName\":\"web\"}]");
    const json_t *found = conditions_find(conditions, "VMAlreadyExists");
    g_assert_cmpstr(json_string_at(found, "reason", ""), ==, "NotUnique");
    g_assert_nonnull(strstr(json_string_value(json_array_get(json_at(found, "items"), 0)), "'web'"));
    fake_end();
}

static void warm_migrations_of_ovirt_can_be_switched_off(void)
{
    g_autoptr(json_t) plan =
        json_pack("{s:{s:s, s:s}, s:{s:b, s:{s:{s:s}}}}", "metadata", "name", "p", "namespace",
                  "openshift-mtv", "spec", "warm", 1, "provider", "source", "name", "rhv");
    g_autoptr(json_t) off = json_pack("{s:s}", "controller_ovirt_warm_migration", "false");
    g_autoptr(Object) object = object_new_take(json_incref(plan));

    world_begin();
    add(&KUBE_PROVIDER, META("rhv") "\"spec\":{\"type\":\"ovirt\",\"url\":\"https://e/\"}," READY "}");
    for (gint switched_off = 0; switched_off <= 1; switched_off++) {
        g_autoptr(Settings) settings = settings_parse(switched_off ? off : NULL);
        g_autoptr(Conditions) conditions = conditions_begin(NULL);
        g_autoptr(json_t) said = NULL;
        g_auto(PlanCheck) check = {
            .kube = (KubeClient *)&check, .settings = settings, .plan = object, .conditions = conditions};
        g_assert_true(plan_check_run(&check, NULL, NULL));
        said = conditions_end(conditions);
        g_assert_true(!conditions_find(said, "WarmMigrationNotReady") == !switched_off);
    }
    fake_end();
}

static const struct {
    const char *reader, *endpoints;
} probes[] = {
    {"https", "vc:443"},
    {"lease", "esxi-1:443 vc:443"},
    {"vddk", "esxi-1:443 esxi-1:902 vc:443"},
};

static void the_machines_that_the_reader_speaks_to_are_probed(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(probes); i++) {
        g_autoptr(Vm) vm = NULL;
        g_autoptr(json_t) workload =
            json_pack("{s:s, s:{s:s, s:s}}", "id", "vm-1", "host", "id", "host-1", "name", "esxi-1");
        g_autoptr(GPtrArray) vms = g_ptr_array_new();
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) found = NULL;
        g_autofree char *text = NULL;
        CheckedVm checked;
        PlanCheck check;

        world_begin();
        fake_faults.reader = probes[i].reader;
        vm = source_describe("vsphere", workload, NULL);
        checked = (CheckedVm){.workload = workload, .vm = vm};
        g_ptr_array_add(vms, &checked);
        check = (PlanCheck){.kube = (KubeClient *)&check};
        check.provider = kube_get(NULL, &KUBE_PROVIDER, "openshift-mtv", "vc", NULL, NULL);
        found = probe_endpoints(&check, vms, NULL, &error);
        g_assert_no_error(error);
        text = g_strjoinv(" ", found);
        g_assert_cmpstr(text, ==, probes[i].endpoints);
        object_unref(check.provider);
        fake_end();
    }
}

static void an_inventory_that_is_away_says_nothing_of_the_plan(void)
{
    world_begin();
    g_autoptr(json_t) spec = json_loads(good_spec, 0, NULL);
    g_autoptr(Object) plan = object_new_take(json_pack("{s:{s:s, s:s}, s:O}", "metadata", "name", "plan1",
                                                       "namespace", "openshift-mtv", "spec", spec));
    g_autoptr(Conditions) conditions = conditions_begin(NULL);
    g_autoptr(GError) error = NULL;
    g_auto(PlanCheck) check = {.kube = (KubeClient *)&check, .plan = plan, .conditions = conditions};

    fake_faults.inventory_is_away = TRUE;
    g_assert_false(plan_check_run(&check, NULL, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_INVENTORY_UNAVAILABLE);
    fake_end();
}

static void needs_add_up_and_never_wrap(void)
{
    g_autoptr(GPtrArray) needs = preflight_needs_new();
    const StorageNeed *first;

    preflight_need(needs, "a", 10);
    preflight_need(needs, "b", 1);
    preflight_need(needs, "a", 5);
    first = needs->pdata[0];
    g_assert_cmpuint(needs->len, ==, 2);
    g_assert_cmpuint(first->needed, ==, 15);
    g_assert_cmpuint(first->disks, ==, 2);
    preflight_need(needs, "a", G_MAXUINT64);
    g_assert_cmpuint(first->needed, ==, G_MAXUINT64);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/check/a good plan has only the rename to say",
                    a_good_plan_has_only_the_rename_to_say);
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *path = g_strdup_printf("/plan/check/%s is said", wrong[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), one_wrong_thing);
    }
    g_test_add_func("/plan/check/a limit that is no amount is said", a_limit_that_is_no_amount_is_said);
    for (guint i = 0; i < G_N_ELEMENTS(guests); i++) {
        g_autofree char *path = g_strdup_printf("/plan/check/%s is said", guests[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), a_guest_is_judged);
    }
    g_test_add_func("/plan/check/a guest that is off is looked at before the plan runs",
                    a_guest_that_is_off_is_looked_at_before_the_plan_runs);
    g_test_add_func("/plan/check/a guest that runs is left alone until it is migrated",
                    a_guest_that_runs_is_left_alone_until_it_is_migrated);
    g_test_add_func("/plan/check/a warm plan says what each pass streams",
                    a_warm_plan_says_what_each_pass_streams);
    g_test_add_func("/plan/check/a quiet guest has nothing against it", a_quiet_guest_has_nothing_against_it);
    for (guint i = 0; i < G_N_ELEMENTS(rights); i++) {
        g_autofree char *path = g_strdup_printf("/plan/check/%s", rights[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), a_right_is_missing);
    }
    g_test_add_func("/plan/check/a target without KubeVirt is named", a_target_without_kubevirt_is_named);
    for (guint i = 0; i < G_N_ELEMENTS(rooms); i++) {
        g_autofree char *path = g_strdup_printf("/plan/check/%s is judged", rooms[i].what);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), the_room_is_judged);
    }
    g_test_add_func("/plan/check/a plan that cannot hold its records is refused",
                    a_plan_that_cannot_hold_its_records_is_refused);
    g_test_add_func("/plan/check/a taken name is found before anything runs",
                    a_taken_name_is_found_before_anything_runs);
    g_test_add_func("/plan/check/warm migrations of oVirt can be switched off",
                    warm_migrations_of_ovirt_can_be_switched_off);
    g_test_add_func("/plan/check/the machines that the reader speaks to are probed",
                    the_machines_that_the_reader_speaks_to_are_probed);
    g_test_add_func("/plan/check/an inventory that is away says nothing of the plan",
                    an_inventory_that_is_away_says_nothing_of_the_plan);
    g_test_add_func("/plan/check/needs add up and never wrap", needs_add_up_and_never_wrap);
    return g_test_run();
}
