/* PreflightInspection: the guest is looked at before the first byte of it is copied. What would make its
 * conversion fail fails the migration now; a guest that nobody asked to convert is converted when it lacks
 * the drivers of its new home.
 */
#include "base/log.h"
#include "crd/plan_key.h"
#include "plan/check_vms.h"
#include "plan/inspection.h"
#include "plan/itinerary.h"
#include <string.h>

#define CONCERNS "InspectionHasConcerns"

static void warn(VmRun *vm, const char *text)
{
    vm_status_set_condition(vm_run_status(vm), CONCERNS, CONDITION_WARN, CONCERNS, text, TRUE);
}

/* Nobody asked for a conversion: one that cannot be done is left out, as the guest has run without. */
static void decide(VmRun *vm, const json_t *report, const char *critical)
{
    if (critical) {
        g_autofree char *text =
            g_strdup_printf("The guest is not converted and keeps the devices that it had: %s", critical);
        warn(vm, text);
    } else if (json_is_false(json_object_get(report, "virtio"))) {
        g_autofree char *key = plan_key(vm_run_plan(vm)->plan);
        log_info("the guest lacks virtio drivers and is converted", "plan", key, "vm",
                 vm_status_id(vm_run_status(vm)), NULL);
        itinerary_add_conversion(vm);
    }
}

static StepResult judge(VmRun *vm, const json_t *report, GError **error)
{
    g_autofree char *critical = inspection_concerns(report, "Critical"),
                    *warnings = inspection_concerns(report, "Warning");
    gboolean accepted = check_vms_accepts_concerns(vm_run_plan(vm)->plan);

    if (warnings)
        warn(vm, warnings);
    if (!vm_run_converts(vm)) {
        decide(vm, report, critical);
        return STEP_DONE;
    }
    if (!critical)
        return STEP_DONE;
    if (accepted) {
        warn(vm, critical);
        return STEP_DONE;
    }
    g_set_error(error, GANTRY_ERROR, ERROR_GUEST_NOT_FIT, "the inspection of the guest found: %s", critical);
    return STEP_FAILED;
}

static StepResult run(VmRun *vm, GCancellable *cancel, GError **error)
{
    g_autoptr(json_t) report = NULL;
    g_autofree char *why = NULL;
    StepResult result = inspection_go_on(vm, &report, &why, cancel, error);

    item_set_reason(vm_run_step(vm, "PreflightInspection"), result == STEP_WAIT ? why : NULL);
    return result == STEP_DONE ? judge(vm, report, error) : result;
}

const Step step_inspect_guest = {.phase = "PreflightInspection",
                                 .pipeline = "PreflightInspection",
                                 .run = run,
                                 .applies = inspection_applies};
