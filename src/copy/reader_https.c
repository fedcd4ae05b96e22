/* reader_https: a disk's files on vSphere datastores, read over HTTPS: flat ones, snapshots' deltas and all
 * that lies below them. So a VM that runs is read at a snapshot, without a library of VMware's.
 *
 *   "source": {"type": "https", "url": "https://vc/sdk", "datacenter": TEXT, "datastore": TEXT,
 *              "path": "dir/x.vmdk", "parents": ["[datastore] dir/y.vmdk", …]?, "generation": TEXT}
 *
 * parents are the layers below, youngest first, as the source knows them; without them the descriptors' own
 * links are followed.
 */
#include "base/clock.h"
#include "copy/datastore.h"
#include "copy/vmdk_chain.h"

#define TRIES           5
#define FIRST_WAIT_MS   250
#define LONGEST_WAIT_MS 4000

typedef struct {
    Reader reader;
    Datastore *datastore;
    VmdkChain *chain;
} HttpsReader;

static void close_https(Reader *reader)
{
    HttpsReader *self = (HttpsReader *)reader;

    vmdk_chain_free(self->chain);
    datastore_close(self->datastore);
    g_free(self);
}

/* NULL with an error; an empty list says nothing. */
static gboolean get_parents(const CopySpec *spec, char ***parents, GError **error)
{
    const json_t *list = json_object_get(spec->source, "parents"), *one;
    g_auto(GStrv) names = NULL;
    size_t at;

    if (!list)
        return TRUE;
    if (json_is_array(list) && json_array_size(list) < VMDK_MOST_LAYERS) {
        names = g_new0(char *, json_array_size(list) + 1);
        json_array_foreach (list, at, one)
            names[at] = g_strdup(json_string_value(one));
        if (g_strv_length(names) == json_array_size(list)) {
            *parents = g_steal_pointer(&names);
            return TRUE;
        }
    }
    g_set_error(error, GANTRY_ERROR, ERROR_BAD_INPUT,
                "copy spec: source.parents must be a list of fewer than %d file names", VMDK_MOST_LAYERS);
    return FALSE;
}

/* What follows a try to open that failed: TRUE when another one makes sense. A session that is not accepted
 * for files may have to make place for Basic authentication. */
static gboolean may_try_again(HttpsReader *self, const GError *failed, guint try, GCancellable *cancel,
                              GError **error)
{
    if (try < TRIES && g_error_matches(failed, GANTRY_ERROR, ERROR_SESSION_EXPIRED))
        return datastore_renew(self->datastore, g_atomic_int_get(&self->reader.session), cancel, error);
    if (try < TRIES && error_class(failed) != FATAL &&
        clock_wait(backoff_ms(try, FIRST_WAIT_MS, LONGEST_WAIT_MS), cancel))
        return TRUE;
    g_propagate_error(error, g_error_copy(failed));
    return FALSE;
}

static gboolean open_chain(HttpsReader *self, const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *path = copy_spec_source_text(spec, "path", 2048, error);
    const char *datastore = path ? copy_spec_source_text(spec, "datastore", 1024, error) : NULL;
    g_autofree char *name = datastore ? g_strdup_printf("[%s] %s", datastore, path) : NULL;
    g_auto(GStrv) parents = NULL;

    if (!name || !get_parents(spec, &parents, error) ||
        !(self->datastore = datastore_open(spec, &self->reader.session, cancel, error)))
        return FALSE;
    for (guint try = 0; !self->chain; try++) {
        g_autoptr(GError) failed = NULL;

        self->chain = vmdk_chain_open(datastore_files(self->datastore), name, spec->size,
                                      (const char *const *)parents, cancel, &failed);
        if (failed && !may_try_again(self, failed, try, cancel, error))
            return FALSE;
    }
    return TRUE;
}

static Reader *open_https(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    HttpsReader *self = g_new0(HttpsReader, 1);
    g_autoptr(Reader) reader = &self->reader;
    g_autofree char *layers = NULL;

    reader->type = &reader_https;
    reader->parallel = spec->connections;
    if (!open_chain(self, spec, cancel, error))
        return NULL;
    layers = vmdk_chain_describe(self->chain);
    reader->size = vmdk_chain_size(self->chain);
    reader->identity = json_pack("{s:s,s:o}", "type", "https", "layers", vmdk_chain_identity(self->chain));
    reader->choice =
        g_strdup_printf("https: %s, %s authentication", layers, datastore_login_way(self->datastore));
    return g_steal_pointer(&reader);
}

static gboolean https_extents(Reader *reader, guint64 start, guint64 size, GArray *extents,
                              GCancellable *cancel, GError **error)
{
    return vmdk_chain_extents(((HttpsReader *)reader)->chain, start, size, extents, cancel, error);
}

static gboolean read_https(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                           GCancellable *cancel, GError **error)
{
    return vmdk_chain_read(((HttpsReader *)reader)->chain, start, size, buffer, done, cancel, error);
}

static gboolean renew_https(Reader *reader, gint session, GCancellable *cancel, GError **error)
{
    return datastore_renew(((HttpsReader *)reader)->datastore, session, cancel, error);
}

const ReaderType reader_https = {.type = "https",
                                 .open = open_https,
                                 .extents = https_extents,
                                 .read = read_https,
                                 .renew = renew_https,
                                 .close = close_https};
