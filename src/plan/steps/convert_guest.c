/* CreateGuestConversionPod, ConvertGuest: the copied guest gets the drivers of its new home, on an overlay
 * that is committed only on success. A conversion that was interrupted is run again. */
#include "plan/guest_keys.h"
#include "plan/guest_network.h"
#include "plan/pod_result.h"
#include "plan/step.h"
#include "plan/transfer_network.h"
#include "target/conversion_pod.h"
#include "target/pod.h"
#include <string.h>

#define MINE "forklift.app=" TARGET_CONVERSION_APP

enum { TRIES = 3 };

/* In the VM's order; NULL with an error set when a volume is gone. */
static ConversionDisk *disks_of(const Vm *machine, GPtrArray *volumes, GError **error)
{
    g_autofree ConversionDisk *disks = g_new0(ConversionDisk, machine->disks->len + 1);

    for (guint i = 0; i < machine->disks->len; i++) {
        const VmDisk *disk = machine->disks->pdata[i];
        const Object *volume = vm_run_disk_volume(volumes, disk);
        if (!volume) {
            g_set_error(error, GANTRY_ERROR, ERROR_CONVERSION_FAILED,
                        "the DataVolume of disk %s has been deleted", disk->name);
            return NULL;
        }
        disks[i] = (ConversionDisk){
            .disk = disk,
            .claim = object_name(volume),
            .block = !strcmp(json_string_at(object_json(volume), "spec.storage.volumeMode", ""), "Block")};
    }
    return g_steal_pointer(&disks);
}

static gboolean start(VmRun *vm, Conversion *conversion, GCancellable *cancel, GError **error)
{
    const char *image = vm_run_plan(vm)->settings->conversion_image;
    const char *root = json_string_at(vm_run_status(vm), "rootDisk", "");
    TargetOwner own = *vm_run_owner(vm);
    const TargetOwner *owner = &own;
    g_autoptr(json_t) nics = guest_network_nics(vm);
    g_autofree char *keys = NULL;
    g_autoptr(Object) config = NULL, pod = NULL;

    if (image)
        own.image = image;

    if (!vm_run_delete_all(vm, &KUBE_CONFIG_MAP, TRUE, MINE, cancel, error) ||
        !vm_run_delete_all(vm, &KUBE_SECRET, TRUE, MINE, cancel, error) ||
        !guest_keys_copy(vm, TARGET_CONVERSION_APP, &keys, cancel, error))
        return FALSE;
    conversion->root = *root ? root : NULL;
    conversion->nics = nics;
    conversion->keys_secret = keys;
    conversion->clevis = guest_keys_by_clevis(vm);
    config = vm_run_create(vm, &KUBE_CONFIG_MAP, target_conversion_config(owner, conversion), cancel, error);
    if (!config)
        return FALSE;
    pod = vm_run_create(vm, &KUBE_POD, target_conversion_pod(owner, conversion, object_name(config)), cancel,
                        error);
    return pod != NULL;
}

static StepResult create(VmRun *vm, GCancellable *cancel, GError **error)
{
    const Vm *machine = vm_run_describe(vm, cancel, error);
    g_autoptr(GPtrArray) pods = machine ? vm_run_list(vm, &KUBE_POD, FALSE, MINE, cancel, error) : NULL;
    g_autoptr(GPtrArray) volumes = pods ? vm_run_volumes(vm, cancel, error) : NULL;
    g_autoptr(GPtrArray) claims =
        volumes ? vm_run_list(vm, &KUBE_PERSISTENT_VOLUME_CLAIM, TRUE, "resource=state", cancel, error)
                : NULL;
    const PlanRun *plan = vm_run_plan(vm);
    g_autofree char *network = transfer_network_find(plan->plan, plan->destination, plan->settings);
    g_autofree ConversionDisk *disks = NULL;
    Conversion conversion;

    if (!claims)
        return STEP_FAILED;
    if (pods->len)
        return STEP_DONE;
    if (!claims->len) {
        g_set_error(error, GANTRY_ERROR, ERROR_CONVERSION_FAILED,
                    "the claim with the copy's manifests has been deleted");
        return STEP_FAILED;
    }
    disks = disks_of(machine, volumes, error);
    if (!disks)
        return STEP_FAILED;
    conversion = (Conversion){.vm = machine,
                              .disks = disks,
                              .disk_count = machine->disks->len,
                              .state_claim = object_name(claims->pdata[0]),
                              .transfer_network = network,
                              .request_kvm = plan->settings->request_kvm,
                              .service_account = plan->settings->service_account,
                              .labels = json_object_get(vm_run_plan_spec(vm), "convertorLabels"),
                              .node_selector = json_object_get(vm_run_plan_spec(vm), "convertorNodeSelector"),
                              .affinity = json_object_get(vm_run_plan_spec(vm), "convertorAffinity")};
    return start(vm, &conversion, cancel, error) ? STEP_DONE : STEP_FAILED;
}

static void show_progress(VmRun *vm, const Object *pod, GCancellable *cancel)
{
    g_autoptr(json_t) progress =
        kube_pod_proxy_get(vm_run_plan(vm)->target, object_namespace(pod), object_name(pod),
                           TARGET_PROGRESS_PORT, "/progress", cancel, NULL);
    const char *phase = json_string_at(progress, "phase", NULL);

    if (phase)
        item_set_reason(vm_run_step(vm, "ImageConversion"), phase);
}

/* What `gantry convert` found in the guest belongs to the VM's status. */
static void accept(VmRun *vm, const json_t *report)
{
    const char *os = json_string_at(report, "os.id", json_string_at(report, "os.distro", NULL));
    const char *firmware = json_string_at(report, "firmware", NULL);

    if (os)
        json_object_set_new(vm_run_status(vm), "operatingSystem", json_string(os));
    if (firmware)
        json_object_set_new(vm_run_status(vm), "firmware", json_string(firmware));
}

static StepResult failed(VmRun *vm, const Object *pod, const PodResult *result, GCancellable *cancel,
                         GError **error)
{
    json_t *step = vm_run_step(vm, "ImageConversion");
    const char *count = item_annotation(step, "restarts");
    gint number = 1 + (count ? atoi(count) : 0);
    g_autofree char *text = g_strdup_printf("%d", number);
    g_autofree char *reason = g_strdup_printf("Retrying %d of %d: %s", number, TRIES, result->text);

    if (result->class == FATAL || number > TRIES) {
        g_set_error(error, GANTRY_ERROR, ERROR_CONVERSION_FAILED, "%s", result->text);
        return STEP_FAILED;
    }
    if (!vm_run_delete(vm, &KUBE_POD, pod, cancel, error))
        return STEP_FAILED;
    item_annotate(step, "restarts", text);
    item_set_reason(step, reason);
    return STEP_WAIT;
}

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(GPtrArray) pods = vm_run_list(vm, &KUBE_POD, FALSE, MINE, cancel, error);
    g_auto(PodResult) result = {0};

    if (!pods)
        return STEP_FAILED;
    if (!pods->len) /* deleted after an interruption, or by somebody */
        return create(vm, cancel, error) == STEP_FAILED ? STEP_FAILED : STEP_WAIT;
    if (object_deleting(pods->pdata[0]))
        return STEP_WAIT;
    pod_result_read(pods->pdata[0], &result);
    switch (result.state) {
    case POD_COMPLETED:
        accept(vm, result.report);
        return STEP_DONE;
    case POD_WAITING:
        item_set_reason(vm_run_step(vm, "ImageConversion"), result.text);
        return STEP_WAIT;
    case POD_RUNNING:
        show_progress(vm, pods->pdata[0], cancel);
        return STEP_WAIT;
    default:
        return failed(vm, pods->pdata[0], &result, cancel, error);
    }
}

const Step step_create_guest_conversion_pod = {.phase = "CreateGuestConversionPod",
                                               .pipeline = "ImageConversion",
                                               .run = create,
                                               .applies = vm_run_converts};
const Step step_convert_guest = {
    .phase = "ConvertGuest", .pipeline = "ImageConversion", .run = run, .applies = vm_run_converts};
