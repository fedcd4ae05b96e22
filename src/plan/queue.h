/* queue: brings the VMs of a run to the schedule, starts those that are granted a share, and says of the
 * others why and where they wait.
 *
 * Threads: one pass at a time per plan.
 */
#pragma once
#include "plan/vm_run.h"

/* Sets the limits of the settings. */
void queue_set_limits(const Settings *settings);

/* Of the ways in which a disk is read ("type" of a copy spec's source), those that hold a connection of the
 * ESXi host's NFC server. */
gboolean queue_reads_nfc(const char *reader);

/* FALSE: of some VMs it is not known yet what they need; call again soon. vms: status.migration.vms. */
gboolean queue_admit(const PlanRun *run, json_t *vms, GCancellable *cancel);

/* What finished disks and VMs held goes to others. */
void queue_give_back(const PlanRun *run, const json_t *vms);

/* After a restart: what runs has its share before anything new begins. */
void queue_hold(const PlanRun *run, const json_t *vms, GCancellable *cancel);
