/* Any text in place of a label or field selector. */
#include "kube/selector.h"

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(json_t) object = json_pack("{s:{s:s, s:{s:s}}}", "metadata", "name", "a", "labels", "plan", "b");
    g_autoptr(GError) labels_error = NULL, fields_error = NULL;
    g_autoptr(Selector) labels = selector_parse_labels(text, &labels_error);
    g_autoptr(Selector) fields = selector_parse_fields(text, &fields_error);

    g_assert((labels == NULL) == (labels_error != NULL));
    g_assert((fields == NULL) == (fields_error != NULL));
    if (labels)
        selector_matches(labels, object);
    if (fields)
        selector_matches(fields, object);
    return 0;
}
