/* spec: decodes and checks the document, member by member. */
#include "copy/spec.h"
#include <string.h>

#define SPEC_LIMIT        (1024 * 1024)
#define TEXT_LIMIT        4096
#define CA_LIMIT          (512 * 1024)
#define SIZE_LIMIT        (G_GUINT64_CONSTANT(1) << 50) /* 1 PiB; vSphere ends at 62 TiB */
#define MEMORY_DEFAULT    (64 << 20)
#define MEMORY_LEAST      (48 << 20)
#define MEMORY_MOST       (G_GUINT64_CONSTANT(4) << 30)
#define CONNECTIONS       8
#define CONNECTIONS_LIMIT 32

static gboolean wrong(GError **error, const char *path, const json_t *value, const char *right)
{
    g_autofree char *is = value ? json_text(value) : g_strdup("missing");
    if (strlen(is) > 80)
        strcpy(is + 77, "...");
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "copy spec: %s is %s; it must be %s", path, is, right);
    return FALSE;
}

static gboolean get_text(const json_t *json, const char *path, gsize most, gboolean needed, const char **text,
                         GError **error)
{
    const json_t *value = json_at(json, path);
    const char *is = json_string_value(value);

    if (!needed && (!value || json_is_null(value) || (is && !*is)))
        return TRUE;
    if (!is || !*is || json_string_length(value) > most || strlen(is) != json_string_length(value)) {
        g_autofree char *right = g_strdup_printf("a text of 1 to %" G_GSIZE_FORMAT " bytes", most);
        return wrong(error, path, value, right);
    }
    *text = is;
    return TRUE;
}

static gboolean get_number(const json_t *json, const char *path, guint64 least, guint64 most, guint64 absent,
                           guint64 *number, GError **error)
{
    const json_t *value = json_at(json, path);

    if (!value && absent != G_MAXUINT64) {
        *number = absent;
        return TRUE;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (guint64)json_integer_value(value) < least || (guint64)json_integer_value(value) > most) {
        g_autofree char *right =
            g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, least, most);
        return wrong(error, path, value, right);
    }
    *number = json_integer_value(value);
    return TRUE;
}

static gboolean get_directory(const json_t *json, const char *path, const char **directory, GError **error)
{
    if (!get_text(json, path, TEXT_LIMIT, TRUE, directory, error))
        return FALSE;
    return g_path_is_absolute(*directory) || wrong(error, path, json_at(json, path), "an absolute path");
}

/* The disk's id becomes part of file names. */
static gboolean check_id(const json_t *json, const char *id, GError **error)
{
    gboolean plain = *id != '.';
    for (const char *c = id; *c; c++)
        plain = plain && (g_ascii_isalnum(*c) || strchr("._-", *c));
    return plain || wrong(error, "disk.id", json_at(json, "disk.id"),
                          "made of letters, digits, '.', '_' and '-', and not begin with '.'");
}

static gboolean decode_disk(CopySpec *spec, GError **error)
{
    const json_t *json = spec->json;

    if (!get_text(json, "disk.plan", 256, TRUE, &spec->plan, error) ||
        !get_text(json, "disk.vm", 256, TRUE, &spec->vm, error) ||
        !get_text(json, "disk.id", 128, TRUE, &spec->disk_id, error) ||
        !check_id(json, spec->disk_id, error) ||
        !get_text(json, "disk.name", TEXT_LIMIT, TRUE, &spec->disk_name, error) ||
        !get_number(json, "disk.size", 0, SIZE_LIMIT, G_MAXUINT64, &spec->size, error))
        return FALSE;
    return spec->size % 512 == 0 ||
           wrong(error, "disk.size", json_at(json, "disk.size"), "a multiple of 512 bytes");
}

static gboolean decode_trust(CopySpec *spec, GError **error)
{
    const json_t *insecure = json_at(spec->json, "trust.insecure");

    if (insecure && !json_is_boolean(insecure))
        return wrong(error, "trust.insecure", insecure, "true or false");
    spec->insecure = json_is_true(insecure);
    return get_text(spec->json, "trust.ca", CA_LIMIT, FALSE, &spec->ca_pem, error) &&
           get_text(spec->json, "trust.fingerprint", 256, FALSE, &spec->fingerprint, error);
}

static gboolean decode(CopySpec *spec, GError **error)
{
    const json_t *json = spec->json;
    guint64 version, connections;

    if (!json_is_object(json))
        return wrong(error, "the document", NULL, "a JSON object");
    if (!get_number(json, "version", 1, 1, G_MAXUINT64, &version, error) || !decode_disk(spec, error))
        return FALSE;

    spec->source = json_object_get(json, "source");
    if (!json_is_object(spec->source))
        return wrong(error, "source", spec->source, "an object");
    if (!get_text(json, "source.type", 64, TRUE, &spec->source_type, error) ||
        !get_text(json, "source.generation", TEXT_LIMIT, TRUE, &spec->generation, error))
        return FALSE;

    if (json_object_get(json, "credentials") &&
        !get_directory(json, "credentials", &spec->credentials, error))
        return FALSE;
    if (!decode_trust(spec, error) || !get_directory(json, "target.path", &spec->target, error) ||
        !get_directory(json, "state", &spec->state, error) ||
        !get_text(json, "fence.uid", 256, TRUE, &spec->fence_uid, error) ||
        !get_number(json, "fence.generation", 0, G_MAXINT64, G_MAXUINT64, &spec->fence_generation, error) ||
        !get_number(json, "limits.memory", MEMORY_LEAST, MEMORY_MOST, MEMORY_DEFAULT, &spec->memory_limit,
                    error) ||
        !get_number(json, "limits.connections", 1, CONNECTIONS_LIMIT, CONNECTIONS, &connections, error))
        return FALSE;
    spec->connections = connections;
    return TRUE;
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
    json_decref(spec->json);
    g_free(spec);
}

const char *copy_spec_source_text(const CopySpec *spec, const char *member, gsize most, GError **error)
{
    const char *text = NULL;
    g_autofree char *path = g_strconcat("source.", member, NULL);
    return get_text(spec->json, path, most, TRUE, &text, error) ? text : NULL;
}

char *copy_spec_state_path(const CopySpec *spec, const char *suffix)
{
    return g_strconcat(spec->state, "/", spec->disk_id, suffix, NULL);
}
