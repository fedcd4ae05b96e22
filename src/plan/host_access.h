/* host_access: the migration network of the ESXi host that a VM is on, when a Host names one.
 *
 * A Host in the provider's namespace that is Ready is used: with its Secret by the host's own user and
 * password, without one by tickets of vCenter (copy/host_ticket.h). Without such a Host the disks are read
 * through vCenter. A host's certificate must be the one that the inventory, and so the verified vCenter,
 * knows of it. Where hosts are not entered (source_hosts_log_in()), a Ready Host of the VM's cluster only
 * says at which address its host is read. Threads: as VmRun.
 */
#pragma once
#include "plan/provider_access.h"
#include "plan/vm_run.h"

typedef struct {
    char *id;              /* of the host, in the source; NULL: the source knows which */
    char *address;         /* NULL: read as the source says, and nothing else here is set */
    char *user, *password; /* NULL: none but the provider's are needed */
    json_t *trust;         /* as in a copy spec; NULL: the provider's */
    json_t *ticket; /* the source.ticket of a copy spec, or NULL: user and password are the host's own */
} HostAccess;
void host_access_clear(HostAccess *access);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HostAccess, host_access_clear)

/* vcenter: the provider's. */
gboolean host_access_find(VmRun *vm, const ProviderAccess *vcenter, HostAccess *out, GCancellable *cancel,
                          GError **error);

/* The Ready Host that names this workload's ESXi host, a reference to drop; NULL without an error when there
 * is none. */
Object *host_access_host(KubeClient *kube, const Object *provider, const json_t *workload,
                         GCancellable *cancel, GError **error);
