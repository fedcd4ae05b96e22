/* Any text in place of a name template of a plan. */
#include "plan/name_template.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size);

int LLVMFuzzerTestOneInput(const guint8 *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size), *name = NULL;
    g_autoptr(json_t) fields = json_pack("{s:s, s:s, s:i, s:b}", "PlanName", "plan", "VmName", "Web_01", "DiskIndex", 1,
                                         "Shared", 0);
    g_autoptr(GError) error = NULL;

    name = name_template_expand(text, fields, &error);
    g_assert((name == NULL) == (error != NULL));
    g_assert(!name || strlen(name) <= 1024);
    return 0;
}
