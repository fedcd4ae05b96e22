/* device_names: what a VM's claims, volumes and networks are called in the target.
 *
 * A VM's own template goes before the plan's, that before the controller's; without one claims are named by
 * the API server
 * ("<plan>-<vm id>-xxxxx"), volumes "vol-0", networks "net-0". Templates: plan/name_template.h; fields: see
 * the guide of Forklift, "Configuring name templates". Threads: pure functions of what they are given.
 * Errors: BAD_INPUT names the template, what it made, and what would be right.
 */
#pragma once
#include "plan/mapping.h"
#include "plan/vm_run.h"

/* Sets out->text to NULL without a template, else to a string to be freed. */
gboolean device_names_claim(VmRun *vm, const Vm *machine, guint disk, TargetName *out, GError **error);

/* One per claim; NULL without error: no template. */
gboolean device_names_volumes(VmRun *vm, const Vm *machine, const char *const *claims, char ***out,
                              GError **error);
/* One per NIC that is not ignored. */
gboolean device_names_networks(VmRun *vm, const Vm *machine, const TargetNic *nics, char ***out,
                               GError **error);

/* The disk that the VM's rootDisk ("/dev/sdb") names: 1 for the first; 0: none is named. */
gboolean device_names_root_disk(VmRun *vm, const Vm *machine, guint *out, GError **error);
