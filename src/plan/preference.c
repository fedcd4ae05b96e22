/* preference: a table from osinfo ids to names, and requirements. */
#include "plan/preference.h"
#include "kube/quantity.h"
#include <string.h>

/* The longest prefix decides; '#' stands for the major version that follows it. */
static const struct {
    const char *prefix, *name;
} rows[] = {
    {"alpine", "alpine"},
    {"centos-stream", "centos.stream#"},
    {"centos", "centos.#"},
    {"debian", "debian"},
    {"fedora", "fedora"},
    {"ol", "oraclelinux"},
    {"opensuse", "opensuse.leap"},
    {"opensusetumbleweed", "opensuse.tumbleweed"},
    {"rhel", "rhel.#"},
    {"sle", "sles"},
    {"ubuntu", "ubuntu"},
    {"win10", "windows.10"},
    {"win11", "windows.11"},
    {"win2k12", "windows.2k12"},
    {"win2k16", "windows.2k16"},
    {"win2k19", "windows.2k19"},
    {"win2k22", "windows.2k22"},
    {"win2k25", "windows.2k25"},
};

static const char *major_of(const char *os, size_t prefix_len, size_t *len)
{
    *len = strspn(os + prefix_len, "0123456789");
    return os + prefix_len;
}

char *preference_name(const char *os, gboolean converted)
{
    gint found = -1;
    const char *hash, *major;
    size_t len;

    for (guint i = 0; os && i < G_N_ELEMENTS(rows); i++)
        if (g_str_has_prefix(os, rows[i].prefix) &&
            (found < 0 || strlen(rows[i].prefix) > strlen(rows[found].prefix)))
            found = i;
    if (found < 0)
        return NULL;
    hash = strchr(rows[found].name, '#');
    if (!hash) {
        gboolean virtio = converted && g_str_has_prefix(rows[found].name, "windows");
        return g_strconcat(rows[found].name, virtio ? ".virtio" : NULL, NULL);
    }
    major = major_of(os, strlen(rows[found].prefix), &len);
    return len ? g_strdup_printf("%.*s%.*s", (int)(hash - rows[found].name), rows[found].name, (int)len,
                                 major)
               : NULL;
}

gboolean preference_fits(const Object *preference, const Vm *vm)
{
    const json_t *requires = json_at(object_json(preference), "spec.requirements");
    const char *memory = json_string_at(requires, "memory.guest", NULL);
    guint64 bytes = 0;

    if (memory && (!quantity_parse(memory, &bytes, NULL) || vm->memory < bytes))
        return FALSE;
    return (gint64)vm->sockets * vm->cores * vm->threads >= json_int_at(requires, "cpu.guest", 0);
}
