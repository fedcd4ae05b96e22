/* The manifests around a copy: DataVolumes, importer and conversion Pods, hooks, labels. */
#include "target/conversion_pod.h"
#include "target/data_volume.h"
#include "target/hook_job.h"
#include "target/importer_pod.h"
#include "target/inspection_pod.h"
#include "target/probe_pod.h"
#include <string.h>

static const TargetOwner owner = {.plan_uid = "p-uid",
                                  .plan_name = "plan1",
                                  .plan_namespace = "openshift-mtv",
                                  .migration_uid = "m-uid",
                                  .vm_id = "vm-12",
                                  .ns = "target",
                                  .image = "reg/gantry:1"};
static const VmDisk disk = {.id = (char *)"2000",
                            .name = (char *)"[ds] web/web.vmdk",
                            .storage_id = (char *)"datastore-1",
                            .size = (5 << 20) + 512};

static const json_t *container(const json_t *pod)
{
    return json_array_get(json_at(pod, "spec.containers"), 0);
}

static const char *variable(const json_t *pod, const char *name)
{
    const json_t *one;
    gsize i;

    json_array_foreach (json_at(container(pod), "env"), i, one)
        if (!strcmp(json_string_at(one, "name", ""), name))
            return json_string_at(one, "value", NULL);
    return NULL;
}

static void a_size_is_rounded_up_to_whole_mebibytes(void)
{
    g_assert_cmpuint(target_disk_size(1), ==, 1 << 20);
    g_assert_cmpuint(target_disk_size(1 << 20), ==, 1 << 20);
    g_assert_cmpuint(target_disk_size((1 << 20) + 512), ==, 2 << 20);
    g_assert_cmpuint(target_disk_size(G_MAXUINT64), ==, 0);
}

static void a_data_volume_is_blank_and_found_by_its_labels(void)
{
    TargetStorage storage = {.storage_class = "fast", .access_mode = "ReadWriteMany"};
    g_autoptr(json_t) dv = target_data_volume(&owner, &disk, 1, &storage, NULL);

    g_assert_nonnull(json_at(dv, "spec.source.blank"));
    g_assert_cmpstr(json_string_at(dv, "spec.storage.resources.requests.storage", ""), ==, "6Mi");
    g_assert_cmpstr(json_string_at(dv, "spec.storage.storageClassName", ""), ==, "fast");
    g_assert_null(json_at(dv, "spec.storage.volumeMode"));
    g_assert_cmpstr(json_string_at(dv, "metadata.generateName", ""), ==, "plan1-vm-12-");
    g_assert_cmpstr(json_string_value(json_object_get(json_at(dv, "metadata.labels"), TARGET_DISK_LABEL)), ==,
                    "2000");
    g_assert_cmpstr(
        json_string_value(json_object_get(json_at(dv, "metadata.annotations"), TARGET_DISK_SOURCE)), ==,
        disk.name);
}

static void a_data_volume_may_have_a_name_and_a_size_of_its_own(void)
{
    TargetStorage storage = {.storage_class = "fast", .request = 7 << 20};
    TargetName exact = {.text = "web-disk-0"}, generated = {.text = "web-disk-0-", .generate = TRUE};
    g_autoptr(json_t) one = target_data_volume(&owner, &disk, 0, &storage, &exact),
                      other = target_data_volume(&owner, &disk, 0, &storage, &generated);

    g_assert_cmpstr(json_string_at(one, "metadata.name", ""), ==, "web-disk-0");
    g_assert_null(json_at(one, "metadata.generateName"));
    g_assert_cmpstr(json_string_at(other, "metadata.generateName", ""), ==, "web-disk-0-");
    g_assert_cmpstr(json_string_at(one, "spec.storage.resources.requests.storage", ""), ==, "7Mi");
}

static void the_state_claim_is_a_small_filesystem(void)
{
    TargetStorage storage = {.storage_class = "fast", .volume_mode = "Block"};
    g_autoptr(json_t) claim = target_state_claim(&owner, &storage, 64 << 20);

    g_assert_cmpstr(json_string_at(claim, "spec.volumeMode", ""), ==, "Filesystem");
    g_assert_cmpstr(json_string_at(claim, "metadata.name", ""), ==, "plan1-vm-12-state");
    g_assert_cmpstr(json_string_at(claim, "metadata.labels.resource", ""), ==, "state");
}

static Importer importer(const json_t *source)
{
    return (Importer){.disk = &disk,
                      .source = source,
                      .user = "root",
                      .password = "hunter2",
                      .fence = "f",
                      .generation = 7,
                      .claim = "dv-1",
                      .state_claim = "state-1"};
}

static void a_password_is_only_in_its_own_key(void)
{
    g_autoptr(json_t) source = json_pack("{s:s}", "type", "https");
    Importer one = importer(source);
    g_autoptr(json_t) secret = target_importer_secret(&owner, &one),
                      pod = target_importer_pod(&owner, &one, "sec");
    g_autofree char *pod_text = json_text(pod);
    const char *spec = json_string_value(json_object_get(json_at(secret, "stringData"), "spec.json"));

    g_assert_nonnull(spec);
    g_assert_null(strstr(spec, "hunter2"));
    g_assert_null(strstr(pod_text, "hunter2"));
    g_assert_cmpstr(json_string_at(secret, "stringData.password", ""), ==, "hunter2");
}

static void an_importer_mounts_disk_state_and_spec(void)
{
    g_autoptr(json_t) source = json_pack("{s:s}", "type", "https");
    Importer one = importer(source);
    g_autoptr(json_t) pod = target_importer_pod(&owner, &one, "sec");

    g_assert_nonnull(pod);
    g_assert_cmpstr(target_importer_secret_name(pod), ==, "sec");
    g_assert_cmpstr(json_string_at(pod, "metadata.generateName", ""), ==, "importer-plan1-vm-12-");
    g_assert_cmpstr(json_string_at(pod, "spec.restartPolicy", ""), ==, "OnFailure");
    g_assert_cmpuint(json_array_size(json_at(container(pod), "volumeMounts")), ==, 3);
    g_assert_cmpstr(json_string_at(container(pod), "image", ""), ==, "reg/gantry:1");
    g_assert_cmpstr(variable(pod, "LOG_PLAN"), ==, "openshift-mtv/plan1");
    g_assert_cmpstr(variable(pod, "LOG_VM"), ==, "vm-12");
    g_assert_false(json_bool_at(pod, "spec.automountServiceAccountToken", TRUE));
}

static void the_vddk_comes_from_an_image_or_a_directory(void)
{
    g_autoptr(json_t) source = json_pack("{s:s}", "type", "vddk");
    Importer one = importer(source);

    one.vddk = "reg/vddk:8";
    g_autoptr(json_t) by_image = target_importer_pod(&owner, &one, "sec");
    const json_t *side_car = json_array_get(json_at(by_image, "spec.initContainers"), 0),
                 *copied = json_array_get(json_at(side_car, "volumeMounts"), 0),
                 *shared = json_array_get(json_at(container(by_image), "volumeMounts"), 3);
    g_assert_cmpstr(json_string_at(side_car, "image", ""), ==, "reg/vddk:8");
    g_assert_cmpstr(json_string_at(copied, "mountPath", ""), ==, "/opt");
    g_assert_true(json_equal(copied, shared));

    one.vddk = "/srv/vddk";
    g_autoptr(json_t) by_path = target_importer_pod(&owner, &one, "sec");
    const json_t *volume = json_array_get(json_at(by_path, "spec.volumes"), 3),
                 *mount = json_array_get(json_at(container(by_path), "volumeMounts"), 3);
    g_assert_null(json_at(by_path, "spec.initContainers"));
    g_assert_cmpstr(json_string_at(volume, "hostPath.path", ""), ==, "/srv/vddk");
    g_assert_cmpstr(json_string_at(mount, "mountPath", ""), ==, TARGET_VDDK_PATH);
}

static void a_block_claim_is_a_device(void)
{
    g_autoptr(json_t) source = json_pack("{s:s}", "type", "https");
    Importer one = importer(source);
    one.block = TRUE;
    g_autoptr(json_t) pod = target_importer_pod(&owner, &one, "sec");
    const json_t *devices = json_at(container(pod), "volumeDevices");

    g_assert_cmpstr(json_string_at(json_array_get(devices, 0), "devicePath", ""), ==, "/dev/block0");
    g_assert_cmpuint(json_array_size(json_at(container(pod), "volumeMounts")), ==, 2);
}

static void a_long_plan_name_leaves_room_for_five_characters(void)
{
    TargetOwner other = owner;
    other.plan_name = "a-very-long-plan-name-that-nobody-should-choose-but-somebody-will-one-day";
    g_autoptr(json_t) metadata = target_metadata(&other, "importer-");
    g_assert_cmpuint(strlen(json_string_at(metadata, "generateName", "")), <=, 58);
    g_assert_cmpuint(strlen(json_string_at(metadata, "labels.plan-name", "")), <=, 63);
}

static void a_conversion_pod_mounts_every_disk_in_order(void)
{
    g_autoptr(Vm) vm = vm_new();
    ConversionDisk disks[] = {{.disk = &disk, .claim = "dv-1"},
                              {.disk = &disk, .claim = "dv-2", .block = TRUE}};
    Conversion conversion = {.vm = vm, .disks = disks, .disk_count = 2, .state_claim = "state-1"};
    vm->id = g_strdup("vm-12");
    vm->name = g_strdup("web");
    g_autoptr(json_t) config = target_conversion_config(&owner, &conversion);
    g_autoptr(json_t) pod = target_conversion_pod(&owner, &conversion, "cm");
    const char *text = json_string_value(json_object_get(json_at(config, "data"), "spec.json"));
    g_autoptr(json_t) spec = json_parse(text, strlen(text), 4096, "spec", NULL);

    g_assert_cmpstr(json_string_at(json_array_get(json_at(spec, "disks"), 0), "path", ""), ==,
                    "/mnt/disks/disk0/disk.img");
    g_assert_cmpstr(json_string_at(json_array_get(json_at(spec, "disks"), 1), "path", ""), ==, "/dev/block1");
    g_assert_cmpuint(json_array_size(json_at(pod, "spec.volumes")), ==, 4);
    g_assert_cmpstr(json_string_at(pod, "spec.restartPolicy", ""), ==, "Never");
}

static const char *text_in(const json_t *secret, const char *key)
{
    return json_string_value(json_object_get(json_object_get(secret, "stringData"), key));
}

static void an_inspection_reads_what_an_importer_would(void)
{
    g_autoptr(Vm) vm = vm_new();
    g_autoptr(json_t) source = json_pack("{s:s}", "type", "https");
    Importer disks[] = {importer(source)};
    Inspection inspection = {
        .vm = vm, .disks = disks, .mark = "m", .root = "/dev/sda2", .keys_secret = "keys-1"};
    VmDisk *only = vm_add_disk(vm);
    vm->id = g_strdup("vm-12");
    vm->name = g_strdup("web");
    only->id = g_strdup(disk.id);
    g_autoptr(json_t) secret = target_inspection_secret(&owner, &inspection),
                      pod = target_inspection_pod(&owner, &inspection, "sec");
    g_autoptr(json_t) copy = target_copy_spec(&owner, &disks[0]);
    g_autofree char *copy_text = json_text(copy), *pod_text = json_text(pod);
    const char *text = text_in(secret, "inspect.json");
    g_autoptr(json_t) spec = json_parse(text, strlen(text), 4096, "spec", NULL);

    g_assert_cmpstr(text_in(secret, "disk0.json"), ==, copy_text);
    g_assert_cmpstr(text_in(secret, "password"), ==, "hunter2");
    g_assert_null(strstr(pod_text, "hunter2"));
    g_assert_null(strstr(copy_text, "hunter2"));
    g_assert_cmpstr(json_string_at(json_array_get(json_at(spec, "disks"), 0), "copy", ""), ==,
                    "/etc/gantry/copy/disk0.json");
    g_assert_cmpstr(json_string_at(spec, "root", ""), ==, "/dev/sda2");
    g_assert_cmpstr(json_string_at(spec, "keys", ""), ==, "/etc/gantry/keys");
    g_assert_cmpuint(json_array_size(json_at(container(pod), "volumeMounts")), ==, 3);
    g_assert_cmpstr(
        json_string_value(json_object_get(json_at(pod, "metadata.labels"), TARGET_INSPECTION_MARK)), ==, "m");
}

static void a_conversion_knows_root_keys_and_addresses(void)
{
    g_autoptr(Vm) vm = vm_new();
    g_autoptr(json_t) nics =
        json_pack("[{s:s, s:[s]}]", "mac", "00:50:56:00:00:01", "addresses", "192.0.2.10/24"),
                      data = json_pack("{s:s}", "root", "cw==");
    ConversionDisk disks[] = {{.disk = &disk, .claim = "dv-1"}};
    Conversion conversion = {.vm = vm,
                             .disks = disks,
                             .disk_count = 1,
                             .state_claim = "state-1",
                             .root = "/dev/sdb1",
                             .nics = nics,
                             .keys_secret = "keys-1",
                             .clevis = TRUE};
    vm->id = g_strdup("vm-12");
    vm->name = g_strdup("web");
    g_autoptr(json_t) config = target_conversion_config(&owner, &conversion),
                      pod = target_conversion_pod(&owner, &conversion, "cm"),
                      keys = target_keys_secret(&owner, TARGET_CONVERSION_APP, data);
    const char *text = json_string_value(json_object_get(json_at(config, "data"), "spec.json"));
    g_autoptr(json_t) spec = json_parse(text, strlen(text), 4096, "spec", NULL);

    g_assert_cmpstr(json_string_at(spec, "root", ""), ==, "/dev/sdb1");
    g_assert_cmpstr(json_string_at(spec, "keys", ""), ==, TARGET_KEYS_PATH);
    g_assert_true(json_bool_at(spec, "clevis", FALSE));
    g_assert_true(json_equal(json_object_get(spec, "nics"), nics));
    g_assert_cmpuint(json_array_size(json_at(container(pod), "volumeMounts")), ==, 4);
    g_assert_cmpstr(json_string_at(keys, "metadata.labels.isLUKS", ""), ==, "true");
    g_assert_true(json_equal(json_object_get(keys, "data"), data));
}

static void a_playbook_may_have_line_breaks_and_spaces(void)
{
    g_autoptr(json_t) good = json_pack("{s:s}", "playbook", "LS0t\n  Cg==\n"),
                      bad = json_pack("{s:s}", "playbook", "###");
    g_autoptr(GError) error = NULL;
    g_autofree char *text = target_hook_playbook(good, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "---\n");
    g_assert_null(target_hook_playbook(bad, &error));
    g_assert_error(error, GANTRY_ERROR, ERROR_BAD_INPUT);
}

static void a_hook_job_is_named_after_plan_vm_and_step(void)
{
    g_autoptr(json_t) spec = json_pack("{s:s, s:i}", "playbook", "LS0tCg==", "deadline", 30),
                      plan = json_object();
    HookJob hook = {.spec = spec, .uid = "h-uid", .step = "PreHook", .plan_spec = plan, .workload = plan};
    g_autoptr(json_t) job = target_hook_job(&owner, &hook, "cm"),
                      config = target_hook_config(&owner, &hook, NULL);

    g_assert_cmpstr(json_string_at(job, "metadata.generateName", ""), ==, "plan1-vm-12-prehook-");
    g_assert_cmpint(json_int_at(job, "spec.activeDeadlineSeconds", 0), ==, 30);
    g_assert_cmpstr(json_string_at(job, "metadata.labels.step", ""), ==, "PreHook");
    g_assert_cmpstr(json_string_value(json_object_get(json_at(config, "data"), "playbook.yml")), ==, "---\n");
}

static void a_conversion_pod_goes_where_the_plan_says(void)
{
    g_autoptr(json_t) labels = json_pack("{s:s, s:s}", "team", "shop", "vmID", "stolen"),
                      selector = json_pack("{s:s}", "zone", "a"),
                      affinity = json_pack("{s:{}}", "nodeAffinity");
    g_autoptr(Vm) vm = vm_new();
    Conversion conversion = {.vm = vm,
                             .state_claim = "state-1",
                             .request_kvm = TRUE,
                             .labels = labels,
                             .node_selector = selector,
                             .affinity = affinity};
    g_autoptr(json_t) pod = target_conversion_pod(&owner, &conversion, "cm");

    g_assert_cmpstr(json_string_at(pod, "metadata.labels.team", ""), ==, "shop");
    g_assert_cmpstr(json_string_at(pod, "metadata.labels.vmID", ""), ==, "vm-12");
    g_assert_cmpstr(json_string_at(pod, "spec.nodeSelector.zone", ""), ==, "a");
    g_assert_cmpuint(json_object_size(json_at(pod, "spec.nodeSelector")), ==, 2);
    g_assert_nonnull(json_at(pod, "spec.affinity.nodeAffinity"));
    g_assert_nonnull(json_at(pod, "spec.affinity.podAffinity"));
}

/* 9.4.1 of the guide: what has to be cut is cut before the API server's five characters, and the step of a
 * hook stays. */
static void names_of_long_plans_leave_room_for_five_characters(void)
{
    g_autofree char *longest = g_strnfill(60, 'p');
    TargetOwner one = owner;
    g_autoptr(json_t) none = json_object();
    HookJob hook = {.spec = none, .uid = "h-uid", .step = "PostHook", .plan_spec = none, .workload = none};
    static const char *const plans[] = {"plan1", NULL};

    for (guint i = 0; i < 2; i++) {
        g_autoptr(json_t) metadata = NULL, importer_metadata = NULL, job = NULL;
        const char *name;
        one.plan_name = plans[i] ? plans[i] : longest;
        metadata = target_metadata(&one, "");
        importer_metadata = target_metadata(&one, "importer-");
        job = target_hook_job(&one, &hook, "cm");
        name = json_string_at(job, "metadata.generateName", "");
        g_assert_true(g_str_has_suffix(name, "-posthook-"));
        g_assert_false(g_str_has_suffix(name, "--posthook-"));
        g_assert_cmpuint(strlen(name), <=, TARGET_NAME_BASE);
        g_assert_cmpuint(strlen(json_string_at(metadata, "generateName", "")), <=, TARGET_NAME_BASE);
        g_assert_cmpuint(strlen(json_string_at(importer_metadata, "generateName", "")), <=, TARGET_NAME_BASE);
        g_assert_true(g_str_has_prefix(json_string_at(importer_metadata, "generateName", ""), "importer-p"));
    }
}

/* ---- what a namespace may ask of every Pod ---- */

static gboolean is_allowed_volume(const json_t *volume)
{
    static const char *const allowed[] = {"persistentVolumeClaim", "secret", "configMap", "emptyDir"};

    for (guint i = 0; i < G_N_ELEMENTS(allowed); i++)
        if (json_object_get(volume, allowed[i]))
            return TRUE;
    return FALSE;
}

static void assert_unprivileged(const json_t *one)
{
    const json_t *dropped = json_at(one, "securityContext.capabilities.drop");

    g_assert_false(json_bool_at(one, "securityContext.allowPrivilegeEscalation", TRUE));
    g_assert_cmpstr(json_string_value(json_array_get(dropped, 0)), ==, "ALL");
    g_assert_null(json_at(one, "securityContext.capabilities.add"));
}

/* The Pod security standard "restricted". */
static void assert_restricted(const json_t *spec)
{
    size_t i;
    json_t *one;

    g_assert_true(json_bool_at(spec, "securityContext.runAsNonRoot", FALSE));
    g_assert_cmpstr(json_string_at(spec, "securityContext.seccompProfile.type", ""), ==, "RuntimeDefault");
    json_array_foreach (json_object_get(spec, "containers"), i, one)
        assert_unprivileged(one);
    json_array_foreach (json_object_get(spec, "initContainers"), i, one)
        assert_unprivileged(one);
    json_array_foreach (json_object_get(spec, "volumes"), i, one)
        g_assert_true(is_allowed_volume(one));
}

/* Where a quota counts processors and memory, a Pod that names none is refused. */
static void assert_requests(const json_t *containers)
{
    size_t i;
    json_t *one;

    json_array_foreach (containers, i, one) {
        g_assert_nonnull(json_at(one, "resources.requests.cpu"));
        g_assert_nonnull(json_at(one, "resources.requests.memory"));
    }
}

static void every_pod_is_restricted_and_says_what_it_needs(void)
{
    static const char *const endpoints[] = {"10.0.0.1:443", NULL};
    ProbePod probe = {.plan_uid = "p",
                      .plan_name = "plan1",
                      .plan_namespace = "mtv",
                      .ns = "target",
                      .image = "gantry",
                      .mark = "m",
                      .endpoints = endpoints};
    g_autoptr(Vm) vm = vm_new();
    g_autoptr(json_t) source = json_pack("{s:s}", "type", "https");
    Importer one = importer(source);
    ConversionDisk disks[] = {{.disk = &disk, .claim = "dv-1"}, {.disk = &disk, .claim = "b", .block = TRUE}};
    Conversion conversion = {.vm = vm,
                             .disks = disks,
                             .disk_count = 2,
                             .state_claim = "s",
                             .keys_secret = "keys",
                             .request_kvm = TRUE};
    Inspection inspection = {.vm = vm, .disks = &one, .mark = "m", .request_kvm = TRUE};
    json_t *pods[] = {NULL, NULL, NULL, NULL};

    one.vddk = "reg/vddk:8";
    pods[0] = target_importer_pod(&owner, &one, "sec");
    pods[1] = target_conversion_pod(&owner, &conversion, "cm");
    pods[2] = target_inspection_pod(&owner, &inspection, "sec");
    pods[3] = target_probe_pod(&probe);
    for (guint i = 0; i < G_N_ELEMENTS(pods); i++) {
        assert_restricted(json_object_get(pods[i], "spec"));
        assert_requests(json_at(pods[i], "spec.containers"));
        assert_requests(json_at(pods[i], "spec.initContainers"));
        json_decref(pods[i]);
    }
}

/* Another image may need to be root. */
static void a_hook_of_the_known_image_is_restricted(void)
{
    g_autoptr(json_t) known = json_object(), other = json_pack("{s:s}", "image", "reg/mine:1"),
                      plan = json_object();
    HookJob hook = {.spec = known, .uid = "h", .step = "PreHook", .plan_spec = plan, .workload = plan};
    g_autoptr(json_t) job = target_hook_job(&owner, &hook, "cm"), theirs = NULL;

    assert_restricted(json_at(job, "spec.template.spec"));
    hook.spec = other;
    theirs = target_hook_job(&owner, &hook, "cm");
    g_assert_null(json_at(theirs, "spec.template.spec.securityContext"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(text, function) g_test_add_func("/target/" text, function)
    CASE("a size is rounded up to whole mebibytes", a_size_is_rounded_up_to_whole_mebibytes);
    CASE("a DataVolume is blank and found by its labels", a_data_volume_is_blank_and_found_by_its_labels);
    CASE("the state claim is a small filesystem", the_state_claim_is_a_small_filesystem);
    CASE("a password is only in its own key", a_password_is_only_in_its_own_key);
    CASE("an importer mounts disk, state and spec", an_importer_mounts_disk_state_and_spec);
    CASE("the VDDK comes from an image or a directory", the_vddk_comes_from_an_image_or_a_directory);
    CASE("a block claim is a device", a_block_claim_is_a_device);
    CASE("a long plan name leaves room for five characters",
         a_long_plan_name_leaves_room_for_five_characters);
    CASE("a conversion Pod mounts every disk in order", a_conversion_pod_mounts_every_disk_in_order);
    CASE("an inspection reads what an importer would", an_inspection_reads_what_an_importer_would);
    CASE("a conversion knows root, keys and addresses", a_conversion_knows_root_keys_and_addresses);
    CASE("a playbook may have line breaks and spaces", a_playbook_may_have_line_breaks_and_spaces);
    CASE("a DataVolume may have a name and a size of its own",
         a_data_volume_may_have_a_name_and_a_size_of_its_own);
    CASE("a conversion Pod goes where the plan says", a_conversion_pod_goes_where_the_plan_says);
    CASE("names of long plans leave room for five characters",
         names_of_long_plans_leave_room_for_five_characters);
    CASE("a hook Job is named after plan, VM and step", a_hook_job_is_named_after_plan_vm_and_step);
    CASE("every Pod is restricted and says what it needs", every_pod_is_restricted_and_says_what_it_needs);
    CASE("a hook of the known image is restricted", a_hook_of_the_known_image_is_restricted);
    return g_test_run();
}
