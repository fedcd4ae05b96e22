/* reader: the table of readers, and what all of them have in common. */
#include "copy/reader.h"
#include <string.h>

static const ReaderType *const types[] = {&reader_https, &reader_imageio, &reader_lease, &reader_nbd,
                                          &reader_vddk,  &reader_file,    &reader_vmdk};

static const ReaderType *find_type(const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        if (!strcmp(types[i]->type, name))
            return types[i];
        g_string_append_printf(known, "%s\"%s\"", i ? ", " : "", types[i]->type);
    }
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "copy spec: source.type is \"%s\"; it must be one of %s", name, known->str);
    return NULL;
}

static Reader *open_one(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const ReaderType *type = find_type(spec->source_type, error);
    g_autoptr(Reader) reader = type ? type->open(spec, cancel, error) : NULL;

    if (!reader)
        return NULL;
    if (reader->size != spec->size) {
        g_set_error(error, GANTRY_ERROR, ERROR_DISK_DESCRIPTOR,
                    "disk %s has %" G_GUINT64_FORMAT " bytes in the source, but %" G_GUINT64_FORMAT
                    " in the VM's configuration",
                    spec->disk_name, reader->size, spec->size);
        return NULL;
    }
    return g_steal_pointer(&reader);
}

/* Whether the disk may be read in another way where this one does not work: it is about the way, not about
 * the disk. */
static gboolean is_about_the_way(const GError *error)
{
    static const int codes[] = {ERROR_SOURCE_NO_RANGES, ERROR_DISK_FORMAT, ERROR_VDDK_LIBRARY};

    for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
        if (g_error_matches(error, GANTRY_ERROR, codes[i]))
            return TRUE;
    return FALSE;
}

/* The spec with the source's other way of that number in place of its first. */
static gboolean take_other(const CopySpec *spec, size_t number, CopySpec *other)
{
    const json_t *source = json_array_get(json_object_get(spec->source, "others"), number);

    *other = *spec;
    other->source = source;
    other->json = json_pack("{s:O}", "source", source);
    other->source_type = json_string_at(source, "type", "");
    return json_is_object(source);
}

Reader *reader_open(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) failed = NULL;
    Reader *reader = open_one(spec, cancel, &failed);
    g_autofree char *first = failed ? g_strdup(failed->message) : NULL;

    for (size_t i = 0; !reader && is_about_the_way(failed); i++) {
        CopySpec other;
        g_autofree char *choice = NULL;

        if (!take_other(spec, i, &other)) {
            json_decref(other.json);
            break;
        }
        g_clear_error(&failed);
        reader = open_one(&other, cancel, &failed);
        json_decref(other.json);
        if (!reader)
            continue;
        choice = reader->choice;
        reader->choice = g_strdup_printf("%s (not by %s: %s)", choice, spec->source_type, first);
    }
    if (!reader)
        g_propagate_error(error, g_steal_pointer(&failed));
    return reader;
}

gboolean reader_extents(Reader *reader, guint64 start, guint64 size, GArray *extents, GCancellable *cancel,
                        GError **error)
{
    Extent all = {start, size, FALSE};

    g_array_set_size(extents, 0);
    if (reader->type->extents)
        return reader->type->extents(reader, start, size, extents, cancel, error);
    g_array_append_val(extents, all);
    return TRUE;
}

gboolean reader_read(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                     GCancellable *cancel, GError **error)
{
    g_assert(start <= reader->size && size <= reader->size - start && *done <= size);
    return reader->type->read(reader, start, size, buffer, done, cancel, error);
}

ExtentList *reader_changes(Reader *reader, GCancellable *cancel, GError **error)
{
    return reader->type->changes ? reader->type->changes(reader, cancel, error) : NULL;
}

gboolean reader_renew(Reader *reader, gint session, GCancellable *cancel, GError **error)
{
    return !reader->type->renew || reader->type->renew(reader, session, cancel, error);
}

void reader_close(Reader *reader)
{
    if (!reader)
        return;
    json_decref(reader->identity);
    g_free(reader->choice);
    reader->type->close(reader);
}
