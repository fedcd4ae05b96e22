/* settings: the ForkliftController's spec as the controllers use it, live.
 *
 * Values come as JSON numbers or booleans or as texts ("20", "true"); what is absent comes from the
 * environment variable that Forklift's Deployments set, else the default. A wrong value keeps the default and
 * is reported.
 * Threads: settings_publish() from one, settings_ref() from any; a Settings is immutable.
 */
#pragma once
#include "base/json.h"

typedef struct {
    gint max_vm_inflight;     /* disks that are read from one ESXi host at once; other sources: VMs */
    gint max_nfc_connections; /* of one ESXi host */
    gint max_disks_per_datastore, max_disks_per_storage_class, max_vms_per_namespace; /* 0: any number */
    gint log_level;
    gint policy_interval_s;    /* after which VMs are validated again, if nothing has changed */
    gint stalled_after_s;      /* without a byte a copy is said to be stalled */
    gint max_inspections;      /* guests that are looked at in their sources at once */
    gint importer_retry;       /* restarts of an importer without progress */
    gint precopy_interval_min; /* from the end of one to the beginning of the next */
    gint precopy_interval_s;   /* > 0: instead, for trials */
    gint hook_retry;
    gint power_off_timeout_s; /* how long a guest may take to shut down */
    gint target_start_timeout_s;
    gint retry_timeout_s;             /* how long a step goes on trying against an error that may pass */
    gint filesystem_overhead_percent; /* of a volume, for the file system around a disk image */
    gint block_overhead_bytes;        /* more than the disk, on a block device */
    guint64 bandwidth_limit;          /* bytes per second of all copies together; 0: any number */
    guint64 bandwidth_limit_per_host; /* of the copies of VMs of any one host */
    gboolean track_changes; /* changed block tracking is switched on where a warm migration lacks it */
    gboolean ovirt_warm; /* warm migrations of oVirt are let in */
    gboolean power_off_force;
    gboolean keep_serial;   /* the target's system serial is what the source showed, not its uuid */
    gboolean request_kvm;   /* for conversion Pods */
    char *claim_template;   /* names of claims (plan/name_template.h), or NULL */
    char *transfer_network; /* "namespace/name" or NULL */
    char *conversion_image; /* for conversion Pods; NULL: as for the others */
    char *service_account;  /* for migration Pods, or NULL */
    GPtrArray *unknown;     /* of char*: keys that nothing reads */
    GPtrArray *wrong;       /* of char*: "key: why" */
} Settings;

Settings *settings_parse(const json_t *spec); /* spec may be NULL */
Settings *settings_retain(Settings *settings);
void settings_release(Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_release)

Settings *settings_ref(void); /* the published ones, or the defaults; a reference to drop */
void settings_publish(Settings *settings);
