/* object: a counted reference to a JSON document that nobody changes any more. */
#include "kube/object.h"
#include <string.h>

struct Object {
    gatomicrefcount references;
    json_t *json;
};

Object *object_new_take(json_t *json)
{
    Object *object = g_new(Object, 1);

    g_assert(json_is_object(json));
    g_atomic_ref_count_init(&object->references);
    object->json = json;
    return object;
}

Object *object_ref(Object *object)
{
    g_atomic_ref_count_inc(&object->references);
    return object;
}

void object_unref(Object *object)
{
    if (!g_atomic_ref_count_dec(&object->references))
        return;
    json_decref(object->json);
    g_free(object);
}

const json_t *object_json(const Object *object)
{
    return object->json;
}

static const char *metadata(const Object *object, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(object->json, "metadata"), name));
    return text ? text : "";
}

/* Label and annotation keys hold dots, so no path reaches them. */
static const char *entry(const Object *object, const char *map, const char *key, const char *absent)
{
    const json_t *entries = json_object_get(json_object_get(object->json, "metadata"), map);
    const char *text = json_string_value(json_object_get(entries, key));
    return text ? text : absent;
}

const char *object_kind(const Object *object)
{
    return json_string_at(object->json, "kind", "");
}
const char *object_name(const Object *object)
{
    return metadata(object, "name");
}
const char *object_namespace(const Object *object)
{
    return metadata(object, "namespace");
}
const char *object_uid(const Object *object)
{
    return metadata(object, "uid");
}
const char *object_resource_version(const Object *object)
{
    return metadata(object, "resourceVersion");
}
gint64 object_generation(const Object *object)
{
    return json_int_at(object->json, "metadata.generation", 0);
}

const char *object_label(const Object *object, const char *key, const char *absent)
{
    return entry(object, "labels", key, absent);
}

const char *object_annotation(const Object *object, const char *key, const char *absent)
{
    return entry(object, "annotations", key, absent);
}

gboolean object_deleting(const Object *object)
{
    return *metadata(object, "deletionTimestamp") != 0;
}

const json_t *object_condition(const Object *object, const char *type)
{
    const json_t *condition;
    gsize i;

    json_array_foreach(
        json_at(object->json, "status.conditions"), i,
        condition) if (!g_strcmp0(json_string_at(condition, "type", NULL),
                                  type)) return !g_strcmp0(json_string_at(condition, "status", NULL), "True")
        ? condition
        : NULL;
    return NULL;
}
