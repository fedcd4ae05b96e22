/* bandwidth: how many bytes a second each copy under way may read, so that the copies of a plan, of a
 * source's host and of all together stay below their limits.
 *
 * A limit is shared evenly by those that it binds; what a copy cannot use, as another limit holds it lower,
 * the others get. A copy counts from when its share is first asked for until it is ended or nobody has asked
 * for half a minute, so a table that is lost with its process is whole again with the next look at each copy.
 * Limits may change at any time; the next look brings the new shares. Threads: any.
 */
#pragma once
#include "kube/object.h"

/* Bytes per second between which a share is: a copy has to get on, and beyond the other nothing is a limit.
 */
#define BANDWIDTH_LEAST ((guint64)64 << 10)
#define BANDWIDTH_MOST  ((guint64)1 << 40)

/* On a Plan: of all its copies. On a Host: of all copies of VMs that are on it. A Kubernetes quantity of
 * bytes per second ("50M", "100Mi"). */
#define BANDWIDTH_ANNOTATION "gantry.io/bandwidth-limit"

/* The annotation's number; 0: there is none, or it is "0" or empty. BAD_INPUT: it is no quantity. */
gboolean bandwidth_read(const Object *object, guint64 *limit, GError **error);

/* Of the settings: all copies together, and those of any one host that has no limit of its own. 0: none. */
void bandwidth_set_limits(guint64 all, guint64 each_host);
/* What the Host object called key says of a host ("PROVIDER UID/HOST ID"); limit 0: nothing any more. */
void bandwidth_set_host(const char *key, const char *host, guint64 limit);

typedef struct {
    const char *plan, *vm,
        *disk;          /* the plan's UID, the source's id, the disk's name: together they name the copy */
    const char *host;   /* as above; NULL: not known */
    guint64 plan_limit; /* what the plan says now; 0: nothing */
} BandwidthCopy;        /* borrowed by the call */

/* Bytes per second; 0: any number. *whose: what binds it, in words for users; a static text. now:
 * g_get_monotonic_time(). */
guint64 bandwidth_share(const BandwidthCopy *copy, gint64 now, const char **whose);
void bandwidth_end(const BandwidthCopy *copy); /* it reads no more */
