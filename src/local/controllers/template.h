/* template: Pods made from a template, and the rules of a rollout. Pure. Threads: any. */
#pragma once
#include "local/view.h"

/* Ten characters that differ when the template does, as in the names of ReplicaSets: "788bdb4c69". collision
 * makes another of the same template. */
char *template_hash(const json_t *pod_template, guint collision);

/* A Pod's manifest: generateName "OWNER-", the template's labels, annotations and spec, and its owner. */
json_t *template_pod(const json_t *pod_template, const Object *owner, const KubeResource *owner_kind);

/* A number or a percentage of total ("25%"), rounded up or down; absent stands for a missing value. */
gint64 int_or_percent(const json_t *value, const char *absent, gint64 total, gboolean round_up);

/* Ready for min_ready_seconds; until_ms gets how long that takes yet, when it is only a matter of time (may
 * be NULL). */
gboolean pod_is_available(const Object *pod, gint64 min_ready_seconds, guint *until_ms);
gboolean pod_is_over(const Object *pod); /* Succeeded or Failed */

/* Sets the condition {type, status, reason, message} in conditions; its times change only with its status. */
void set_condition(json_t *conditions, const char *type, gboolean holds, const char *reason,
                   const char *message);

/* The objects of resource whose controller is owner. */
GPtrArray *controlled_by(LocalView *view, const KubeResource *resource, const Object *owner);

/* Adds the key of the object's controller, when that is of this kind, to the queue. */
void add_controller_key(gpointer work_queue, const Object *object, const char *kind);

/* Writes status with a merge patch when it differs from what the object has. */
gboolean write_status(LocalView *view, const KubeResource *resource, const Object *object,
                      const json_t *status, GCancellable *cancel, GError **error);

/* What a work queue's function gives at its end: next. A creation that the API refused because the object's
 * Namespace is being deleted is no error: there is nothing left to do. */
guint end_of_work(LocalView *view, const char *key, guint next, GError **error);
