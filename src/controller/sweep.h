/* sweep: takes away what plans that are gone have left.
 *
 * Everything with a label plan=UID whose plan does not exist any more: Pods, Secrets, ConfigMaps, Jobs,
 * claims, VirtualMachines that have not taken over and DataVolumes that no VirtualMachine owns. Never
 * anything without that label.
 * Threads: any; best effort, what cannot be deleted is logged and tried again by the next sweep.
 */
#pragma once
#include "kube/client.h"

void sweep_orphans(KubeClient *kube, GCancellable *cancel);
