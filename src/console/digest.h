/* digest: what a browser is told of an object.
 *
 * Plans lose their lists of VMs and gain counts, bytes and why VMs failed, so that a list of forty plans of
 * 250 VMs stays small; the VMs themselves go as rows, to those who look at that plan. Everything loses what
 * only machines read (managedFields, the last applied manifest), and a condition's items beyond the first
 * twenty become a number. Threads: any; the results are new documents that may share what is immutable with
 * the object.
 */
#pragma once
#include "kube/object.h"

json_t *digest(const Object *object); /* a new reference */

/* A plan's VMs, in the order of spec.vms: those that run or ran as status.migration.vms has them, the others
 * as {id, name}. A new array. */
json_t *digest_plan_rows(const Object *plan);

/* A VM of status.migration.vms has this condition, and it is true. */
gboolean digest_vm_has(const json_t *vm, const char *type);

/* A step of a VM's pipeline that moves disks: it counts in mebibytes. */
gboolean digest_step_moves_disks(const json_t *step);
