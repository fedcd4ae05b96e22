/* object: a Kubernetes object as it came from, or goes to, an API server.
 *
 * Guarantee: immutable once made; so any thread may read it while it holds a reference. To change one, copy its JSON
 * (json_deep_copy(object_json(o))), change the copy, and send it.
 */
#pragma once
#include "base/json.h"

typedef struct Object Object;
Object *object_new_take(json_t *json); /* takes the reference; json must be an object and is no longer changed */
Object *object_ref(Object *object);
void    object_unref(Object *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Object, object_unref)

const json_t *object_json(const Object *object); /* borrowed; not to be changed */

/* Borrowed strings of metadata; "" where absent. */
const char *object_kind(const Object *object);
const char *object_name(const Object *object);
const char *object_namespace(const Object *object);
const char *object_uid(const Object *object);
const char *object_resource_version(const Object *object);
gint64      object_generation(const Object *object);
const char *object_label(const Object *object, const char *key, const char *absent);
const char *object_annotation(const Object *object, const char *key, const char *absent);
gboolean    object_deleting(const Object *object); /* metadata.deletionTimestamp is set */

/* The item of status.conditions with this type and status "True", or NULL. */
const json_t *object_condition(const Object *object, const char *type);
