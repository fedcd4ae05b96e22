/* environment: a container's variables, and their use in its command.
 *
 * Follows https://kubernetes.io/docs/tasks/inject-data-application/ (env, envFrom, valueFrom, $(NAME) with $$
 * as the way to write a dollar). Nothing here talks to anybody: Secrets and ConfigMaps come from the caller.
 * Threads: any.
 */
#pragma once
#include "kube/object.h"

/* Gives a Secret or ConfigMap (kind) of the Pod's namespace; NULL and error set when it cannot be had
 * (KUBE_NOT_FOUND: it does not exist). */
typedef Object *(*PodSource)(const char *kind, const char *name, gpointer user_data, GError **error);

/* One value of a Secret (decoded) or ConfigMap, NULL when the key is absent; a Secret's value may hold any
 * byte. */
GBytes *pod_source_value(const Object *object, const char *key);
/* All keys, sorted; of char*. */
GPtrArray *pod_source_keys(const Object *object);

/* NAME=value in order: base (may be NULL), then envFrom, then env; later ones win. Values of env may use
 * earlier ones as $(NAME). Errors: KUBE_NOT_FOUND or BAD_INPUT, naming the container's field. */
char **container_environment(const json_t *pod, const json_t *container, const char *const *base,
                             PodSource source, gpointer user_data, GError **error);

/* Replaces $(NAME) by its value in environment; an unknown name stays as it is, $$(NAME) becomes $(NAME). */
char *expand_variables(const char *text, const char *const *environment);

/* command followed by args, both expanded. NULL when the container has neither. */
char **container_command(const json_t *container, const char *const *environment);

/* The text at a downward-API fieldPath: metadata.name, metadata.labels['x'], status.podIP, spec.nodeName …;
 * NULL when the path is not one of those. */
char *pod_field(const json_t *pod, const char *field_path);
