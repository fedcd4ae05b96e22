/* source_audit: writes each change that we make at a source into its journal (base/audit.h), and into the
 * log.
 *
 * What cannot be looked at afterwards (power) is written before it is done, so that no kill loses it; a
 * record then says that it was asked for. The same change of the same VM in the same migration (and, where a
 * precopy does it each time, in the same precopy) is one record per process, however often it is tried.
 * Threads: as vm_run.h.
 */
#pragma once
#include "plan/vm_run.h"

typedef enum {
    AUDIT_SHUTDOWN,          /* before */
    AUDIT_POWER_OFF,         /* before */
    AUDIT_POWER_ON,          /* before */
    AUDIT_TRACKING,          /* before: change tracking is switched on unless it is */
    AUDIT_SNAPSHOT,          /* detail: its id */
    AUDIT_SNAPSHOTS_REMOVED, /* detail: the one that is kept, or NULL */
    AUDIT_DISK_OPENED,       /* detail: the disk's id */
    AUDIT_DISK_CLOSED,       /* detail: the disk's id */
} AuditChange;

/* FALSE: it could not be written now; what is written before it is done is not to be done then. A journal
 * that is never going to take it (no right, full) is said in the log and holds up nothing. */
gboolean source_audit(VmRun *vm, AuditChange change, const char *detail, GCancellable *cancel,
                      GError **error);
