/* vm_run: one VM in one migration: what its steps may ask and do.
 *
 * A VmRun is made anew for each pass over its plan from the plan's objects and the VM's status, and thrown
 * away after it: nothing is remembered but what stands in the status (vm_status.h) or can be seen in the
 * world.
 * Threads: one at a time per VmRun; a PlanRun is read by many.
 */
#pragma once
#include "inventory/client.h"
#include "plan/settings.h"
#include "plan/vm_status.h"
#include "source/source.h"
#include "target/child.h"
#include "target/data_volume.h"

/* What all VMs of one run share. Everything is borrowed from the pass that made it, unless plan_run_keep()
 * did. */
typedef struct {
    KubeClient *kube;   /* where the plan is */
    KubeClient *target; /* the destination cluster */
    InventoryClient *inventory;
    const Settings *settings;
    const Object *plan, *provider, *destination, *secret, *network_map, *storage_map;
    const char *migration_uid;
    const Object *migration; /* NULL: it is gone */
    const char *image;       /* Gantry's own */
    const char *session;     /* of this process: what another began may or may not have been done */
    const Object *home;      /* the Namespace that Gantry is installed in; NULL: in none */
} PlanRun;

/* The ownerReferences, a new array, of what is temporary in a cluster: Gantry's own Namespace, so that it
 * goes with it whatever ends first. NULL in another cluster, where that Namespace is a different one. */
json_t *plan_run_owners(const PlanRun *run, const KubeClient *cluster);

/* A copy that holds what it points to (the inventory client outlives it), to be shared among threads. */
PlanRun *plan_run_keep(const PlanRun *borrowed);
PlanRun *plan_run_ref(PlanRun *kept);
void plan_run_unref(PlanRun *kept);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlanRun, plan_run_unref)

typedef struct VmRun VmRun;
VmRun *vm_run_new(const PlanRun *plan, json_t *status); /* status is borrowed and changed by steps */
void vm_run_free(VmRun *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmRun, vm_run_free)

const PlanRun *vm_run_plan(const VmRun *vm);
json_t *vm_run_status(const VmRun *vm);
const TargetOwner *vm_run_owner(const VmRun *vm);
const json_t *vm_run_plan_spec(const VmRun *vm);            /* the plan's spec */
json_t *vm_run_step(const VmRun *vm, const char *pipeline); /* a pipeline step of the status, or NULL */

/* The workload document and the VM that it describes; fetched at first use, borrowed. */
const json_t *vm_run_workload(VmRun *vm, GCancellable *cancel, GError **error);
const Vm *vm_run_describe(VmRun *vm, GCancellable *cancel, GError **error);
/* For who has the document already: it is not asked for any more. */
void vm_run_set_workload(VmRun *vm, const json_t *workload);

/* What the plan says of this VM, the VM's own word before the plan's. */
gboolean vm_run_is_warm(VmRun *vm);
gboolean vm_run_converts(VmRun *vm);
const char *vm_run_target_name(VmRun *vm);              /* newName, else name */
gboolean vm_run_target_runs(VmRun *vm);                 /* shall be started */
const json_t *vm_run_hook(VmRun *vm, const char *step); /* the Ref of its hook, or NULL */

/* ---- the source ---- */

Source *vm_run_source(VmRun *vm, GError **error); /* borrowed */
gboolean vm_run_source_power(VmRun *vm, PowerState *out, GCancellable *cancel, GError **error);
gboolean vm_run_ask_shutdown(VmRun *vm, GCancellable *cancel, GError **error);
gboolean vm_run_cut_power(VmRun *vm, GCancellable *cancel, GError **error);
gboolean vm_run_power_on_source(VmRun *vm, GCancellable *cancel, GError **error);
/* source_snapshot_disks() of a snapshot, asked for once however many disks there are; borrowed until another
 * is asked for. */
const json_t *vm_run_snapshot_disks(VmRun *vm, const char *snapshot, GCancellable *cancel, GError **error);

/* ---- children in the target cluster, by label ---- */

/* Of Object; never of another VM or plan. any_migration: those of earlier runs too. */
GPtrArray *vm_run_list(VmRun *vm, const KubeResource *resource, gboolean any_migration, const char *more,
                       GCancellable *cancel, GError **error);
/* The DataVolumes that Gantry made for the VM's disks, in any run. Those that Forklift made for the same plan
 * and VM have the same labels but one, and are none of ours. */
GPtrArray *vm_run_volumes(VmRun *vm, GCancellable *cancel, GError **error);
/* The first of them, a reference to drop; NULL without an error when there is none. */
Object *vm_run_find(VmRun *vm, const KubeResource *resource, gboolean any_migration, const char *more,
                    GCancellable *cancel, GError **error);
/* An object of the target cluster's own, which is of use when it is there and may be read; NULL without an
 * error when it is not. */
Object *vm_run_find_useful(VmRun *vm, const KubeResource *resource, const char *name, GCancellable *cancel,
                           GError **error);
/* All but a VirtualMachine is temporary (plan_run_owners()) until something else owns it. */
Object *vm_run_create(VmRun *vm, const KubeResource *resource, json_t *take_body, GCancellable *cancel,
                      GError **error);
/* TRUE also when it is gone already. */
gboolean vm_run_delete(VmRun *vm, const KubeResource *resource, const Object *object, GCancellable *cancel,
                       GError **error);
gboolean vm_run_delete_all(VmRun *vm, const KubeResource *resource, gboolean any_migration, const char *more,
                           GCancellable *cancel, GError **error);

/* The DataVolume of a disk among those of this VM (as vm_run_volumes gives them), borrowed; NULL when there
 * is none. */
const Object *vm_run_disk_volume(GPtrArray *volumes, const VmDisk *disk);

/* ---- once and since when, also across restarts ---- */

gboolean vm_run_once(VmRun *vm, const char *mark);                 /* TRUE the first time */
gboolean vm_run_past(VmRun *vm, const char *mark, gint64 seconds); /* since once() first said TRUE */
void vm_run_forget(VmRun *vm, const char *mark);
