/* source_record: what has to be put back at the source, in a ConfigMap beside the plan that outlives it.
 *
 * A run's state lives in its plan's status; but a plan may be deleted while it runs. So a ConfigMap with the
 * labels plan (its UID) and resource=sources says where the plan's VMs come from and go to, and for every VM
 * that is shut down, from before that until it is settled, that it was running and when it was asked; a warm
 * one is in it from before its first snapshot. What the source has opened for a disk (disk_grant.h) is in it
 * until that is closed again. The sweep of deleted plans (orphan.h) reads it; so does a new Migration when an
 * earlier one could not put the source back. Threads: any.
 */
#pragma once
#include "plan/vm_run.h"

#define SOURCE_RECORD_LABEL "resource=sources"

/* Makes it when there is none. */
gboolean source_record_begin(const PlanRun *run, GCancellable *cancel, GError **error);

typedef enum {
    SOURCE_SETTLED, /* there is nothing to put back any more */
    SOURCE_FROZEN,  /* snapshots of ours are made; its power is left alone */
    SOURCE_RAN,     /* it was running; from before the shutdown on */
    SOURCE_ASKED,   /* and its guest has been asked, or will be at once, to shut down */
} SourceState;
gboolean source_record_note(VmRun *vm, SourceState state, GCancellable *cancel, GError **error);

/* grant: as source_grant() of source/source.h gives it; NULL: nothing is open any more. */
gboolean source_record_note_grant(VmRun *vm, const char *disk_id, const char *grant, GCancellable *cancel,
                                  GError **error);

/* *running: TRUE when an earlier run has noted it and not put it back. */
gboolean source_record_read(VmRun *vm, gboolean *running, GCancellable *cancel, GError **error);

/* Of an archived plan. */
gboolean source_record_drop(const PlanRun *run, GCancellable *cancel, GError **error);

/* The plan as far as a sweep needs it: metadata, targetNamespace, provider; a reference, NULL when the
 * ConfigMap is none of ours. */
Object *source_record_plan(const Object *record);
/* Ids of the VMs that are not settled or have a disk open, NULL-terminated; to be freed with g_strfreev(). */
char **source_record_vms(const Object *record);
/* Whether that VM is to be powered on. */
gboolean source_record_ran(const Object *record, const char *id);
/* When that VM's guest was asked to shut down, or NULL. */
const char *source_record_asked(const Object *record, const char *id);
/* The grants of that VM, {disk id: grant}; a new reference. */
json_t *source_record_grants(const Object *record, const char *id);
