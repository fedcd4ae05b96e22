/* inspection: one VM's guest is looked at in the source, over the wire, before anything of it is copied.
 *
 * A Pod does it (target/inspection_pod.h), found by its labels. What was found holds as long as the source
 * cannot have written to the disks (the "generation" of their copy specs) and the questions are the same
 * (root, keys); it is kept in memory, so that a plan and its migration look once. Only disks are read; a
 * source that opens disks for reading gets them back as after a copy. Threads: as VmRun; what is kept is
 * shared by all.
 */
#pragma once
#include "plan/step.h"

/* Whether the VM is to be inspected at all: the plan does not forbid it (runPreflightInspection) and the
 * guest is converted, or may have to be. Decided once, when the pipeline is laid out. */
gboolean inspection_applies(VmRun *vm);

/* Whether a guest that nobody asked to convert may lack the drivers of its new home: it does not boot from
 * them in the source. */
gboolean inspection_doubts_drivers(VmRun *vm);

/* One step towards the report of `gantry inspect` {"os", "virtio", "concerns"} (convert/look.h). DONE:
 * *report is a new reference; where the guest could not be looked at its os is null and a concern says why.
 * WAIT: *why (to be freed) says for what. AGAIN: as of Step. FAILED: the cluster, the inventory or the source
 * cannot be asked. */
StepResult inspection_go_on(VmRun *vm, json_t **report, char **why, GCancellable *cancel, GError **error);

/* TRUE: the report is known already, a new reference. */
gboolean inspection_known(VmRun *vm, json_t **report, GCancellable *cancel);

/* "label: assessment; …" of the concerns of that category; NULL: there is none. */
char *inspection_concerns(const json_t *report, const char *category);
