/* spec: decodes and checks the document. */
#include "convert/spec.h"
#include <string.h>

#define SPEC_LIMIT  (256 * 1024)
#define TEXT_LIMIT  4096
#define DISKS_LIMIT 256

static gboolean wrong(GError **error, const char *path, const char *right)
{
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "convert spec: %s must be %s", path, right);
    return FALSE;
}

static gboolean get_text(const json_t *json, const char *path, gboolean is_path, const char **text,
                         GError **error)
{
    *text = json_string_at(json, path, NULL);
    if (!*text || !**text || strlen(*text) > TEXT_LIMIT)
        return wrong(error, path, "a text of 1 to 4096 bytes");
    return !is_path || g_path_is_absolute(*text) || wrong(error, path, "an absolute path");
}

static gboolean decode_disks(ConvertSpec *spec, const json_t *disks, GError **error)
{
    if (!json_is_array(disks) || !json_array_size(disks) || json_array_size(disks) > DISKS_LIMIT)
        return wrong(error, "disks", "a list of 1 to 256 disks");
    spec->n_disks = json_array_size(disks);
    spec->disks = g_new0(ConvertDisk, spec->n_disks);
    for (guint i = 0; i < spec->n_disks; i++) {
        const json_t *json = json_array_get(disks, i);
        ConvertDisk *disk = &spec->disks[i];

        if (!get_text(json, "id", FALSE, &disk->id, error) ||
            !get_text(json, "path", TRUE, &disk->path, error) ||
            !get_text(json, "overlay", TRUE, &disk->overlay, error)) {
            g_prefix_error(error, "disk number %u: ", i + 1);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean decode(ConvertSpec *spec, GError **error)
{
    const json_t *json = spec->json;
    const char *firmware;
    gint64 memory = json_int_at(json, "memory", 0), cpus = json_int_at(json, "cpus", 0);

    if (json_int_at(json, "version", 0) != 1)
        return wrong(error, "version", "1");
    if (!get_text(json, "vm.id", FALSE, &spec->vm_id, error) ||
        !get_text(json, "vm.name", FALSE, &spec->vm_name, error) ||
        !get_text(json, "firmware", FALSE, &firmware, error))
        return FALSE;
    spec->efi = !strcmp(firmware, "efi");
    if (!spec->efi && strcmp(firmware, "bios"))
        return wrong(error, "firmware", "\"bios\" or \"efi\"");
    if (memory < 1 << 20)
        return wrong(error, "memory", "a number of bytes, at least 1 MiB");
    if (cpus < 1 || cpus > 4096)
        return wrong(error, "cpus", "a number from 1 to 4096");
    spec->memory = memory;
    spec->cpus = cpus;
    return decode_disks(spec, json_at(json, "disks"), error);
}

static ConvertSpec *take(json_t *json, GError **error)
{
    g_autoptr(ConvertSpec) spec = g_new0(ConvertSpec, 1);

    spec->json = json;
    if (!json || !decode(spec, error))
        return NULL;
    return g_steal_pointer(&spec);
}

ConvertSpec *convert_spec_parse(const char *text, gsize size, GError **error)
{
    return take(json_parse(text, size, SPEC_LIMIT, "convert spec", error), error);
}

ConvertSpec *convert_spec_read(const char *path, GError **error)
{
    return take(json_parse_file(path, SPEC_LIMIT, error), error);
}

void convert_spec_free(ConvertSpec *spec)
{
    if (!spec)
        return;
    json_decref(spec->json);
    g_free(spec->disks);
    g_free(spec);
}
