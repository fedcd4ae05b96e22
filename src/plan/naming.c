/* naming: from any source name to a DNS-1123 label. */
#include "plan/naming.h"
#include <string.h>

enum { LABEL_MOST = 63, SUBDOMAIN_MOST = 253, ID_PART = 4 };

gboolean naming_is_label(const char *name)
{
    size_t len = name ? strlen(name) : 0;

    if (len == 0 || len > LABEL_MOST || name[0] == '-' || name[len - 1] == '-')
        return FALSE;
    for (const char *c = name; *c; c++)
        if (!g_ascii_islower(*c) && !g_ascii_isdigit(*c) && *c != '-')
            return FALSE;
    return TRUE;
}

gboolean naming_is_subdomain(const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name ? name : "", ".", -1);

    for (guint i = 0; labels[i]; i++)
        if (!naming_is_label(labels[i]))
            return FALSE;
    return labels[0] && strlen(name) <= SUBDOMAIN_MOST;
}

static void trim_end(GString *text)
{
    while (text->len && text->str[text->len - 1] == '-')
        g_string_truncate(text, text->len - 1);
}

/* The last four letters and digits of an id: of "vm-1042" the part that differs. */
static char *id_part(const char *vm_id)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (const char *c = vm_id ? vm_id : ""; *c; c++)
        if (g_ascii_isalnum(*c))
            g_string_append_c(all, g_ascii_tolower(*c));
    return g_strdup(all->len > ID_PART ? all->str + all->len - ID_PART : all->str);
}

char *naming_normal(const char *source_name, const char *vm_id)
{
    g_autoptr(GString) name = g_string_new(NULL);
    g_autofree char *id = id_part(vm_id);

    for (const char *c = source_name ? source_name : ""; *c; c++) {
        char lower = *c == '_' ? '-' : g_ascii_tolower(*c);
        if (g_ascii_islower(lower) || g_ascii_isdigit(lower) || (lower == '-' && name->len))
            g_string_append_c(name, lower);
    }
    if (name->len > LABEL_MOST)
        g_string_truncate(name, LABEL_MOST);
    trim_end(name);
    if (!name->len)
        g_string_printf(name, "vm-%s", id);
    return g_strdup(name->str);
}

static char *with_suffix(const char *name, const char *vm_id)
{
    g_autofree char *id = id_part(vm_id);
    g_autoptr(GString) text = g_string_new(name);

    if (text->len > LABEL_MOST - 1 - strlen(id))
        g_string_truncate(text, LABEL_MOST - 1 - strlen(id));
    trim_end(text);
    g_string_append_printf(text, "-%s", id);
    return g_strdup(text->str);
}

char *naming_target(const char *source_name, const char *vm_id, const char *target_name, NamingTaken taken,
                    gpointer user_data, GError **error)
{
    g_autofree char *normal = NULL, *suffixed = NULL;

    if (target_name && *target_name && !naming_is_label(target_name)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "targetName '%s' is no DNS label: use at most 63 of a-z, 0-9 and '-', a letter or digit "
                    "at both ends",
                    target_name);
        return NULL;
    }
    normal = target_name && *target_name ? g_strdup(target_name) : naming_normal(source_name, vm_id);
    if (!taken(normal, user_data))
        return g_steal_pointer(&normal);
    if (!(target_name && *target_name) && g_strcmp0(normal, source_name)) {
        suffixed = with_suffix(normal, vm_id);
        if (!taken(suffixed, user_data))
            return g_steal_pointer(&suffixed);
    }
    g_set_error(error, GANTRY_ERROR, ERROR_NAME_TAKEN,
                "the target namespace has a VirtualMachine named '%s' already", normal);
    return NULL;
}
