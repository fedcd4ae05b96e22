/* Any JSON {"schema": …, "object": …}: a definition's schema from a stranger, and an object that it judges.
 */
#include "local/apiserver/schema.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autoptr(json_t) json = json_loadb((const char *)data, size, 0, NULL);
    json_t *object = json_object_get(json, "object");
    g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) causes = schema_causes_new();
    g_autoptr(SchemaSet) set = NULL;
    g_autoptr(GError) error = NULL;
    const Schema *root;

    if (!json_is_object(object))
        return 0;
    set = schema_set_from_openapi(json_object_get(json, "schema"), "schema", &root, &error);
    g_assert((set == NULL) == (error != NULL));
    if (set) {
        schema_prune(root, object, unknown);
        schema_default(root, object);
        schema_validate(root, object, causes);
    }
    return 0;
}
