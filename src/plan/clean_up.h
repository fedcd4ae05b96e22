/* clean_up: takes away what a migration left in the target cluster, found by its labels.
 *
 * Nothing without this plan's labels is touched, no VirtualMachine that has taken over, and none of its
 * disks.
 * Threads: as VmRun.
 */
#pragma once
#include "plan/step.h"

/* Pods that still run: so that nothing writes to a disk or reads the source any more. DONE when none does. */
StepResult clean_up_running(VmRun *vm, GCancellable *cancel, GError **error);

/* Credentials of the importers. */
gboolean clean_up_secrets(VmRun *vm, gboolean any_migration, GCancellable *cancel, GError **error);

/* Pods, Secrets, ConfigMaps, hook Jobs of earlier runs (more: "migration!=UID") or, with more NULL, of all.
 */
gboolean clean_up_temporary(VmRun *vm, const char *more, GCancellable *cancel, GError **error);

/* Journals, manifests, overlay. */
gboolean clean_up_state(VmRun *vm, GCancellable *cancel, GError **error);

/* A target that has not taken over, and its disks. */
gboolean clean_up_target(VmRun *vm, GCancellable *cancel, GError **error);
