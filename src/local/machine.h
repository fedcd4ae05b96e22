/* machine: what makes this machine the only node of a cluster: kubelet, Services' addresses, disks, virtual
 * machines.
 *
 * Guarantee: what lives on from a process that was killed is adopted, or ended, before anything new is
 * started. Threads: one thread makes, starts, ends and frees.
 */
#pragma once
#include "local/kubelet/kubelet.h"

typedef struct Machine Machine;

typedef struct {
    KubeClient *client;
    Kubelet *kubelet; /* not owned: an API server of this process asks it before and after */
    const char *data; /* directory */
    const char *pods; /* the Pods' addresses, "10.97.0.0/16", where the API server is another program, which
                         then also gives Services theirs; NULL: chosen among 127.0.0.0/8, and Services and
                         Routes get theirs here */
    const char *api_host, *ca_pem; /* what Pods are told of the API */
    guint api_port;
} MachineOptions; /* everything is copied */

/* The parts, which do not work yet. Errors: IO, BAD_INPUT, HYPERVISOR. */
Machine *machine_new(const MachineOptions *options, GError **error);
LocalView *machine_view(Machine *machine); /* for whoever else wants to see what it sees; borrowed */

/* Makes what the parts count on: the kinds of virtual machines and their disks, a default StorageClass.
 * Before machine_start(). */
gboolean machine_prepare(KubeClient *client, const char *data, GCancellable *cancel, GError **error);
gboolean machine_start(Machine *machine, GCancellable *cancel, GError **error);

/* Ends the Pods, not the virtual machines; the API still has to answer. */
void machine_end(Machine *machine);
void machine_free(Machine *machine); /* after machine_end(), or without machine_start() */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Machine, machine_free)
