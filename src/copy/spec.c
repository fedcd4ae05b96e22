/* spec: decodes and checks the document, member by member. */
#include "copy/spec.h"
#include "base/fields.h"
#include "copy/extent_list.h"
#include "copy/rate_limit.h"
#include <string.h>

#define SPEC_LIMIT        (1024 * 1024)
#define TEXT_LIMIT        4096
#define SECTOR            512
#define CA_LIMIT          (512 * 1024)
#define SIZE_LIMIT        (G_GUINT64_CONSTANT(1) << 50) /* 1 PiB; vSphere ends at 62 TiB */
#define MEMORY_DEFAULT    (64 << 20)
#define MEMORY_LEAST      (48 << 20)
#define MEMORY_MOST       (G_GUINT64_CONSTANT(4) << 30)
#define CONNECTIONS       8
#define CONNECTIONS_LIMIT 32

static const char what[] = "copy spec";

/* The disk's id becomes part of file names. */
static gboolean check_id(const Fields *fields, const char *id, GError **error)
{
    gboolean plain = *id != '.';
    for (const char *c = id; *c; c++)
        plain = plain && (g_ascii_isalnum(*c) || strchr("._-", *c));
    return plain || field_wrong(fields, "disk.id",
                                "made of letters, digits, '.', '_' and '-', and not begin with '.'", error);
}

static gboolean decode_disk(CopySpec *spec, const Fields *fields, GError **error)
{
    if (!field_text(fields, "disk.plan", 256, &spec->plan, error) ||
        !field_text(fields, "disk.vm", 256, &spec->vm, error) ||
        !field_text(fields, "disk.id", 128, &spec->disk_id, error) ||
        !check_id(fields, spec->disk_id, error) ||
        !field_text(fields, "disk.name", TEXT_LIMIT, &spec->disk_name, error) ||
        !field_number(fields, "disk.size", 0, SIZE_LIMIT, &spec->size, error))
        return FALSE;
    return spec->size % SECTOR == 0 || field_wrong(fields, "disk.size", "a multiple of 512 bytes", error);
}

/* Adds what lies between the last range and this one, then this one. */
static gboolean add_range(ExtentList *list, const json_t *range, guint64 disk_size)
{
    gint64 start = json_integer_value(json_array_get(range, 0)),
           size = json_integer_value(json_array_get(range, 1));
    guint64 before = extent_list_size(list);

    if (json_array_size(range) != 2 || !json_is_integer(json_array_get(range, 0)) || start < 0 ||
        (guint64)start < before || size <= 0 || start % SECTOR || size % SECTOR ||
        (guint64)start > disk_size || (guint64)size > disk_size - start)
        return FALSE;
    return ((guint64)start == before || extent_list_add(list, before, start - before, TRUE)) &&
           extent_list_add(list, start, size, FALSE);
}

static gboolean decode_changes(CopySpec *spec, const Fields *fields, GError **error)
{
    const json_t *ranges = json_at(fields->json, "changes.ranges");
    g_autoptr(ExtentList) list = extent_list_new();
    gsize i = 0;

    if (!json_at(fields->json, "changes"))
        return TRUE;
    if (!field_text(fields, "changes.since", TEXT_LIMIT, &spec->changes_since, error))
        return FALSE;
    spec->source_knows_changes = !g_strcmp0(json_string_value(ranges), "source");
    if (spec->source_knows_changes)
        return TRUE;
    if (!json_is_array(ranges))
        return field_wrong(fields, "changes.ranges", "a list of [start, bytes]", error);
    while (i < json_array_size(ranges) && add_range(list, json_array_get(ranges, i), spec->size))
        i++;
    if (i < json_array_size(ranges)) {
        g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                    "%s: number %zu of changes.ranges must be [start, bytes] in whole sectors, behind the "
                    "range before it and within the disk",
                    what, i + 1);
        return FALSE;
    }
    if (extent_list_size(list) < spec->size)
        extent_list_add(list, extent_list_size(list), spec->size - extent_list_size(list), TRUE);
    spec->changes = g_steal_pointer(&list);
    return TRUE;
}

static gboolean decode_trust(CopySpec *spec, const Fields *fields, GError **error)
{
    return field_optional_flag(fields, "trust.insecure", &spec->insecure, error) &&
           field_optional_text(fields, "trust.ca", CA_LIMIT, &spec->ca_pem, error) &&
           field_optional_text(fields, "trust.fingerprint", 256, &spec->fingerprint, error);
}

static gboolean decode_limits(CopySpec *spec, const Fields *fields, GError **error)
{
    guint64 connections;

    if (!field_optional_number(fields, "limits.memory", MEMORY_LEAST, MEMORY_MOST, MEMORY_DEFAULT,
                               &spec->memory_limit, error) ||
        !field_optional_number(fields, "limits.connections", 1, CONNECTIONS_LIMIT, CONNECTIONS, &connections,
                               error) ||
        !field_optional_number(fields, "limits.bytesPerSecond", 0, RATE_LIMIT_MOST, 0, &spec->rate, error))
        return FALSE;
    spec->connections = connections;
    return TRUE;
}

static gboolean decode(CopySpec *spec, GError **error)
{
    const Fields fields = {what, spec->json};
    guint64 version;

    return field_number(&fields, "version", 1, 1, &version, error) && decode_disk(spec, &fields, error) &&
           field_object(&fields, "source", &spec->source, error) &&
           field_text(&fields, "source.type", 64, &spec->source_type, error) &&
           field_text(&fields, "source.generation", TEXT_LIMIT, &spec->generation, error) &&
           decode_changes(spec, &fields, error) && decode_trust(spec, &fields, error) &&
           (!json_at(spec->json, "credentials") ||
            field_path(&fields, "credentials", &spec->credentials, error)) &&
           field_path(&fields, "target.path", &spec->target, error) &&
           field_optional_flag(&fields, "target.overcommit", &spec->overcommit, error) &&
           field_path(&fields, "state", &spec->state, error) &&
           field_text(&fields, "fence.uid", 256, &spec->fence_uid, error) &&
           field_number(&fields, "fence.generation", 0, G_MAXINT64, &spec->fence_generation, error) &&
           decode_limits(spec, &fields, error);
}

static CopySpec *take(json_t *json, GError **error)
{
    g_autoptr(CopySpec) spec = g_new0(CopySpec, 1);

    spec->json = json;
    if (!json || !decode(spec, error))
        return NULL;
    return g_steal_pointer(&spec);
}

CopySpec *copy_spec_parse(const char *text, gsize size, GError **error)
{
    return take(json_parse(text, size, SPEC_LIMIT, "copy spec", error), error);
}

CopySpec *copy_spec_read(const char *path, GError **error)
{
    return take(json_parse_file(path, SPEC_LIMIT, error), error);
}

void copy_spec_free(CopySpec *spec)
{
    if (!spec)
        return;
    extent_list_free(spec->changes);
    json_decref(spec->json);
    g_free(spec);
}

const char *copy_spec_source_text(const CopySpec *spec, const char *member, gsize most, GError **error)
{
    const char *text = NULL;
    g_autofree char *path = g_strconcat("source.", member, NULL);
    const Fields fields = {what, spec->json};
    return field_text(&fields, path, most, &text, error) ? text : NULL;
}

char *copy_spec_state_path(const CopySpec *spec, const char *suffix)
{
    return g_strconcat(spec->state, "/", spec->disk_id, suffix, NULL);
}
