/* reader_vmdk: a VMDK and its parents in folders of this machine: tests, and disks that were brought as
 * files.
 *
 *   "source": {"type": "vmdk", "path": "/dir/x.vmdk", "generation": TEXT}
 */
#include "copy/vmdk_chain.h"
#include "copy/vmdk_folder.h"

typedef struct {
    Reader reader;
    VmdkChain *chain;
} VmdkReader;

static void close_vmdk(Reader *reader)
{
    VmdkReader *self = (VmdkReader *)reader;
    vmdk_chain_free(self->chain);
    g_free(self);
}

static Reader *open_vmdk(const CopySpec *spec, GCancellable *cancel, GError **error)
{
    const char *path = copy_spec_source_text(spec, "path", 4096, error);
    g_autoptr(VmdkChain) chain =
        path ? vmdk_chain_open(&vmdk_folder, path, spec->size, NULL, cancel, error) : NULL;
    g_autofree char *layers = chain ? vmdk_chain_describe(chain) : NULL;
    VmdkReader *self;

    if (!chain)
        return NULL;
    self = g_new0(VmdkReader, 1);
    self->reader =
        (Reader){.type = &reader_vmdk,
                 .size = vmdk_chain_size(chain),
                 .parallel = spec->connections,
                 .identity = json_pack("{s:s,s:o}", "type", "vmdk", "layers", vmdk_chain_identity(chain)),
                 .choice = g_strdup_printf("vmdk: %s in a folder of this machine", layers)};
    self->chain = g_steal_pointer(&chain);
    return &self->reader;
}

static gboolean vmdk_extents(Reader *reader, guint64 start, guint64 size, GArray *extents,
                             GCancellable *cancel, GError **error)
{
    return vmdk_chain_extents(((VmdkReader *)reader)->chain, start, size, extents, cancel, error);
}

static gboolean read_vmdk(Reader *reader, guint64 start, gsize size, guint8 *buffer, gsize *done,
                          GCancellable *cancel, GError **error)
{
    return vmdk_chain_read(((VmdkReader *)reader)->chain, start, size, buffer, done, cancel, error);
}

const ReaderType reader_vmdk = {
    .type = "vmdk", .open = open_vmdk, .extents = vmdk_extents, .read = read_vmdk, .close = close_vmdk};
