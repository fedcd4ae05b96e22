/* source: finds the kind by its name and hands every call on. */
#include "source/source.h"
#include "base/control.h"
#include "source/kind.h"
#include <string.h>

static const SourceKind *const kinds[] = {&source_vsphere, &source_ovirt};

struct Source {
    gatomicrefcount references;
    const SourceKind *kind;
    gpointer connection;
    char *url;
};

static const SourceKind *find_kind(const char *type, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_strcmp0(type, kinds[i]->type) == 0)
            return kinds[i];
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "type '%s' is no source: it must be vsphere or ovirt",
                type ? type : "");
    return NULL;
}

const SourceKind *source_find_kind(const char *type)
{
    return find_kind(type, NULL);
}

/* For `gantry debug sessions`. */
static void report(GString *answer, gpointer user_data)
{
    const Source *source = user_data;

    g_string_append_printf(answer, "session with %s %s\n", source->kind->type, source->url);
}

Source *source_open(const SourceAccess *access, GError **error)
{
    const SourceKind *kind = find_kind(access->type, error);
    gpointer connection = kind ? kind->open(access, error) : NULL;
    Source *source;

    if (!connection)
        return NULL;
    source = g_new(Source, 1);
    *source = (Source){.kind = kind, .connection = connection, .url = g_strdup(access->url)};
    g_atomic_ref_count_init(&source->references);
    control_add("sessions", report, source);
    return source;
}

const SourceKind *source_kind(const Source *source)
{
    return source->kind;
}

gpointer source_connection(const Source *source)
{
    return source->connection;
}

Source *source_hold(Source *source)
{
    g_atomic_ref_count_inc(&source->references);
    return source;
}

void source_close(Source *source)
{
    if (!source || !g_atomic_ref_count_dec(&source->references))
        return;
    control_remove(report, source);
    source->kind->close(source->connection);
    g_free(source->url);
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

json_t *source_host_option(Source *source, const char *host_id, const char *key, GCancellable *cancel,
                           GError **error)
{
    return source->kind->host_option
               ? source->kind->host_option(source->connection, host_id, key, cancel, error)
               : json_array();
}

json_t *source_missing_rights(Source *source, const json_t *workloads, GCancellable *cancel, GError **error)
{
    return source->kind->missing_rights
               ? source->kind->missing_rights(source->connection, workloads, cancel, error)
               : json_object();
}

gboolean source_hosts_log_in(const char *type)
{
    const SourceKind *kind = find_kind(type, NULL);
    return kind && kind->hosts_log_in;
}

gboolean source_check_host(Source *source, const SourceHost *host, GCancellable *cancel, GError **error)
{
    if (source->kind->check_host)
        return source->kind->check_host(source->connection, host, cancel, error);
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "hosts of a source of type %s are not read directly",
                source->kind->type);
    return FALSE;
}

guint source_host_port(const char *type)
{
    const SourceKind *kind = find_kind(type, NULL);
    return kind ? kind->host_port : 0;
}

json_t *source_unreachable(Source *source, const json_t *workloads, GCancellable *cancel, GError **error)
{
    return source->kind->unreachable ? source->kind->unreachable(source->connection, workloads, cancel, error)
                                     : json_object();
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

char *source_reader(const char *type, const json_t *workload, const char *disk_id, GError **error)
{
    const SourceKind *kind = find_kind(type, error);
    g_autoptr(json_t) member = NULL;

    if (!kind)
        return NULL;
    if (kind->reader)
        return g_strdup(kind->reader(workload, disk_id, error));
    member = kind->disk("", workload, disk_id, NULL, error);
    return member ? g_strdup(json_string_at(member, "type", "")) : NULL;
}

json_t *source_grant(Source *source, const json_t *workload, const char *disk_id, const char *snapshot,
                     const SourceHost *host, char **grant, char **why, GCancellable *cancel, GError **error)
{
    const SourceKind *kind = source->kind;

    *why = NULL;
    if (kind->grant)
        return kind->grant(source->connection, workload, disk_id, snapshot, host, grant, why, cancel, error);
    return kind->disk(source->url, workload, disk_id, host ? host->address : NULL, error);
}

gboolean source_keep(Source *source, const char *grant, GCancellable *cancel, GError **error)
{
    return !grant || !source->kind->keep || source->kind->keep(source->connection, grant, cancel, error);
}

gboolean source_revoke(Source *source, const char *disk_id, gboolean whole, char **grant, GCancellable *cancel,
                       GError **error)
{
    if (*grant && source->kind->revoke)
        return source->kind->revoke(source->connection, disk_id, whole, grant, cancel, error);
    g_clear_pointer(grant, g_free);
    return TRUE;
}

/* ---- streams ------------------------------------------------------------------------------------------- */

SourceExport *source_export_open(Source *source, const char *vm_id, const char *snapshot, const char *disk_id,
                                 GCancellable *cancel, GError **error)
{
    if (source->kind->export)
        return source->kind->export(source->connection, vm_id, snapshot, disk_id, cancel, error);
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT, "a source of type %s streams no disks",
                source->kind->type);
    return NULL;
}
