/* template: what the controllers of Pods have in common: children made from a template, found by their owner
 * and deleted; the rules of a rollout. Threads: any. */
#pragma once
#include "local/view.h"

/* Ten characters that differ when the template does, as in the names of ReplicaSets: "788bdb4c69". collision
 * makes another of the same template. */
char *template_hash(const json_t *pod_template, guint collision);

/* A Pod's manifest: generateName "OWNER-", the template's labels, annotations and spec, and its owner. */
json_t *template_pod(const json_t *pod_template, const Object *owner, const KubeResource *owner_kind);
/* Makes it. */
gboolean template_make_pod(LocalView *view, const json_t *pod_template, const Object *owner,
                           const KubeResource *owner_kind, GCancellable *cancel, GError **error);

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

/* As controlled_by(), but read from the server: what this process made or deleted last may not be in the view
 * yet. NULL with an error set when it cannot be asked. */
GPtrArray *controlled_now(LocalView *view, const KubeResource *resource, const Object *owner,
                          GCancellable *cancel, GError **error);

/* Deletes what may be gone already. */
gboolean delete_child(LocalView *view, const KubeResource *resource, const Object *child,
                      GCancellable *cancel, GError **error);

/* Adds the key of the object's controller, when that is of this kind, to the queue. */
void add_controller_key(gpointer work_queue, const Object *object, const char *kind);

/* Writes status with a merge patch when it differs from what the object has. */
gboolean write_status(LocalView *view, const KubeResource *resource, const Object *object,
                      const json_t *status, GCancellable *cancel, GError **error);
