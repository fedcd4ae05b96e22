/* spec: decodes and checks the document. */
#include "convert/spec.h"
#include "base/fields.h"
#include <gio/gio.h>
#include <string.h>

#define SPEC_LIMIT  (256 * 1024)
#define TEXT_LIMIT  4096
#define DISKS_LIMIT 256
#define NICS_LIMIT  64

static const char what[] = "convert spec";

static gboolean decode_disk(const ConvertSpec *spec, ConvertDisk *disk, const json_t *json, GError **error)
{
    const Fields fields = {what, json};

    if (!field_text(&fields, "id", TEXT_LIMIT, &disk->id, error))
        return FALSE;
    if (spec->state)
        return field_path(&fields, "copy", &disk->copy, error);
    return field_path(&fields, "path", &disk->path, error) &&
           field_path(&fields, "overlay", &disk->overlay, error);
}

static gboolean decode_disks(ConvertSpec *spec, const Fields *fields, GError **error)
{
    const json_t *disks = json_at(fields->json, "disks");

    if (!json_is_array(disks) || !json_array_size(disks) || json_array_size(disks) > DISKS_LIMIT)
        return field_wrong(fields, "disks", "a list of 1 to 256 disks", error);
    spec->n_disks = json_array_size(disks);
    spec->disks = g_new0(ConvertDisk, spec->n_disks);
    for (guint i = 0; i < spec->n_disks; i++)
        if (!decode_disk(spec, &spec->disks[i], json_array_get(disks, i), error)) {
            g_prefix_error(error, "disk number %u: ", i + 1);
            return FALSE;
        }
    return TRUE;
}

static gboolean is_mac(const char *text)
{
    for (guint i = 0; i < 17; i++)
        if (i % 3 == 2 ? text[i] != ':' : !g_ascii_isxdigit(text[i]))
            return FALSE;
    return text[17] == 0;
}

/* An address, with "/LENGTH" when with_length. */
static gboolean is_address(const char *text, gboolean with_length)
{
    g_autofree char *address = g_strdup(text ? text : "");
    char *slash = strchr(address, '/');
    guint64 length;

    if (with_length != (slash != NULL))
        return FALSE;
    if (slash)
        *slash = 0;
    return g_hostname_is_ip_address(address) &&
           (!slash || g_ascii_string_to_unsigned(slash + 1, 10, 0, 128, &length, NULL));
}

static gboolean decode_addresses(const Fields *fields, const char *path, gboolean with_length,
                                 const char **addresses, GError **error)
{
    const json_t *list = json_at(fields->json, path);

    if (list && (!json_is_array(list) || json_array_size(list) > NIC_ADDRESSES))
        return field_wrong(fields, path, "a list of at most 32 addresses", error);
    for (gsize i = 0; i < json_array_size(list); i++) {
        addresses[i] = json_string_value(json_array_get(list, i));
        if (!is_address(addresses[i], with_length))
            return field_wrong(fields, path, with_length ? "a list of ADDRESS/LENGTH" : "a list of addresses",
                               error);
    }
    return TRUE;
}

static gboolean decode_nic(ConvertNic *nic, const json_t *json, GError **error)
{
    const Fields fields = {what, json};

    if (!field_text(&fields, "mac", 17, &nic->mac, error))
        return FALSE;
    if (!is_mac(nic->mac))
        return field_wrong(&fields, "mac", "of the form 00:50:56:00:00:01", error);
    if (!decode_addresses(&fields, "addresses", TRUE, nic->addresses, error) ||
        !decode_addresses(&fields, "dns", FALSE, nic->dns, error) ||
        !field_optional_text(&fields, "gateway", 64, &nic->gateway, error))
        return FALSE;
    return !nic->gateway || is_address(nic->gateway, FALSE) ||
           field_wrong(&fields, "gateway", "an address", error);
}

static gboolean decode_nics(ConvertSpec *spec, const Fields *fields, GError **error)
{
    const json_t *nics = json_at(fields->json, "nics");

    if (nics && (!json_is_array(nics) || json_array_size(nics) > NICS_LIMIT))
        return field_wrong(fields, "nics", "a list of at most 64 network cards", error);
    spec->n_nics = json_array_size(nics);
    spec->nics = g_new0(ConvertNic, spec->n_nics);
    for (guint i = 0; i < spec->n_nics; i++)
        if (!decode_nic(&spec->nics[i], json_array_get(nics, i), error)) {
            g_prefix_error(error, "network card number %u: ", i + 1);
            return FALSE;
        }
    return TRUE;
}

/* It becomes an option's value: a device, not another option. */
static gboolean check_root(const Fields *fields, const char *root, GError **error)
{
    gboolean plain = !root || !strcmp(root, "first") || g_str_has_prefix(root, "/dev/");
    for (const char *c = root; c && *c; c++)
        plain = plain && (g_ascii_isalnum(*c) || strchr("/_-+.", *c));
    return plain || field_wrong(fields, "root", "\"first\" or a device such as /dev/sda2", error);
}

static gboolean decode_machine(ConvertSpec *spec, const Fields *fields, GError **error)
{
    const char *firmware;
    guint64 cpus;

    if (!field_text(fields, "firmware", TEXT_LIMIT, &firmware, error))
        return FALSE;
    spec->efi = !strcmp(firmware, "efi");
    if (!spec->efi && strcmp(firmware, "bios"))
        return field_wrong(fields, "firmware", "\"bios\" or \"efi\"", error);
    if (!field_number(fields, "memory", 1 << 20, G_MAXINT64, &spec->memory, error) ||
        !field_number(fields, "cpus", 1, 4096, &cpus, error))
        return FALSE;
    spec->cpus = cpus;
    return TRUE;
}

static gboolean decode(ConvertSpec *spec, GError **error)
{
    const Fields fields = {what, spec->json};
    guint64 version;

    return field_number(&fields, "version", 1, 1, &version, error) &&
           field_text(&fields, "vm.id", TEXT_LIMIT, &spec->vm_id, error) &&
           field_text(&fields, "vm.name", TEXT_LIMIT, &spec->vm_name, error) &&
           field_optional_text(&fields, "root", TEXT_LIMIT, &spec->root, error) &&
           check_root(&fields, spec->root, error) &&
           (!json_at(spec->json, "keys") || field_path(&fields, "keys", &spec->keys, error)) &&
           field_optional_flag(&fields, "clevis", &spec->clevis, error) &&
           (!json_at(spec->json, "state") || field_path(&fields, "state", &spec->state, error)) &&
           (spec->state || decode_machine(spec, &fields, error)) && decode_nics(spec, &fields, error) &&
           decode_disks(spec, &fields, error);
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
    g_free(spec->nics);
    g_free(spec);
}
