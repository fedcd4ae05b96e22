/* reader: the table of readers, and what all of them have in common. */
#include "copy/reader.h"
#include <string.h>

static const ReaderType *const types[] = {&reader_https, &reader_imageio, &reader_lease, &reader_nbd, &reader_file, &reader_vmdk};

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

Reader *reader_open(const CopySpec *spec, GCancellable *cancel, GError **error)
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
