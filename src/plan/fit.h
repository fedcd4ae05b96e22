/* fit: a plan's object stays small enough for an API server to take it, however many VMs it has.
 *
 * etcd takes objects of up to 1.5 MiB, and a VM's entry in status.migration.vms has 1 to 3 KB. So in a large
 * plan entries are shortened, what is missed least first: of VMs that have ended how their copy went (not
 * what was proved of it); of VMs that wait their disks' tasks, which come back when they begin
 * (itinerary_add_pipeline()); descriptions; at last the times of the steps of VMs that have ended. The
 * entries of a plan that fits are left as they are. Whatever a later step, a restart or a client has to know
 * stays. Threads: one at a time per document.
 */
#pragma once
#include "kube/object.h"
#include "source/vm.h"

enum { FIT_OBJECT_BYTES = (1 << 20) + (7 << 16) }; /* 1.5 MiB but for 64 KiB that the server adds */

/* Bytes that the plan's object leaves to its status; 0: none. */
gsize fit_room(const Object *plan);

/* Shortens status.migration.vms until the status needs no more than room bytes, or nothing is left to
 * shorten. */
void fit_status(json_t *status, gsize room);

/* About how many bytes the shortest entry of that VM will have when it has ended. spec: its entry in
 * spec.vms. */
gsize fit_least(const json_t *spec, const Vm *vm);
