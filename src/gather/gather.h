/* gather: must-gather: everything that somebody needs who looks for the cause of a failed migration, in one
 * archive.
 *
 * Laid out as in the guide, 9.4.1:
 *   must-gather/namespaces/NS/crs/KIND/NAME.yaml      objects, without managed fields
 *   must-gather/namespaces/NS/logs/POD/current.log    and previous.log: of all containers; those of services
 * are filtered must-gather/namespaces/NS/events.yaml             of these objects
 *   must-gather/namespaces/NS/inventory/PROVIDER/VM.yaml   the VM as the inventory knows it
 *   must-gather/namespaces/NS/reports/PLAN.txt        each VM's way: steps, disks, bytes, hashes, errors
 *   must-gather/cluster-scoped-resources/KIND/NAME.yaml
 *   must-gather/versions.yaml, must-gather/notes.txt  the latter: what could not be had, and why
 * Filtered, it holds what belongs to the scope's plans, by their UIDs: an older plan of the same name leaves
 * nothing in it. Secrets are never in it, and credentials are taken out of everything (redactor.h). Threads:
 * any; one call does all its work in its own thread.
 */
#pragma once
#include "gather/scope.h"

typedef struct {
    GatherFilter filter; /* empty: everything */
    const char *path;    /* of the .tar.gz */
} GatherOptions;

/* files gets their number. Nothing is left at path on failure. Errors: those of scope_resolve(), IO. What one
 * part cannot get is a note in the archive, not an error. */
gboolean gather(KubeClient *client, const GatherOptions *options, guint *files, GCancellable *cancel,
                GError **error);
