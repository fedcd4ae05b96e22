/* source: finds the kind by its name and hands every call on. */
#include "source/source.h"
#include "source/kind.h"
#include <string.h>

static const SourceKind *const kinds[] = {&source_vsphere};

struct Source {
    const SourceKind *kind;
    gpointer connection;
};

static const SourceKind *find_kind(const char *type, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_strcmp0(type, kinds[i]->type) == 0)
            return kinds[i];
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "type '%s' is no source: it must be vsphere",
                type ? type : "");
    return NULL;
}

Source *source_open(const SourceAccess *access, GError **error)
{
    const SourceKind *kind = find_kind(access->type, error);
    gpointer connection = kind ? kind->open(access, error) : NULL;
    Source *source;

    if (!connection)
        return NULL;
    source = g_new(Source, 1);
    *source = (Source){.kind = kind, .connection = connection};
    return source;
}

void source_close(Source *source)
{
    if (!source)
        return;
    source->kind->close(source->connection);
    g_free(source);
}

json_t *source_about(Source *source, GCancellable *cancel, GError **error)
{
    return source->kind->about(source->connection, cancel, error);
}

gboolean source_collect(Source *source, SourceChange changed, gpointer user_data, GCancellable *cancel,
                        GError **error)
{
    return source->kind->collect(source->connection, changed, user_data, cancel, error);
}

gboolean source_power_state(Source *source, const char *vm_id, PowerState *state, GCancellable *cancel,
                            GError **error)
{
    return source->kind->power_state(source->connection, vm_id, state, cancel, error);
}

gboolean source_shut_down_guest(Source *source, const char *vm_id, GCancellable *cancel, GError **error)
{
    return source->kind->shut_down_guest(source->connection, vm_id, cancel, error);
}

gboolean source_power_off(Source *source, const char *vm_id, GCancellable *cancel, GError **error)
{
    return source->kind->power_off(source->connection, vm_id, cancel, error);
}

gboolean source_power_on(Source *source, const char *vm_id, GCancellable *cancel, GError **error)
{
    return source->kind->power_on(source->connection, vm_id, cancel, error);
}

Vm *source_describe(const char *type, const json_t *workload, GError **error)
{
    const SourceKind *kind = find_kind(type, error);
    return kind ? kind->describe(workload, error) : NULL;
}

json_t *source_disk(const char *type, const char *url, const json_t *workload, const char *disk_id,
                    const char *host, GError **error)
{
    const SourceKind *kind = find_kind(type, error);
    return kind ? kind->disk(url, workload, disk_id, host, error) : NULL;
}
