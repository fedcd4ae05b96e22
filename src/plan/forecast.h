/* forecast: how long a plan will take, from the sizes of its VMs, what the source's hosts take at once, and how fast earlier
 * migrations were.
 *
 * As plan/schedule.c does it: the largest VM of each host first, so many of a host at a time, all hosts side by side.
 * Threads: pure functions.
 */
#pragma once
#include "base/json.h"

typedef struct {
    const char *host; /* of the source, borrowed; NULL: one for all that have none */
    guint64 bytes;    /* to be read */
    double seconds;   /* set by forecast_plan(): from the plan's start to this VM's end */
} ForecastVm;

/* What earlier migrations took, of VM entries of status.migration.vms. */
typedef struct {
    double bytes_per_s; /* the median of what a VM's disks were copied with */
    double seconds;     /* the median of what a VM took beside copying */
    guint vms;          /* how many were measured; 0: nothing is known */
} ForecastSpeed;

/* plans: an array of Plan documents; only VMs that succeeded and copied at least a megabyte count. */
ForecastSpeed forecast_measure(const json_t *plans);

/* Sorts vms largest first; the seconds until all have ended. per_host is at least 1. */
double forecast_plan(ForecastVm *vms, guint count, guint per_host, const ForecastSpeed *speed);
