/* Any bytes in place of a protobuf body; what comes out goes the way of an object: pruned, filled, checked.
 */
#include "local/apiserver/protobuf.h"
#include "local/apiserver/kinds.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    static Kinds *kinds;
    g_autoptr(json_t) object = NULL;
    g_autoptr(GPtrArray) causes = schema_causes_new();
    g_autoptr(GError) error = NULL;

    if (!kinds)
        kinds = kinds_new(NULL);
    object = protobuf_object(kinds_core_types(kinds), data, size, &error);
    g_assert((object == NULL) == (error != NULL));
    if (object) {
        const Schema *schema = schema_set_type(kinds_core_types(kinds), json_string_at(object, "kind", ""));
        schema_prune(schema, object, NULL);
        schema_default(schema, object);
        schema_validate(schema, object, causes);
    }
    return 0;
}
