/* fake_world: a cluster, an inventory and a source in memory, for tests of what plan/ does to them.
 *
 * Implements the functions of kube/client.h, inventory/client.h and source/source.h that plan/ calls; linked
 * instead of those rooms. fake_tick() lets the world move: volumes become ready, Pods run and end, guests
 * shut down, targets start.
 * Threads: any (one lock).
 */
#pragma once
#include "kube/client.h"
#include "source/source.h"

void fake_begin(void); /* an empty world with VMs vm-1 and vm-2: two disks, one NIC, powered on, on host-1 */
void fake_end(void);
void fake_tick(void);

Object *fake_add(const KubeResource *resource, const char *json); /* a reference to drop */
GPtrArray *fake_all(const KubeResource *resource);                /* of Object; owned */
void fake_delete_all(const KubeResource *resource);

/* A world of many VMs, vm-1 and on, one disk each, spread evenly over the hosts host-0 and on and ten
 * datastores. Copies take copy_ms, half of it more or less by their size; each call of an API takes call_us.
 * After fake_begin(). */
typedef struct {
    guint vms, hosts, copy_ms, call_us;
} FakeScale;
void fake_scale(const FakeScale *scale);

/* Told of each object whose status fake_tick() has changed, after the tick. */
void fake_on_change(void (*changed)(const Object *object, gpointer user_data), gpointer user_data);

/* The most importers that ever ran at once for one of these: "host-3", "datastore-1"; 0 if none did. */
guint fake_most_importers(const char *of);

guint fake_open_disks(void); /* that the source has opened for reading and not got back */
PowerState fake_power(const char *vm_id);
void fake_set_power(const char *vm_id, PowerState power);
guint fake_count(const char *what,
                 const char *vm_id); /* "ask", "cut", "on": how often the source was told so */

guint fake_snapshots_made(const char *vm_id); /* fake_snapshots.c */
gboolean fake_has_snapshot(const char *vm_id);
void fake_remove_snapshot(const char *vm_id); /* as somebody else does */
guint fake_snapshot_asked(const char *vm_id); /* how often for the disks of the one that was made last */
void fake_snapshots_end(void);

/* What goes wrong from now on. */
typedef struct {
    gboolean guests_are_stuck;      /* asked to shut down, they do not */
    gboolean guests_cannot_ask;     /* no tools: asking is an error */
    const char *importer_message;   /* importers end with this termination message and exit code 1 */
    const char *conversion_message; /* the same for conversions */
    const char *inspection_message; /* the same for inspections; one that says "Completed" is their report */
    gboolean targets_fail;          /* instances end Failed */
    gboolean targets_hang;          /* they never run */
    gboolean inventory_is_away;
    gboolean names_are_ambiguous; /* several objects of the inventory have each name */
    gboolean hosts_refuse;        /* source_check_host() fails */
    gboolean source_is_away;
    gboolean drivers_are_doubted; /* guests need no conversion, and boot from SATA disks */
    gboolean disks_are_files;     /* read without being opened by the source */
    gboolean disks_are_locked;    /* the source says that it cannot open them yet */
    gboolean changes_are_off;     /* snapshots' disks have no change id */
    gboolean changes_are_lost;    /* the source does not know what changed since the last snapshot */
    gboolean target_is_bare;      /* it has neither KubeVirt nor CDI */
    const char *missing_rights;   /* what source_missing_rights() says of every VM, as JSON */
    const char *reader;           /* how disks are read, NULL: "https" */
    const char *workload;         /* more members of every VM's document, as JSON */
} FakeFaults;
extern FakeFaults fake_faults;
