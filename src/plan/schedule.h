/* schedule: which VMs copy now, in all plans of this process, so that no ESXi host, datastore, storage class
 * or namespace is asked for more than its limit.
 *
 * A VM waits in the queue of its host from schedule_want() until schedule_dispatch() grants it a share of all
 * that it needs; it gives the share back disk by disk, the rest at its end. Rules:
 *   - a host's next VM comes from the plan that has least under way there (so many small plans and one large
 * one take equally long), and in the plan the largest comes first;
 *   - hosts take turns, and a VM that waits for something else holds up no VM that does not need it;
 *   - nobody overtakes a VM that waits for the same thing, so a large VM gets its turn;
 *   - what needs more than a limit begins only when nothing else uses it.
 * The table is rebuilt from the plans' statuses at start, with schedule_hold().
 * Threads: any. The function of schedule_on_grant() is called without a lock.
 */
#pragma once
#include "base/errors.h"

typedef enum {
    SCHEDULE_HOST,      /* disks that are read from one ESXi host, or VMs of a source without such hosts */
    SCHEDULE_NFC,       /* NFC connections of one ESXi host */
    SCHEDULE_DATASTORE, /* disks that are read from one datastore */
    SCHEDULE_STORAGE_CLASS, /* disks that are written to one storage class */
    SCHEDULE_NAMESPACE,     /* VMs that arrive in one namespace */
    SCHEDULE_KINDS
} ScheduleKind;

typedef struct {
    const char *name;                      /* as in its task; NULL: no disk, a VM as such */
    const char *datastore, *storage_class; /* "": none */
    gboolean nfc;                          /* read over an NFC connection, not over HTTPS */
} ScheduleDisk;

typedef struct {
    const char *plan, *vm;        /* the plan's UID, the source's id: together they name the VM */
    const char *provider;         /* its UID */
    const char *host, *host_name; /* id, and as users know it; "": the source has no hosts to spare */
    const char *ns;               /* the target's */
    guint64 size;                 /* bytes of all disks */
    gboolean whole;               /* its host counts VMs, not disks */
    const ScheduleDisk *disks;
    guint disk_count;
} Demand; /* borrowed by the call */

/* 0 is no limit. In force at once; what runs goes on. */
void schedule_set_limits(const guint limits[SCHEDULE_KINDS]);

/* What to tell when a plan's VM is granted a share: at most once for several. */
void schedule_on_grant(void (*granted)(const char *plan, gpointer user_data), gpointer user_data);

void schedule_want(const Demand *demand); /* a VM that is known stays as it is */
void schedule_hold(const Demand *demand); /* it runs already: whatever the limits */
/* What a VM needs now that has waited long and holds a share: if it is on another host meanwhile, it waits
 * there. */
void schedule_confirm(const Demand *demand);
gboolean schedule_knows(const char *plan, const char *vm);
gboolean schedule_holds(const char *plan, const char *vm);
/* "PROVIDER UID/HOST ID" of a VM that is known, to be freed; else NULL. */
char *schedule_host(const char *plan, const char *vm);
gint64 schedule_age_us(const char *plan, const char *vm); /* since the demand was given */

void schedule_dispatch(void);

/* The VM's place in its host's queue, 1 being next, and what it waits for (to be freed); 0 when it does not
 * wait. */
guint schedule_place(const char *plan, const char *vm, char **why);

/* A disk of a VM that holds a share turns out to be read over NFC: FALSE while its host has no connection for
 * it. */
gboolean schedule_connect(const char *plan, const char *vm, const char *disk);

void schedule_disk_done(const char *plan, const char *vm, const char *disk);
void schedule_release(const char *plan, const char *vm); /* its share or its place */
void schedule_forget(const char *plan);                  /* all of a plan's */

guint schedule_load(ScheduleKind kind, const char *provider, const char *name);
