/* plan_argument: the plans and VMs that verbs are given by name, and the Migration that runs a plan. Threads: the main one. */
#pragma once
#include "cmd/verb.h"

/* The entry of the plan's spec.vms, or of its status, that has this id or name; NULL with BAD_INPUT. Borrowed. */
const json_t *plan_vm(const Object *plan, const char *id_or_name, GError **error);

/* Refs {id, name} of these VMs (char *) as spec.cancel and its like hold them; NULL with BAD_INPUT when one is not in the plan. */
json_t *plan_vm_refs(const Object *plan, const GPtrArray *vms, GError **error);

/* The newest Migration of the plan that has not ended, or NULL with *error KUBE_NOT_FOUND. */
Object *plan_running_migration(KubeClient *kube, const Object *plan, GError **error);

/* Makes a Migration of the plan. cutover NULL: none. */
Object *plan_start(KubeClient *kube, const Object *plan, const char *cutover, GError **error);

/* Waits until the object's condition is there. FALSE without an error: the time is over. blocked (may be NULL) is told to look at
 * whether waiting has become useless, and sets the error. seconds 0: one look. */
typedef gboolean (*WaitHopeless)(const Object *object, GError **error);
gboolean wait_for_condition(KubeClient *kube, const KubeResource *resource, const char *ns, const char *name, const char *condition,
                            guint seconds, WaitHopeless hopeless, Object **last, GError **error);

/* A condition that has stood for ten seconds: right after an object was made it may only be that what it names was not looked at yet. */
gboolean condition_settled(const json_t *condition);

/* An object that a settled Critical condition blocks is not going to be Ready by itself: KUBE_INVALID with its words. */
gboolean blocked_for_good(const Object *object, GError **error);

/* "now", "none" (*time NULL), "+90m" / "+2h" / "+30s" from now, or RFC 3339 with an offset; *time is to be freed. BAD_INPUT. */
gboolean cutover_time(const char *text, char **time, GError **error);
