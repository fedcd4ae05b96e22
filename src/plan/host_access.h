/* host_access: the migration network of the ESXi host that a VM is on, when a Host of the plan's namespace
 * names one.
 *
 * Such a Host is used when it is Ready and has a Secret; otherwise the disks are read through vCenter. Its
 * certificate must be the one that the inventory, and so the verified vCenter, knows of it.
 * Threads: as VmRun.
 */
#pragma once
#include "plan/vm_run.h"

typedef struct {
    char *address; /* NULL: read through vCenter */
    char *user, *password;
    json_t *trust; /* as in a copy spec */
} HostAccess;
void host_access_clear(HostAccess *access);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HostAccess, host_access_clear)

gboolean host_access_find(VmRun *vm, HostAccess *out, GCancellable *cancel, GError **error);
